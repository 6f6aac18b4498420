package dev.plimsoll.replay.report;

import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.Provenance;
import dev.plimsoll.replay.result.ReplayResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.LongStream;

/** The page around the pictures: what can be read without any script is written here; {@code main.js} draws the rest. */
final class Page {
    private static final int MOST_INPUTS = 500;

    private record Section(String id, String link, String title, String lead) {}

    private static final Section POLICIES = new Section(
            "policies",
            "Policies",
            "Which policy would have done what",
            "One row for each policy and configuration, over the same windows of the past.");
    private static final Section TIME = new Section(
            "time",
            "Over time",
            "Balance over time",
            "Select a window to see it everywhere on this page. Drag to zoom.");
    private static final Section MATRIX = new Section(
            "matrix",
            "Load matrix",
            "Where the load was",
            "Each cell is a load relative to its layer's fair share. Click, or press Enter, to go from the matrix to the ranks of a"
                    + " layer, the experts of a rank, and on through time.");
    private static final Section DECISIONS = new Section(
            "decisions",
            "Decisions",
            "Decisions: promised and kept",
            "Predicted balancedness against what windows showed until the next decision, and what they would have shown without it.");
    private static final Section PARETO = new Section(
            "pareto",
            "Cost",
            "What evenness costs",
            "Up is more even, left is cheaper. Filled: no other run is better in both.");
    private static final Section WORST = new Section(
            "worst",
            "Worst windows",
            "Worst windows",
            "Windows in which the baseline was least even, and what the others made of them.");
    private static final Section KEPT =
            new Section("kept", "Kept", "Why placements were kept", "How many windows led to no decision, by reason.");
    private static final Section DEFINITIONS = new Section("definitions", "Definitions", "Definitions", "");
    private static final Section PROVENANCE =
            new Section("provenance", "Provenance", "Provenance", "What this was made from, and how to make it again.");
    private static final List<Section> SECTIONS =
            List.of(POLICIES, TIME, MATRIX, DECISIONS, PARETO, WORST, KEPT, DEFINITIONS, PROVENANCE);

    private final ReplayResult result;
    private final Standings standings;
    private final Assets assets;
    private final Html html = new Html();

    Page(ReplayResult result, Standings standings, Assets assets) {
        this.result = result;
        this.standings = standings;
        this.assets = assets;
    }

    /** @param most bytes that it should take */
    String html(int most) {
        html.ours("<!doctype html>\n").open("html", "lang", "en").line();
        head();
        html.open("body").line();
        html.element("a", "Skip to what was found", "class", "skip", "href", "#found");
        banner();
        html.open("main").line();
        found();
        Tables tables = new Tables(html, result, standings);
        section(POLICIES, tables::policies);
        section(TIME, this::timePictures);
        section(MATRIX, this::matrixPictures);
        section(DECISIONS, () -> html.open("div", "id", "decision-pictures").close());
        section(
                PARETO,
                () -> html.open("div", "id", "pareto-pictures", "class", "pair").close());
        section(WORST, tables::worst);
        section(KEPT, tables::kept);
        section(DEFINITIONS, tables::definitions);
        section(PROVENANCE, this::provenance);
        html.close().line();
        html.open("p", "id", "announce", "class", "unseen", "role", "status", "aria-live", "polite")
                .close()
                .line();
        String end = rest();
        // UTF-8 takes more than a byte for some characters: data is nearly all ASCII, so the little that is not is
        // measured, not guessed.
        int used = utf8(html) + utf8(end);
        String json = new RunBlock(result, standings).json(most - used - 4096L);
        html.open("script", "type", "application/json", "id", "run")
                .ours(json)
                .close()
                .line();
        html.ours(end);
        html.close().close();
        return html.page() + "\n";
    }

    private static int utf8(Html html) {
        return utf8(html.written());
    }

    private static int utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private String rest() {
        return "<script>" + assets.library() + "</script>\n<script>" + assets.script() + "</script>\n";
    }

