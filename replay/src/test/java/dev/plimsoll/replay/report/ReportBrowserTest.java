package dev.plimsoll.replay.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.result.WindowMatrix;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page in a real browser, opened from disk. Skipped where no Chromium is installed. Screenshots are left to be looked at. */
class ReportBrowserTest {
    private static final Path SCREENSHOTS = Path.of("target/screenshots");
    private static final ReplayResult SAMPLE = SampleReplay.small("r1/decode-0", 7);

    private static Path directory = Path.of("");
    private static Browser browser;
    private static Path page;

    @BeforeAll
    static void start(@TempDir Path temporary) throws Exception {
        directory = temporary;
        assumeTrue(
                Browser.installed().isPresent(),
                "no Chromium is installed: the report is not tested in a browser (apt-get install chromium)");
        page = Files.writeString(directory.resolve("report.html"), Report.html(SAMPLE));
        browser = Browser.start(Browser.installed().orElseThrow());
    }

    @AfterAll
    static void stop() throws IOException {
        if (browser != null) {
            browser.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"1440, light", "1440, dark", "390, light", "390, dark"})
    void thePageIsWholeAndQuietAtEveryWidthAndInBothThemes(int width, String colours) throws IOException {
        browser.open(page, width, width < 500 ? 844 : 900, colours);
        assertThat(browser.evaluate("document.documentElement.scrollWidth").asInt())
                .as("nothing has to be scrolled sideways")
                .isLessThanOrEqualTo(width);
        assertThat(browser.evaluate(
                                "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1"
                                        + " && !e.closest('.unseen, svg, .uplot')).map(e => e.outerHTML.slice(0, 80)).join()")
                        .asText())
                .as("elements that stand out")
                .isEmpty();
        assertThat(browser.evaluate("document.querySelectorAll('#time-pictures canvas').length")
                        .asInt())
                .isEqualTo(2);
        assertThat(browser.evaluate("document.querySelectorAll('#pareto-pictures figure > .bars circle').length")
                        .asInt())
                .isGreaterThanOrEqualTo(18);
        assertThat(distinctColours("#matrix-cells")).isGreaterThan(60);
        assertThat(distinctColours("#time-pictures canvas")).isGreaterThan(20);
        String background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
                .asText();
        assertThat(background).isEqualTo(colours.equals("dark") ? "rgb(14, 19, 24)" : "rgb(244, 245, 247)");
        browser.screenshot(SCREENSHOTS.resolve(width + "-" + colours + ".png"));
        assertThat(browser.complaints()).isEmpty();
        assertThat(browser.requests()).containsExactly(page.toUri().toString());
    }

    /** Reads pixels of a canvas without the canvas knowing: a copy is read. */
    private static final String PIXELS = "const pixels = selector => { const from = document.querySelector(selector);"
            + " const to = document.createElement('canvas'); to.width = from.width; to.height = from.height;"
            + " const on = to.getContext('2d', { willReadFrequently: true }); on.drawImage(from, 0, 0); return on; };";

    private int distinctColours(String canvas) {
        return browser.evaluate(
                        "(() => { " + PIXELS + " const on = pixels('" + canvas + "');"
                                + " const d = on.getImageData(0, 0, on.canvas.width, on.canvas.height).data; const s = new Set();"
                                + " for (let i = 0; i < d.length; i += 4) s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); return s.size; })()")
                .asInt();
    }

    /** What every cell of the matrix looks like, {@code [layer][column]}: the inner pixels' different colours. */
    private Cell[][] cells(int layers, int columns) {
        JsonNode found = browser.evaluate("(() => { " + PIXELS + " const on = pixels('#matrix-cells');"
                + " const [left, top, row, cell] = document.getElementById('matrix-canvas').dataset.geometry.split(' ').map(Number);"
                + " return Array.from({ length: " + layers + " }, (a, layer) => Array.from({ length: " + columns
                + " }, (b, column) => { const d = on.getImageData(left + column * cell + 2, top + layer * row + 2, cell - 5, row - 5)"
                + ".data; const n = new Set(); for (let i = 0; i < d.length; i += 4) n.add([d[i], d[i + 1], d[i + 2]].join());"
                + " return [...n]; })); })()");
        Cell[][] cells = new Cell[layers][columns];
        for (int layer = 0; layer < layers; layer++) {
            for (int column = 0; column < columns; column++) {
                List<String> colours = new ArrayList<>();
                found.path(layer).path(column).forEach(colour -> colours.add(colour.asText()));
                cells[layer][column] = new Cell(colours);
            }
        }
        return cells;
    }

