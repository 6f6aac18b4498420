package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferCosts;
import dev.plimsoll.planner.placement.Verdict.Numbers;
import dev.plimsoll.planner.placement.Verdict.Times;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Two ranks with two slots each, and experts that take 4 µs whenever they have any tokens at all. */
class GateByTimeTest {
    private static final ModelShape SHAPE = ModelShape.of("small", 4, 1, 0, 1);
    private static final Topology TOPOLOGY = Topology.even(2, 1, 2);
    private static final Placement SETTLED = Placement.initial(SHAPE, TOPOLOGY);
    private static final Placement SWAPPED = Placement.of(0, new int[][] {{0, 2, 1, 3}});
    private static final Gate.Settings SETTINGS = new Gate.Settings(0.05, 0.05, 10, 0.5, 1e9, Duration.ofNanos(50_000));
    private static final Objective TIME =
            Objective.time(new DeviceProfile("reading", List.of(new DeviceProfile.Point(1, 4)), 0));
    /** Boundaries are 10 steps apart, windows have 100; weights of an expert are 2 MB. */
    private static final Membership MEMBERS = new Membership(
            new Deployment("gate"),
            1,
            SHAPE,
            TOPOLOGY,
            "test",
            Phase.ALL,
            GatherMode.HOST,
            10,
            100,
            2_000_000,
            8_000_000);
    /** 1,000 tokens a step for each of the first two experts, which are on one rank: 8 µs there, 4 when they are apart. */
    private static final ExpertLoad NEWEST =
            ExpertLoad.of(1, new long[][] {{100_000, 100_000, 0, 0}}).over(100);

    /** A step of 100 µs beside experts, which take twice what the profile says. */
    private static final StepCalibration STEP = new StepCalibration(2, 1.9, 2.1, 100, 30, 2, 4, 8, false);

    private static final TransferCosts MEASURED = new TransferCosts(1e9, 20_000, 5);

    private static Learned learned(double delivered, double noise, OptionalInt lasting) {
        return Gate.learned(Optional.of(STEP), MEASURED, new Experience(delivered, noise, lasting, 3));
    }

    private static Verdict judge(Learned learned, Placement earlier, ExpertLoad newest) {
        Candidate candidate =
                BatchCutter.cut(PlanRequest.of(List.of(newest), SETTLED, SHAPE, TOPOLOGY), Plan.of(SWAPPED), 2, 1);
        return Gate.judge(
                SETTINGS,
                TIME,
                learned,
                candidate,
                earlier,
                SETTLED,
                MEMBERS,
                newest,
                ReplicaParts.EVEN,
                Duration.ofMillis(20));
    }

    private static Verdict judge(Learned learned) {
        return judge(learned, SWAPPED, NEWEST);
    }

    private static Times times(Verdict verdict) {
        return verdict.numbers().time().orElseThrow();
    }

    @Test
    void gainIsThatOfEveryStepAfterTheFlipsAtTheMeasuredScale() {
        Verdict verdict = judge(learned(1, 0, OptionalInt.empty()));

        assertThat(verdict).isInstanceOf(Verdict.Change.class);
        Numbers numbers = verdict.numbers();
        assertThat(numbers.gain()).isCloseTo(0.5, within(0.002));
        assertThat(numbers.heldOutGain()).isCloseTo(0.5, within(0.002));
        Times times = times(verdict);
        assertThat(times.promise().expertMicrosBefore()).isCloseTo(8, within(0.02));
        assertThat(times.promise().expertMicrosPromised()).isCloseTo(4, within(0.02));
        assertThat(times.promise().stepMicrosBefore()).isCloseTo(116, within(0.04));
        assertThat(times.promise().stepMicrosPromised()).isCloseTo(108, within(0.04));
        assertThat(times.promise().assumed()).isFalse();
        // 2 MB at 1 GB/s take two boundary intervals of 1.16 ms, and two are waited for: 40 of the horizon's 1,000
        // steps.
        assertThat(times.lateSteps()).isEqualTo(40);
        assertThat(times.savedMicros()).isCloseTo(8 * 960, within(30.0));
        // Of these 2 ms at most the 100 µs of 116 that experts do not take are lost, and 20 µs for the flip.
        assertThat(times.lostMicros()).isCloseTo(2_000 * 100 / 116.0 + 20, within(1.0));
        assertThat(numbers.pays()).isCloseTo(times.savedMicros() / 20_000, within(1e-12));
        assertThat(numbers.cost()).isCloseTo(times.lostMicros() / 20_000, within(1e-12));
        assertThat(numbers.line())
                .startsWith("step 0.116 → 0.108 ms, gain 50.")
                .contains(" %, held out 50.")
                .endsWith("saves 0.008 s in 10 windows for 0.002 s, 2 moves");
        assertThat(numbers.reason())
                .contains("experts take 14 % of a step (13 to 14 %), scale 2.00 (1.90 to 2.10): 30 windows, 2 flips")
                .endsWith("transfers 1.00 GB/s, a flip 0.020 ms: 5 batches");
    }