    private void head() {
        html.open("head").line();
        html.open("meta", "charset", "utf-8").end().line();
        html.open("meta", "http-equiv", "Content-Security-Policy", "content", assets.contentSecurityPolicy())
                .end()
                .line();
        html.open("meta", "name", "viewport", "content", "width=device-width, initial-scale=1")
                .end()
                .line();
        html.open("meta", "name", "color-scheme", "content", "light dark").end().line();
        html.open(
                        "meta",
                        "name",
                        "generator",
                        "content",
                        "Plimsoll " + result.provenance().version())
                .end()
                .line();
        html.element("title", "Replay of " + result.provenance().deployment() + " · Plimsoll")
                .line();
        html.ours("<!--\n" + assets.notice() + "-->\n");
        html.open("style").ours(assets.style()).close().line();
        html.close().line();
    }

    private void banner() {
        html.open("header", "class", "banner").line();
        html.ours(
                "<svg class=\"brand\" viewBox=\"0 0 48 48\" width=\"40\" height=\"40\" aria-hidden=\"true\"><circle cx=\"24\" cy=\"24\""
                        + " r=\"15\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"4\"/><path d=\"M2 24H46\" stroke=\"currentColor\""
                        + " stroke-width=\"4\"/></svg>");
        html.open("div", "class", "title");
        html.element("p", "Plimsoll replay report", "class", "kicker");
        html.element("h1", result.provenance().deployment());
        html.close();
        html.open("div", "class", "theme", "role", "group", "aria-label", "Colours");
        for (String theme : List.of("auto", "light", "dark")) {
            html.element(
                    "button",
                    theme.substring(0, 1).toUpperCase(Locale.ROOT) + theme.substring(1),
                    "type",
                    "button",
                    "data-theme-choice",
                    theme,
                    "aria-pressed",
                    String.valueOf(theme.equals("auto")));
        }
        html.close().close().line();
        html.open("nav", "class", "sections", "aria-label", "Sections").open("ul");
        for (Section section : SECTIONS) {
            html.open("li")
                    .element("a", section.link(), "href", "#" + section.id())
                    .close();
        }
        html.close().close().line();
    }

    private void found() {
        Verdict verdict = Verdict.of(result, standings);
        html.open("section", "id", "found", "aria-labelledby", "found-title").line();
        html.element("h2", "What was found", "id", "found-title", "class", "unseen");
        html.element("p", facts(), "class", "facts").line();
        html.element("p", verdict.headline(), "class", "verdict").line();
        tiles();
        html.open("ul", "class", "details");
        verdict.details().forEach(detail -> html.element("li", detail));
        standings
                .baseline()
                .ifPresent(baseline -> html.element(
                        "li",
                        "Baseline: " + baseline.run().name() + ", " + baselineWords(baseline) + ", on "
                                + standings.configuration(baseline.run()) + "."));
        html.close().line();
        html.ours(
                "<noscript><p class=\"notice\">The pictures need scripts, which are part of this file; the tables do not.</p></noscript>");
        html.close().line();
    }

    private static String baselineWords(Standing baseline) {
        return baseline.live()
                ? "what really ran"
                : Standings.isStatic(baseline.run())
                        ? "the placement that engines start with, never changed"
                        : "the first policy that was asked for, as neither what really ran nor static is known";
    }

    /** A recording that does not say how many experts a token picks has 1 in its shape: that would be no news of a router either. */
    private String topK() {
        return result.shape().topK() > 1 ? ", top " + result.shape().topK() : "";
    }

    /** What was replayed, in one line. */
    private String facts() {
        List<String> facts = new ArrayList<>();
        facts.add(result.shape().name());
        facts.add(Text.count(result.shape().layers(), "layer") + " × "
                + Text.count(result.shape().experts(), "expert") + topK());
        facts.add(Text.count(result.windows().size(), "window"));
        LongStream times =
                result.windows().stream().mapToLong(PastWindow::closedAtMillis).filter(millis -> millis > 0);
        long[] sorted = times.sorted().toArray();
        if (sorted.length > 0) {
            facts.add(Text.time(sorted[0]) + " to " + Text.time(sorted[sorted.length - 1], sorted[0]));
        }
        OptionalLong first =
                result.windows().stream().mapToLong(PastWindow::firstStep).min();
        OptionalLong last =
                result.windows().stream().mapToLong(PastWindow::lastStep).max();
        if (first.isPresent() && last.isPresent()) {
            facts.add("steps " + Text.count(first.getAsLong()) + " to " + Text.count(last.getAsLong()));
        }
        return String.join(" · ", facts);
    }

