package dev.plimsoll.replay.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.ReplayResult;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/**
 * The data of the page: the JSON in {@code <script type="application/json" id="run">}, laid out in {@code docs/report.md}.
 *
 * <p>Maps are in the order of their keys and times of this machine are left out, so that a result gives the same bytes on any day.
 */
final class RunBlock {
    static final String FORMAT = "plimsoll-report/1";

    /** Windows times runs that are drawn: 11 bytes each before base64. */
    private static final long MOST_POINTS = 100_000;

    private static final int MOST_DECISIONS = 4_000;
    private static final int MOST_GAPS = 2_000;

    /** Longest reason of a decision that is carried. */
    private static final int LONGEST_REASON = 240;

    private static final List<String> COLUMNS = List.of(
            "window",
            "epoch",
            "plan",
            "moves",
            "bytes",
            "layers",
            "before",
            "predicted",
            "measured",
            "without",
            "reason",
            "gain",
            "windows");

    private static final ServedWindow NOT_SERVED = new ServedWindow(-1, Double.NaN, Double.NaN, -1, Double.NaN, 0);

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final ReplayResult result;
    private final Standings standings;

    RunBlock(ReplayResult result, Standings standings) {
        this.result = result;
        this.standings = standings;
    }

    /** @param room characters that it may take */
    String json(long room) {
        ObjectNode root = NODES.objectNode();
        root.put("format", FORMAT);
        root.put("deployment", result.provenance().deployment());
        root.set("model", model());
        root.put("baseline", standings.baseline().map(standings.all()::indexOf).orElse(-1));

        root.put("best", standings.best().map(standings.all()::indexOf).orElse(-1));

        // Everything but pictures first, with all windows that may have one; what is left is theirs.
        Set<Long> always = new HashSet<>();
        result.matrices().forEach(matrix -> always.add(matrix.index()));
        standings.all().forEach(standing -> always.add(standing.worstWindow()));
        Series series = Series.of(result, MOST_POINTS, always);
        root.set("windows", windows(series));
        root.set("gaps", gaps());
        ArrayNode runs = root.putArray("runs");
        int mostDecisions = MOST_DECISIONS / Math.max(1, standings.all().size());
        standings.all().forEach(standing -> runs.add(run(standing, series, mostDecisions)));
        Pictures pictures = Pictures.fitting(result, room - text(root).length());
        root.set("matrices", pictures.matrices());
        root.set("placements", pictures.placements());
        for (int i = 0; i < runs.size(); i++) {
            ObjectNode placements = ((ObjectNode) runs.get(i)).putObject("placements");
            pictures.placementOfWindow(i).forEach((window, number) -> placements.put(String.valueOf(window), number));
        }
        ObjectNode leftOut = root.putObject("leftOut");
        leftOut.put("windows", result.windows().size() - series.windows().size());
        leftOut.put("matrices", pictures.leftOut());
        leftOut.put("gaps", Math.max(0, result.gaps().size() - MOST_GAPS));
        return text(root);
    }

    /** JSON without any character that ends a script or begins a comment in HTML. */
    private static String text(ObjectNode node) {
        try {
            return new ObjectMapper()
                    .writeValueAsString(node)
                    .replace("<", "\\u003c")
                    .replace(">", "\\u003e")
                    .replace("&", "\\u0026")
                    .replace("\u2028", "\\u2028")
                    .replace("\u2029", "\\u2029");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of our own cannot be written", e);
        }
    }

    private ObjectNode model() {
        ObjectNode model = NODES.objectNode();
        model.put("name", result.shape().name());
        model.put("experts", result.shape().experts());
        model.put("topK", result.shape().topK());
        ArrayNode layers = model.putArray("layerIds");
        result.shape().layerIds().forEach(layers::add);
        return model;
    }

    private ObjectNode windows(Series series) {
        List<PastWindow> windows = series.windows();
        Map<String, Integer> reasons = new LinkedHashMap<>(Map.of("", 0));
        windows.forEach(window -> reasons.putIfAbsent(reason(window), reasons.size()));
        ObjectNode node = NODES.objectNode();
        node.put("replayed", result.windows().size());
        node.put("usable", result.windows().stream().filter(PastWindow::usable).count());
        node.put("thinned", series.thinned());
        node.set("index", whole(windows, PastWindow::index));
        node.set("firstStep", whole(windows, PastWindow::firstStep));
        node.set("lastStep", whole(windows, PastWindow::lastStep));
        node.set(
                "closedAt",
                whole(windows, window -> window.closedAtMillis() > 0 ? window.closedAtMillis() : Packed.MISSING));
        node.set("load", whole(windows, PastWindow::load));
        node.set(
                "completeness",
                Packed.ratios(windows.stream()
                                .mapToDouble(PastWindow::completeness)
                                .toArray())
                        .json());
        node.set("why", whole(windows, window -> reasons.get(reason(window))));
        ArrayNode texts = node.putArray("reasons");
        reasons.keySet().forEach(texts::add);
        return node;
    }

    private static String reason(PastWindow window) {
        return window.usable() ? "" : window.why().isEmpty() ? "not usable" : window.why();
    }

    private static ObjectNode whole(List<PastWindow> windows, ToLongFunction<PastWindow> value) {
        return Packed.whole(windows.stream().mapToLong(value).toArray()).json();
    }

