package dev.plimsoll.app.metrics;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.WindowJoin;
import dev.plimsoll.planner.protocol.Effect;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All metrics of ours as Prometheus sees them, with their labels: those that {@link Events} calls forth, and the names of those
 * that the sources have besides.
 */
public final class MetricTable {
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");
    /** A meter's name and help, where it is made. */
    private static final Pattern MADE =
            Pattern.compile("\\b(counter|gauge|set|now|timer|summary|Gauge.builder)\\(\\s*\"(plimsoll\\.[a-z.]+)\","
                    + "(?:[^;]*description\\()?\\s*\"([^\"]*)\"");

    private static final Pattern CONSTANT = Pattern.compile("static final String (\\w+) =\\s*(\"[^\"]*\");");
    private static final Pattern NAME = Pattern.compile("\\b[A-Z][A-Z_]+\\b");
    /** What a histogram has by its nature. */
    private static final Set<String> OF_HISTOGRAMS = Set.of("le", "quantile");

    private record Family(String name, String type, String help, Set<String> labels) {}

    private MetricTable() {}

    public static String text() {
        return families().stream()
                .sorted(Comparator.comparing(Family::name))
                .map(family -> "| `%s` | %s | %s | %s |\n"
                        .formatted(
                                family.name(),
                                family.type(),
                                family.labels().stream()
                                        .map(label -> "`" + label + "`")
                                        .collect(Collectors.joining(", ")),
                                family.help()))
                .collect(Collectors.joining("", "| metric | kind | labels | what |\n|---|---|---|---|\n", ""));
    }

    /** The names that a query may use. */
    public static Set<String> names() {
        Set<String> names = families().stream().map(Family::name).collect(Collectors.toCollection(TreeSet::new));
        lines().stream()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split("[{ ]", 2)[0])
                .forEach(names::add);
        return names;
    }

    private static List<Family> families() {
        Map<String, Family> families = new TreeMap<>();
        String name = "";
        String help = "";
        for (String line : lines()) {
            String[] words = line.split(" ", 4);
            if (line.startsWith("# HELP ")) {
                name = words[2];
                help = words.length > 3 ? words[3] : "";
            } else if (line.startsWith("# TYPE ")) {
                name = words[2];
                families.put(name, new Family(name, words[3], help, new TreeSet<>()));
                help = "";
            } else if (families.containsKey(name)) {
                Matcher label = LABEL.matcher(line);
                while (label.find()) {
                    if (!OF_HISTOGRAMS.contains(label.group(1))) {
                        families.get(name).labels().add(label.group(1));
                    }
                }
            }
        }
        made().forEach(made -> families.putIfAbsent(made.name(), made));
        // Micrometer puts the highest value of late beside each histogram.
        return families.values().stream()
                .filter(family -> family.name().startsWith("plimsoll_"))
                .filter(family -> !family.name().endsWith("_max"))
                .toList();
    }

    /** What the sources make, as far as name and help stand there together; labels are not known. */
    private static List<Family> made() {
        try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/plimsoll/app/metrics"))) {
            return files.map(MetricTable::read)
                    .map(MetricTable::withConstants)
                    .flatMap(source -> MADE.matcher(source).results())
                    .map(MetricTable::family)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A source with its constants in the places of their names. */
    private static String withConstants(String source) {
        Map<String, String> constants = CONSTANT.matcher(source)
                .results()
                .collect(Collectors.toMap(constant -> constant.group(1), constant -> constant.group(2)));
        return NAME.matcher(source)
                .replaceAll(name -> Matcher.quoteReplacement(constants.getOrDefault(name.group(), name.group())));
    }

    private static Family family(MatchResult made) {
        String name = made.group(2).replace('.', '_');
        return switch (made.group(1)) {
            case "counter" -> new Family(name + "_total", "counter", made.group(3), Set.of("…"));
            case "timer" -> new Family(name + "_seconds", "histogram", made.group(3), Set.of("…"));
            case "summary" -> new Family(name, "histogram", made.group(3), Set.of("…"));
            default -> new Family(name, "gauge", made.group(3), Set.of("…"));
        };
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What no healthy run does. */
    private static void rare(Meters meters) {
        Quarantined record = new Quarantined("plimsoll.samples.v1", 0, 0, 0, "", "FRAME", "", "", 0);
        meters.aggregator().unreadable(record);
        PlannerListener planner = meters.planner();
        planner.alarm(Events.DEPLOYMENT, true, "");
        planner.ignored(Events.DEPLOYMENT, Effect.IgnoreReason.DUPLICATE);
        planner.dropped(Events.DEPLOYMENT, WindowJoin.Drop.OVERTAKEN, 1);
    }

    private static List<String> lines() {
        try (Meters meters = new Meters()) {
            Events.all(meters);
            rare(meters);
            return meters.registry().scrape().lines().toList();
        }
    }
}