    private record Cell(List<String> colours) {
        boolean plain() {
            return colours.size() == 1;
        }

        int[] rgb() {
            assertThat(colours).hasSize(1);
            String[] parts = colours.get(0).split(",");
            return new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2])};
        }

        /** Above 0 is orange, below it blue. */
        int warmth() {
            return rgb()[0] - rgb()[2];
        }
    }

    @Test
    void cellsSayFairMoreLessNothingAndNotKnown() {
        browser.open(page, 1440, 900, "light");
        long window = browser.evaluate("Number(document.getElementById('matrix-window').value)")
                .asLong();
        long[][] load = SAMPLE.matrices().stream()
                .filter(matrix -> matrix.index() == window)
                .map(WindowMatrix::load)
                .findFirst()
                .orElseThrow();
        Cell[][] cells = cells(26, 64);
        int fair = 0;
        int more = 0;
        int less = 0;
        for (int layer = 0; layer < load.length; layer++) {
            if (layer == SampleReplay.UNKNOWN_LAYER) {
                continue;
            }
            double mean = Arrays.stream(load[layer]).average().orElseThrow();
            for (int expert = 0; expert < load[layer].length && mean > 0; expert++) {
                double relative = load[layer][expert] / mean;
                if (relative > 0.985 && relative < 1.015) {
                    assertThat(cells[layer][expert].warmth()).as("fair").isBetween(-12, 12);
                    fair++;
                } else if (relative > 2 && more < 20) {
                    assertThat(cells[layer][expert].warmth())
                            .as("%f of fair", relative)
                            .isGreaterThan(100);
                    more++;
                } else if (relative < 0.5 && relative > 0 && less < 20) {
                    assertThat(cells[layer][expert].warmth())
                            .as("%f of fair", relative)
                            .isLessThan(-80);
                    less++;
                }
            }
        }
        assertThat(fair).isPositive();
        assertThat(more).isEqualTo(20);
        assertThat(less).isEqualTo(20);
        for (int expert = 0; expert < 64; expert++) {
            assertThat(cells[SampleReplay.IDLE_LAYER][expert].rgb())
                    .as("no load")
                    .containsExactly(125, 133, 144);
            Cell cell = cells[SampleReplay.UNKNOWN_LAYER][expert];
            assertThat(cell.plain()).as("expert %d is known", expert).isEqualTo(expert >= SampleReplay.UNKNOWN_EXPERTS);
        }
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void ranksOfAMatrixAreWhatThePlacementMakesOfIt() {
        browser.open(page, 1440, 900, "light");
        click("#matrix-controls [data-name=ranks]");
        browser.evaluate("document.getElementById('matrix-canvas').focus()");
        browser.press("ArrowDown");
        String readout = text("#matrix-readout");
        assertThat(readout).startsWith("layer 0 (model’s 3), rank 0: ");
        long window = browser.evaluate("Number(document.getElementById('matrix-window').value)")
                .asLong();
        long[] load = SAMPLE.matrices().stream()
                .filter(matrix -> matrix.index() == window)
                .findFirst()
                .orElseThrow()
                .load()[0];
        int[] experts = Optional.ofNullable(SAMPLE.live().get(0).placements().get(window))
                .orElseThrow()[0];
        double[] ranks = EvenSplit.rankLoads(
                experts, Arrays.stream(load).asDoubleStream().toArray(), Topology.even(16, 2, experts.length / 16));
        double mean = Arrays.stream(ranks).average().orElseThrow();
        assertThat(readout)
                .contains(String.format("%.2f× fair share, load %,.0f", ranks[0] / mean, ranks[0]))
                .endsWith(String.format("%.3f", Balance.ofLayer(ranks).orElseThrow()));
        assertThat(cells(26, 16)[SampleReplay.UNKNOWN_LAYER][0].plain())
                .as("a rank of which an expert is not known is not known")
                .isFalse();
        click("#matrix-controls [data-name=experts]");
        click("#matrix-controls [data-name=rank]");
        browser.evaluate("document.getElementById('matrix-canvas').focus()");
        browser.press("ArrowDown");
        browser.press("ArrowRight");
        assertThat(text("#matrix-readout"))
                .startsWith("layer 0 (model’s 3), rank 0, slot 1, expert " + experts[1] + ": ");
    }

    @Test
    void theKeyboardMovesTheCursorAndGoesDownToRanksExpertsAndTime() throws IOException {
        browser.open(page, 1440, 900, "light");
        browser.evaluate("document.getElementById('matrix-canvas').focus()");
        browser.press("ArrowDown");
        assertThat(text("#matrix-readout")).startsWith("layer 0 (model’s 3), expert 0: no load");
        browser.press("ArrowDown");
        browser.press("ArrowRight");
        assertThat(text("#matrix-readout")).startsWith("layer 1 (model’s 4), expert 1: ");
        assertThat(text("#drill")).isEmpty();
        browser.press("Enter");
        assertThat(text("#drill .crumbs")).isEqualTo("Matrix›layer 1 (model’s 4)›rank 0›expert 1");
        assertThat(browser.evaluate("[...document.querySelectorAll('#drill h3')].map(e => e.textContent)")
                        .toString())
                .isEqualTo(
                        "[\"Ranks of layer 1 (model’s 4)\",\"Experts of rank 0\",\"Expert 1 over the kept windows\"]");
        browser.evaluate("document.querySelector('[data-drill=ranks] [tabindex]').focus()");
        browser.press("ArrowRight");
        assertThat(text("#drill .crumbs")).isEqualTo("Matrix›layer 1 (model’s 4)›rank 1");
        assertThat(browser.evaluate("document.activeElement.closest('[data-drill]').dataset.drill")
                        .asText())
                .as("the focus stays")
                .isEqualTo("ranks");
        browser.screenshot(SCREENSHOTS.resolve("drill.png"));
        browser.evaluate("document.getElementById('matrix-canvas').focus()");
        browser.press("Escape");
        assertThat(text("#drill")).isEmpty();

        browser.evaluate("document.querySelector('.plot').focus()");
        String before = text("#time-window strong");
        browser.press("ArrowRight");
        assertThat(text("#time-window strong")).isNotEqualTo(before).startsWith("Window 1,040, ");
        assertThat(text("#matrix-none"))
                .as("no matrix of that one")
                .contains("no matrix is in this file; there are 13");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void aWindowThatIsChosenAnywhereIsChosenEverywhere() {
        browser.open(page, 1440, 900, "light");
        browser.evaluate("document.querySelector('#decisions-table tbody button').click()");
        String window = text("#decisions-table tbody button");
        assertThat(text("#time-window strong")).startsWith("Window " + window + ", ");
        browser.evaluate("document.querySelector('#worst-table tbody button').click()");
        String worst = text("#worst-table tbody button");
        assertThat(text("#time-window strong")).startsWith("Window " + worst + ", ");
        assertThat(browser.evaluate("document.getElementById('matrix-window').selectedOptions[0].textContent")
                        .asText())
                .startsWith(worst);
        assertThat(text("#time-legend")).contains("Balancedness in window " + worst);
    }

    @Test
    void thePageIsPaperWhenPrintedAndASwitchChoosesColours() throws IOException {
        browser.open(page, 1440, 900, "dark");
        String dark = pixel();
        click("[data-theme-choice=light]");
        String light = pixel();
        assertThat(light).isNotEqualTo(dark);
        click("[data-theme-choice=dark]");
        assertThat(pixel()).isEqualTo(dark);
        browser.emulate("print", "dark");
        // Styles are of paper at once; the page is told, and draws, with the browser's next frame.
        browser.await("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'");
        browser.await(() -> pixel().equals(light), "colours of paper");
        assertThat(browser.evaluate("getComputedStyle(document.querySelector('.sections')).display")
                        .asText())
                .isEqualTo("none");
        browser.emulate("", "dark");
        browser.await(() -> pixel().equals(dark), "colours of the screen");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void aDarkPageIsDrawnAsOnPaperBeforeItIsPrinted() throws IOException {
        browser.open(page, 1440, 900, "dark");
        String dark = pixel();
        click("[data-theme-choice=light]");
        String light = pixel();
        click("[data-theme-choice=dark]");
        browser.evaluate("addEventListener('beforeprint', () => { " + PIXELS + " const on = pixels('#matrix-cells');"
                + " const [left, top, row, cell] = document.getElementById('matrix-canvas').dataset.geometry.split(' ').map(Number);"
                + " const at = (x, y) => on.getImageData(x, y, 1, 1).data.slice(0, 3).join();"
                + " const root = document.documentElement; root.dataset.printed = JSON.stringify({"
                + " cell: at(left + 50 * cell + 3, top + 3 * row + 3), frame: at(left - 1, top - 1),"
                + " ink: getComputedStyle(root).getPropertyValue('--ink') }); })");
        byte[] pdf = browser.pdf();
        JsonNode printed = browser.evaluate("JSON.parse(document.documentElement.dataset.printed)");
        assertThat("[" + printed.path("cell").asText() + "]").as("a cell").isEqualTo(light);
        assertThat(printed.path("frame").asText())
                .as("the frame, a grey of paper")
                .isEqualTo("153,153,153");
        assertThat(printed.path("ink").asText()).as("ink").isEqualTo("#000");
        browser.await(() -> pixel().equals(dark), "colours of the screen afterwards");
        assertThat(new String(pdf, 0, 5, StandardCharsets.US_ASCII)).isEqualTo("%PDF-");
        assertThat(pdf.length).isGreaterThan(50_000);
        Files.createDirectories(SCREENSHOTS);
        Files.write(SCREENSHOTS.resolve("print.pdf"), pdf);
        assertThat(browser.complaints()).isEmpty();
    }

    private String pixel() {
        return cells(26, 64)[3][50].colours().toString();
    }

    @Test
    void hostileAndEndlessNamesStayTextAndFitOnAPhone() throws IOException {
        ReplayResult sample = SampleReplay.small(SampleReplay.HOSTILE, 7);
        ReplayResult endless = new ReplayResult(
                sample.provenance(),
                sample.shape(),
                sample.windows(),
                sample.gaps(),
                sample.live(),
                sample.runs().stream()
                        .map(run -> new PolicyRun(
                                run.name() + "x".repeat(150) + SampleReplay.HOSTILE,
                                Map.of("y".repeat(200), SampleReplay.HOSTILE),
                                run.ranks(),
                                run.redundant(),
                                run.nodes(),
                                run.served(),
                                run.decisions(),
                                Map.of("z".repeat(200), 1),
                                0,
                                run.placements()))
                        .toList(),
                sample.matrices());
        Path hostile = Files.writeString(directory.resolve("hostile.html"), Report.html(endless));
        browser.open(hostile, 390, 844, "light");
        assertThat(browser.evaluate("document.title").asText())
                .isEqualTo("Replay of " + SampleReplay.HOSTILE + " · Plimsoll");
        assertThat(browser.evaluate("document.images.length").asInt()).isZero();
        assertThat(text("h1")).isEqualTo(SampleReplay.HOSTILE);
        assertThat(browser.complaints()).isEmpty();
        assertThat(browser.requests()).hasSize(1);
        assertThat(browser.evaluate("document.documentElement.scrollWidth").asInt())
                .isLessThanOrEqualTo(390);
        browser.screenshot(SCREENSHOTS.resolve("endless-390.png"));
    }

    @Test
    void aScriptThatCameInAnywayWouldNotRunAndNothingCouldBeFetched() throws IOException {
        String broken = Report.html(SAMPLE)
                .replace(
                        "</main>",
                        "<script>document.title = 'broken'</script><img src=\"http://127.0.0.1:9/x.png\"></main>");
        browser.open(Files.writeString(directory.resolve("broken.html"), broken), 1440, 900, "light");
        assertThat(browser.evaluate("document.title").asText()).startsWith("Replay of ");
        assertThat(browser.evaluate("fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused')")
                        .asText())
                .isEqualTo("refused");
        assertThat(browser.complaints()).as("refused by the page's own policy").isNotEmpty();
    }

    @Test
    void aDayOfALargeModelIsDrawnInSeconds() throws IOException {
        Path day = directory.resolve("day.html");
        Files.writeString(day, Report.html(Day.of(8_640, 5, 60)));
        browser.open(day, 1440, 900, "light");
        assertThat(browser.evaluate("performance.now()").asDouble()).isLessThan(10_000);
        assertThat(distinctColours("#matrix-cells")).isGreaterThan(60);
        assertThat(browser.complaints()).isEmpty();
        browser.screenshot(SCREENSHOTS.resolve("day.png"));
        browser.open(day, 390, 844, "dark");
        assertThat(browser.evaluate("document.documentElement.scrollWidth").asInt())
                .isLessThanOrEqualTo(390);
    }

    @Test
    void nothingToDrawIsSaid() throws IOException {
        ReplayResult nothing = new ReplayResult(
                SAMPLE.provenance(), SAMPLE.shape(), List.of(), List.of(), List.of(), List.of(), List.of());
        browser.open(Files.writeString(directory.resolve("nothing.html"), Report.html(nothing)), 390, 844, "light");
        assertThat(text("#matrix-picture")).isEqualTo("There is nothing to draw: no window was replayed.");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void aReplayOfAFileWithoutTimesAndDecisionsIsDrawnByWindow() throws IOException {
        ReplayResult file = new ReplayResult(
                SAMPLE.provenance(),
                SAMPLE.shape(),
                SAMPLE.windows().stream()
                        .map(window -> new PastWindow(
                                window.index(),
                                window.firstStep(),
                                window.lastStep(),
                                0,
                                window.load(),
                                window.completeness(),
                                window.usable(),
                                window.why()))
                        .toList(),
                SAMPLE.gaps(),
                List.of(),
                SAMPLE.runs().subList(0, 1),
                SAMPLE.matrices());
        browser.open(Files.writeString(directory.resolve("file.html"), Report.html(file)), 1440, 900, "light");
        assertThat(text("#decision-pictures")).isEqualTo("No run decided anything.");
        assertThat(text("#time-window strong")).matches("Window 1,\\d\\d\\d");
        assertThat(browser.complaints()).isEmpty();
        assertThat(browser.evaluate("document.documentElement.scrollWidth").asDouble())
                .isCloseTo(1440, within(0.0));
    }

    private void click(String selector) {
        browser.evaluate("document.querySelector('" + selector + "').click()");
    }

    private String text(String selector) {
        return browser.evaluate("document.querySelector('" + selector + "').textContent")
                .asText();
    }

    /** Runs a check of this class on a page with other scripts. */
    static void check(String check, Assets assets) throws IOException {
        Path own = page;
        page = Files.writeString(directory.resolve("mutant.html"), Report.html(SAMPLE, assets));
        ReportBrowserTest test = new ReportBrowserTest();
        try {
            switch (check) {
                case "cells" -> test.cellsSayFairMoreLessNothingAndNotKnown();
                case "ranks" -> test.ranksOfAMatrixAreWhatThePlacementMakesOfIt();
                case "keyboard" -> test.theKeyboardMovesTheCursorAndGoesDownToRanksExpertsAndTime();
                default -> throw new IllegalArgumentException(check + " is no check of the page");
            }
        } finally {
            page = own;
        }
    }
}
