package dev.plimsoll.replay.report;

import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.ReplayResult;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The tables of the page. On narrow screens each row stands as a card, so every cell carries the name of its column. */
final class Tables {
    private static final int WORST_WINDOWS = 10;
    /** Runs side by side in the table of the worst windows. */
    private static final int MOST_COLUMNS = 7;

    private final Html html;
    private final ReplayResult result;
    private final Standings standings;

    Tables(Html html, ReplayResult result, Standings standings) {
        this.html = html;
        this.result = result;
        this.standings = standings;
    }

    void policies() {
        boolean timed = standings.timed();
        List<String> head = new ArrayList<>(List.of("Policy", "Busiest ranks"));
        if (timed) {
            head.add(1, "Experts ms");
        }
        int at = head.size();
        head.addAll(List.of(
                "Balancedness",
                "Worst window",
                "Worst layer",
                "Most even in",
                "Decisions",
                "Moves",
                "Weights moved",
                "Over-promised",
                "Data"));
        begin("policies-table", "Policies and configurations over the same past", head);
        Optional<Standing> best = standings.best();
        for (Standing standing : standings.all()) {
            boolean isBest = best.filter(other -> other == standing).isPresent();
            html.open("tr", "class", isBest ? "best" : "plain");
            html.open("th", "scope", "row", "data-label", head.get(0));
            html.element("span", standing.run().name(), "class", "name");
            html.element("small", standings.configuration(standing.run()));
            if (standing.live()) {
                badge("live", "really ran");
            }
            if (standings.baseline().filter(other -> other == standing).isPresent()) {
                badge("baseline", "baseline");
            }
            if (isBest) {
                badge("chosen", standings.alike(standing) ? "best like for like" : "best");
            }
            html.close();
            if (timed) {
                cell(head.get(1), Text.millis(standing.run().meanExpertMicros()));
            }
            relative(head.get(at - 1), standing);
            cell(head.get(at), Text.ratio(standing.mean()));
            cell(head.get(at + 1), Text.ratio(standing.worst()));
            cell(head.get(at + 2), Text.ratio(standing.worstLayer()));
            cell(head.get(at + 3), Text.count(standing.best()));
            cell(head.get(at + 4), Text.count(standing.run().decisions().size()));
            cell(head.get(at + 5), Text.count(standing.run().moves()));
            cell(head.get(at + 6), Text.bytes(standing.run().bytes()));
            cell(head.get(at + 7), Text.change(standing.promised()));
            html.open("td", "data-label", head.get(at + 8));
            quality(standing.served());
            html.close();
            html.close().line();
        }
        end();
        html.open("p", "class", "note")
                .text(
                        "Busiest ranks: load of the busiest rank, added up over layers, against the baseline over the windows that both"
                                + " served; less is better, and step time follows it. Over-promised: predicted less measured balancedness, mean"
                                + " over measured decisions. Most even in: windows in which no run of as many ranks was more even; ties count for"
                                + " each."
                                + (timed
                                        ? " Experts ms: what experts take of a step, mean over windows, by the device profile; the rest of a"
                                                + " step is the same for all."
                                        : " Time in ms is not given: no device profile was part of this replay.")
                                + (standings.labelsSayRedundant() ? " A + behind a name: redundant slots." : ""))
                .close()
                .line();
    }

    private void relative(String label, Standing standing) {
        html.open("td", "data-label", label);
        if (!Double.isFinite(standing.relative())) {
            html.text("–").close();
            return;
        }
        boolean own = standings.all().get(standing.baseline()) == standing;
        if (own) {
            html.element("span", "100 %", "class", "amount");
        } else {
            html.element("span", Text.change(standing.relative() - 1), "class", "amount");
        }
        // As wide as the load is of the baseline's; the mark is the baseline.
        int width = (int) Math.round(Math.min(1.5, standing.relative()) * 60);
        html.ours(String.format(
                Locale.ROOT,
                "<svg class=\"bar\" viewBox=\"0 0 92 8\" width=\"92\" height=\"8\" aria-hidden=\"true\"><rect class=\"bar-load\" width=\"%d\" height=\"8\" rx=\"1.5\"/>"
                        + "<path class=\"bar-mark\" d=\"M60.5 0V8\"/></svg>",
                width));
        if (!own) {
            Standing baseline = standings.all().get(standing.baseline());
            html.element(
                    "small",
                    "vs " + baseline.run().name()
                            + (standing.compared() == standing.served()
                                    ? ""
                                    : " in " + Text.count(standing.compared(), "window")));
        }
        html.close();
    }

    private void quality(int served) {
        double share = (double) served / Math.max(1, result.windows().size());
        String kind = share >= 1 ? "full" : share >= 0.95 ? "near" : "partial";
        String word = share >= 1 ? "all windows" : Text.percent(Math.min(share, 0.999));
        html.element(
                "span",
                word,
                "class",
                "quality " + kind,
                "title",
                Text.count(served) + " of " + Text.count(result.windows().size(), "window") + ", "
                        + Text.count(result.gaps().size(), "gap"));
    }

    private void badge(String kind, String text) {
        html.element("span", text, "class", "badge " + kind);
    }

