package dev.plimsoll.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Grafana's panels ask for what we have: a metric that is renamed here leaves a panel empty there, and nobody is told. */
class DashboardTest {
    private static final Path DASHBOARDS = Path.of("..", "deploy", "grafana", "dashboards");
    private static final Pattern OURS = Pattern.compile("plimsoll_[a-z0-9_]+");

    @Test
    void everyMetricThatADashboardAsksForIsThere() throws IOException {
        Set<String> asked = asked();
        assertThat(asked).contains("plimsoll_misrouted_tokens_total");

        assertThat(served()).containsAll(asked);
    }

    private static Set<String> asked() throws IOException {
        List<Path> dashboards;
        try (Stream<Path> files = Files.list(DASHBOARDS)) {
            dashboards = files.filter(file -> file.toString().endsWith(".json")).toList();
        }
        Set<String> names = new TreeSet<>();
        for (Path dashboard : dashboards) {
            for (JsonNode expression :
                    new ObjectMapper().readTree(dashboard.toFile()).findValues("expr")) {
                Matcher matcher = OURS.matcher(expression.asText());
                while (matcher.find()) {
                    names.add(matcher.group());
                }
            }
        }
        return names;
    }

    private static Set<String> served() {
        try (Meters meters = new Meters()) {
            Events.all(meters);
            return meters.registry()
                    .scrape()
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split("[{ ]", 2)[0])
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
