package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What a successor reads, and what it finds. */
class TakeOverTest extends PlannerTaskFixture {
    private static final Deployment OTHER = new Deployment("r1/decode-1");
    private static final long[] REVERSED = {10, 10, 10, 10, 100, 200, 300, 400};

    private final Map<PlacementState, Placement> served = new HashMap<>();
    private long index;

    /** A worker whose clock is an hour behind, on a topic that is dated by its writers, as those of earlier releases are. */
    @Test
    void abortedFromASlowClockIsFoundByASuccessorWhateverTheHour() {
        abortedWhileThePlannerIsDead(0, 1, 2, 3);

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Void");
    }

    @Test
    void abortedIsFoundWhereAnEarlierReleaseDidNotSayFromWhereAcksCount() {
        abortedWhileThePlannerIsDead(0, 1, 2, 3);
        partition.forgetNote();

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Void");
    }

    @Test
    void abortedIsFoundByTheSuccessorOfASuccessor() {
        abortedWhileThePlannerIsDead(0, 1, 2);
        restart(Policy.named("plimsoll"));
        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term");
        ackAt(partition.now - 3_600_000, RankAck.Kind.ABORTED, 0, 3);

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Term", "Void");
    }

    private void abortedWhileThePlannerIsDead(int... ranks) {
        partition.now += 7_200_000;
        proposed();
        partition.append(
                Topic.ACKS,
                new RankAck(
                        DEPLOYMENT,
                        1,
                        new RankId(0),
                        decision().epoch(),
                        RankAck.Kind.REFUSED,
                        0,
                        Optional.of(Refusal.NO_MEMORY),
                        decision().planHash(),
                        0),
                partition.now - 3_600_000);
        partition.poll(true);
        assertThat(log()).endsWith("Abort");
        ackAt(partition.now - 3_600_000, RankAck.Kind.ABORTED, 0, ranks);
    }

    @Test
    void aThousandDecisionsLaterASuccessorReadsTheLastFew() {
        restart(Policy.named("plimsoll"), eager());
        for (int decisions = 0; decisions < 1_000; decisions++) {
            decide();
        }
        assertThat(log()).hasSizeGreaterThan(3_000);
        Placement before = now();

        restart(Policy.named("plimsoll"), eager());

        assertThat(partition.recovered(Topic.PLAN)).isLessThan(100);
        assertThat(partition.size(Topic.OUTCOMES)).isGreaterThan(900);
        assertThat(partition.recovered(Topic.OUTCOMES)).isLessThan(50);
        assertThat(now()).isEqualTo(before);
        assertThat(settlements().get(999).restartOffset().orElseThrow())
                .isBetween((long) partition.size(Topic.PLAN) - 100, (long) partition.size(Topic.PLAN));
        assertThat(commands().get(commands().size() - 1).header().number()).isEqualTo(log().size());
        refused.clear();
        int epoch = decision().epoch();
        decide();
        assertThat(decision().epoch()).isEqualTo(epoch + 1);
        assertThat(decision().basedOn()).isEqualTo(before.version());
        // The windows of before are known, each under the placement that it was served with.
        assertThat(refused).doesNotContain(KeepReason.UNKNOWN_STATE, KeepReason.COLD);
    }

    @Test
    void aDeploymentThatIsSilentForLongHoldsNobodyUp() {
        settled();
        Placement before = now();
        others(2_000);
        restart(Policy.named("static"));
        assertThat(partition.recovered(Topic.PLAN)).isLessThan(1_500);
        others(600);

        restart(Policy.named("static"));

        assertThat(partition.recovered(Topic.PLAN)).isLessThan(1_500);
        assertThat(now()).isEqualTo(before);
        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled", "Term", "Term");
        window(2, true, PlacementState.settled(1));
        assertThat(refused).doesNotContain(KeepReason.UNKNOWN_STATE, KeepReason.QUARANTINED);
    }

    @Test
    void whatADeploymentHasLearntIsFoundAmongAYearOfItsNeighboursOutcomes() {
        restart(Policy.named("plimsoll"), eager());
        for (int decisions = 0; decisions < 20; decisions++) {
            decide();
        }
        int known = learned();
        othersMeasured(3_000);
        others(1_500);
        othersMeasured(50);

        restart(Policy.named("plimsoll"), eager());

        assertThat(partition.recovered(Topic.OUTCOMES)).isLessThan(150);
        decide();
        decide();
        assertThat(known).isGreaterThan(8);
        assertThat(learned()).isGreaterThanOrEqualTo(known);
    }

    /** Decisions that the planner has said last that it knows the worth of. */
    private int learned() {
        Matcher said = Pattern.compile("over (\\d+) decisions").matcher(learned.get(learned.size() - 1));
        assertThat(said.find()).isTrue();
        return Integer.parseInt(said.group(1));
    }

    @Test
    void outcomesAreReadWholeWhereAnEarlierReleaseDoesNotSayWhereAndNotOnceMore() {
        settled();
        othersMeasured(3_000);
        partition
                .values(Topic.PLACEMENTS)
                .forEach(placement -> partition.append(Topic.PLACEMENTS, withoutOutcomes(placement)));

        restart(Policy.named("static"));
        assertThat(partition.recovered(Topic.OUTCOMES)).isEqualTo(partition.size(Topic.OUTCOMES));
        restart(Policy.named("static"));

        assertThat(partition.recovered(Topic.OUTCOMES)).isLessThan(50);
    }