    void worst() {
        Optional<Standing> baseline =
                standings.baseline().or(() -> standings.all().stream().findFirst());
        if (baseline.isEmpty()) {
            html.element("p", "No run.", "class", "note");
            return;
        }
        Set<Standing> columns = new LinkedHashSet<>();
        columns.add(baseline.get());
        standings.best().ifPresent(columns::add);
        standings.thrifty().ifPresent(columns::add);
        standings.all().stream().limit(MOST_COLUMNS).forEach(columns::add);
        List<Standing> runs = columns.stream().limit(MOST_COLUMNS).toList();
        List<Map<Long, ServedWindow>> served =
                runs.stream().map(standing -> Series.served(standing.run())).toList();
        Map<Long, PastWindow> windows = result.windows().stream()
                .collect(Collectors.toMap(PastWindow::index, window -> window, (first, second) -> second));

        long newest = result.windows().stream()
                .mapToLong(PastWindow::closedAtMillis)
                .max()
                .orElse(0);
        List<String> head = new ArrayList<>(List.of("Window", "Closed", "Load", "Worst layer"));
        runs.forEach(run -> head.add(run.label()));
        begin(
                "worst-table",
                "The " + WORST_WINDOWS + " windows with the least balancedness under "
                        + baseline.get().label(),
                head);
        baseline.get().run().served().stream()
                .filter(Standing::loaded)
                .sorted(Comparator.comparingDouble(ServedWindow::mean))
                .limit(WORST_WINDOWS)
                .forEach(worst -> {
                    Optional<PastWindow> window = Optional.ofNullable(windows.get(worst.index()));
                    html.open("tr", "data-window", String.valueOf(worst.index()));
                    html.element("th", Text.count(worst.index()), "scope", "row", "data-label", head.get(0));
                    cell(
                            head.get(1),
                            window.map(PastWindow::closedAtMillis)
                                    .filter(millis -> millis > 0)
                                    .map(millis -> Text.time(millis, newest))
                                    .orElse("–"));
                    cell(
                            head.get(2),
                            window.map(PastWindow::load).map(Text::count).orElse("–"));
                    html.open("td", "data-label", head.get(3))
                            .text(worst.worstLayer() < 0 ? "–" : "" + worst.worstLayer());
                    if (worst.worstLayer() >= 0 && layerId(worst) != worst.worstLayer()) {
                        html.element("small", "model's " + layerId(worst));
                    }
                    html.close();
                    for (int i = 0; i < runs.size(); i++) {
                        ServedWindow other = served.get(i).get(worst.index());
                        cell(head.get(4 + i), other == null ? "–" : Text.ratio(other.mean()));
                    }
                    html.close().line();
                });
        end();
    }

    /** The model's own number. */
    private int layerId(ServedWindow window) {
        return result.shape().layerIds().get(window.worstLayer());
    }

    void kept() {
        Set<String> reasons = new TreeSet<>();
        standings.all().forEach(standing -> reasons.addAll(standing.run().kept().keySet()));
        if (reasons.isEmpty()) {
            html.element("p", "No window left a placement as it was, or no run says why.", "class", "note");
            return;
        }
        List<String> head = new ArrayList<>(List.of("Policy"));
        head.addAll(reasons);
        begin("kept-table", "Windows that led to no decision, by reason", head);
        for (Standing standing : standings.all()) {
            html.open("tr").element("th", standing.label(), "scope", "row", "data-label", head.get(0));
            for (String reason : reasons) {
                int count = standing.run().kept().getOrDefault(reason, 0);
                html.element("td", Text.count(count), "data-label", reason, "class", count == 0 ? "zero" : "some");
            }
            html.close().line();
        }
        end();
        html.open("dl", "class", "terms");
        Words.REASONS.forEach((reason, meaning) -> {
            if (reasons.contains(reason)) {
                html.open("div").element("dt", reason).element("dd", meaning).close();
            }
        });
        html.close().line();
    }

    void definitions() {
        html.open("dl", "class", "terms");
        Words.DEFINITIONS.forEach((word, meaning) ->
                html.open("div").element("dt", word).element("dd", meaning).close());
        html.close().line();
    }

    void inputs(SortedMap<String, String> inputs, int most) {
        List<String> head = List.of("Input", "Offsets or SHA-256");
        begin("inputs-table", "What was read", head);
        inputs.entrySet().stream().limit(most).forEach(input -> {
            html.open("tr").element("th", input.getKey(), "scope", "row", "class", "code", "data-label", head.get(0));
            html.element("td", input.getValue(), "class", "code", "data-label", head.get(1))
                    .close()
                    .line();
        });
        end();
        if (inputs.size() > most) {
            html.element(
                    "p",
                    Text.count(inputs.size() - (long) most, "further input") + ": see the manifest.",
                    "class",
                    "note");
        }
    }

    void settings() {
        for (Standing standing : standings.all()) {
            if (standing.run().settings().isEmpty()) {
                continue;
            }
            html.open("details").element("summary", "Settings of " + standing.label());
            html.open("dl", "class", "facts-list compact");
            new TreeMap<>(standing.run().settings())
                    .forEach((name, value) -> html.open("div")
                            .element("dt", name)
                            .element("dd", value)
                            .close());
            html.close().close().line();
        }
    }

    private void cell(String label, String text) {
        html.element("td", text, "data-label", label);
    }

    private void begin(String id, String caption, List<String> head) {
        html.open("div", "class", "table")
                .open("table", "id", id)
                .element("caption", caption)
                .open("thead")
                .open("tr");
        head.forEach(name -> html.element("th", name, "scope", "col"));
        html.close().close().open("tbody").line();
    }

    private void end() {
        html.close().close().close().line();
    }
}