    @Test
    void beforeAnythingIsMeasuredTheStatedShareRateAndFlipTimeAreAssumedAndSaidToBe() {
        Verdict verdict = judge(Gate.nothing(SETTINGS));

        Times times = times(verdict);
        assertThat(times.promise().stepMicrosBefore()).isCloseTo(16, within(0.04));
        assertThat(times.promise().stepMicrosPromised()).isCloseTo(12, within(0.04));
        assertThat(times.promise().assumed()).isTrue();
        assertThat(times.lostMicros()).isCloseTo(2_000 * 0.5 + 50, within(1.0));
        assertThat(verdict.numbers().reason())
                .contains(
                        "ms (assumed)", "assumed, nobody times steps", "transfers 1.00 GB/s, a flip 0.050 ms: assumed");
    }

    @Test
    void promiseIsWhatThePlanThatHasNotSeenTheWindowReaches() {
        Verdict verdict = judge(learned(1, 0, OptionalInt.empty()), SETTLED, NEWEST);

        assertThat(((Verdict.Keep) verdict).reason()).isEqualTo(KeepReason.HELD_OUT);
        assertThat(times(verdict).promise().stepMicrosPromised())
                .isEqualTo(times(verdict).promise().stepMicrosBefore());
        // 5 % of 16 µs.
        assertThat(((Verdict.Keep) verdict).detail()).endsWith("; at least 0.001 ms, 5.0 %");
    }

    @Test
    void deploymentWhoseDecisionsDeliveredHalfIsPaidForHalfAndPromisedTheSame() {
        Times whole = times(judge(learned(1, 0, OptionalInt.empty())));
        Times half = times(judge(learned(0.5, 0, OptionalInt.empty())));

        assertThat(half.savedMicros()).isCloseTo(whole.savedMicros() / 2, within(1e-9));
        assertThat(half.promise()).isEqualTo(whole.promise());
        // A tenth of what is promised is no more than the least gain.
        assertThat(((Verdict.Keep) judge(learned(0.09, 0, OptionalInt.empty()))).reason())
                .isEqualTo(KeepReason.HELD_OUT);
    }

    @Test
    void gainThatCannotBeToldFromNoiseIsNone() {
        assertThat(((Verdict.Keep) judge(learned(1, 0.6, OptionalInt.empty()))).reason())
                .isEqualTo(KeepReason.GAIN);
        assertThat(((Verdict.Keep) judge(learned(0.7, 0.45, OptionalInt.empty()))).reason())
                .isEqualTo(KeepReason.HELD_OUT);
        assertThat(judge(learned(1, 0.45, OptionalInt.empty()))).isInstanceOf(Verdict.Change.class);
    }

    @Test
    void gainsAreCountedForAsLongAsEarlierOnesLasted() {
        Verdict lasting = judge(learned(1, 0, OptionalInt.of(100)));
        Verdict fleeting = judge(learned(1, 0, OptionalInt.of(2)));

        assertThat(times(lasting).savedMicros()).isCloseTo(8 * 9_960, within(300.0));
        assertThat(lasting.numbers().line()).contains(" in 100 windows ");
        // 160 steps save 1.3 ms, moving loses 1.7.
        assertThat(((Verdict.Keep) fleeting).reason()).isEqualTo(KeepReason.COST);
    }

