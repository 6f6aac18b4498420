package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.placement.ExpectedTime;
import dev.plimsoll.planner.placement.ExpertTime;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PolicyReplayTest {
    /** Four experts on two ranks. */
    private static final Membership SMALL = MadeUpPast.members(1, 4, Topology.even(2, 1, 2), 2);

    /** Changes that bring anything pay. */
    private static final PolicyChoice EAGER =
            PolicyChoice.parse("static:minimum-gain=0,minimum-held-out-gain=0,flip-ms=0,link-bytes-per-second=1e18");

    /** Wants always the same. */
    private record Wanting(int[][] target) implements Policy {
        @Override
        public String name() {
            return "wanting";
        }

        @Override
        public LayerPlan plan(PlanRequest request, int layer) {
            return new LayerPlan(target[layer].clone(), Optional.empty());
        }
    }

    private static PolicyRun run(Membership members, Policy policy, PolicyChoice choice, List<HistoryWindow> windows) {
        Placement start = Placement.initial(members.shape(), members.topology());
        try (PolicyReplay replay = new PolicyReplay(new RunSpec(choice, members, start), policy, 1, true, 0)) {
            windows.forEach(window -> replay.window(window, window.facts().closedAtMillis()));
            return replay.result(0, Map.of());
        }
    }

    /** The same load in every part of every window: the first two experts have three times as much as the last two. */
    private static List<HistoryWindow> steady(int windows, int parts) {
        List<HistoryWindow> all = new ArrayList<>();
        for (int window = 0; window < windows; window++) {
            long[][][] samples = new long[1][parts][];
            for (int part = 0; part < parts; part++) {
                samples[0][part] = new long[] {30, 30, 10, 10};
            }
            all.add(MadeUpPast.window(window, samples));
        }
        return all;
    }

    private static List<Double> means(PolicyRun run) {
        return run.served().stream().map(ServedWindow::mean).toList();
    }

    @Test
    void aPlanFromOneWindowIsFlippedAfterTheFirstPartOfTheNext() {
        // Ranks have 60 and 20 at first, 40 and 40 under {0, 3 | 2, 1}. Window 2 has one part of four so and three
        // parts so:
        // 60 + 3 · 40 = 180 and 20 + 3 · 40 = 140, whose mean is 160.
        PolicyRun run = run(SMALL, new Wanting(new int[][] {{0, 3, 2, 1}}), EAGER, steady(5, 4));

        assertThat(means(run)).containsExactly(2.0 / 3, 2.0 / 3, 160.0 / 180, 1.0, 1.0);
        assertThat(run.served().get(2).hottestLoad()).isEqualTo(180);
        assertThat(run.served().stream().map(ServedWindow::version)).containsExactly(0, 0, 1, 1, 1);
        assertThat(run.kept()).isEqualTo(Map.of("COLD", 1, "COOLDOWN", 1, "BALANCED", 2));
    }

    private static Move move(int slot, int expert, int source) {
        return new Move(new LayerId(0), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    @Test
    void aDecisionSaysWhatWasThereWhatWasPromisedAndWhatCameWithAndWithoutIt() {
        PolicyRun run = run(SMALL, new Wanting(new int[][] {{0, 3, 2, 1}}), EAGER, steady(5, 4));

        assertThat(run.decisions()).hasSize(1);
        MadeDecision decision = run.decisions().get(0);
        assertThat(decision.windowIndex()).isEqualTo(1);
        assertThat(decision.epoch()).isEqualTo(1);
        assertThat(decision.planHash())
                .as("by the two sources that there are")
                .isEqualTo(PlanHash.of(
                        Placement.of(1, new int[][] {{0, 3, 2, 1}}),
                        List.of(new Batch(1, List.of(move(1, 3, 3), move(3, 1, 1))))));
        assertThat(decision.moves()).isEqualTo(2);
        assertThat(decision.bytes()).isEqualTo(2 * MadeUpPast.BYTES_PER_EXPERT);
        assertThat(decision.layers()).isEqualTo(1);
        assertThat(decision.before()).isEqualTo(2.0 / 3, within(1e-15));
        assertThat(decision.predicted()).isEqualTo(1.0);
        assertThat(decision.measured()).isEqualTo(1.0);
        assertThat(decision.without()).isEqualTo(2.0 / 3, within(1e-15));
        assertThat(decision.gain()).isEqualTo(1.0 / 3, within(1e-15));
        // Windows 0 and 1 were planned from, 2 is that of the flip.
        assertThat(decision.windows()).isEqualTo(2);
    }

    @Test
    void aWindowsExpertTimeIsThatOfItsStretchesEachForItsSteps() {
        // A microsecond for every token, whatever a slot's expert: time is the busiest rank's tokens.
        DeviceProfile profile = new DeviceProfile("made-up", List.of(new Point(1, 1), new Point(1000, 1000)), 0);
        PolicyChoice timed = new PolicyChoice(
                EAGER.name(),
                EAGER.settings().withObjective(ObjectiveChoice.TOKENS, Optional.of(new ProfileChoice.Table(profile))));
        List<HistoryWindow> windows = steady(5, 4);
        double steps =
                windows.get(0).facts().lastStep() - windows.get(0).facts().firstStep() + 1;
        ExpectedTime expected = new ExpectedTime(profile);
        double before = ExpertTime.stepMicros(
                Placement.initial(SMALL.shape(), SMALL.topology()), perStep(steps), 1, expected, SMALL.topology());
        double after = ExpertTime.stepMicros(
                Placement.of(1, new int[][] {{0, 3, 2, 1}}), perStep(steps), 1, expected, SMALL.topology());

        PolicyRun run = run(SMALL, new Wanting(new int[][] {{0, 3, 2, 1}}), timed, windows);

        assertThat(after).isLessThan(before);
        assertThat(run.served().get(1).expertMicros()).isEqualTo(before, within(1e-9));
        assertThat(run.served().get(2).expertMicros()).isEqualTo((before + 3 * after) / 4, within(1e-9));
        assertThat(run.served().get(3).expertMicros()).isEqualTo(after, within(1e-9));
        assertThat(run.meanExpertMicros()).isEqualTo((9 * before + 11 * after) / 20, within(1e-9));
        assertThat(run(SMALL, new Wanting(new int[][] {{0, 3, 2, 1}}), EAGER, windows)
                        .meanExpertMicros())
                .isNaN();
    }

    private static double[][] perStep(double steps) {
        return new double[][] {{120 / steps, 120 / steps, 40 / steps, 40 / steps}};
    }

    @Test
    void aWindowOfOnePartIsServedWholeBeforeTheFlip() {
        PolicyRun run = run(SMALL, new Wanting(new int[][] {{0, 3, 2, 1}}), EAGER, steady(5, 1));

        assertThat(means(run)).containsExactly(2.0 / 3, 2.0 / 3, 2.0 / 3, 1.0, 1.0);
    }

    @Test
    void oneBatchIsFlippedAtEveryBorder() {
        // Room for one expert on its way to a rank: the two layers are two batches.
        Membership members = MadeUpPast.members(2, 4, Topology.even(2, 1, 2), 1);
        List<HistoryWindow> windows = new ArrayList<>();
        for (int window = 0; window < 4; window++) {
            long[][][] samples = new long[2][4][];
            for (int part = 0; part < 4; part++) {
                samples[0][part] = new long[] {30, 30, 10, 10};
                samples[1][part] = new long[] {30, 30, 10, 10};
            }
            windows.add(MadeUpPast.window(window, samples));
        }

        PolicyRun run = run(members, new Wanting(new int[][] {{0, 3, 2, 1}, {0, 3, 2, 1}}), EAGER, windows);

        // In window 2 the first layer has one part under the old placement, 160 / 180, the second two: 60 + 60 + 40 +
        // 40 = 200.
        ServedWindow flipped = run.served().get(2);
        assertThat(flipped.mean()).isEqualTo((160.0 / 180 + 160.0 / 200) / 2, within(1e-15));
        assertThat(flipped.hottestLoad()).isEqualTo(180 + 200);
        assertThat(flipped.min()).isEqualTo(160.0 / 200);
        assertThat(flipped.worstLayer()).isEqualTo(1);
        assertThat(run.served().get(3).mean()).isEqualTo(1.0);
    }

    @Test
    void staticServesTheInitialPlacementForEver() {
        Membership members = MadeUpPast.members(3, 16, Topology.even(4, 2, 5), 4);
        List<HistoryWindow> windows = MadeUpPast.drifting(12, 3, 4, 16, 5);

        PolicyRun run = run(members, Policy.named("static"), PolicyChoice.parse("static"), windows);

        Placement initial = Placement.initial(members.shape(), members.topology());
        for (int window = 0; window < windows.size(); window++) {
            assertThat(run.served().get(window).mean())
                    .as("window %d", window)
                    .isEqualTo(
                            NaiveReplay.balancedness(
                                    windows.get(window).load().orElseThrow(), initial, members.topology()),
                            within(1e-12));
        }
        assertThat(run.decisions()).isEmpty();
        assertThat(run.kept()).isEqualTo(Map.of("COLD", 1, "BALANCED", 11));
    }

    @Test
    void aWindowThatCannotBeUsedIsCountedAndServedByNobody() {
        List<HistoryWindow> windows = new ArrayList<>(steady(5, 4));
        windows.set(1, MadeUpPast.missing(1, "3 of 8 cells"));

        PolicyRun run = run(SMALL, new Wanting(new int[][] {{0, 3, 2, 1}}), EAGER, windows);

        assertThat(run.served().stream().map(ServedWindow::index)).containsExactly(0L, 2L, 3L, 4L);
        assertThat(run.kept()).isEqualTo(Map.of("COLD", 1, "INCOMPLETE", 1, "COOLDOWN", 1, "BALANCED", 1));
        assertThat(run.decisions().get(0).windowIndex()).isEqualTo(2);
    }

    private static HistoryWindow at(HistoryWindow window, long index, long closedAtMillis) {
        PastWindow of = window.facts();
        return HistoryWindow.of(
                new PastWindow(
                        index,
                        index * 8 + 1,
                        index * 8 + 8,
                        closedAtMillis,
                        of.load(),
                        of.completeness(),
                        of.usable(),
                        of.why()),
                window.load().orElseThrow());
    }

    @Test
    void whatWasThereBeforeALongOutageIsForgottenAsTheServiceForgets() {
        long lookBack = EAGER.settings().lookBack().toMillis();
        HistoryWindow any = steady(1, 2).get(0);
        List<HistoryWindow> windows = List.of(
                at(any, 0, 1_000),
                at(any, 1, 2_000),
                // Long, but the next one.
                at(any, 2, 2_000 + 2 * lookBack),
                // Missing ones, but soon.
                at(any, 5, 3_000 + 2 * lookBack),
                // Nothing for long.
                at(any, 90_000, 3_000 + 4 * lookBack),
                at(any, 90_001, 4_000 + 4 * lookBack));

        PolicyRun run = run(SMALL, Policy.named("static"), EAGER, windows);

        assertThat(run.kept()).isEqualTo(Map.of("COLD", 2, "BALANCED", 4));
    }

    @Test
    void publishedWindowsAreAChain() {
        List<Long> previous = new ArrayList<>();
        Publication chain = new Publication() {
            @Override
            public void window(List<LoadWindow> rows, WindowSummary summary) {
                previous.add(summary.previousIndex());
            }

            @Override
            public void decision(PlanCommand command, long atMillis) {
                // of no interest
            }

            @Override
            public void outcome(Outcome outcome, long atMillis) {
                // of no interest
            }
        };
        HistoryWindow any = steady(1, 2).get(0);
        RunSpec spec = new RunSpec(EAGER, SMALL, Placement.initial(SMALL.shape(), SMALL.topology()));
        try (PolicyReplay replay = new PolicyReplay(spec, Policy.named("static"), 1, true, 0)) {
            replay.publish(chain);
            for (long index : new long[] {3, 4, 9}) {
                replay.window(at(any, index, index * 1_000), index * 1_000);
            }
        }

        assertThat(previous).containsExactly(-1L, 3L, 4L);
    }

    @Test
    void aPolicyThatFailsKeepsThePlacementAndIsCounted() {
        Policy failing = new Policy() {
            @Override
            public String name() {
                return "failing";
            }

            @Override
            public LayerPlan plan(PlanRequest request, int layer) {
                throw new IllegalStateException("no plan today");
            }
        };

        PolicyRun run = run(SMALL, failing, EAGER, steady(4, 2));

        assertThat(run.kept()).isEqualTo(Map.of("COLD", 1, "ERROR", 3));
        assertThat(means(run)).containsOnly(2.0 / 3);
    }

    @Test
    void anInvalidPlanIsCountedAndNotServed() {
        PolicyRun run = run(SMALL, new Wanting(new int[][] {{0, 0, 2, 1}}), EAGER, steady(4, 2));

        assertThat(run.kept()).isEqualTo(Map.of("COLD", 1, "INVALID", 3));
        assertThat(means(run)).containsOnly(2.0 / 3);
    }

    @Test
    void aDecisionAtTheEndHasNoMeasurement() {
        PolicyRun run = run(SMALL, new Wanting(new int[][] {{0, 3, 2, 1}}), EAGER, steady(3, 4));

        assertThat(run.decisions()).hasSize(1);
        assertThat(run.decisions().get(0).measured()).isNaN();
        assertThat(run.decisions().get(0).without()).isNaN();
    }

    @Test
    void aPastThatBeganUnderALaterVersionGoesOnFromThere() {
        Placement start = Placement.of(7, new int[][] {{0, 2, 1, 3}});
        RunSpec spec = new RunSpec(EAGER, SMALL, start);
        try (PolicyReplay replay = new PolicyReplay(spec, new Wanting(new int[][] {{0, 2, 3, 1}}), 1, true, 0)) {
            for (HistoryWindow window : steady(3, 2)) {
                replay.window(window, window.facts().closedAtMillis());
            }
            PolicyRun run = replay.result(0, Map.of());

            // 30 + 10 on either rank.
            assertThat(means(run)).containsOnly(1.0);
            assertThat(run.served().get(0).version()).isEqualTo(7);
            assertThat(run.kept()).doesNotContainKey("QUARANTINED");
        }
    }
}
