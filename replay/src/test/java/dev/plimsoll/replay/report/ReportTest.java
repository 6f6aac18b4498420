package dev.plimsoll.replay.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.Provenance;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.result.WindowMatrix;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final ReplayResult SAMPLE = SampleReplay.small("r1/decode-0", 7);
    private static final JsonNode BLOCK = Block.of(Report.html(SAMPLE));

    private static JsonNode run(String label) {
        for (JsonNode run : BLOCK.path("runs")) {
            if (run.path("label").asText().equals(label)) {
                return run;
            }
        }
        throw new AssertionError("no run is called " + label);
    }

    private static PolicyRun given(String name, int redundant) {
        return SAMPLE.runs().stream()
                .filter(run -> run.name().equals(name) && run.redundant() == redundant)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theBlockHoldsWhatTheReplayFound() {
        assertThat(BLOCK.path("format").asText()).isEqualTo("plimsoll-report/1");
        assertThat(BLOCK.path("deployment").asText()).isEqualTo("r1/decode-0");
        assertThat(BLOCK.path("model").path("layerIds")).hasSize(26);
        assertThat(BLOCK.path("runs")).hasSize(9);
        assertThat(BLOCK.path("runs").path(0).path("live").asBoolean()).isTrue();
        assertThat(BLOCK.path("gaps").toString()).isEqualTo("[[1201,1215,\"the aggregator was down\"]]");
        assertThat(Block.column(BLOCK.path("windows").path("index")))
                .containsExactly(
                        SAMPLE.windows().stream().mapToDouble(PastWindow::index).toArray());
        assertThat(Block.column(BLOCK.path("windows").path("closedAt")))
                .containsExactly(SAMPLE.windows().stream()
                        .mapToDouble(PastWindow::closedAtMillis)
                        .toArray());
        assertThat(DoubleStream.of(Block.column(BLOCK.path("windows").path("load")))
                        .sum())
                .isEqualTo(SAMPLE.windows().stream().mapToLong(PastWindow::load).sum());
        assertThat(BLOCK.path("windows").path("usable").asInt()).isEqualTo(357);
    }

    @Test
    void seriesAreWhatRunsServedAndMissingWhereTheyServedNothing() {
        PolicyRun plimsoll = given("plimsoll", 16);
        Map<Long, ServedWindow> served = Series.served(plimsoll);
        JsonNode series = run("plimsoll +16").path("series");
        double[] mean = Block.column(series.path("mean"));
        double[] hottest = Block.column(series.path("hottest"));
        double[] version = Block.column(series.path("version"));
        for (int i = 0; i < mean.length; i++) {
            ServedWindow window = served.get(SAMPLE.windows().get(i).index());
            if (window == null) {
                assertThat(mean[i]).isNaN();
                assertThat(hottest[i]).isNaN();
                assertThat(version[i]).isNaN();
            } else {
                assertThat(mean[i]).isCloseTo(window.mean(), within(1.1e-5));
                assertThat(hottest[i]).isCloseTo(window.hottestLoad(), within(window.hottestLoad() * 1e-8));
                assertThat(version[i]).isEqualTo(window.version());
            }
        }
        assertThat(DoubleStream.of(mean).filter(Double::isNaN).count()).isEqualTo(3);
    }

    @Test
    void matricesAreExactAndWhatIsNotKnownIsMissingAndNotZero() {
        int unknown = 0;
        for (JsonNode matrix : BLOCK.path("matrices")) {
            long index = matrix.path("index").asLong();
            long[][] load = SAMPLE.matrices().stream()
                    .filter(given -> given.index() == index)
                    .findFirst()
                    .orElseThrow()
                    .load();
            double[] expected = Arrays.stream(load)
                    .flatMapToLong(Arrays::stream)
                    .mapToDouble(of -> of < 0 ? Double.NaN : of)
                    .toArray();
            assertThat(Block.column(matrix.path("load"))).containsExactly(expected);
            unknown += (int) DoubleStream.of(expected).filter(Double::isNaN).count();
        }
        assertThat(BLOCK.path("matrices")).hasSameSizeAs(SAMPLE.matrices());
        assertThat(unknown).isEqualTo(SampleReplay.UNKNOWN_EXPERTS);
    }

    @Test
    void placementsComeBackThroughTheirChanges() {
        int changed = 0;
        for (PolicyRun given : SAMPLE.runs()) {
            JsonNode placements = run(given.name() + " +" + given.redundant()).path("placements");
            assertThat(placements).hasSameSizeAs(SAMPLE.matrices());
            for (WindowMatrix matrix : SAMPLE.matrices()) {
                int number = placements.path(String.valueOf(matrix.index())).asInt(-1);
                assertThat(Block.placement(BLOCK, number))
                        .containsExactly(Arrays.stream(given.placements().get(matrix.index()))
                                .flatMapToInt(Arrays::stream)
                                .toArray());
                changed += BLOCK.path("placements").path(number).has("from") ? 1 : 0;
            }
        }
        assertThat(changed).isPositive();
    }

    @Test
    void decisionsAreTheOnesThatWereMade() {
        JsonNode decisions = run("swift +32").path("decisions");
        List<MadeDecision> given = given("swift", 32).decisions();
        assertThat(decisions.path("rows")).hasSameSizeAs(given);
        assertThat(decisions.path("leftOut").asInt()).isZero();
        for (int i = 0; i < given.size(); i++) {
            JsonNode row = decisions.path("rows").path(i);
            assertThat(row.path(0).asLong()).isEqualTo(given.get(i).windowIndex());
            assertThat(row.path(2).asText())
                    .isEqualTo(String.format("%016x", given.get(i).planHash()));
            assertThat(row.path(3).asInt()).isEqualTo(given.get(i).moves());
            assertThat(row.path(8).asDouble()).isCloseTo(given.get(i).measured(), within(1e-6));
            assertThat(decisions.path("reasons").path(row.path(10).asInt()).asText())
                    .isEqualTo(given.get(i).reason());
        }
    }

    @Test
    void theSentenceComparesLikeWithLikeAndWithWhatReallyRan() {
        String page = Report.html(SAMPLE);
        PolicyRun live = SAMPLE.live().get(0);
        PolicyRun plimsoll = given("plimsoll", 16);
        double own = plimsoll.served().stream()
                .mapToDouble(ServedWindow::hottestLoad)
                .sum();
        // Both served the same windows.
        double base =
                live.served().stream().mapToDouble(ServedWindow::hottestLoad).sum();
        assertThat(page)
                .contains(String.format(
                        "plimsoll would have kept the busiest ranks %.1f\u00a0%% less loaded than what really ran, for %,d\u00a0moves",
                        (1 - own / base) * 100, plimsoll.moves()))
                .contains("It rests on 357 of 360\u00a0windows; 3 could not be used, 1\u00a0gap.")
                .contains("With 32\u00a0redundant slots instead of 16, plimsoll:minimum-gain=0.05 would have come to");
    }

    @Test
    void withoutALiveRunTheStaticPlacementIsTheBaseline() {
        ReplayResult result = new ReplayResult(
                SAMPLE.provenance(),
                SAMPLE.shape(),
                SAMPLE.windows(),
                SAMPLE.gaps(),
                List.of(),
                List.of(given("plimsoll", 16), given("static", 16), given("static", 32)),
                List.of());
        assertThat(Report.html(result)).contains("less loaded than the placement that never changes, for");
        JsonNode block = Block.of(Report.html(result));
        assertThat(block.path("baseline").asInt()).isEqualTo(1);
        assertThat(block.path("runs").path(0).path("summary").path("relative").asDouble())
                .isLessThan(0.8);
        assertThat(block.path("runs").path(2).path("summary").path("baseline").asInt())
                .as("one baseline for all on as many ranks")
                .isEqualTo(1);
    }

    @Test
    void onlyWindowsThatBothServedAreCompared() {
        PolicyRun half = served("half", window(1, 0.5, 100), window(2, 0.5, 100));
        PolicyRun whole = served("static", window(2, 0.5, 50), window(3, 0.1, 900), window(4, Double.NaN, 7));
        Standings standings = Standings.of(of(List.of(half, whole), List.of()));
        assertThat(standings.all().get(0).relative()).isEqualTo(2);
        assertThat(standings.all().get(0).compared()).isEqualTo(1);
        assertThat(standings.all().get(1).relative()).isEqualTo(1);
        assertThat(standings.all().get(1).served()).isEqualTo(2);
    }

    @Test
    void whatIsNoBetterIsCalledNoBetter() {
        PolicyRun restless = served("restless", window(1, 0.9, 100), window(2, 0.9, 101));
        PolicyRun still = served("static", window(1, 0.9, 100), window(2, 0.9, 100));
        assertThat(Report.html(of(List.of(still, restless), List.of())))
                .contains("No policy would have kept the busiest ranks noticeably less loaded than the placement that"
                        + " never changes; restless comes closest with +0.5\u00a0% load.");
    }

    @Test
    void loadsOfDifferentNumbersOfRanksAreNeverCompared() {
        PolicyRun eight = served("plimsoll", window(1, 0.9, 100));
        PolicyRun wide =
                new PolicyRun("plimsoll", Map.of(), 16, 0, 1, eight.served(), List.of(), Map.of(), 0, Map.of());
        Standings standings = Standings.of(of(List.of(served("live", window(1, 0.9, 100))), List.of(eight, wide)));
        assertThat(standings.all().get(1).baseline()).isZero();
        assertThat(standings.all().get(2).baseline()).isEqualTo(2);
    }

    @Test
    void runsOnDifferentNodesAreToldApartAndRanksThatAllHaveAreNotRepeated() {
        PolicyRun one = served("plimsoll", window(1, 0.9, 100));
        PolicyRun four = new PolicyRun("plimsoll", Map.of(), 8, 0, 4, one.served(), List.of(), Map.of(), 0, Map.of());
        ReplayResult result = of(List.of(one, four), List.of());
        assertThat(Standings.of(result).all())
                .extracting(Standing::label)
                .containsExactly("plimsoll · 1\u00a0node", "plimsoll · 4\u00a0nodes");
        assertThat(Report.html(result))
                .contains(
                        "8\u00a0ranks on 1\u00a0node, none redundant", "8\u00a0ranks on 4\u00a0nodes, none redundant");
    }

    @Test
    void aPlusIsExplainedWhereRedundantSlotsDifferAndNotWhereANameHasOne() {
        String explained = "A + behind a name: redundant slots.";
        PolicyRun none = served("a +b", window(1, 0.9, 100));
        PolicyRun some = new PolicyRun("a +b", Map.of(), 8, 8, 1, none.served(), List.of(), Map.of(), 0, Map.of());
        assertThat(Report.html(of(List.of(none), List.of()))).doesNotContain(explained);
        assertThat(Report.html(of(List.of(none, some), List.of()))).contains(explained);
    }

    @Test
    void aHostileNameIsTextEverywhere() {
        String hostile = SampleReplay.HOSTILE;
        PolicyRun run = new PolicyRun(
                hostile,
                Map.of(hostile, hostile),
                8,
                0,
                1,
                List.of(window(1, 0.5, 10)),
                List.of(new MadeDecision(1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.2, 1, hostile)),
                Map.of(hostile, 3),
                0,
                Map.of());
        ReplayResult result = new ReplayResult(
                new Provenance(hostile, hostile, Map.of(hostile, hostile), hostile, hostile, hostile, List.of(hostile)),
                ModelShape.of(hostile, 8, 2, 0, 1),
                List.of(new PastWindow(1, 0, 63, 0, 10, 0.5, false, hostile)),
                List.of(new ReplayResult.Gap(2, 3, hostile)),
                List.of(),
                List.of(run),
                List.of(new WindowMatrix(1, hostile, new long[][] {{1, 2, 3, 4, 5, 6, 7, 8}})));
        String page = Report.html(result);
        assertThat(page).doesNotContain("<img").doesNotContain("</script><");
        assertThat(page.split("</script>", -1)).as("the block, uPlot and ours").hasSize(4);
        assertThat(Block.of(page).path("deployment").asText()).isEqualTo(hostile);
        assertThat(Block.text(page)).doesNotContain("<").doesNotContain(">");
    }

    @Test
    void thePolicyAllowsTheScriptsOfThePageAndNoConnection() {
        String page = Report.html(SAMPLE);
        String policy = page.substring(page.indexOf("default-src"), page.indexOf("base-uri"));
        assertThat(policy)
                .startsWith("default-src &#39;none&#39;; script-src &#39;sha256-")
                .doesNotContain("unsafe")
                .doesNotContain("connect-src");
        assertThat(page)
                .doesNotContain(" src=")
                .doesNotContain("@import")
                .doesNotContainPattern(" style=\"")
                .contains("The MIT License (MIT)", "Copyright (c) 2022 Leon Sorokin", "uPlot 1.6.32");
    }

    @Test
    void equalResultsGiveEqualBytesWhateverTheOrderOfMapsAndTheTimeThatPlansTook() throws IOException {
        ReplayResult again = new ReplayResult(
                SAMPLE.provenance(),
                SAMPLE.shape(),
                SAMPLE.windows(),
                SAMPLE.gaps(),
                SAMPLE.live(),
                SAMPLE.runs().stream()
                        .map(run -> new PolicyRun(
                                run.name(),
                                backwards(run.settings()),
                                run.ranks(),
                                run.redundant(),
                                run.nodes(),
                                run.served(),
                                run.decisions(),
                                backwards(run.kept()),
                                run.planMillis() + 1,
                                backwards(run.placements())))
                        .toList(),
                SAMPLE.matrices());
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        Report.write(again, written);
        assertThat(written.toString(StandardCharsets.UTF_8)).isEqualTo(Report.html(SAMPLE));
    }

    private static <K, V> Map<K, V> backwards(Map<K, V> map) {
        Map<K, V> turned = new LinkedHashMap<>();
        List<Map.Entry<K, V>> entries = List.copyOf(map.entrySet());
        for (int i = entries.size() - 1; i >= 0; i--) {
            turned.put(entries.get(i).getKey(), entries.get(i).getValue());
        }
        return turned;
    }

    @Test
    void aReplayThatFoundNothingSaysSo() {
        String page = Report.html(of(List.of(), List.of()));
        assertThat(page).contains("Nothing could be replayed: no window of this source is complete and known.");
        assertThat(Block.of(page).path("baseline").asInt()).isEqualTo(-1);
    }

    @Test
    void columnsAreAsNarrowAsTheirValuesAllow() {
        Random random = new Random(3);
        for (long most :
                new long[] {0, 1, 254, 255, 65_534, 65_535, 16_777_214, 4_294_967_294L, 281_474_976_710_654L}) {
            long base = random.nextInt(1000) - 500;
            long[] values = {base, Packed.MISSING, base + most, base + most / 2};
            Packed packed = Packed.whole(values);
            double[] read = Block.column(packed.json());
            assertThat(read).as("up to %d", most).containsExactly(base, Double.NaN, base + most, base + most / 2);
        }
        assertThat(Packed.whole(0, 254).type()).isEqualTo("u8");
        assertThat(Packed.whole(0, 255).type()).isEqualTo("u8");
        assertThat(Packed.whole(0, 255, Packed.MISSING).type())
                .as("255 stands for what is missing")
                .isEqualTo("u16");
    }

    private static ServedWindow window(long index, double mean, double hottest) {
        return new ServedWindow(index, mean, mean, 0, hottest, 1);
    }

    private static PolicyRun served(String name, ServedWindow... windows) {
        return new PolicyRun(name, Map.of(), 8, 0, 1, List.of(windows), List.of(), Map.of(), 0, Map.of());
    }

    /** @param first live where its name is, else the first of the runs */
    private static ReplayResult of(List<PolicyRun> first, List<PolicyRun> more) {
        List<PolicyRun> live =
                first.stream().filter(run -> run.name().equals(PolicyRun.LIVE)).toList();
        List<PolicyRun> runs = new ArrayList<>(first);
        runs.removeAll(live);
        runs.addAll(more);
        return new ReplayResult(
                new Provenance("a file", "x", Map.of(), "plimsoll replay run", "0", "", List.of()),
                ModelShape.of("m", 8, 2, 0, 1),
                List.of(),
                List.of(),
                live,
                runs,
                List.of());
    }
}
