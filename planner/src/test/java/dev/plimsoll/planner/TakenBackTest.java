package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.wire.Topic;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TakenBackTest extends PlannerTaskFixture {
    /** Changes the initial placement, and that only. */
    private static final Policy ONCE = new Policy() {
        @Override
        public String name() {
            return "once";
        }

        @Override
        public LayerPlan plan(PlanRequest request, int layer) {
            return Policy.named(request.settled().version() == 0 ? "plimsoll" : "static")
                    .plan(request, layer);
        }
    };

    private void decide(PlannerSettings settings) {
        restart(ONCE, settings);
        proposed();
        settle();
    }

    private Placement placement(int version) {
        return Objects.requireNonNull(
                PlanLog.of(commands()).placements(members(1)).get(version));
    }

    /** From now on experts are asked for that the decision has put together. */
    private void turn() {
        Random random = new Random(7);
        long[] next = new long[SKEWED.length];
        do {
            for (int expert = 0; expert < next.length; expert++) {
                next[expert] = 10 * (1 + random.nextInt(40));
            }
        } while (hottest(1, next) < 1.2 * hottest(0, next));
        tokens = next;
    }

    private double hottest(int version, long[] load) {
        double[][] layers = new double[LAYERS][load.length];
        for (double[] layer : layers) {
            for (int expert = 0; expert < load.length; expert++) {
                layer[expert] = load[expert];
            }
        }
        return ReplicaParts.EVEN.hottest(placement(version), layers, members(1).topology());
    }

    private void served(long from, long to, int version) {
        for (long index = from; index < to; index++) {
            window(index, true, PlacementState.settled(version));
        }
    }

    @Test
    void decisionThatHasMadeItWorseIsTakenBackByADecisionThatSaysWhy() {
        decide(PlannerSettings.DEFAULTS);
        turn();
        served(2, 4, 1);
        assertThat(log()).endsWith("Settled");
        served(4, 5, 1);

        assertThat(log()).endsWith("Propose");
        assertThat(decision().policy()).isEqualTo("rollback");
        assertThat(decision().basedOn()).isEqualTo(1);
        assertThat(decision().origin().control()).isEmpty();
        assertThat(decision().reason())
                .startsWith("takes back decision 1: gain -")
                .contains(" over 3 windows, ")
                .endsWith(" % promised");
        assertThat(decision().predictedBalancedness()).isGreaterThan(decision().currentBalancedness());
        settle();
        assertThat(placement(2).servesLike(placement(0))).isTrue();
    }

    @Test
    void decisionIsTakenBackOnceWhateverBecomesOfThat() {
        decide(PlannerSettings.DEFAULTS);
        turn();
        served(2, 5, 1);
        ack(RankAck.Kind.ABORTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        assertThat(log()).endsWith("Abort", "Void");
        served(5, 30, 1);

        assertThat(log()).endsWith("Abort", "Void");
        assertThat(refused).endsWith(KeepReason.BALANCED);
    }

    @Test
    void whatTookADecisionBackIsMeasuredAndNotTakenBackItself() {
        decide(PlannerSettings.DEFAULTS);
        turn();
        served(2, 5, 1);
        settle();
        tokens = SKEWED;
        served(5, 30, 2);

        assertThat(log()).endsWith("Settled");
        assertThat(partition.values(Topic.OUTCOMES))
                .extracting(Outcome::version)
                .containsSubsequence(1, 2);
        Outcome last = partition
                .values(Topic.OUTCOMES)
                .get(partition.values(Topic.OUTCOMES).size() - 1);
        assertThat(last.measured().orElseThrow().gain()).isNegative();
    }

    @Test
    void pauseFollowsADecisionThatWasTakenBack() {
        decide(PlannerSettings.DEFAULTS);
        turn();
        served(2, 5, 1);
        settle();
        served(5, 8, 2);

        assertThat(details.get(refused.lastIndexOf(KeepReason.BACK_OFF))).startsWith("rolled_back, 1 time since");
    }

    @Test
    void nothingIsTakenBackWhereTheSettingsSaySo() {
        decide(PlannerSettings.DEFAULTS.withRollback(false));
        turn();
        served(2, 30, 1);

        assertThat(log()).containsExactly("Term", "Term", "Propose", "Permit", "Settled");
    }

    @Test
    void successorTakesBackWhatItsPredecessorHasDecided() {
        decide(PlannerSettings.DEFAULTS);
        turn();
        served(2, 4, 1);
        restart(ONCE);
        served(4, 5, 1);

        assertThat(log()).endsWith("Settled", "Term", "Propose");
        assertThat(decision().policy()).isEqualTo("rollback");
    }
}
