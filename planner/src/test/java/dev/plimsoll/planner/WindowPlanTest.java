package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Two ranks with two slots each and four experts, all by hand. */
class WindowPlanTest {
    private static final Membership MEMBERS = new Membership(
            new Deployment("by-hand"),
            1,
            ModelShape.of("by-hand", 4, 1, 0, 1),
            Topology.even(2, 1, 2),
            "test",
            Phase.ALL,
            GatherMode.HOST,
            1,
            1,
            1,
            4);
    private static final Placement SETTLED = Placement.initial(MEMBERS.shape(), MEMBERS.topology());
    private static final Placement CROSSED = Placement.of(0, new int[][] {{0, 3, 2, 1}});
    private static final Placement SWAPPED = Placement.of(0, new int[][] {{0, 2, 1, 3}});
    private static final ExpertLoad BEFORE = ExpertLoad.of(4, new long[][] {{50, 40, 20, 10}});
    private static final ExpertLoad NEWEST = ExpertLoad.of(5, new long[][] {{50, 40, 10, 20}});

    private final List<List<Long>> asked = new ArrayList<>();

    private Verdict judge(Function<PlanRequest, Placement> policy, ExpertLoad... windows) {
        return WindowPlan.judge(
                PlannerSettings.DEFAULTS,
                request -> {
                    asked.add(request.windows().stream()
                            .map(ExpertLoad::windowIndex)
                            .toList());
                    return Plan.of(policy.apply(request));
                },
                Objective.TOKENS,
                MEMBERS,
                SETTLED,
                List.of(windows),
                Duration.ofSeconds(1));
    }

    @Test
    void promiseIsWhatThePlanMadeWithoutTheNewestWindowReachesThere() {
        Verdict verdict = judge(request -> request.newest() == NEWEST ? SWAPPED : CROSSED, BEFORE, NEWEST);

        assertThat(verdict).isInstanceOf(Verdict.Change.class);
        assertThat(((Verdict.Change) verdict).candidate().target()).isEqualTo(SWAPPED);
        // 60 and 60 with the plan that has seen the window, 70 and 50 with the one that has not; 90 and 30 as it is.
        assertThat(verdict.numbers().predictedBalancedness()).isEqualTo(60.0 / 70);
        assertThat(verdict.numbers().currentBalancedness()).isEqualTo(60.0 / 90);
        assertThat(asked).containsExactly(List.of(4L, 5L), List.of(4L));
    }

    @Test
    void policyThatWouldNotHaveMovedAWindowEarlierIsNotFollowedYet() {
        Verdict verdict = judge(request -> request.newest() == NEWEST ? SWAPPED : SETTLED, BEFORE, NEWEST);

        assertThat(((Verdict.Keep) verdict).reason()).isEqualTo(KeepReason.HELD_OUT);
    }

    @Test
    void policyThatWantsNoChangeIsAskedOnce() {
        Verdict verdict = judge(PlanRequest::settled, BEFORE, NEWEST);

        assertThat(((Verdict.Keep) verdict).reason()).isEqualTo(KeepReason.BALANCED);
        assertThat(asked).hasSize(1);
    }

    @Test
    void oneWindowIsNotEnoughToPlanAndCheck() {
        Verdict verdict = judge(request -> SWAPPED, NEWEST);

        assertThat(((Verdict.Keep) verdict).reason()).isEqualTo(KeepReason.COLD);
        assertThat(asked).isEmpty();
    }

    @Test
    void whatPeopleAskOfEveryPlacementHoldsForOneThatIsGoneBackToAsWell() {
        Constraints pinned = pinned(3, 0);

        Verdict there = WindowPlan.towards(
                PlannerSettings.DEFAULTS,
                MEMBERS,
                SETTLED,
                pinned,
                List.of(NEWEST),
                new PlanTarget(SWAPPED, Rollback.POLICY, "back"));
        Verdict stays = WindowPlan.towards(
                PlannerSettings.DEFAULTS,
                MEMBERS,
                CROSSED,
                pinned,
                List.of(NEWEST),
                new PlanTarget(SETTLED, Rollback.POLICY, "back"));

        assertThat(((Verdict.Change) there).candidate().target().layer(0)).containsExactly(0, 3, 1, 2);
        assertThat(((Verdict.Keep) stays).reason()).isEqualTo(KeepReason.BALANCED);
    }

    @Test
    void pinThatIsNotKeptIsAChangeThatNoPolicyIsAskedAbout() {
        Verdict verdict = WindowPlan.judge(
                PlannerSettings.DEFAULTS,
                request -> {
                    throw new AssertionError("asked");
                },
                Objective.TOKENS,
                Gate.nothing(PlannerSettings.DEFAULTS.gate()),
                MEMBERS,
                SETTLED,
                pinned(3, 0),
                List.of(NEWEST),
                Duration.ofSeconds(1));

        assertThat(((Verdict.Change) verdict).candidate().target().layer(0)).containsExactly(0, 3, 2, 1);
        assertThat(((Verdict.Change) verdict).reason()).contains("pinned is expert 3 of layer 0 on rank 0");
    }

