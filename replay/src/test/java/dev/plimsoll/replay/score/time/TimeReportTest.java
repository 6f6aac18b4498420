package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.score.EpConfiguration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class TimeReportTest {
    private static TimeScores scores(String policy, double... micros) {
        return new TimeScores(
                new Contender(policy, Policy.named(policy), Objective.TOKENS, false),
                Arrays.stream(micros).boxed().toList(),
                0.9,
                2.5,
                12,
                0.03,
                0,
                0.25);
    }

    private static TimeReport report(String name, int redundant, TimeScores... lines) {
        return new TimeReport(
                new TimeReport.Subject("trace", name, Batch.STEP, 32, 2.67),
                new EpConfiguration(2, redundant, 1),
                "h100/m",
                19,
                List.of(lines),
                80);
    }

    @Test
    void theBestOfOthersIsTheOneWithTheLeastMeanThatIsNotOurs() {
        TimeReport report =
                report("t", 0, scores("plimsoll", 90, 90), scores("static", 100, 140), scores("swift", 115, 115));

        assertThat(report.bestOfOthers().orElseThrow().contender().name()).isEqualTo("swift");
        assertThat(report("t", 0, scores("plimsoll", 90)).bestOfOthers()).isEmpty();
    }

    @Test
    void jsonHasALineWithTheseKeysAndFixedPlaces() throws Exception {
        String json = report("t", 4, scores("static", 100, 140)).json();

        JsonNode root = new ObjectMapper().readTree(json);
        assertThat(root.fieldNames())
                .toIterable()
                .containsExactly(
                        "trace", "tokensPerStep", "ranks", "redundant", "nodes", "profile", "windows", "policies");
        assertThat(json)
                .doesNotContain("\n")
                .contains("\"tokensPerStep\":32,")
                .contains("\"expertMicros\":{\"mean\":120.00,\"p50\":120.00,\"p99\":139.60},\"bound\":80.00,"
                        + "\"balancedness\":0.9000,\"activeExperts\":2.5000,\"movedShare\":0.0300");
    }

    @Test
    void theTableSaysByHowMuchOursDiffersAndEndsWithTheMean() {
        String markdown = new TimeTable(List.of(
                        report("a.npy.gz", 0, scores("plimsoll", 90), scores("static", 100)),
                        report("b.npy", 0, scores("plimsoll", 130), scores("static", 100))))
                .markdown();

        assertThat(markdown.lines().toList())
                .containsExactly(
                        "| trace | ranks + redundant | batch | a slot | plimsoll | static | bound | best other | plimsoll against it | moved |",
                        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
                        "| a | 2 + 0 | 32 | 2.7 | 90.0 | 100.0 | 80.0 | static | -10.0 % | 3.0 % |",
                        "| b | 2 + 0 | 32 | 2.7 | 130.0 | 100.0 | 80.0 | static | +30.0 % | 3.0 % |",
                        "| mean of 2 | 2 + 0 | 32 | 2.7 | 110.0 | 100.0 | 80.0 | static | +10.0 % | 3.0 % |");
    }

    @Test
    void redundancyIsMemoryOfRanksTimeAndAKnee() throws Exception {
        RedundancyReport report = new RedundancyReport(
                List.of(
                        report("t", 0, scores("plimsoll", 120)),
                        report("t", 2, scores("plimsoll", 100.5)),
                        report("t", 4, scores("plimsoll", 100))),
                3,
                8,
                OptionalLong.of(1L << 30),
                1);

        assertThat(report.knee()).isEqualTo(2);
        assertThat(report.text())
                .contains("knee: 2 redundant slots, the fewest within 1 % of the best of these")
                .containsPattern("2 +5 +15.00 +3.00 +100.5 +100.5 +-16.2 %.*knee");
        JsonNode row =
                new ObjectMapper().readTree(report.json()).path("redundancy").path(2);
        assertThat(row.path("redundant").asInt()).isEqualTo(4);
        assertThat(row.path("slotsPerRank").asInt()).isEqualTo(6);
        assertThat(row.path("weightBytesPerRank").asLong()).isEqualTo(18L << 30);
        assertThat(row.path("redundantBytesPerRank").asLong()).isEqualTo(6L << 30);
        assertThat(new ObjectMapper().readTree(report.json()).path("knee").asInt())
                .isEqualTo(2);
    }

    @Test
    void memoryOfAModelNobodyKnowsIsNotMadeUp() {
        RedundancyReport report =
                new RedundancyReport(List.of(report("t", 2, scores("plimsoll", 120))), 3, 8, OptionalLong.empty(), 1);

        assertThat(report.json()).contains("\"weightBytesPerRank\":null,\"redundantBytesPerRank\":null");
        assertThat(report.markdown()).contains("| 2 | 5 | – | – |").contains("against the fewest");
    }
}
