package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.TransferCosts;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlannerOutcomesTest extends PlannerTaskFixture {
    @Test
    void skewedWindowsBecomeASettledDecisionWithAnOutcome() {
        settled();

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled");
        assertThat(refused).containsExactly(KeepReason.COLD);
        assertThat(partition.values(Topic.PLACEMENTS).subList(2, 4))
                .extracting(record -> record.version())
                .containsOnly(1);
        Propose decision = decision();
        assertThat(decision.predictedBalancedness()).isGreaterThan(decision.currentBalancedness() + 0.2);

        // The window of the flip says nothing about the promise; the one after it does.
        window(
                2,
                true,
                PlacementState.settled(0),
                new PlacementState(0, 1, decision.batches().size()));
        assertThat(partition.values(Topic.OUTCOMES)).isEmpty();
        window(3, false, PlacementState.settled(1));
        window(4, false, PlacementState.settled(1));

        List<Outcome> outcomes = partition.values(Topic.OUTCOMES);
        assertThat(outcomes).hasSize(1);
        assertThat(outcomes.get(0).windowIndex()).isEqualTo(3);
        assertThat(outcomes.get(0).predicted()).isEqualTo(decision.predictedBalancedness());
        assertThat(refused.subList(1, refused.size()))
                .containsExactly(KeepReason.COOLDOWN, KeepReason.BALANCED, KeepReason.BALANCED);
    }

    /** A microsecond for each token. */
    private static final DeviceProfile PROFILE = new DeviceProfile(
            "computing", List.of(new DeviceProfile.Point(1, 1), new DeviceProfile.Point(1_000_000, 1_000_000)), 0);

    @Test
    void successorWeighsByWhatFlipsAndStepsTookBeforeItCame() {
        for (int batch = 1; batch <= 3; batch++) {
            partition.append(
                    Topic.ACKS,
                    new RankAck(
                            DEPLOYMENT,
                            1,
                            new RankId(batch),
                            1,
                            RankAck.Kind.FLIPPED,
                            batch,
                            Optional.empty(),
                            0,
                            0,
                            Optional.of(new FlipCost(4 * BYTES_PER_EXPERT, 20_000, 700)),
                            Optional.empty()));
        }
        LongVector elapsed = LongVector.of(150_000_000, 160_000_000, 150_000_000, 150_000_000);
        stepTime = Optional.of(new StepTime(elapsed, LongVector.of(0, 0, 0, 0), 2, 80_000_000));
        window(0, true, PlacementState.settled(0));
        ignored.clear();

        restart(
                Policy.named("plimsoll"),
                PlannerSettings.DEFAULTS.withObjective(
                        ObjectiveChoice.TIME, Optional.of(new ProfileChoice.Table(PROFILE))));
        window(1, true, PlacementState.settled(0));

        Learned learned = decision().inputs().orElseThrow().learned().orElseThrow();
        assertThat(learned.transfers()).isEqualTo(new TransferCosts(2e6, 700, 3));
        StepCalibration step = learned.step().orElseThrow();
        assertThat(step.windows()).isEqualTo(2);
        assertThat(step.assumed()).isTrue();
        // 160 ms over two intervals of four steps.
        StepPromise promise = decision().step().orElseThrow();
        assertThat(promise.stepMicrosBefore()).isCloseTo(20_000, within(1e-6));
        assertThat(promise.stepMicrosPromised()).isBetween(16_000.0, 18_000.0);
        assertThat(promise.assumed()).isTrue();
        assertThat(decision().reason()).startsWith("step 20.000 → 17.").contains("assumed");
        assertThat(ignored).as("acks of the past are no news to the protocol").isEmpty();
    }

    @Test
    void windowsThatNobodyTimedSayNothingOfSteps() {
        restart(
                Policy.named("plimsoll"),
                PlannerSettings.DEFAULTS.withObjective(
                        ObjectiveChoice.TIME, Optional.of(new ProfileChoice.Table(PROFILE))));
        proposed();

        assertThat(decision().inputs().orElseThrow().learned().orElseThrow().step())
                .isEmpty();
        assertThat(decision().step().orElseThrow().assumed()).isTrue();
    }

    @Test
    void outcomeIsToldOnceMoreWhenItsLastWindowWasMeasured() {
        restart(Policy.named("plimsoll"), history(4));
        settled();

        for (long index = 2; index < 10; index++) {
            window(index, true, PlacementState.settled(1));
        }

        List<Outcome> outcomes = partition.values(Topic.OUTCOMES);
        assertThat(outcomes).extracting(Outcome::last).containsExactly(false, true);
        assertThat(outcomes).extracting(Outcome::windowIndex).containsOnly(2L);
        MeasuredGain measured = outcomes.get(1).measured().orElseThrow();
        assertThat(measured.windows()).isEqualTo(4);
        assertThat(measured.lastWindow()).isEqualTo(5);
        // The load never changes: the window that was planned from says what all have brought.
        assertThat(measured.balancednessWithout()).isCloseTo(decision().currentBalancedness(), within(1e-12));
        assertThat(measured.balancednessWith()).isEqualTo(1);
        assertThat(measured.gain()).isGreaterThan(0.4);
    }

    @Test
    void successorMeasuresOnAndNeitherLosesNorDoublesAWindow() {
        restart(Policy.named("plimsoll"), history(4));
        settled();
        window(2, true, PlacementState.settled(1));
        window(3, true, PlacementState.settled(1));

        restart(Policy.named("plimsoll"), history(4));
        partition.poll(true);
        assertThat(partition.values(Topic.OUTCOMES)).hasSize(1);
        window(4, true, PlacementState.settled(1));
        window(5, true, PlacementState.settled(1));
        restart(Policy.named("plimsoll"), history(4));
        partition.poll(true);
        window(6, true, PlacementState.settled(1));

        List<Outcome> outcomes = partition.values(Topic.OUTCOMES);
        assertThat(outcomes).extracting(Outcome::last).containsExactly(false, true);
        MeasuredGain measured = outcomes.get(1).measured().orElseThrow();
        assertThat(measured.windows()).isEqualTo(4);
        assertThat(measured.firstWindow()).isEqualTo(2);
        assertThat(measured.lastWindow()).isEqualTo(5);
    }

    @Test
    void endOfAnIncarnationEndsWhatIsMeasuredInIt() {
        settled();
        window(2, true, PlacementState.settled(1));
        window(3, true, PlacementState.settled(1));

        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);

        List<Outcome> outcomes = partition.values(Topic.OUTCOMES);
        assertThat(outcomes).extracting(Outcome::incarnation).containsOnly(1L);
        assertThat(outcomes).extracting(Outcome::last).containsExactly(false, true);
        assertThat(outcomes.get(1).measured().orElseThrow().windows()).isEqualTo(2);
    }

    private static PlannerSettings history(int windows) {
        return SettingsText.read(SettingsText.of(PlannerSettings.DEFAULTS)
                .replace("history=" + PlannerSettings.DEFAULTS.historyWindows(), "history=" + windows));
    }

    @Test
    void decisionMadeFarAheadIsMeasuredAndItsCooldownEndsBehindTheJumpBack() {
        window(FAR, true, PlacementState.settled(0));
        window(FAR + 1, false, PlacementState.settled(0));
        settle();
        for (long index = 2; index < 6; index++) {
            window(index, true, PlacementState.settled(1));
        }

        assertThat(partition.values(Topic.OUTCOMES))
                .extracting(Outcome::windowIndex)
                .containsExactly(2L);
        assertThat(refused).endsWith(KeepReason.BALANCED);
    }

    @Test
    void successorOfADecisionFarAheadMeasuresItAndPlansBehindTheJumpBack() {
        window(FAR, true, PlacementState.settled(0));
        window(FAR + 1, false, PlacementState.settled(0));
        settle();
        restart(Policy.named("plimsoll"));
        partition.poll(true);
        assertThat(partition.values(Topic.OUTCOMES)).isEmpty();

        for (long index = 2; index < 6; index++) {
            window(index, true, PlacementState.settled(1));
        }

        assertThat(partition.values(Topic.OUTCOMES))
                .extracting(Outcome::windowIndex)
                .containsExactly(2L);
        assertThat(refused).endsWith(KeepReason.BALANCED);
    }

    @Test
    void decisionThatIsMeasuredToItsEndSaysWhatItsPolicysPromisesAreWorth() {
        restart(Policy.named("plimsoll"), history(4));
        settled();
        window(2, true, PlacementState.settled(1));
        assertThat(learned).isEmpty();
        for (long index = 3; index < 10; index++) {
            window(index, true, PlacementState.settled(1));
        }

        assertThat(learned)
                .containsExactly(
                        "plimsoll: 100 % of what it promised came, over 1 decision; gains have lasted as long as"
                                + " anybody looked; below 0.0 % they cannot be told from none");
    }
}