    @Test
    void repairKeepsPinsAndSendsDrainedRanksNoMoreThanTheRulesAsk() {
        Constraints asked = new Constraints(
                new TreeSet<>(Set.of(new Constraints.Pin(new LayerId(0), new ExpertId(2), new RankId(2)))),
                new TreeSet<>(Set.of(new RankId(1))));

        Verdict verdict = began(asked, 4);

        Placement target = ((Verdict.Change) verdict).candidate().target();
        assertThat(asked.violations(target, WIDER.shape(), WIDER.topology(), true))
                .isEmpty();
        assertThat(target.layer(0)).as("rank 1 holds what it held").containsExactly(0, 1, 1, 2, 3, 2);
        assertThat(((Verdict.Change) verdict).reason())
                .startsWith("mends what the engine began with: ")
                .endsWith("keeps by request 1 pins, 1 drains");
    }

    @Test
    void whereStagingMemoryDoesNotHoldBothTheRulesComeFirstAndWhatIsAskedNext() {
        Constraints two = new Constraints(
                new TreeSet<>(Set.of(
                        new Constraints.Pin(new LayerId(0), new ExpertId(2), new RankId(0)),
                        new Constraints.Pin(new LayerId(0), new ExpertId(1), new RankId(0)))),
                new TreeSet<>());

        Placement mended = ((Verdict.Change) began(two, 1)).candidate().target();

        assertThat(PlacementRules.violations(mended, WIDER.shape(), WIDER.topology()))
                .isEmpty();
        assertThat(two.violations(mended, WIDER.shape(), WIDER.topology(), true))
                .isNotEmpty();
    }

    @Test
    void whatNoPlacementCanKeepIsToldBesideWhatWaitsToBeMended() {
        Constraints impossible = new Constraints(new TreeSet<>(), new TreeSet<>(Set.of(new RankId(0), new RankId(1))));

        Verdict verdict = began(impossible, 4);

        assertThat(((Verdict.Keep) verdict).reason()).isEqualTo(KeepReason.CONSTRAINED);
        assertThat(((Verdict.Keep) verdict).detail())
                .startsWith("with ranks 0, 1 drained, the other 1 ranks have 2 slots in a layer, for 4 experts")
                .contains("; what the engine began with waits to be mended: ");
    }

    private static final Membership WIDER = wider(4);

    private static Membership wider(int incoming) {
        return new Membership(
                        new Deployment("by-hand"),
                        1,
                        ModelShape.of("by-hand", 4, 1, 0, 1),
                        Topology.even(3, 1, 2),
                        "test",
                        Phase.ALL,
                        GatherMode.HOST,
                        1,
                        1,
                        1,
                        incoming)
                .withTraits(EngineTraits.USUAL.withIdleSlots(true));
    }

    /** An engine that began with expert 0 twice on its first rank. */
    private static Verdict began(Constraints asked, int incoming) {
        return new PlanJob(
                        PlannerSettings.DEFAULTS,
                        Objective.TOKENS,
                        Gate.nothing(PlannerSettings.DEFAULTS.gate()),
                        wider(incoming),
                        Placement.of(0, new int[][] {{0, 0, 1, 2, 3, 1}}),
                        List.of(NEWEST),
                        Duration.ofSeconds(1),
                        Optional.empty(),
                        Conservation.Answer.YES,
                        asked)
                .verdict(request -> {
                    throw new AssertionError("asked");
                });
    }

    private static Constraints pinned(int expert, int rank) {
        return new Constraints(
                new TreeSet<>(Set.of(new Constraints.Pin(new LayerId(0), new ExpertId(expert), new RankId(rank)))),
                new TreeSet<>());
    }

    @Test
    void settingsThatCannotWorkAreRefusedWithTheirValues() {
        PlannerSettings settings = PlannerSettings.DEFAULTS;

        assertThat(settings.withPlanThreads(3).planThreads()).isEqualTo(3);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings.withPlanThreads(0))
                .withMessageContaining("at least one thread, not 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> history(1))
                .withMessageContaining("a history of 1 windows");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> history(WindowJoin.MOST_OPEN + 1))
                .withMessageContaining("a history of 65");
        assertThat(history(WindowJoin.MOST_OPEN).historyWindows()).isEqualTo(64);
    }

    private static PlannerSettings history(int windows) {
        PlannerSettings settings = PlannerSettings.DEFAULTS;
        return new PlannerSettings(
                settings.policy(),
                windows,
                settings.cooldownWindows(),
                settings.budget(),
                settings.prices(),
                settings.gate(),
                settings.acceptWithin(),
                settings.progressWithin(),
                settings.abortWithin(),
                settings.lookBack(),
                settings.planThreads(),
                settings.planWithin(),
                settings.seed());
    }

    @Test
    void policyThatDoesNotAskTheGateIsCarriedOutAtALossAndPromisesNothing() {
        Verdict verdict = WindowPlan.judge(
                PlannerSettings.DEFAULTS.withPolicy("rotation"),
                request -> Plan.of(CROSSED),
                Objective.TOKENS,
                MEMBERS,
                SETTLED,
                List.of(BEFORE, ExpertLoad.of(5, new long[][] {{40, 20, 20, 40}})),
                Duration.ofSeconds(1));

        assertThat(verdict).isInstanceOf(Verdict.Change.class);
        assertThat(((Verdict.Change) verdict).candidate().target()).isEqualTo(CROSSED);
        assertThat(verdict.numbers().predictedBalancedness())
                .isEqualTo(verdict.numbers().currentBalancedness());
    }
}