    private void tiles() {
        html.open("dl", "class", "tiles").line();
        standings.best().ifPresent(best -> {
            Standing baseline = standings.baseline().orElseThrow();
            if (Double.isFinite(best.run().meanExpertMicros())) {
                tile(
                        "Experts",
                        Text.millis(baseline.run().meanExpertMicros()) + " → "
                                + Text.millis(best.run().meanExpertMicros()) + " ms",
                        "of a step, mean over windows");
            }
            tile(
                    "Busiest ranks",
                    Text.change(best.relative() - 1),
                    "load against "
                            + (baseline.live()
                                    ? "what really ran"
                                    : baseline.run().name()));
            tile(
                    "Balancedness",
                    Text.format("%.3f", baseline.mean()) + " → " + Text.format("%.3f", best.mean()),
                    "mean over windows");
            tile(
                    "Worst window",
                    Text.format("%.3f", baseline.worst()) + " → " + Text.format("%.3f", best.worst()),
                    "mean over its layers");
            tile(
                    "Price",
                    Text.count(best.run().moves(), "move"),
                    best.run().bytes() > 0
                            ? Text.bytes(best.run().bytes()) + " of weights"
                            : "size of an expert not known");
        });
        long usable = result.windows().stream().filter(PastWindow::usable).count();
        tile(
                "Data",
                Text.format(
                        "%.1f %%", 100.0 * usable / Math.max(1, result.windows().size())),
                Text.count(usable) + " of " + Text.count(result.windows().size(), "window"));
        html.close().line();
    }

    private void tile(String name, String value, String of) {
        html.open("div")
                .element("dt", name)
                .open("dd")
                .element("strong", value)
                .element("span", of)
                .close()
                .close()
                .line();
    }

    private void section(Section section, Runnable content) {
        html.open("section", "id", section.id(), "aria-labelledby", section.id() + "-title")
                .line();
        html.open("div", "class", "head").element("h2", section.title(), "id", section.id() + "-title");
        if (!section.lead().isEmpty()) {
            html.element("p", section.lead(), "class", "lead");
        }
        html.close().line();
        content.run();
        html.close().line();
    }

    private void timePictures() {
        html.open("div", "id", "time-legend", "class", "legend", "role", "group", "aria-label", "Runs that are drawn")
                .close()
                .line();
        html.open("div", "id", "time-pictures").close().line();
        html.open("div", "id", "time-window", "class", "window-card").close().line();
    }

    private void matrixPictures() {
        html.open("div", "id", "matrix-controls", "class", "controls").close().line();
        html.open("div", "id", "matrix-picture").close().line();
        html.open("div", "id", "drill").close().line();
    }

    private void provenance() {
        Provenance from = result.provenance();
        html.open("dl", "class", "facts-list");
        fact("Source", from.source());
        fact("Deployment", from.deployment());
        fact(
                "Model",
                result.shape().name() + ": " + result.shape().layers() + " layers, "
                        + result.shape().experts() + " experts" + topK());
        fact("Plimsoll", from.version());
        fact("Manifest", from.manifestHash().isEmpty() ? "–" : "SHA-256 " + from.manifestHash());
        html.close().line();
        html.open("div", "class", "command")
                .element("h3", "Make it again")
                .open("pre", "tabindex", "0", "aria-label", "Command that makes this report again")
                .element("code", from.command(), "id", "command")
                .close()
                .close()
                .line();
        if (!from.notes().isEmpty()) {
            html.element("h3", "Notes").open("ul", "class", "notes");
            from.notes().forEach(note -> html.element("li", note));
            html.close().line();
        }
        Tables tables = new Tables(html, result, standings);
        tables.inputs(new TreeMap<>(from.inputs()), MOST_INPUTS);
        tables.settings();
    }

    private void fact(String name, String value) {
        html.open("div").element("dt", name).element("dd", value).close();
    }
}
