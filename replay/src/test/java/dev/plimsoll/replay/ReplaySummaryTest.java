package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.ReplayResult;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReplaySummaryTest {
    private static PolicyRun run(String name, int ranks, double... means) {
        return new PolicyRun(
                name,
                Map.of(),
                ranks,
                0,
                1,
                IntStream.range(0, means.length)
                        .mapToObj(i -> new ServedWindow(i, means[i], means[i], 0, 10, 0))
                        .toList(),
                List.of(),
                Map.of(),
                0,
                Map.of());
    }

    private static ReplaySummary summary(List<PolicyRun> live, PolicyRun... runs) {
        return new ReplaySummary(new ReplayResult(
                ReplayTest.provenance(),
                ReplayTest.MEMBERS.shape(),
                List.of(),
                List.of(),
                live,
                Arrays.asList(runs),
                List.of()));
    }

    @Test
    void runsAreBestAmongThoseOnAsManyRanks() throws Exception {
        ReplaySummary summary =
                summary(List.of(), run("a", 8, 0.5, 0.7), run("b", 8, 0.6, 0.6), run("few", 2, 0.9, 0.9));

        JsonNode runs = new ObjectMapper().readTree(summary.json()).path("runs");
        assertThat(runs.findValuesAsText("bestIn")).containsExactly("1", "1", "2");
        assertThat(summary.text()).contains("BEST IN is among runs on as many ranks");
    }

    @Test
    void millisecondsComeFirstWhereADeviceProfileIsKnown() throws Exception {
        PolicyRun untimed = run("a", 8, 0.5);
        PolicyRun timed = new PolicyRun(
                "b",
                Map.of(),
                8,
                0,
                1,
                List.of(new ServedWindow(0, 0.6, 0.6, 0, 10, 0, 1500), new ServedWindow(1, 0.6, 0.6, 0, 10, 0, 2500)),
                List.of(),
                Map.of(),
                0,
                Map.of());

        ReplaySummary summary = summary(List.of(), untimed, timed);

        assertThat(summary.text())
                .containsPattern("RANKS \\+ SLOTS +EXPERTS MS +MEAN")
                .containsPattern("b +8 \\+ 0 +2.000 +0.600");
        assertThat(summary.text()).containsPattern("a +8 \\+ 0 +– +0.500");
        JsonNode runs = new ObjectMapper().readTree(summary.json()).path("runs");
        assertThat(runs.get(0).path("expertMicros").isNull()).isTrue();
        assertThat(runs.get(1).path("expertMicros").asDouble()).isEqualTo(2000);
        assertThat(summary(List.of(), untimed).text()).doesNotContain("EXPERTS");
    }

    @Test
    void aLiveRunOfWhichNoWindowIsKnownClaimsNothing() throws Exception {
        ReplaySummary summary = summary(List.of(run(PolicyRun.LIVE, 8)), run("a", 8, 0.5));

        JsonNode live = new ObjectMapper().readTree(summary.json()).path("runs").get(0);
        assertThat(live.path("meanBalancedness").isNull()).isTrue();
        assertThat(live.path("bestIn").asInt()).isZero();
        assertThat(summary.text()).doesNotContain("NaN").containsPattern("live +8 \\+ 0 +– +– +0 +0.0 +0.0 +–");
    }
}
