package dev.plimsoll.replay.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.score.Workload;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Tables against what the experts of {@link PastRun} computed, which no table has seen. */
class ExportTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final long BEGIN = 1_795_000_000_000L;
    private static final int WINDOWS = 24;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final PastRun past = new PastRun(DEPLOYMENT, BEGIN, WINDOWS, 11);
    private final ListedRecords history = past.history();
    private final List<String> notices = new ArrayList<>();

    private List<JsonNode> rows(Table table, DeploymentRecords of, TimeRange times) {
        StringWriter text = new StringWriter();
        Export export = new Export(of, times, OptionalLong.empty(), rows -> {});
        try (TableWriter to = new JsonLinesTable(table.schema(), text)) {
            export.write(table, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        notices.addAll(export.notices());
        return text.toString().lines().map(ExportTest::parse).toList();
    }

    private List<JsonNode> rows(Table table) {
        return rows(table, history, TimeRange.ALL);
    }

    private static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int integer(JsonNode row, String column) {
        return row.get(column).asInt();
    }

    @Test
    void loadOfEveryExpertIsWhatItComputedWhateverTheSlotsHeld() {
        List<JsonNode> rows = rows(Table.WINDOWS);

        assertThat(rows).hasSize(WINDOWS * PastRun.LAYERS * PastRun.EXPERTS);
        Set<String> seen = new HashSet<>();
        for (JsonNode row : rows) {
            int window = integer(row, "index");
            int layer = integer(row, "layer");
            int expert = integer(row, "expert");
            assertThat(row.get("load").asLong()).as("%s", row).isEqualTo(past.tokens(window, layer, expert));
            assertThat(integer(row, "layerId")).isEqualTo(layer + 3);
            assertThat(integer(row, "stepTo") - integer(row, "stepFrom")).isEqualTo(PastRun.WINDOW_STEPS);
            assertThat(row.get("reason").asText().equals("COMPLETE")).isEqualTo(PastRun.complete(window));
            assertThat(seen.add(window + "/" + layer + "/" + expert)).isTrue();
        }
        assertThat(notices).isEmpty();
        assertThat(history.open).as("logs left open").isZero();
    }

    @Test
    void slotsAddUpToExpertsAndStandOnTheirRanks() {
        Map<String, Long> byExpert = new HashMap<>();
        int flips = 0;
        int idle = 0;
        for (JsonNode row : rows(Table.WINDOW_SLOTS)) {
            byExpert.merge(
                    integer(row, "index") + "/" + integer(row, "layer") + "/" + integer(row, "expert"),
                    row.get("load").asLong(),
                    Long::sum);
            int rank = integer(row, "slot") / PastRun.SLOTS_PER_RANK;
            assertThat(integer(row, "rank")).isEqualTo(rank);
            assertThat(integer(row, "node")).isEqualTo(rank);
            if (row.get("idle").asBoolean()) {
                assertThat(row.get("load").asLong()).as("%s", row).isZero();
                idle++;
            }
            flips += integer(row, "batchesFlipped");
        }

        for (int window = 0; window < WINDOWS; window++) {
            for (int layer = 0; layer < PastRun.LAYERS; layer++) {
                for (int expert = 0; expert < PastRun.EXPERTS; expert++) {
                    assertThat(byExpert)
                            .containsEntry(window + "/" + layer + "/" + expert, past.tokens(window, layer, expert));
                }
            }
        }
        assertThat(flips).as("segments within a decision").isPositive();
        assertThat(idle).as("rows of a slot that stood idle").isPositive();
    }

    @Test
    void workloadHasTheSubWindowsOfCompleteWindows() throws IOException {
        Path file = Files.createTempFile("export", ".npy");
        Export export = new Export(history, TimeRange.ALL, OptionalLong.empty(), rows -> {});
        try (WorkloadFile to = new WorkloadFile(file)) {
            export.write(to);
        }

        Workload workload = Workload.read(file);
        Files.delete(file);
        int next = 0;
        for (int window = 0; window < WINDOWS; window++) {
            if (!PastRun.complete(window)) {
                continue;
            }
            ExpertLoad load = workload.windows().get(next++);
            assertThat(load.samples()).isEqualTo(PastRun.PARTS);
            for (int part = 0; part < PastRun.PARTS; part++) {
                for (int layer = 0; layer < PastRun.LAYERS; layer++) {
                    for (int expert = 0; expert < PastRun.EXPERTS; expert++) {
                        assertThat(load.at(layer, part, expert))
                                .as("window %d part %d layer %d expert %d", window, part, layer, expert)
                                .isEqualTo(past.load[window][part][layer][expert]);
                    }
                }
            }
        }
        assertThat(workload.windows()).hasSize(next);
        assertThat(export.notices()).singleElement().asString().startsWith((WINDOWS - next) + " windows are left out");
    }

    @Test
    void aWindowThatIsNotWholeIsLeftOutAndCounted() {
        past.rows.remove(past.rows.size() - 1);
        past.summaries.remove(1);

        List<JsonNode> rows = rows(Table.WINDOWS);

        assertThat(rows).hasSize((WINDOWS - 2) * PastRun.LAYERS * PastRun.EXPERTS);
        assertThat(rows).noneMatch(row -> integer(row, "index") == 1 || integer(row, "index") == WINDOWS - 1);
        assertThat(notices).singleElement().asString().startsWith("2 windows");
    }

    @Test
    void aRecordThatStandsTwiceCountsOnce() {
        past.rows.add(1, past.rows.get(0));

        assertThat(rows(Table.WINDOWS).get(0).get("load").asLong()).isEqualTo(past.tokens(0, 0, 0));
    }

    @Test
    void onlyTheStretchThatWasAskedForIsExportedUnderThePlacementOfItsTime() {
        TimeRange times = new TimeRange(OptionalLong.of(past.closedAt(10)), OptionalLong.of(past.closedAt(12)));

        List<JsonNode> rows = rows(Table.WINDOWS, history, times);

        assertThat(rows).hasSize(2 * PastRun.LAYERS * PastRun.EXPERTS);
        assertThat(rows.get(PastRun.EXPERTS).get("load").asLong()).isEqualTo(past.tokens(10, 1, 0));
        assertThat(rows(Table.SUMMARIES, history, times)).hasSize(2);
    }

    @Test
    void whereThePlanLogHasLostItsBeginningTheStandingPlacementIsWhatIsKnown() {
        past.plan.subList(0, past.plan.size() - 1).clear();

        List<JsonNode> rows = rows(Table.WINDOWS);

        // Windows 0 and the first segments of 1 are under version 0, which every incarnation begins with.
        assertThat(rows).anyMatch(row -> integer(row, "index") == 0);
        assertThat(rows).noneMatch(row -> integer(row, "index") == 4);
        assertThat(notices).singleElement().asString().contains("--by slot has them");
        assertThat(rows(Table.WINDOW_SLOTS))
                .anyMatch(row -> integer(row, "index") == 4 && row.get("expert").isNull())
                .noneMatch(row -> row.get("rank").isNull());
    }

    @Test
    void incarnationsFollowEachOtherEachWithItsOwnPlacements() {
        PastRun later = new PastRun(DEPLOYMENT, BEGIN + 1_000_000_000, WINDOWS, 12);

        List<JsonNode> rows = rows(Table.WINDOWS, new ListedRecords(List.of(past, later)), TimeRange.ALL);

        assertThat(rows).hasSize(2 * WINDOWS * PastRun.LAYERS * PastRun.EXPERTS);
        for (JsonNode row : rows) {
            PastRun run = row.get("incarnation").asLong() == BEGIN ? past : later;
            assertThat(row.get("load").asLong())
                    .isEqualTo(run.tokens(integer(row, "index"), integer(row, "layer"), integer(row, "expert")));
        }
    }

    @Test
    void aDecisionIsOneRowFromProposalToEnd() {
        List<PlanCommand.Propose> proposed = past.plan.stream()
                .map(DeploymentRecords.Dated::value)
                .filter(PlanCommand.Propose.class::isInstance)
                .map(PlanCommand.Propose.class::cast)
                .toList();

        List<JsonNode> rows = rows(Table.DECISIONS);

        assertThat(rows).hasSize(WINDOWS / 3);
        for (int at = 0; at < rows.size(); at++) {
            JsonNode row = rows.get(at);
            assertThat(integer(row, "epoch")).isEqualTo(at + 1);
            assertThat(row.get("end").asText()).isEqualTo("SETTLED");
            assertThat(row.get("complete").asBoolean()).isTrue();
            assertThat(integer(row, "moves")).isEqualTo(3);
            assertThat(integer(row, "layersMoved")).isEqualTo(3);
            assertThat(integer(row, "switches")).isEqualTo(1);
            long between = proposed.get(at).moves().stream()
                    .filter(move -> !past.members
                            .topology()
                            .rankOf(move.slot())
                            .equals(past.members.topology().rankOf(move.source())))
                    .count();
            assertThat(integer(row, "movesBetweenRanks")).isEqualTo((int) between);
            assertThat(row.get("bytes").asLong()).isEqualTo(between * PastRun.BYTES_PER_EXPERT);
            assertThat(row.get("reason").asText()).isEqualTo("gain, \"held out\"");
            assertThat(row.get("permittedAt").asText())
                    .isGreaterThan(row.get("proposedAt").asText());
        }
        // given one without an end
        past.plan.remove(past.plan.size() - 1);
        List<JsonNode> open = rows(Table.DECISIONS);
        assertThat(open.get(open.size() - 1).get("end").asText()).isEqualTo("OPEN");
        assertThat(open.get(open.size() - 1).get("endedAt").isNull()).isTrue();
    }

    @Test
    void recordsBecomeRowsOneToOne() {
        assertThat(rows(Table.SUMMARIES)).hasSize(WINDOWS);
        assertThat(rows(Table.ACKS)).hasSize(past.acks.size());
        assertThat(rows(Table.OUTCOMES)).hasSize(past.outcomes.size());
        assertThat(rows(Table.PLACEMENTS)).hasSize(PastRun.LAYERS * PastRun.SLOTS);
        assertThat(rows(Table.PLACEMENTS).stream().filter(row -> row.get("idle").asBoolean()))
                .singleElement()
                .satisfies(row -> assertThat(integer(row, "layer")).isEqualTo(2));
        JsonNode summary = rows(Table.SUMMARIES).get(6);
        assertThat(summary.get("completeness").asDouble()).isEqualTo(7 / 8.0);
        assertThat(integer(summary, "ranksMissing")).isEqualTo(1);
        assertThat(integer(summary, "cellsExpected")).isEqualTo(8);
        assertThat(summary.get("stepMicros").isNull())
                .as("not all ranks have timed it")
                .isTrue();
        JsonNode timed = rows(Table.SUMMARIES).get(5);
        assertThat(integer(timed, "timedBoundaries")).isEqualTo(4);
        assertThat(timed.get("stepMicros").asDouble()).isEqualTo(3_000);
        assertThat(timed.get("undisturbedStepMicros").asDouble()).isEqualTo(2_500);
        assertThat(timed.get("idleNanos").asLong()).isEqualTo(1_000_000_000);
        assertThat(rows(Table.ACKS).stream().filter(row -> !row.get("flipNanos").isNull()))
                .isNotEmpty()
                .allSatisfy(row -> {
                    assertThat(row.get("kind").asText() + integer(row, "rank")).isEqualTo("FLIPPED0");
                    assertThat(row.get("receivedBytes").asLong()).isEqualTo(4_096);
                    assertThat(row.get("transferNanos").asLong()).isEqualTo(5_000_000);
                });
    }

    @Test
    void onlyAPlacementThatIsWholeAndOfOneIncarnationIsWritten() {
        PastRun later = new PastRun(DEPLOYMENT, BEGIN + 1_000_000_000, WINDOWS, 12);
        ListedRecords both = new ListedRecords(List.of(past, later));

        assertThat(rows(Table.PLACEMENTS, both, TimeRange.ALL))
                .hasSize(PastRun.LAYERS * PastRun.SLOTS)
                .allMatch(row -> row.get("incarnation").asLong() == later.members.incarnation());
        later.placements.remove(1);
        assertThat(rows(Table.PLACEMENTS, both, TimeRange.ALL)).isEmpty();
        assertThat(notices).singleElement().asString().contains("no version of it is whole");
    }

    @Test
    void workloadOfTwoShapesIsRefusedWithBothNames() throws IOException {
        Path file = Files.createTempFile("export", ".npy");
        try (WorkloadFile to = new WorkloadFile(file)) {
            to.add("window 3", new long[2][3][4]);
            assertThatThrownBy(() -> to.add("window 4", new long[2][3][5]))
                    .hasMessageContaining("window 4 has 2 sub-windows of 3 layers × 5 experts")
                    .hasMessageContaining("window 3 has");
            assertThatThrownBy(() -> to.add("window 5", new long[][][] {{{1L << 32, 0, 0, 0}, {0}, {0}}, {{0}}}))
                    .hasMessageContaining("at most 4294967295");
        } finally {
            Files.delete(file);
        }
    }
}