    @Test
    void gainsThatWouldComeAfterTheirTimeAreNone() {
        Learned slow = Gate.learned(
                Optional.of(new StepCalibration(2, 2, 2, 0, 30, 2, 4, 8, false)),
                new TransferCosts(1e8, 0, 5),
                new Experience(1, 0, OptionalInt.of(1), 1));

        // Experts are all of a step, so nothing is lost; 20 ms of transfers outlast the 100 steps of a window.
        Verdict verdict = judge(slow);

        assertThat(times(verdict).lostMicros()).isZero();
        assertThat(times(verdict).savedMicros()).isZero();
        assertThat(((Verdict.Keep) verdict).reason()).isEqualTo(KeepReason.COST);
    }

    @Test
    void windowWhoseStepsNobodyCountedIsJudgedByTokens() {
        Numbers numbers = judge(learned(1, 0, OptionalInt.empty()), SWAPPED, NEWEST.over(0))
                .numbers();

        assertThat(numbers.time()).isEmpty();
        assertThat(numbers.gain()).isEqualTo(0.5);
    }

    @Test
    void byTokensTheGateLearnsTheSameOfDecisions() {
        Candidate candidate =
                BatchCutter.cut(PlanRequest.of(List.of(NEWEST), SETTLED, SHAPE, TOPOLOGY), Plan.of(SWAPPED), 2, 1);
        Numbers whole = byTokens(candidate, Gate.nothing(SETTINGS)).numbers();
        Learned half =
                Gate.learned(Optional.empty(), Gate.assumed(SETTINGS), new Experience(0.5, 0, OptionalInt.of(30), 2));
        Learned noisy =
                Gate.learned(Optional.empty(), Gate.assumed(SETTINGS), new Experience(1, 0.51, OptionalInt.empty(), 2));

        assertThat(whole.pays()).isEqualTo(0.5 * 0.5 * 10);
        assertThat(byTokens(candidate, half).numbers().pays()).isEqualTo(0.25 * 0.5 * 30);
        assertThat(byTokens(candidate, half).numbers().predictedBalancedness())
                .isEqualTo(whole.predictedBalancedness());
        assertThat(((Verdict.Keep) byTokens(candidate, noisy)).reason()).isEqualTo(KeepReason.GAIN);
    }

    private static Verdict byTokens(Candidate candidate, Learned learned) {
        return Gate.judge(
                SETTINGS,
                Objective.TOKENS,
                learned,
                candidate,
                SWAPPED,
                SETTLED,
                MEMBERS,
                NEWEST,
                ReplicaParts.EVEN,
                Duration.ofMillis(20));
    }

    @Test
    void gainsOfBatchesThatFlipFirstComeSooner() {
        ModelShape shape = ModelShape.of("three", 4, 1, 0, 3);
        Placement settled = Placement.initial(shape, TOPOLOGY);
        Placement target = Placement.of(0, new int[][] {{0, 2, 1, 3}, {0, 2, 1, 3}, {0, 2, 1, 3}});
        Candidate cut = BatchCutter.cut(
                PlanRequest.of(List.of(ExpertLoad.none(0, 3, 1, 4)), settled, shape, TOPOLOGY), Plan.of(target), 1, 1);
        TransferCosts instant = new TransferCosts(1e18, 0, 5);

        // Three batches, each waiting for three boundaries of ten steps.
        assertThat(cut.batches()).hasSize(3);
        assertThat(MoveTime.lateSteps(cut.batches(), MEMBERS, instant, new double[] {5, 0, 0}, 1))
                .isEqualTo(30);
        assertThat(MoveTime.lateSteps(cut.batches(), MEMBERS, instant, new double[] {0, 0, 5}, 1))
                .isEqualTo(90);
        assertThat(MoveTime.lateSteps(cut.batches(), MEMBERS, instant, new double[] {1, -9, 1}, 1))
                .isEqualTo(60);
        assertThat(MoveTime.lateSteps(cut.batches(), MEMBERS, instant, new double[3], 1))
                .isEqualTo(90);
    }
}
