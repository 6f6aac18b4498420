package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Topology;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class WeighedHistoryTest {
    /** Experts of 10 bytes, with room for two on a rank. */
    private static final Membership MEMBERS = MadeUpPast.members(2, 4, Topology.even(2, 1, 3), 2);

    private static History past(OptionalLong bytesPerExpert) {
        PolicyRun happened = new PolicyRun(
                PolicyRun.LIVE,
                Map.of(),
                2,
                2,
                1,
                List.of(),
                List.of(new MadeDecision(1, 1, 5, 3, 30, 1, 0.7, 0.9, 0.85, 0.7, 0.2, 1, "")),
                Map.of(),
                0,
                Map.of());
        ReplayRequest request = new ReplayRequest(
                new HistorySource.OfTopics(
                        "kafka:9092",
                        "made-up",
                        OptionalLong.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        false),
                OptionalInt.empty(),
                ReplayRequest.STEP_TIME,
                bytesPerExpert,
                List.of(PolicyChoice.parse("static")),
                List.of(),
                List.of(),
                List.of());
        return Histories.weighed(
                MadeUpPast.of(MEMBERS, MadeUpPast.drifting(2, 2, 2, 4, 1)).with(happened), request);
    }

    @Test
    void whatWasSaidIsTakenForMovesOfAllRunsAndOfWhatHappened() {
        History heavy = past(OptionalLong.of(15));

        assertThat(heavy.members().bytesPerExpert()).isEqualTo(15);
        assertThat(heavy.members().stagedExpertsPerRank()).isEqualTo(1);
        assertThat(heavy.live().orElseThrow().bytes()).isEqualTo(45);
        assertThat(heavy.notes()).containsExactly("an expert of a layer weighs 15 bytes, as given; the source says 10");
    }

    @Test
    void anExpertThatNoRoomIsForStillFits() {
        assertThat(past(OptionalLong.of(1_000)).members().stagingBytesPerRank()).isEqualTo(1_000);
    }

    @Test
    void whatTheSourceSaysStaysWhereNothingWasSaid() {
        assertThat(past(OptionalLong.empty()).members()).isEqualTo(MEMBERS);
    }
}
