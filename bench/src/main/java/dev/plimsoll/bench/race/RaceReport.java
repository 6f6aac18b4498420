package dev.plimsoll.bench.race;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.bench.WindowsRace;
import dev.plimsoll.replay.score.Machine;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The result of the race, for machines and for people. */
final class RaceReport {
    private static final int SIGNIFICANT = 4;

    private final List<Configuration> configurations;
    private final WindowsRace.Settings settings;
    private final Machine machine = Machine.here();

    RaceReport(List<Configuration> configurations, WindowsRace.Settings settings) {
        this.configurations = List.copyOf(configurations);
        this.settings = settings;
    }

    /** What was wrong with windows, with who published them. */
    List<String> wrong() {
        List<String> wrong = new ArrayList<>();
        for (Configuration configuration : configurations) {
            configuration
                    .contestants()
                    .forEach(contestant -> configuration.standing(contestant).faults().stream()
                            .map(fault -> configuration.shape().name() + ", " + contestant.label() + ": " + fault)
                            .forEach(wrong::add));
        }
        return wrong;
    }

    /** One line. */
    String json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ArrayNode array = root.putArray("configurations");
        configurations.forEach(configuration -> put(array.addObject(), configuration));
        root.putObject("machine")
                .put("cores", machine.cores())
                .put("cpu", machine.cpu())
                .put("os", machine.os())
                .put("jdk", machine.jdk())
                .put("load", rounded(Machine.load()));
        root.put("arguments", arguments());
        try {
            return new ObjectMapper().writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers can always be written", e);
        }
    }

    private static void put(ObjectNode node, Configuration configuration) {
        RaceShape shape = configuration.shape();
        node.put("ranks", shape.load().ranks())
                .put("nodes", shape.load().nodes())
                .put("layers", shape.load().layers())
                .put("slots", shape.load().slotsPerRank())
                .put("partitions", shape.partitions())
                .put("boundariesPerWindow", shape.load().boundariesPerWindow())
                .put("latePercent", shape.latePercent())
                .put("samples", shape.samples())
                .put("windows", shape.windows() * shape.partitions())
                .put("counterBytes", counterBytes(shape))
                .put("inputBytes", configuration.inputBytes())
                .put("pacedStepsPerSecond", configuration.paced().load().stepsPerSecond())
                .put("pacedBoundariesPerWindow", configuration.paced().load().boundariesPerWindow())
                .put("pacedRounds", configuration.pacedRounds())
                .put("paceMostBehindMillis", configuration.mostBehindMillis());
        ObjectNode contestants = node.putObject("contestants");
        ObjectNode ratios = node.putObject("ratio");
        for (Contestant contestant : configuration.contestants()) {
            Standing standing = configuration.standing(contestant);
            ObjectNode one = contestants.putObject(contestant.label());
            one.put("rounds", standing.rounds())
                    .put("windowsChecked", standing.windows())
                    .put("exact", standing.faults().isEmpty());
            for (Measure measure : Measure.values()) {
                put(one.putObject(measure.key()), standing.of(measure));
            }
            put(one.putObject("compilerCpuSecondsPerMillionSamples"), standing.compiler());
            put(one.putObject("collectorCpuSecondsPerMillionSamples"), standing.collector());
            if (!contestant.ours()) {
                ObjectNode ratio = ratios.putObject(contestant.label());
                for (Measure measure : Measure.values()) {
                    put(ratio, measure.key(), configuration.ratio(contestant, measure));
                }
            }
        }
    }

    private static void put(ObjectNode node, Spread spread) {
        put(node, "median", spread.median());
        put(node, "min", spread.min());
        put(node, "max", spread.max());
    }

    private static void put(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) {
            node.put(key, rounded(value));
        } else {
            node.putNull(key);
        }
    }

    private static double rounded(double value) {
        return new BigDecimal(value).round(new MathContext(SIGNIFICANT)).doubleValue();
    }

    private static long counterBytes(RaceShape shape) {
        return RaceShape.windowBytes(shape.load()) * shape.windows() * shape.partitions();
    }

    /** A table for each configuration, at most 110 columns wide, and who wins where. */
    String text() {
        StringBuilder text = new StringBuilder();
        for (Configuration configuration : configurations) {
            RaceShape shape = configuration.shape();
            text.append(String.format(
                    Locale.ROOT,
                    "%s: %d layers × %d slots, %d nodes%n%d samples, %.0f MB as 32-bit counters, %.0f MB in the topic%n",
                    shape.name(),
                    shape.load().layers(),
                    shape.load().slotsPerRank(),
                    shape.load().nodes(),
                    shape.samples(),
                    counterBytes(shape) / 1e6,
                    configuration.inputBytes() / 1e6));
            row(text, "", Stream.of(Measure.values()).map(Measure::head).toList());
            for (Contestant contestant : configuration.contestants()) {
                Standing standing = configuration.standing(contestant);
                row(
                        text,
                        contestant.label(),
                        Stream.of(Measure.values())
                                .map(measure -> number(
                                        measure.format(), standing.of(measure).median()))
                                .toList());
            }
            for (Contestant contestant : configuration.contestants()) {
                if (!contestant.ours()) {
                    row(
                            text,
                            "× " + contestant.label(),
                            Stream.of(Measure.values())
                                    .map(measure -> ratio(configuration, contestant, measure))
                                    .toList());
                }
            }
            text.append(verdict(configuration)).append(System.lineSeparator());
        }
        text.append("× is a contestant's number over plimsoll's, * where the contestant wins; medians of the rounds.")
                .append(System.lineSeparator())
                .append(machine.cores() + " cores, " + machine.cpu() + "; " + machine.os())
                .append(System.lineSeparator())
                .append("JDK " + machine.jdk() + String.format(Locale.ROOT, "; load %.1f", Machine.load()))
                .append(System.lineSeparator())
                .append("again: plimsoll bench windows ")
                .append(arguments());
        return text.toString();
    }

    private static String ratio(Configuration configuration, Contestant contestant, Measure measure) {
        double ratio = configuration.ratio(contestant, measure);
        return number("%.2f", ratio) + (measure.lost(ratio) ? "*" : "");
    }

    private static String verdict(Configuration configuration) {
        Standing ours = configuration.standing(Contestant.PLIMSOLL);
        String lost = configuration.contestants().stream()
                .filter(contestant -> !contestant.ours())
                .map(contestant -> {
                    String measures = Stream.of(Measure.values())
                            .filter(measure -> measure.lost(configuration.ratio(contestant, measure)))
                            .map(Measure::head)
                            .collect(Collectors.joining(", "));
                    return measures.isEmpty() ? "" : contestant.label() + " wins in " + measures;
                })
                .filter(words -> !words.isEmpty())
                .collect(Collectors.joining(System.lineSeparator()));
        Spread cpu = ours.of(Measure.CPU_PER_MILLION);
        boolean exact = configuration.contestants().stream()
                .allMatch(contestant ->
                        configuration.standing(contestant).faults().isEmpty());
        return String.format(
                        Locale.ROOT,
                        "%d %s; plimsoll's cpu s/M from %.1f to %.1f; %s%n",
                        ours.rounds(),
                        ours.rounds() == 1 ? "round" : "rounds",
                        cpu.min(),
                        cpu.max(),
                        exact ? "every window of everybody is exact" : "WINDOWS ARE WRONG, see below")
                + (lost.isEmpty() ? "Kafka Streams wins nowhere" : lost)
                + System.lineSeparator();
    }

    private static void row(StringBuilder text, String name, List<String> cells) {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-19s", name));
        for (int i = 0; i < cells.size(); i++) {
            int width = Math.max(Measure.values()[i].head().length(), 6) + 1;
            line.append(String.format(Locale.ROOT, "%" + width + "s", cells.get(i)));
        }
        text.append(line.toString().stripTrailing()).append(System.lineSeparator());
    }

    private static String number(String format, double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "–";
    }

    private String arguments() {
        return "--ranks " + joined(settings.ranks()) + " --nodes " + joined(settings.nodes()) + " --partitions "
                + joined(settings.partitions()) + " --mebibytes " + settings.mebibytes() + " --for "
                + settings.length().toSeconds() + "s --paced "
                + settings.paced().toSeconds() + "s";
    }

    private static String joined(List<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
    }
}
