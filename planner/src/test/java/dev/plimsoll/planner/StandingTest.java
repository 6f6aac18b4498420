package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.Standing.Word;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StandingTest extends PlannerTaskFixture {
    private final List<Standing> stood = new ArrayList<>();
    private final List<String> heard = new ArrayList<>();

    private final PlannerListener watching = new PlannerListener() {
        @Override
        public void heard(WindowSummary window) {
            heard.add("window " + window.index());
        }

        @Override
        public void heard(RankAck ack) {
            heard.add(ack.rank() + " " + ack.kind());
        }

        @Override
        public void stands(Standing standing) {
            stood.add(standing);
        }
    };

    @Test
    void deploymentStandsAsItsDecisionDoesAndSaysForWhomItWaits() {
        watch();
        partition.poll(true);
        assertThat(stands())
                .isEqualTo(new Standing(DEPLOYMENT, Set.of(Word.IDLE), 0, OptionalInt.empty(), List.of(), ""));

        window(0, true, PlacementState.settled(0));
        window(1, true, PlacementState.settled(0));
        ack(RankAck.Kind.ACCEPTED, 0, 0, 2);
        partition.poll(true);
        assertThat(stands())
                .isEqualTo(new Standing(
                        DEPLOYMENT,
                        Set.of(Word.PROPOSED),
                        0,
                        OptionalInt.of(1),
                        List.of(new RankId(1), new RankId(3)),
                        ""));

        int last = decision().batches().size();
        ack(RankAck.Kind.ACCEPTED, 0, 1, 3);
        ack(RankAck.Kind.FLIPPED, last, 0, 1, 3);
        partition.poll(true);
        assertThat(stands().words()).containsExactly(Word.RUNNING);
        assertThat(stands().awaited()).containsExactly(new RankId(2));

        ack(RankAck.Kind.FLIPPED, last, 2);
        partition.poll(true);
        assertThat(stands())
                .isEqualTo(new Standing(DEPLOYMENT, Set.of(Word.IDLE), 1, OptionalInt.empty(), List.of(), ""));
        assertThat(heard)
                .startsWith("window 0", "window 1", "rank 0 ACCEPTED", "rank 2 ACCEPTED")
                .hasSize(10);
    }

    @Test
    void ranksThatDisagreeAreQuarantinedAndItSaysWhy() {
        watch();
        window(0, true, PlacementState.settled(0));
        window(1, true, PlacementState.settled(0));
        ack(RankAck.Kind.ABORTED, 0, 0, 1, 2);
        ack(RankAck.Kind.ABORTED, 1, 3);
        partition.poll(true);

        assertThat(log()).contains("Abort");
        assertThat(stands().words()).containsExactly(Word.QUARANTINED);
        assertThat(stands().why()).contains("disagree");
    }

    @Test
    void whatIsNotCommittedIsNotToldAndAges() {
        watch();
        window(0, true, PlacementState.settled(0));
        int told = heard.size();
        partition.fence();
        window(1, true, PlacementState.settled(0));

        assertThat(heard).hasSize(told);
    }

    private void watch() {
        partition.assign(new PlannerTask(
                PlannerSettings.DEFAULTS,
                planning,
                PlanDesk.AT_ONCE,
                "test",
                watching,
                () -> Instant.ofEpochMilli(partition.now)));
    }

    private Standing stands() {
        return stood.get(stood.size() - 1);
    }
}
