package dev.plimsoll.app.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.plimsoll.app.metrics.MetricTable;
import dev.plimsoll.app.metrics.Promtool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What wakes people: that each alert can fire, does not when it should not, and says what to do. */
class RunbooksTest {
    private static final Path RULES = Documents.ROOT.resolve("deploy/prometheus/alerts.yml");
    private static final Path TESTS = Documents.ROOT.resolve("deploy/prometheus/tests");
    private static final Path PAGES = Documents.ROOT.resolve("docs/runbooks");

    private static final Pattern ALERT = Pattern.compile("(?m)^ *- alert: (\\w+)$");
    private static final Pattern PAGE = Pattern.compile("(?m)^ *runbook: docs/runbooks/(\\w+)\\.md$");
    private static final Pattern METRIC = Pattern.compile("\\bplimsoll_[a-z0-9_]*[a-z0-9]\\b");
    private static final Pattern QUIET = Pattern.compile("alertname: (\\w+), exp_alerts: \\[]");
    private static final Pattern FIRES = Pattern.compile("alertname: (\\w+)\\s+exp_alerts:\\s+- exp_labels");

    @Test
    void everyAlertHasItsPageAndEveryPageItsAlert() throws IOException {
        Set<String> pages = new TreeSet<>();
        try (Stream<Path> files = Files.list(PAGES)) {
            files.map(file -> file.getFileName().toString().replace(".md", ""))
                    .filter(name -> !name.equals("README"))
                    .forEach(pages::add);
        }

        assertThat(pages).hasSizeGreaterThan(20).isEqualTo(new TreeSet<>(alerts()));
        assertThat(found(PAGE, Documents.read(RULES)))
                .as("pages that alerts name, in their order")
                .isEqualTo(alerts());
        assertThat(Documents.read(PAGES.resolve("README.md")))
                .contains(pages.stream()
                        .map(page -> "[" + page + "](" + page + ".md)")
                        .toList());
    }

    @Test
    void everyPageSaysWhatItMeansHowToSeeItWaysOutAndWhatHappensOtherwise() {
        for (String alert : alerts()) {
            String page = Documents.read(PAGES.resolve(alert + ".md"));

            assertThat(page).startsWith("# " + alert + "\n\n");
            assertThat(page.substring(alert.length() + 4, page.indexOf("## ")).strip())
                    .as("what %s means", alert)
                    .hasSizeGreaterThan(40);
            assertThat(page)
                    .as("%s: something to type, and something to do", alert)
                    .containsSubsequence("\n## See it\n\n```\n", "\n## Ways out\n\n* ", "\n## If you do nothing\n\n");
        }
    }

    @Test
    void everyMetricOfARuleIsThere() {
        String rules = Documents.read(RULES).replaceAll("(?m)^ *#.*$", "");
        List<String> asked =
                METRIC.matcher(rules).results().map(MatchResult::group).toList();

        assertThat(asked).hasSizeGreaterThan(20);
        assertThat(MetricTable.names()).containsAll(asked);
    }

    @Test
    void everyMetricOfAPageIsThere() {
        Set<String> asked = alerts().stream()
                .map(alert -> Documents.read(PAGES.resolve(alert + ".md")))
                .flatMap(page -> METRIC.matcher(page).results().map(MatchResult::group))
                .collect(Collectors.toSet());

        assertThat(asked).isNotEmpty();
        assertThat(MetricTable.names()).containsAll(asked);
    }

    @Test
    void everyAlertHasATestInWhichItFiresAndOneInWhichItDoesNot() throws IOException {
        StringBuilder tests = new StringBuilder();
        for (Path file : tests()) {
            tests.append(Documents.read(file));
        }

        assertThat(new TreeSet<>(found(FIRES, tests.toString()))).isEqualTo(new TreeSet<>(alerts()));
        assertThat(new TreeSet<>(found(QUIET, tests.toString()))).isEqualTo(new TreeSet<>(alerts()));
    }

    @Test
    void rulesFireWhenTheyShouldAndOnlyThen() throws Exception {
        assumeThat(Promtool.installed()).as(Promtool.MISSING).isPresent();
        Promtool promtool = Promtool.installed().orElseThrow();

        Promtool.Answer checked = promtool.run(List.of("check", "rules", RULES.toString()));
        assertThat(checked.content()).as(checked.text()).isTrue();

        List<String> arguments = new ArrayList<>(List.of("test", "rules"));
        tests().forEach(file -> arguments.add(file.toString()));
        Promtool.Answer tested = promtool.run(arguments);
        assertThat(tested.content()).as(tested.text()).isTrue();
    }

    private static List<String> alerts() {
        return found(ALERT, Documents.read(RULES));
    }

    private static List<Path> tests() throws IOException {
        try (Stream<Path> files = Files.list(TESTS)) {
            return files.filter(file -> file.toString().endsWith(".yml"))
                    .sorted()
                    .toList();
        }
    }

    private static List<String> found(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(found -> found.group(1)).toList();
    }
}
