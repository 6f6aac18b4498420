package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.Gain;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.ExpertTime;
import dev.plimsoll.planner.placement.Objective;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MeasurementTest {
    private static final int MOST = 24;
    private static final int STEPS = 8;
    private static final Topology TOPOLOGY = Topology.even(2, 1, 2);
    private static final Membership MEMBERS = new Membership(
            new Deployment("r1/decode-0"),
            7,
            ModelShape.of("small", 4, 1, 0, 1),
            TOPOLOGY,
            "test",
            Phase.DECODE,
            GatherMode.HOST,
            4,
            STEPS,
            100,
            400);
    /** Two ranks of two slots: the decision swaps experts 1 and 3. */
    private static final Placement BEFORE = Placement.of(0, new int[][] {{0, 1, 2, 3}});

    private static final Placement AFTER = Placement.of(1, new int[][] {{0, 3, 2, 1}});
    private static final DeviceProfile PROFILE =
            new DeviceProfile("made-up", List.of(new Point(1, 4), new Point(8, 6), new Point(64, 40)), 0);

    private static Propose decision(double current, double predicted, Optional<StepPromise> step) {
        return new Propose(
                new PlanHeader(MEMBERS.deployment(), 7, 1, 2),
                1,
                0,
                AFTER.hash(),
                List.of(new Batch(
                        1,
                        List.of(
                                new Move(new LayerId(0), new SlotId(1), new ExpertId(3), new SlotId(3)),
                                new Move(new LayerId(0), new SlotId(3), new ExpertId(1), new SlotId(1))))),
                4,
                current,
                predicted,
                "plimsoll",
                "",
                PlanReasons.NONE,
                Optional.empty(),
                step);
    }

    private static final Measurement.Flipped ALL = new Measurement.Flipped(2, true);

    private static Measurement measurement(Objective objective, Optional<Placement> without, boolean told) {
        return new Measurement(
                MEMBERS, objective, decision(0.5, 0.75, Optional.empty()), ALL, AFTER, without, MOST, told);
    }

    private static Measurement measurement() {
        return measurement(Objective.TOKENS, Optional.of(BEFORE), false);
    }

    private static ExpertLoad load(long index, long... tokens) {
        return ExpertLoad.of(index, new long[][] {tokens}).over(STEPS);
    }

    private static WindowSummary window(long index, Optional<StepTime> time, PlacementState... states) {
        return new WindowSummary(
                MEMBERS.deployment(),
                7,
                Phase.DECODE,
                index,
                index - 1,
                new StepRange(index * STEPS, index * STEPS + STEPS),
                CloseReason.COMPLETE,
                2,
                LongVector.of(2, 2),
                new Balance(0.9, 0.8, 0, 1),
                List.of(states),
                1000,
                Conservation.YES,
                1000,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                1000,
                "",
                time);
    }

    private static WindowSummary window(long index) {
        return window(index, Optional.empty(), PlacementState.settled(1));
    }

    private static MeasuredGain gain(Optional<Outcome> outcome) {
        return outcome.orElseThrow().measured().orElseThrow();
    }

    @Test
    void theFirstWindowIsToldAtOnceAndAllOfThemWhenTheNextDecisionIsMade() {
        Measurement measurement = measurement();

        Optional<Outcome> first = measurement.window(window(6), load(6, 40, 30, 10, 20));
        Optional<Outcome> second = measurement.window(window(7), load(7, 40, 40, 10, 10));
        Optional<Outcome> last = measurement.end();

        // Ranks have 70 and 30 without it, 60 and 40 with it; then 80 and 20, 50 and 50.
        assertThat(gain(first).gain()).isEqualTo(Gain.of(70, 60));
        assertThat(gain(first).last()).isFalse();
        assertThat(gain(first).spread()).isZero();
        assertThat(second).isEmpty();
        MeasuredGain all = gain(last);
        assertThat(all.windows()).isEqualTo(2);
        assertThat(all.firstWindow()).isEqualTo(6);
        assertThat(all.lastWindow()).isEqualTo(7);
        assertThat(all.last()).isTrue();
        assertThat(all.gain()).isEqualTo((Gain.of(70, 60) + Gain.of(80, 50)) / 2, within(1e-15));
        assertThat(all.spread()).isEqualTo((Gain.of(80, 50) - Gain.of(70, 60)) / Math.sqrt(2), within(1e-15));
        assertThat(all.balancednessWith()).isEqualTo((50.0 / 60 + 1) / 2, within(1e-15));
        assertThat(all.balancednessWithout()).isEqualTo((50.0 / 70 + 50.0 / 80) / 2, within(1e-15));
        assertThat(all.expertMicrosWith()).isEmpty();
        assertThat(all.stepMicros()).isEmpty();
        assertThat(last.orElseThrow().windowIndex()).isEqualTo(6);
        assertThat(last.orElseThrow().moves()).isEqualTo(2);
        assertThat(last.orElseThrow().promisedGain()).hasValue(Gain.of(1 / 0.5, 1 / 0.75));
        assertThat(measurement.end()).isEmpty();
    }

    /** What 33 of 64 decisions of a long run looked like: windows of different times were compared. */
    @Test
    void aDecisionThatHelpsIsNotBlamedForTrafficThatGotWorse() {
        long[] calm = {26, 24, 25, 25};
        long[] uneven = {50, 30, 5, 15};
        double before = EvenSplit.balance(BEFORE, new double[][] {doubles(calm)}, TOPOLOGY)
                .mean();
        double after = EvenSplit.balance(AFTER, new double[][] {doubles(uneven)}, TOPOLOGY)
                .mean();
        Measurement measurement = measurement();

        MeasuredGain measured = gain(measurement.window(window(6), load(6, uneven)));

        // Balancedness fell from window to window, and would have fallen further: 65 against 80 tokens on the busiest
        // rank.
        assertThat(after).isLessThan(before);
        assertThat(measured.gain()).isEqualTo(Gain.of(80, 65)).isPositive();
    }

    @Test
    void aDecisionThatHurtsIsNotPraisedForTrafficThatGotCalm() {
        Measurement measurement = measurement();

        MeasuredGain measured = gain(measurement.window(window(6), load(6, 27, 23, 23, 27)));

        assertThat(measured.balancednessWith()).isGreaterThan(0.75);
        assertThat(measured.gain()).isEqualTo(Gain.of(50, 54)).isNegative();
    }

    @Test
    void windowsFromBeforeTheFlipAndThatOfTheFlipItselfDoNotCount() {
        Measurement measurement = measurement();

        assertThat(measurement.window(window(4, Optional.empty(), PlacementState.settled(0)), load(4, 1, 2, 3, 4)))
                .isEmpty();
        assertThat(measurement.window(
                        window(5, Optional.empty(), PlacementState.settled(0), new PlacementState(0, 1, 1)),
                        load(5, 1, 2, 3, 4)))
                .isEmpty();
        assertThat(measurement.end()).isEmpty();
    }

    @Test
    void aWindowThatRanWhollyAfterTheLastFlipCountsThoughTheEndWasNotWrittenYet() {
        assertThat(measurement()
                        .window(window(5, Optional.empty(), new PlacementState(0, 1, 1)), load(5, 40, 30, 10, 20)))
                .isPresent();
    }

    @Test
    void whoTakesOverDoesNotTellTheFirstWindowAgain() {
        Measurement measurement = measurement(Objective.TOKENS, Optional.of(BEFORE), true);

        assertThat(measurement.window(window(6), load(6, 40, 30, 10, 20))).isEmpty();
        assertThat(gain(measurement.soFar()).last()).isFalse();
        assertThat(gain(measurement.end()).windows()).isEqualTo(1);
    }

    @Test
    void aPauseOfTrafficSaysNothingOfAGain() {
        Measurement measurement = measurement();

        Optional<Outcome> before = measurement.window(window(6), load(6, 0, 0, 0, 0));
        Optional<Outcome> first = measurement.window(window(7), load(7, 40, 30, 10, 20));
        for (int index = 8; index < 10; index++) {
            measurement.window(window(index), load(index, 0, 0, 0, 0));
        }
        Optional<Outcome> last = measurement.end();

        assertThat(before).isEmpty();
        assertThat(first.orElseThrow().windowIndex()).isEqualTo(7);
        assertThat(gain(last).windows()).isEqualTo(1);
        assertThat(gain(last).gain()).isEqualTo(Gain.of(70, 60));
        assertThat(gain(last).halved()).isFalse();
        assertThat(gain(last).balancednessWith()).isEqualTo(50.0 / 60, within(1e-15));
    }

    @Test
    void nobodyWaitsForEver() {
        Measurement measurement = measurement();

        for (int i = 0; i < MOST - 1; i++) {
            assertThat(measurement
                            .window(window(6 + i), load(6 + i, 40, 30, 10, 20))
                            .isPresent())
                    .isEqualTo(i == 0);
        }
        Optional<Outcome> last = measurement.window(window(40), load(40, 40, 30, 10, 20));

        assertThat(gain(last).last()).isTrue();
        assertThat(gain(last).windows()).isEqualTo(MOST);
        assertThat(measurement.window(window(41), load(41, 40, 30, 10, 20))).isEmpty();
        assertThat(measurement.soFar()).isEmpty();
        assertThat(measurement.end()).isEmpty();
    }

    @Test
    void whereThePlacementBeforeIsNotKnownOnlyThePromiseIsChecked() {
        Measurement measurement = measurement(Objective.TOKENS, Optional.empty(), false);

        Optional<Outcome> only = measurement.window(window(6), load(6, 40, 30, 10, 20));

        assertThat(only.orElseThrow().measured()).isEmpty();
        assertThat(only.orElseThrow().last()).isTrue();
        assertThat(only.orElseThrow().realised().mean()).isEqualTo(0.9);
        assertThat(measurement.end()).isEmpty();
    }

    @Test
    void byTimeGainIsOfExpertTimeAndThePromiseToo() {
        Objective.Time time = (Objective.Time) Objective.time(PROFILE);
        StepPromise promise = new StepPromise(20, 15, 40, 35, true);
        Measurement measurement = new Measurement(
                MEMBERS, time, decision(0.5, 0.75, Optional.of(promise)), ALL, AFTER, Optional.of(BEFORE), MOST, false);
        long[] tokens = {400, 16, 8, 300};
        double[][] load = {doubles(tokens)};
        double with = ExpertTime.stepMicros(AFTER, load, STEPS, time.expected(), TOPOLOGY);
        double without = ExpertTime.stepMicros(BEFORE, load, STEPS, time.expected(), TOPOLOGY);
        StepTime elapsed = new StepTime(LongVector.of(80_000, 160_000), LongVector.of(0, 0), 2, 50_000);

        Outcome outcome = measurement
                .window(window(6, Optional.of(elapsed), PlacementState.settled(1)), load(6, tokens))
                .orElseThrow();

        MeasuredGain measured = outcome.measured().orElseThrow();
        assertThat(measured.expertMicrosWith()).hasValue(with);
        assertThat(measured.expertMicrosWithout()).hasValue(without);
        assertThat(measured.gain()).isEqualTo(Gain.of(without, with));
        assertThat(measured.stepMicros()).hasValue(20);
        assertThat(outcome.promisedGain()).hasValue(0.25);
        assertThat(outcome.step()).contains(promise);
        assertThat(outcome.summary())
                .contains("step 0.040 → 0.035 ms (assumed) promised, 0.020 measured")
                .contains("of 25.0 % promised");
    }

    @Test
    void aGainLastsUntilTwoWindowsInARowShowLessThanHalfOfTheFirst() {
        // 80 against 50; then one window with a gain of nothing, which may be chance; then two.
        assertThat(lasted(new long[] {40, 40, 10, 10})).isEqualTo("1");
        assertThat(lasted(new long[] {40, 40, 10, 10}, new long[] {25, 25, 25, 25}, new long[] {40, 40, 10, 10}))
                .isEqualTo("3");
        assertThat(lasted(
                        new long[] {40, 40, 10, 10},
                        new long[] {25, 25, 25, 25},
                        new long[] {25, 25, 25, 25},
                        new long[] {40, 40, 10, 10}))
                .isEqualTo("1 halved");
        assertThat(lasted(new long[] {25, 25, 25, 25})).isEqualTo("1");
        assertThat(lasted(new long[] {25, 25, 25, 25}, new long[] {25, 25, 25, 25}))
                .isEqualTo("0 halved");
    }

    private static String lasted(long[]... windows) {
        Measurement measurement = measurement();
        for (int i = 0; i < windows.length; i++) {
            measurement.window(window(6 + i), load(6 + i, windows[i]));
        }
        MeasuredGain measured = gain(measurement.end());
        return measured.lasted() + (measured.halved() ? " halved" : "");
    }

    /** The same tokens decide: no other window, and not the order of windows. */
    @Test
    void everyWindowIsScoredByItsOwnTokensAlone() {
        for (long seed = 1; seed <= 50; seed++) {
            Random random = new Random(seed);
            List<long[]> windows = new ArrayList<>();
            for (int i = 1 + random.nextInt(6); i > 0; i--) {
                windows.add(random.longs(4, 1, 1000).toArray());
            }
            double sum = 0;
            Measurement all = measurement();
            Measurement backwards = measurement();
            for (int i = 0; i < windows.size(); i++) {
                double[][] load = {doubles(windows.get(i))};
                sum += Gain.of(EvenSplit.hottest(BEFORE, load, TOPOLOGY), EvenSplit.hottest(AFTER, load, TOPOLOGY));
                all.window(window(6 + i), load(6 + i, windows.get(i)));
                backwards.window(window(6 + i), load(6 + i, windows.get(windows.size() - 1 - i)));
            }
            MeasuredGain measured = gain(all.end());
            MeasuredGain turned = gain(backwards.end());
            assertThat(measured.gain()).as("seed %d", seed).isEqualTo(sum / windows.size(), within(1e-12));
            assertThat(turned.gain()).as("seed %d", seed).isEqualTo(measured.gain(), within(1e-12));
            assertThat(turned.spread()).as("seed %d", seed).isEqualTo(measured.spread(), within(1e-12));
            assertThat(turned.balancednessWithout())
                    .as("seed %d", seed)
                    .isEqualTo(measured.balancednessWithout(), within(1e-12));
        }
    }

    private static double[] doubles(long[] values) {
        double[] copy = new double[values.length];
        for (int i = 0; i < copy.length; i++) {
            copy[i] = values[i];
        }
        return copy;
    }

    @Test
    void partOfADecisionIsMeasuredAndHeldAgainstNoPromise() {
        StepPromise promise = new StepPromise(20, 15, 40, 35, true);
        Measurement measurement = new Measurement(
                MEMBERS,
                Objective.TOKENS,
                decision(0.5, 0.75, Optional.of(promise)),
                new Measurement.Flipped(1, false),
                AFTER,
                Optional.of(BEFORE),
                1,
                false);

        Outcome outcome = measurement
                .window(window(6, Optional.empty(), PlacementState.settled(1)), load(6, 40, 30, 20, 10))
                .orElseThrow();

        assertThat(outcome.last()).isTrue();
        assertThat(outcome.moves()).isEqualTo(1);
        assertThat(outcome.measured().orElseThrow().gain()).isEqualTo(Gain.of(70, 50), within(1e-15));
        assertThat(outcome.promisedGain())
                .as("the whole of it promised, not this part")
                .isEmpty();
        assertThat(outcome.step()).isEmpty();
        assertThat(outcome.predicted()).isEqualTo(outcome.before());
        OutcomeHistory history = new OutcomeHistory();
        history.add(outcome);
        assertThat(history.experience("plimsoll")).isEqualTo(Experience.NONE);
    }

    @Test
    void flippedIsWhatTheSettlementSays() {
        Propose whole = decision(0.5, 0.75, Optional.empty());
        Move other = new Move(new LayerId(0), new SlotId(0), new ExpertId(2), new SlotId(2));
        Propose two = new Propose(
                whole.header(),
                1,
                0,
                1,
                List.of(whole.batches().get(0), new Batch(2, List.of(other))),
                4,
                0.5,
                0.75,
                "plimsoll",
                "");

        assertThat(Measurement.Flipped.of(two, new PlanCommand.Settled(two.header(), 1, 1, false, 9)))
                .isEqualTo(new Measurement.Flipped(2, false));
        assertThat(Measurement.Flipped.of(two, new PlanCommand.Settled(two.header(), 1, 2, true, 9)))
                .isEqualTo(new Measurement.Flipped(3, true));
    }

    /** Windows whose gains are {@code (70 − with) / 70}, by load {40, 30, 20, 10} with another split of 1 and 3. */
    private static void measure(Measurement measurement, int from, long[]... loads) {
        for (int i = 0; i < loads.length; i++) {
            measurement.window(window(from + i, Optional.empty(), PlacementState.settled(1)), load(from + i, loads[i]));
        }
    }

    private static final long[] BETTER = {40, 30, 20, 10};
    private static final long[] WORSE = {40, 10, 20, 30};

    @Test
    void decisionIsFoundWorseByMoreThanItsNoiseOnly() {
        Measurement steady = measurement();
        measure(steady, 6, WORSE, WORSE);
        assertThat(steady.worseThan(0.005)).as("two windows say too little").isEmpty();
        measure(steady, 8, WORSE);
        assertThat(steady.worseThan(0.005).orElseThrow())
                .isEqualTo(new PlanTarget(
                        BEFORE,
                        "rollback",
                        "takes back decision 1: gain -40.0 % ± 0.0 % over 3 windows, 33.3 % promised"));

        Measurement changing = measurement();
        measure(changing, 6, WORSE, BETTER, WORSE);
        assertThat(changing.worseThan(0.005)).as("-40 %, 29 %, -40 %").isEmpty();

        Measurement better = measurement();
        measure(better, 6, BETTER, BETTER, BETTER);
        assertThat(better.worseThan(0)).isEmpty();
    }

    @Test
    void decisionIsNotTakenBackForLessThanADecisionMustGain() {
        Measurement measurement = measurement();
        measure(measurement, 6, WORSE, WORSE, WORSE);

        assertThat(measurement.worseThan(0.39)).isPresent();
        assertThat(measurement.worseThan(0.41)).isEmpty();
    }

    @Test
    void decisionWhosePlacementBeforeIsNotKnownIsNotTakenBack() {
        Measurement measurement = measurement(Objective.TOKENS, Optional.empty(), false);
        measure(measurement, 6, WORSE, WORSE, WORSE);

        assertThat(measurement.worseThan(0)).isEmpty();
    }
}
