package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferCosts;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.MovePrices;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PlannerTaskTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final int LAYERS = 2;
    private static final long BYTES_PER_EXPERT = 10;
    /** Index of a window that a wrong jump leads to. */
    private static final long FAR = 1L << 46;
    /** Tokens per expert: the first two ranks are hot. */
    private static final long[] SKEWED = {400, 300, 200, 100, 10, 10, 10, 10};

    private final Partition partition = new Partition();
    private final List<KeepReason> refused = new ArrayList<>();
    private final List<String> details = new ArrayList<>();
    private Conservation conservation = Conservation.YES;
    private final List<Effect.IgnoreReason> ignored = new ArrayList<>();
    private Optional<StepTime> stepTime = Optional.empty();
    private final List<WindowJoin.Drop> dropped = new ArrayList<>();
    private final PlannerListener listener = new PlannerListener() {
        @Override
        public void refused(Deployment deployment, long window, Verdict.Keep keep) {
            refused.add(keep.reason());
            details.add(keep.detail());
        }

        @Override
        public void ignored(Deployment deployment, Effect.IgnoreReason reason) {
            ignored.add(reason);
        }

        @Override
        public void dropped(Deployment deployment, WindowJoin.Drop reason, int windows) {
            dropped.add(reason);
        }
    };

    private ParallelPlanning planning = new ParallelPlanning(Policy.named("static"), 1);

    private static Membership members(long incarnation) {
        return new Membership(
                DEPLOYMENT,
                incarnation,
                ModelShape.of("small", 8, 1, 0, LAYERS),
                Topology.even(4, 2, 3),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                4,
                8,
                BYTES_PER_EXPERT,
                4 * BYTES_PER_EXPERT);
    }

    @BeforeEach
    void begin() {
        partition.now = 1_000_000;
        partition.append(Topic.MEMBERS, members(1));
        restart(Policy.named("plimsoll"));
    }

    private void restart(Policy policy) {
        restart(policy, PlannerSettings.DEFAULTS);
    }

    private void restart(Policy policy, PlannerSettings settings) {
        planning.close();
        planning = new ParallelPlanning(policy, 2);
        partition.assign(
                new PlannerTask(settings, planning, "test", listener, () -> Instant.ofEpochMilli(partition.now)));
    }

    @AfterEach
    void stop() {
        planning.close();
    }

    /** A complete window; each segment has an equal part of the load, split evenly over replicas. */
    private void window(long index, boolean companionsFirst, PlacementState... states) {
        rows(index, 1, states);
        summary(index, 1, CloseReason.COMPLETE, states);
        partition.now += 1000;
        partition.poll(companionsFirst);
    }

    private void rows(long index, long incarnation, PlacementState... states) {
        for (int segment = 0; segment < states.length; segment++) {
            Placement served = served(states[segment]);
            for (int layer = 0; layer < LAYERS; layer++) {
                int[][] slots = served.slotsOfExperts(layer, SKEWED.length);
                long[] load = new long[served.slots()];
                for (int expert = 0; expert < SKEWED.length; expert++) {
                    for (int slot : slots[expert]) {
                        load[slot] = 60 * SKEWED[expert] / slots[expert].length;
                    }
                }
                // Cut by slots, as a wide layer is.
                for (int first = 0; first < load.length; first += 6) {
                    LongVector part = LongVector.of(load).slice(first, first + 6);
                    partition.append(
                            Topic.WINDOWS,
                            new LoadWindow(
                                    DEPLOYMENT,
                                    incarnation,
                                    Phase.DECODE,
                                    index,
                                    new StepRange(index * 8, index * 8 + 8),
                                    layer,
                                    segment,
                                    states[segment],
                                    first,
                                    part,
                                    2,
                                    halves(part),
                                    ""));
                }
            }
        }
    }

    /** Two equal sub-windows; all loads here are even or their halves are rounded down and up. */
    private static LongVector halves(LongVector load) {
        long[] whole = load.toArray();
        long[] halves = new long[2 * whole.length];
        for (int i = 0; i < whole.length; i++) {
            halves[i] = whole[i] / 2;
            halves[whole.length + i] = whole[i] - halves[i];
        }
        return LongVector.of(halves);
    }

    private Placement served(PlacementState state) {
        PlanLog log = PlanLog.of(partition.values(Topic.PLAN));
        Placement base = Optional.ofNullable(log.placements(members(1)).get(state.settledVersion()))
                .orElseThrow();
        return state.epoch() == 0
                ? base
                : PlanLog.after(log.proposal(state.epoch()).orElseThrow(), state.batchesFlipped(), base, state.epoch());
    }

    private void summary(long index, long incarnation, CloseReason reason, PlacementState... states) {
        partition.append(
                Topic.WINDOW_SUMMARIES,
                new WindowSummary(
                        DEPLOYMENT,
                        incarnation,
                        Phase.DECODE,
                        index,
                        index - 1,
                        new StepRange(index * 8, index * 8 + 8),
                        reason,
                        2,
                        LongVector.of(2, 2, 2, reason == CloseReason.COMPLETE ? 2 : 1),
                        new Balance(0.5, 0.4, 1, LAYERS),
                        List.of(states),
                        1000,
                        conservation,
                        1000,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        partition.now,
                        "",
                        stepTime));
    }

    private void ack(RankAck.Kind kind, int batch, int... ranks) {
        ackAt(partition.now, kind, batch, ranks);
    }

    /** Dated by a clock of its own. */
    private void ackAt(long millis, RankAck.Kind kind, int batch, int... ranks) {
        Propose decision = decision();
        for (int rank : ranks) {
            partition.append(
                    Topic.ACKS,
                    new RankAck(
                            DEPLOYMENT,
                            1,
                            new RankId(rank),
                            decision.epoch(),
                            kind,
                            batch,
                            Optional.empty(),
                            decision.planHash(),
                            0),
                    millis);
        }
    }

    private Propose decision() {
        return partition.values(Topic.PLAN).stream()
                .filter(Propose.class::isInstance)
                .map(Propose.class::cast)
                .reduce((earlier, later) -> later)
                .orElseThrow();
    }

    private List<String> log() {
        return partition.values(Topic.PLAN).stream()
                .map(command -> command.getClass().getSimpleName())
                .toList();
    }

    private void proposed() {
        window(0, true, PlacementState.settled(0));
        window(1, false, PlacementState.settled(0));
    }

    private void settled() {
        proposed();
        settle();
    }

    private void settle() {
        int last = decision().batches().size();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        ack(RankAck.Kind.FLIPPED, last, 0, 1, 2, 3);
        partition.poll(true);
    }

    @Test
    void firstActOfAReignIsTermAndVersionZeroOfEveryLayer() {
        assertThat(log()).containsExactly("Term");
        assertThat(partition.values(Topic.PLACEMENTS))
                .extracting(record -> record.version() + "/" + record.layer())
                .containsExactly("0/0", "0/1");
    }

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

    /** A worker whose clock is an hour behind, on a topic that is dated by its writers, as those of earlier releases are. */
    @Test
    void abortedFromASlowClockIsFoundByASuccessorWhateverTheHour() {
        abortedWhileThePlannerIsDead(partition.now - 3_600_000);

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Void");
    }

    @Test
    void abortedIsFoundWhereAnEarlierReleaseDidNotSayFromWhereAcksCount() {
        abortedWhileThePlannerIsDead(partition.now - 3_600_000);
        partition.forgetNote();

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Void");
    }

    @Test
    void abortedIsFoundByTheSuccessorOfASuccessor() {
        abortedWhileThePlannerIsDead(partition.now - 3_600_000, 0, 1, 2);
        restart(Policy.named("plimsoll"));
        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term");
        ackAt(partition.now - 3_600_000, RankAck.Kind.ABORTED, 0, 3);

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Term", "Term", "Void");
    }

    private void abortedWhileThePlannerIsDead(long acksAtMillis, int... ranks) {
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
                acksAtMillis);
        partition.poll(true);
        assertThat(log()).endsWith("Abort");
        ackAt(acksAtMillis, RankAck.Kind.ABORTED, 0, ranks.length == 0 ? new int[] {0, 1, 2, 3} : ranks);
    }

    @Test
    void flipsWhileThePlannerWasDeadCountAfterItsSuccessorTookOver() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        ack(RankAck.Kind.FLIPPED, decision().batches().size(), 0, 1, 2, 3);
        partition.now += 3_600_000;

        restart(Policy.named("plimsoll"));

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Term", "Settled");
        assertThat(partition.values(Topic.PLAN).get(3).header().term()).isEqualTo(2);
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
                            Optional.of(new FlipCost(4 * BYTES_PER_EXPERT, 20_000, 700))));
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
    void successorSeesTheHistoryButDoesNotProposeFromOldWindowsAgain() {
        settled();
        window(2, true, PlacementState.settled(1));
        window(3, true, PlacementState.settled(1));
        refused.clear();

        restart(Policy.named("plimsoll"));
        assertThat(partition.note()).isEqualTo("looks back to 0 in windows");
        assertThat(partition.position()).isZero();
        partition.poll(true);
        window(4, true, PlacementState.settled(1));

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled", "Term");
        assertThat(refused).doesNotContain(KeepReason.COLD).endsWith(KeepReason.BALANCED);
        assertThat(partition.values(Topic.OUTCOMES)).hasSize(1);
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
    void successorSeesTheSameWindowsAsItsPredecessor() {
        Watching predecessor = new Watching();
        restart(predecessor);
        for (long index = 0; index < PlannerSettings.DEFAULTS.historyWindows() + 3; index++) {
            window(index, index % 2 == 0, PlacementState.settled(0));
        }
        Watching successor = new Watching();
        restart(successor);
        partition.poll(true);

        assertThat(predecessor.seen).hasSize(PlannerSettings.DEFAULTS.historyWindows());
        assertThat(successor.seen).isEqualTo(predecessor.seen);
        // Two sub-samples in the newest two windows, as a plan is made without the newest too; those before keep their
        // sums only.
        int size = successor.seen.size();
        assertThat(successor.seen.get(size - 1)).startsWith("27 of 2: ");
        assertThat(successor.seen.get(size - 2)).startsWith("26 of 2: ");
        assertThat(successor.seen.subList(0, size - 2)).allMatch(window -> window.contains(" of 1: "));
    }

    /** Indices of the windows that were seen. */
    private static List<Long> indices(Watching policy) {
        return policy.seen.stream()
                .map(window -> Long.parseLong(window.substring(0, window.indexOf(' '))))
                .toList();
    }

    @Test
    void windowsBehindAJumpThatHealedFollowThoseBeforeItAndASuccessorSeesThemSo() {
        Watching predecessor = new Watching();
        restart(predecessor);
        for (long index : new long[] {0, 1, FAR, FAR + 1, 2, 3}) {
            window(index, index % 2 == 0, PlacementState.settled(0));
        }
        Watching successor = new Watching();
        restart(successor);
        partition.poll(true);

        assertThat(indices(predecessor)).containsExactly(0L, 1L, FAR, FAR + 1, 2L, 3L);
        assertThat(successor.seen).isEqualTo(predecessor.seen);
        assertThat(dropped).isEmpty();
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
    void costOfADecisionIsInTimesOfWindowsWhateverJumpsAreBetween() {
        // Measured in windows of a second, half a window; in a second spread over 2^46 windows, hundreds.
        restart(Policy.named("plimsoll"), flipsTake(Duration.ofMillis(250)));
        window(0, true, PlacementState.settled(0));
        window(FAR, true, PlacementState.settled(0));

        assertThat(log()).endsWith("Propose");
    }

    private static PlannerSettings flipsTake(Duration time) {
        PlannerSettings usual = PlannerSettings.DEFAULTS;
        Gate.Settings gate = usual.gate();
        return new PlannerSettings(
                usual.policy(),
                usual.historyWindows(),
                usual.cooldownWindows(),
                usual.budget(),
                usual.prices(),
                new Gate.Settings(
                        gate.minimumGain(),
                        gate.minimumHeldOutGain(),
                        gate.horizonWindows(),
                        gate.expertTimeShare(),
                        gate.linkBytesPerSecond(),
                        time),
                usual.acceptWithin(),
                usual.progressWithin(),
                usual.abortWithin(),
                usual.lookBack(),
                usual.planThreads(),
                usual.planWithin(),
                usual.seed());
    }

    @Test
    void successorThatCannotHoldAllWindowsAtOnceSeesTheNewest() {
        Watching predecessor = new Watching();
        restart(predecessor);
        for (long index = 0; index < 120; index++) {
            rows(index, 1, PlacementState.settled(0));
            CloseReason reason = index % 4 == 3 ? CloseReason.COMPLETE : CloseReason.GAP;
            summary(index, 1, reason, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }
        Watching successor = new Watching();
        restart(successor);
        partition.pollRecords(50);
        partition.poll(true);

        // The newest 64 have a summary, and a quarter of those is complete.
        assertThat(indices(successor))
                .hasSize(16)
                .isEqualTo(indices(predecessor).subList(9, 25));
    }

    @Test
    void windowFarAheadThatIsNeverWholeIsGivenUpForTheNextBehindTheJumpBack() {
        Watching policy = new Watching();
        restart(policy);
        window(0, true, PlacementState.settled(0));
        summary(FAR, 1, CloseReason.COMPLETE, PlacementState.settled(0));
        partition.poll(true);

        window(1, true, PlacementState.settled(0));

        assertThat(dropped).containsExactly(WindowJoin.Drop.OVERTAKEN);
        assertThat(indices(policy)).containsExactly(0L, 1L);
    }

    @Test
    void windowWithoutAnyRecordsDoesNotOvertakeOneWhoseRecordsAreStillToCome() {
        Watching policy = new Watching();
        restart(policy);
        window(0, true, PlacementState.settled(0));
        summary(1, 1, CloseReason.COMPLETE, PlacementState.settled(0));
        summary(2, 1, CloseReason.GAP);
        partition.poll(true);
        rows(1, 1, PlacementState.settled(0));
        partition.poll(true);
        window(3, true, PlacementState.settled(0));

        assertThat(dropped).isEmpty();
        assertThat(indices(policy)).containsExactly(0L, 1L, 3L);
    }

    @Test
    void successorDoesNotPlanFromAnOldWindowWhileALaterOneIsStillToBeRead() {
        restart(new Watching());
        for (long index = 0; index < 6; index++) {
            window(index, true, PlacementState.settled(0));
        }
        Watching successor = new Watching();
        restart(successor);

        partition.pollRecords(5);
        assertThat(successor.seen).isEmpty();
        partition.poll(true);

        assertThat(successor.seen).hasSize(6);
    }

    @Test
    void budgetOfBytesBoundsTheMovesThatAPolicyMayWant() {
        restart(Policy.named("plimsoll"), bytes(2 * BYTES_PER_EXPERT));
        proposed();

        assertThat(decision().moves()).hasSize(2);
    }

    @Test
    void budgetBelowTheBytesOfOneExpertIsSaidAndMovesNothing() {
        restart(Policy.named("plimsoll"), bytes(BYTES_PER_EXPERT - 1));
        proposed();

        assertThat(refused).endsWith(KeepReason.BUDGET);
    }

    private static PlannerSettings bytes(long bytes) {
        return PlannerSettings.DEFAULTS.within(
                new Budget(Integer.MAX_VALUE, bytes, Integer.MAX_VALUE, Integer.MAX_VALUE),
                PlannerSettings.DEFAULTS.prices());
    }

    /** Keeps the windows that the last plan was made from, and moves nothing. */
    private static final class Watching implements Policy {
        private volatile List<String> seen = List.of();

        @Override
        public String name() {
            return "watching";
        }

        @Override
        public LayerPlan plan(PlanRequest request, int layer) {
            seen = request.windows().stream()
                    .map(window -> window.windowIndex() + " of " + window.samples() + ": "
                            + Arrays.deepToString(window.toDoubles()))
                    .toList();
            return Policy.named("static").plan(request, layer);
        }
    }

    @Test
    void offsetIsWhatWasReadAndItsNoteFollowsTheOldestWindowOfTheHistory() {
        for (long index = 0; index < PlannerSettings.DEFAULTS.historyWindows() + 3; index++) {
            window(index, index % 2 == 0, PlacementState.settled(0));
        }

        // Four records per window; three windows have left the history.
        assertThat(partition.note()).isEqualTo("looks back to 12 in windows, acks from 0");
        assertThat(partition.committedOffset())
                .as("what is read, so that the group has no lag")
                .hasValue(4L * (PlannerSettings.DEFAULTS.historyWindows() + 3));

        // A successor reads the history again, and meanwhile the group does not go back.
        long read = partition.committedOffset().orElseThrow();
        restart(Policy.named("static"));
        assertThat(partition.position()).isEqualTo(12);
        partition.pollRecords(8);
        assertThat(partition.committedOffset()).hasValue(read);
        partition.poll(true);
        assertThat(partition.committedOffset()).hasValue(read);
        assertThat(partition.note()).isEqualTo("looks back to 12 in windows, acks from 0");

        // An earlier release has left nothing beside its offset.
        partition.forgetNote();
        restart(Policy.named("static"));
        assertThat(partition.position()).isEqualTo(read);
    }

    @Test
    void successorReadsATopicThatWasMadeAgainFromItsStart() {
        restart(new Watching());
        for (long index = 0; index < 5; index++) {
            window(index, true, PlacementState.settled(0));
        }
        partition.makeWindowsAgain();
        rows(5, 1, PlacementState.settled(0));
        summary(5, 1, CloseReason.COMPLETE, PlacementState.settled(0));
        rows(6, 1, PlacementState.settled(0));
        summary(6, 1, CloseReason.COMPLETE, PlacementState.settled(0));

        Watching successor = new Watching();
        restart(successor);
        assertThat(partition.position()).isZero();
        partition.poll(true);

        assertThat(indices(successor)).containsExactly(5L, 6L);
        assertThat(partition.committedOffset()).hasValue(8);
        assertThat(partition.note()).isEqualTo("looks back to 0 in windows'");
    }

    @Test
    void successorReadsATopicThatWasMadeAgainFromItsStartEvenWhereItIsLongerThanTheOldOne() {
        restart(new Watching());
        window(0, true, PlacementState.settled(0));
        partition.now += PlannerSettings.DEFAULTS.lookBack().toMillis() + 2000;
        rows(1, 1, PlacementState.settled(0));
        summary(1, 1, CloseReason.GAP, PlacementState.settled(0));
        partition.poll(true);
        assertThat(partition.note()).isEqualTo("looks back to 8 in windows");
        partition.makeWindowsAgain();
        for (long index = 2; index < 6; index++) {
            rows(index, 1, PlacementState.settled(0));
            summary(index, 1, CloseReason.COMPLETE, PlacementState.settled(0));
        }

        Watching successor = new Watching();
        restart(successor);
        partition.poll(true);

        assertThat(indices(successor)).containsExactly(2L, 3L, 4L, 5L);
    }

    @Test
    void successorOnALogThatHasLostItsEndReadsWhatIsLeftOfTheHistoryAndGoesOn() {
        restart(new Watching());
        for (long index = 0; index < 5; index++) {
            window(index, true, PlacementState.settled(0));
        }
        partition.cutWindowsAt(12);

        Watching successor = new Watching();
        restart(successor);
        partition.poll(true);
        assertThat(partition.committedOffset()).as("no lag below 0").hasValue(12);
        window(5, true, PlacementState.settled(0));

        assertThat(indices(successor)).containsExactly(0L, 1L, 2L, 5L);
        assertThat(partition.committedOffset()).hasValue(16);
    }

    @Test
    void successorOnALogThatHasLostAllThatIsLookedBackOnGoesOnAtItsEnd() {
        for (long index = 0; index < PlannerSettings.DEFAULTS.historyWindows() + 3; index++) {
            window(index, true, PlacementState.settled(0));
        }
        partition.cutWindowsAt(8);

        restart(Policy.named("static"));

        assertThat(partition.position()).isEqualTo(8);
        assertThat(partition.committedOffset()).hasValue(8);
    }

    @Test
    void offsetOfAnEarlierReleaseBeyondTheEndOfTheLogIsPutRight() {
        window(0, true, PlacementState.settled(0));
        partition.forgetNote();
        partition.cutWindowsAt(0);

        restart(Policy.named("static"));

        assertThat(partition.position()).isZero();
        assertThat(partition.note()).isEqualTo("looks back to 0 in windows");
    }

    @Test
    void rankThatDoesNotAcceptWhileOthersStepOnEndsTheDecision() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2);
        windows(2, 31, Duration.ofSeconds(1));
        assertThat(log()).as("59 boundaries").containsExactly("Term", "Propose");
        windows(31, 32, Duration.ofSeconds(1));
        ack(RankAck.Kind.ABORTED, 0, 0, 1, 2, 3);
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Abort", "Void");
        assertThat(partition.values(Topic.PLAN).get(2).summary()).endsWith("3 of 4 ranks accepted in time");
    }

    /** Windows of two boundaries each, not all of which have a sample of every rank. */
    private void windows(long from, long to, Duration each) {
        for (long index = from; index < to; index++) {
            rows(index, 1, PlacementState.settled(0));
            summary(index, 1, index % 3 == 2 ? CloseReason.GAP : CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += each.toMillis();
            partition.poll(index % 2 == 0);
        }
    }

    @Test
    void ranksThatReachABoundaryAMinuteHaveTheTimeToFlip() {
        Duration slow = Duration.ofMinutes(2);
        windows(0, 2, slow);
        assertThat(log()).containsExactly("Term", "Propose");
        windows(2, 22, slow);
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        windows(22, 110, slow);
        ack(RankAck.Kind.FLIPPED, decision().batches().size(), 0, 1, 2, 3);
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled");
    }

    @Test
    void fastRanksHaveTheTimeThatRecordsTake() {
        proposed();
        windows(2, 100, Duration.ofMillis(100));
        assertThat(log()).as("196 boundaries in 9.8 s").containsExactly("Term", "Propose");

        windows(100, 200, Duration.ofMillis(100));
        assertThat(log()).containsExactly("Term", "Propose", "Abort");
    }

    @Test
    void engineWithoutRequestsIsNotAborted() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        for (int minute = 0; minute < 55; minute++) {
            partition.now += 60_000;
            partition.poll(true);
        }

        assertThat(log()).containsExactly("Term", "Propose", "Permit");
    }

    @Test
    void deploymentThatIsGoneIsGivenUpAfterAnHour() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        partition.now += 3_600_001;
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Abort");
        assertThat(partition.values(Topic.PLAN).get(3).summary()).contains("nothing is heard of the ranks' steps");
        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        assertThat(log()).endsWith("Abort", "Void");
    }

    @Test
    void successorCountsNoBoundariesOfBeforeItCame() {
        proposed();
        windows(2, 27, Duration.ofSeconds(1));
        restart(Policy.named("plimsoll"));
        windows(27, 52, Duration.ofSeconds(1));
        assertThat(log()).containsExactly("Term", "Propose", "Term");

        windows(52, 60, Duration.ofSeconds(1));
        assertThat(log()).containsExactly("Term", "Propose", "Term", "Abort");
    }

    @Test
    void membershipSaysHowManyBoundariesRanksHave() {
        partition.append(Topic.MEMBERS, members(2).withTraits(EngineTraits.USUAL.withDeadlines(new Deadlines(10, 20))));
        partition.poll(true);
        boundaries(2, 5);
        partition.now += 60_000;
        boundaries(5, 8);
        assertThat(log()).as("8 boundaries").containsExactly("Term", "Propose");

        boundaries(8, 9);
        assertThat(log()).as("10 boundaries").containsExactly("Term", "Propose", "Abort");
    }

    @Test
    void operatorSaysHowManyBoundariesRanksHaveWhateverTheMembership() {
        restart(
                Policy.named("plimsoll"),
                PlannerSettings.DEFAULTS.withBoundaries(OptionalInt.of(4), OptionalInt.empty()));
        proposed();
        partition.now += 60_000;
        windows(2, 3, Duration.ofSeconds(1));
        assertThat(log()).as("2 boundaries").endsWith("Term", "Propose");

        windows(3, 4, Duration.ofSeconds(1));
        assertThat(log()).as("4 boundaries").endsWith("Term", "Propose", "Abort");
    }

    /** Windows of the second incarnation. */
    private void boundaries(long from, long to) {
        for (long index = from; index < to; index++) {
            rows(index, 2, PlacementState.settled(0));
            summary(index, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }
    }

    @Test
    void incompleteWindowIsNeverPlannedFrom() {
        window(0, true, PlacementState.settled(0));
        rows(1, 1, PlacementState.settled(0));
        summary(1, 1, CloseReason.GAP, PlacementState.settled(0));
        partition.poll(true);

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.INCOMPLETE);
    }

    @Test
    void windowThatIsNotConservedIsNeverPlannedFromAndSaysWhichLayer() {
        window(0, true, PlacementState.settled(0));
        conservation = Conservation.violated(List.of(new Conservation.Violation(1, 48_795, 182_976)));
        window(1, true, PlacementState.settled(0));

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.NOT_CONSERVED);
        assertThat(details.get(1)).contains("layer 1: 48795 computed, 182976 routed × top-k");
        assertThat(log()).doesNotContain("Propose");

        conservation = Conservation.YES;
        window(2, true, PlacementState.settled(0));
        assertThat(log()).as("planned from windows 0 and 2").contains("Propose");
    }

    @Test
    void windowThatWasComparedWithNothingIsPlannedFromAndTheDecisionSaysSo() {
        conservation = Conservation.UNKNOWN;
        window(0, true, PlacementState.settled(0));
        window(1, true, PlacementState.settled(0));

        assertThat(decision().reason()).endsWith("; tokens computed were not compared with tokens routed");
    }

    @Test
    void windowWithoutSummaryIsGivenUpWhenALaterOneIsWhole() {
        rows(0, 1, PlacementState.settled(0));
        partition.poll(true);
        assertThat(dropped).isEmpty();

        window(1, true, PlacementState.settled(0));

        assertThat(dropped).containsExactly(WindowJoin.Drop.OVERTAKEN);
        assertThat(partition.note()).isEqualTo("looks back to 4 in windows");
    }

    @Test
    void ofWindowsWithoutASummaryTheOldestGiveWay() {
        for (long index = 0; index < WindowJoin.MOST_OPEN + 6; index++) {
            rows(index, 1, PlacementState.settled(0));
        }
        partition.poll(true);
        partition.poll(true);

        assertThat(dropped).isNotEmpty().containsOnly(WindowJoin.Drop.OVERFLOW);
        assertThat(partition.note()).isEqualTo("looks back to 24 in windows");
    }

    @Test
    void newIncarnationVoidsTheDecisionAndBeginsAtVersionZeroWithAHigherEpoch() {
        proposed();
        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        for (long index = 0; index < 2; index++) {
            rows(index, 2, PlacementState.settled(0));
            summary(index, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }

        assertThat(log()).containsExactly("Term", "Propose", "Void", "Propose");
        assertThat(decision().epoch()).isEqualTo(2);
        assertThat(decision().basedOn()).isEqualTo(0);
        assertThat(decision().header().incarnation()).isEqualTo(2);
    }

    @Test
    void takeOverWithMembersOfSeveralIncarnationsGoesOnWithTheNewest() {
        proposed();
        partition.append(Topic.MEMBERS, members(2));
        partition.poll(true);
        for (long index = 0; index < 2; index++) {
            rows(index, 2, PlacementState.settled(0));
            summary(index, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.now += 1000;
            partition.poll(true);
        }

        restart(Policy.named("plimsoll"));
        partition.poll(true);

        assertThat(log()).containsExactly("Term", "Propose", "Void", "Propose", "Term");
        assertThat(partition.values(Topic.PLACEMENTS)).hasSize(4);
    }

    /** The layers that plimsoll moves, with a made-up reason each. */
    private static Policy explaining(int gainsToo) {
        return new Policy() {
            @Override
            public String name() {
                return "explaining";
            }

            @Override
            public LayerPlan plan(PlanRequest request, int layer) {
                int[] before = request.settled().layer(layer);
                int[] after = Policy.named("plimsoll").plan(request, layer).expertOfSlot();
                List<LayerReason.Gain> gains = new ArrayList<>();
                for (int slot = 0; slot < after.length; slot++) {
                    if (before[slot] != after[slot]) {
                        gains.add(new LayerReason.Gain(slot + gainsToo, 0.125 * (slot + 1)));
                    }
                }
                return new LayerPlan(
                        after, Optional.of(new LayerReason(0.5, 0.75, 1, gains, LayerReason.Stop.PRICE, 0.001)));
            }
        };
    }

    @Test
    void proposalSaysNothingOfReasonsWhereThePolicyDoesNot() {
        restart(Policy.named("deepseek"));
        proposed();

        assertThat(decision().reasons()).isEqualTo(PlanReasons.NONE);
    }

    @Test
    void proposalSaysWhyEveryMoveIsMadeWhereThePolicyDoes() throws Exception {
        restart(explaining(0));
        proposed();

        Propose decision = decision();
        assertThat(decision.policy()).isEqualTo("explaining");
        assertThat(decision.reasons().moved().keySet()).containsExactly(0, 1);
        decision.reasons()
                .moved()
                .forEach((layer, reason) -> assertThat(reason.gains())
                        .isEqualTo(decision.moves().stream()
                                .filter(move -> move.layer().index() == layer)
                                .map(move -> new LayerReason.Gain(
                                        move.slot().index(),
                                        0.125 * (move.slot().index() + 1)))
                                .toList()));
        assertThat(Topic.PLAN.decode(Topic.PLAN.encode(decision))).isEqualTo(decision);
    }

    @Test
    void policyThatSpeaksOfOtherMovesThanItMakesHasFailed() {
        restart(explaining(1));
        proposed();

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.ERROR);
    }

    @Test
    void planThatDoesNotComeInTimeIsGivenUpAndTheLoopGoesOn() {
        CountDownLatch never = new CountDownLatch(1);
        restart(
                new Policy() {
                    @Override
                    public String name() {
                        return "slow";
                    }

                    @Override
                    public LayerPlan plan(PlanRequest request, int layer) {
                        if (layer == 1) {
                            try {
                                never.await();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        }
                        return Policy.named("plimsoll").plan(request, layer);
                    }
                },
                new PlannerSettings(
                        "plimsoll",
                        2,
                        0,
                        Budget.UNLIMITED,
                        MovePrices.EQUAL,
                        PlannerSettings.DEFAULTS.gate(),
                        PlannerSettings.DEFAULTS.acceptWithin(),
                        PlannerSettings.DEFAULTS.progressWithin(),
                        PlannerSettings.DEFAULTS.abortWithin(),
                        PlannerSettings.DEFAULTS.lookBack(),
                        1,
                        Duration.ofMillis(20),
                        0));
        proposed();
        window(2, true, PlacementState.settled(0));

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.TIMEOUT, KeepReason.TIMEOUT);
        assertThat(partition.values(Topic.PLAN)).allMatch(PlanCommand.Term.class::isInstance);
    }

    @Test
    void policyThatFailsIsCountedAndTheLoopGoesOn() {
        restart(new Policy() {
            @Override
            public String name() {
                return "broken";
            }

            @Override
            public LayerPlan plan(PlanRequest request, int layer) {
                throw new IllegalStateException("broken on purpose");
            }
        });
        proposed();

        assertThat(refused).containsExactly(KeepReason.COLD, KeepReason.ERROR);
        assertThat(partition.values(Topic.PLAN)).allMatch(PlanCommand.Term.class::isInstance);
    }
}
