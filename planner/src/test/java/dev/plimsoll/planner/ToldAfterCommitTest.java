package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.wire.Topic;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ToldAfterCommitTest extends PlannerTaskFixture {
    private final List<String> told = new ArrayList<>();

    private void watch() {
        partition.assign(new PlannerTask(
                PlannerSettings.DEFAULTS,
                planning,
                PlanDesk.AT_ONCE,
                "test",
                new PlannerListener() {
                    @Override
                    public void serving(int number, Deployment deployment) {
                        told.add("serving");
                    }

                    @Override
                    public void proposed(PlanCommand.Propose propose) {
                        told.add("proposed " + inTheLog(propose));
                    }

                    @Override
                    public void permitted(PlanCommand.Permit permit) {
                        told.add("permitted " + inTheLog(permit));
                    }

                    @Override
                    public void settled(PlanCommand.Settled settled, int moves) {
                        told.add("settled " + moves + " " + inTheLog(settled));
                    }
                },
                () -> Instant.ofEpochMilli(partition.now)));
    }

    /** By its number: what is written may say besides from where the log need be read. */
    private boolean inTheLog(PlanCommand command) {
        return partition.values(Topic.PLAN).stream()
                .anyMatch(written -> written.header().equals(command.header()));
    }

    @Test
    void decisionIsToldWhenItIsInTheLog() {
        watch();
        settled();

        assertThat(told)
                .containsExactly(
                        "serving",
                        "proposed true",
                        "permitted true",
                        "settled " + decision().moves().size() + " true");
    }

    @Test
    void fencedPlannerTellsNothingOfADecisionThatNeverWas() {
        watch();
        window(0, true, PlacementState.settled(0));
        told.clear();
        partition.fence();
        window(1, false, PlacementState.settled(0));

        assertThat(told).isEmpty();
        assertThat(log()).doesNotContain("Propose");

        watch();
        window(2, true, PlacementState.settled(0));
        assertThat(told).containsExactly("serving", "proposed true");
    }

    @Test
    void whatNoTransactionIsNeededForIsToldAtOnce() {
        partition.append(
                Topic.ACKS,
                new RankAck(DEPLOYMENT, 1, new RankId(0), 9, RankAck.Kind.ACCEPTED, 0, Optional.empty(), 7, 0));
        partition.fence();
        partition.poll(true);

        assertThat(ignored).containsExactly(Effect.IgnoreReason.UNKNOWN_EPOCH);
    }
}