    private static SettledPlacement withoutOutcomes(SettledPlacement placement) {
        return placement.restartingAt(placement.restart().orElseThrow().withOutcomes(LongVector.empty()));
    }

    /** What decisions of a deployment have brought that another planner has had. */
    private void othersMeasured(int outcomes) {
        for (int version = 1; version <= outcomes; version++) {
            partition.append(Topic.OUTCOMES, OutcomePositionsTest.outcome(OTHER, 1, version, true, 0.1));
            if (version % 50 == 0) {
                partition.poll(true);
            }
        }
    }

    @Test
    void aDecisionThatStandsStillForLongGoesOnWhereItWas() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        others(2_000);

        restart(Policy.named("plimsoll"));
        assertThat(partition.recovered(Topic.PLAN)).isLessThan(1_500);
        ack(RankAck.Kind.FLIPPED, decision().batches().size(), 0, 1, 2, 3);
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Term", "Settled");
    }

    @Test
    void placementsOfAnEarlierReleaseAreNotedOnceTheWholeLogWasRead() {
        settled();
        others(1_500);
        partition
                .values(Topic.PLACEMENTS)
                .forEach(placement -> partition.append(Topic.PLACEMENTS, ofBefore(placement)));

        restart(Policy.named("static"));
        assertThat(partition.recovered(Topic.PLAN))
                .isEqualTo(partition.values(Topic.PLAN).size() - 1);
        restart(Policy.named("static"));

        assertThat(partition.recovered(Topic.PLAN)).isLessThan(20);
        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled", "Term", "Term");
    }

    private List<PlanCommand.Settled> settlements() {
        return commands().stream()
                .filter(PlanCommand.Settled.class::isInstance)
                .map(PlanCommand.Settled.class::cast)
                .toList();
    }

    private static SettledPlacement ofBefore(SettledPlacement placement) {
        return new SettledPlacement(
                placement.deployment(),
                placement.incarnation(),
                placement.version(),
                placement.layer(),
                placement.layers(),
                placement.placementHash(),
                placement.experts(),
                placement.idle());
    }

    @Test
    void anIncarnationThatStartsWithWhatWasSettledIsLeftAsItIs() {
        settled();
        assertThat(decision().moves()).hasSizeGreaterThan(5);
        Placement before = now();

        partition.append(Topic.MEMBERS, members(2).startingWith(before));
        partition.poll(true);
        windowsOfTheNextLife();

        assertThat(now()).isEqualTo(before.withVersion(0));
        assertThat(refused).endsWith(KeepReason.BALANCED);
        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled");
    }

    @Test
    void anIncarnationThatStartsAsTheFirstOneDidIsMovedOnceMore() {
        settled();
        int moves = decision().moves().size();

        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        windowsOfTheNextLife();

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled", "Propose");
        assertThat(decision().moves()).hasSize(moves);
    }

    private void windowsOfTheNextLife() {
        served.clear();
        for (long next = 2; next < 5; next++) {
            rows(next, 2, PlacementState.settled(0));
            summary(next, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }
    }

    /** Commands of a deployment that another planner has had. */
    private void others(int commands) {
        Batch batch = new Batch(1, List.of(new Move(new LayerId(0), new SlotId(0), new ExpertId(1), new SlotId(1))));
        for (int number = 1; number <= commands; number += 2) {
            PlanHeader first = new PlanHeader(OTHER, 1, 1, number);
            PlanHeader second = new PlanHeader(OTHER, 1, 1, number + 1);
            partition.append(
                    Topic.PLAN, new Propose(first, number, 0, 0, List.of(batch), 1, 0.5, 0.9, "plimsoll", "test"));
            partition.append(Topic.PLAN, new PlanCommand.Void(second, number, "test"));
            partition.poll(true);
        }
    }

    private static PlannerSettings eager() {
        PlannerSettings usual = PlannerSettings.DEFAULTS;
        Gate.Settings gate = usual.gate();
        return new PlannerSettings(
                usual.policy(),
                3,
                0,
                usual.budget(),
                usual.prices(),
                gate,
                usual.acceptWithin(),
                usual.progressWithin(),
                usual.abortWithin(),
                usual.lookBack(),
                usual.planThreads(),
                usual.planWithin(),
                usual.seed());
    }

    /** The load changes until it pays to follow it. */
    private void decide() {
        int before = partition.size(Topic.PLAN);
        tokens = tokens == REVERSED ? SKEWED : REVERSED;
        for (int windows = 0; windows < 20 && partition.size(Topic.PLAN) == before; windows++) {
            window(index++, true, PlacementState.settled(now().version()));
        }
        assertThat(partition.size(Topic.PLAN)).as("decided on " + tokens[0]).isGreaterThan(before);
        settle();
    }

    /** As kept; the log need not be read for each window. */
    @Override
    Placement served(PlacementState state) {
        return state.epoch() > 0 ? super.served(state) : served.computeIfAbsent(state, none -> now());
    }

    private Placement now() {
        List<SettledPlacement> kept = partition.last(Topic.PLACEMENTS, LAYERS);
        return Placement.ofMarked(
                kept.get(0).version(),
                kept.stream().map(SettledPlacement::marked).toArray(int[][]::new));
    }

    /** The log is long. */
    @Override
    Propose decision() {
        return partition.last(Topic.PLAN, 10).stream()
                .filter(command -> command.header().deployment().equals(DEPLOYMENT))
                .filter(Propose.class::isInstance)
                .map(Propose.class::cast)
                .reduce((earlier, later) -> later)
                .orElseGet(super::decision);
    }
}