    private ArrayNode gaps() {
        ArrayNode gaps = NODES.arrayNode();
        result.gaps().stream()
                .limit(MOST_GAPS)
                .forEach(gap ->
                        gaps.addArray().add(gap.fromIndex()).add(gap.toIndex()).add(gap.reason()));
        return gaps;
    }

    private ObjectNode run(Standing standing, Series series, int mostDecisions) {
        PolicyRun run = standing.run();
        ObjectNode node = NODES.objectNode();
        node.put("label", standing.label());
        node.put("name", run.name());
        node.put("live", standing.live());
        node.put("ranks", run.ranks());
        node.put("redundant", run.redundant());
        node.put("nodes", run.nodes());
        ObjectNode settings = node.putObject("settings");
        new TreeMap<>(run.settings()).forEach(settings::put);
        ObjectNode kept = node.putObject("kept");
        new TreeMap<>(run.kept()).forEach(kept::put);
        node.set("summary", summary(standing));
        node.set("series", series(run, series));
        node.set("decisions", decisions(run, mostDecisions));
        return node;
    }

    private static ObjectNode summary(Standing standing) {
        ObjectNode node = NODES.objectNode();
        node.put("baseline", standing.baseline());
        number(node, "relative", standing.relative());
        node.put("compared", standing.compared());
        number(node, "expertMicros", standing.run().meanExpertMicros());
        number(node, "mean", standing.mean());
        number(node, "worst", standing.worst());
        node.put("worstWindow", standing.worstWindow());
        number(node, "worstLayer", standing.worstLayer());
        node.put("served", standing.served());
        node.put("best", standing.best());
        number(node, "promised", standing.promised());
        node.put("onFront", standing.onFront());
        node.put("decisions", standing.run().decisions().size());
        node.put("moves", standing.run().moves());
        node.put("bytes", standing.run().bytes());
        return node;
    }

    /** What is no number is null. */
    private static void number(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }

    private static ObjectNode series(PolicyRun run, Series series) {
        Map<Long, ServedWindow> served = Series.served(run);
        List<ServedWindow> windows = series.windows().stream()
                .map(window -> served.getOrDefault(window.index(), NOT_SERVED))
                .toList();
        ObjectNode node = NODES.objectNode();
        node.set("mean", Packed.ratios(values(windows, ServedWindow::mean)).json());
        node.set("min", Packed.ratios(values(windows, ServedWindow::min)).json());
        if (Double.isFinite(run.meanExpertMicros())) {
            node.set(
                    "expertMicros",
                    Packed.reals(values(windows, ServedWindow::expertMicros)).json());
        }
        node.set(
                "hottest",
                Packed.reals(values(windows, window -> window == NOT_SERVED ? Double.NaN : window.hottestLoad()))
                        .json());
        node.set(
                "worstLayer",
                Packed.whole(windows.stream()
                                .mapToLong(window -> window.worstLayer() < 0 ? Packed.MISSING : window.worstLayer())
                                .toArray())
                        .json());
        node.set(
                "version",
                Packed.whole(windows.stream()
                                .mapToLong(window -> window == NOT_SERVED ? Packed.MISSING : window.version())
                                .toArray())
                        .json());
        return node;
    }

    private static double[] values(List<ServedWindow> windows, ToDoubleFunction<ServedWindow> value) {
        return windows.stream().mapToDouble(value).toArray();
    }

    /** In order; where there are too many, those with the most moves. */
    private static ObjectNode decisions(PolicyRun run, int most) {
        List<MadeDecision> all = run.decisions();
        Set<MadeDecision> chosen = all.stream()
                .sorted(Comparator.comparingInt((MadeDecision decision) -> -decision.moves()))
                .limit(most)
                .collect(Collectors.toCollection(() -> Collections.newSetFromMap(new IdentityHashMap<>())));
        ObjectNode node = NODES.objectNode();
        node.put("leftOut", all.size() - chosen.size());
        ArrayNode columns = node.putArray("columns");
        COLUMNS.forEach(columns::add);
        Map<String, Integer> reasons = new LinkedHashMap<>();
        ArrayNode rows = node.putArray("rows");
        for (MadeDecision decision : all) {
            if (!chosen.contains(decision)) {
                continue;
            }
            String reason = shortened(decision.reason());
            reasons.putIfAbsent(reason, reasons.size());
            ArrayNode row = rows.addArray();
            row.add(decision.windowIndex())
                    .add(decision.epoch())
                    .add(String.format("%016x", decision.planHash()))
                    .add(decision.moves())
                    .add(decision.bytes())
                    .add(decision.layers());
            for (double value :
                    new double[] {decision.before(), decision.predicted(), decision.measured(), decision.without()}) {
                if (Double.isFinite(value)) {
                    row.add(Math.round(value * 1e6) / 1e6);
                } else {
                    row.addNull();
                }
            }
            row.add(reasons.get(reason));
            if (Double.isFinite(decision.gain())) {
                row.add(Math.round(decision.gain() * 1e6) / 1e6);
            } else {
                row.addNull();
            }
            row.add(decision.windows());
        }
        ArrayNode texts = node.putArray("reasons");
        reasons.keySet().forEach(texts::add);
        return node;
    }

    private static String shortened(String reason) {
        return reason.length() <= LONGEST_REASON ? reason : reason.substring(0, LONGEST_REASON - 1) + "…";
    }
}
