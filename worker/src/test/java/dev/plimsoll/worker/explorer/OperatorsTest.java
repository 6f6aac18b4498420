package dev.plimsoll.worker.explorer;

import static dev.plimsoll.worker.explorer.Power.CRASH;
import static dev.plimsoll.worker.explorer.Power.FAIL_OVER;
import static dev.plimsoll.worker.explorer.Power.FIND_WORSE;
import static dev.plimsoll.worker.explorer.Power.KILL_PLANNER;
import static dev.plimsoll.worker.explorer.Power.LOSE_GATHER;
import static dev.plimsoll.worker.explorer.Power.RESTART;
import static dev.plimsoll.worker.explorer.Power.SHOW_WINDOW;
import static dev.plimsoll.worker.explorer.Power.SLOW_PLAN;
import static dev.plimsoll.worker.explorer.Power.STOP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every state that operators, the planner's decision driver, three ranks and their logs can reach together, whoever speaks when, dies, is
 * replaced or takes long over a plan: each command is answered once and takes effect at most once, what is in force is kept, and what is
 * in flight ends.
 */
class OperatorsTest {
    static final ControlAction PAUSE = new ControlAction.Pause();
    static final ControlAction RESUME = new ControlAction.Resume();
    static final ControlAction ABORT = new ControlAction.Abort(1);
    static final ControlAction VOID = new ControlAction.Void();
    static final ControlAction BACK = new ControlAction.Rollback(0);
    static final ControlAction APPROVE = new ControlAction.Approve(1);
    static final ControlAction APPROVE_NEXT = new ControlAction.Approve(2);
    static final ControlAction REJECT = new ControlAction.Reject(1);
    static final ControlAction DRAIN = new ControlAction.Drain(new RankId(2));
    static final ControlAction UNDRAIN = new ControlAction.Undrain(new RankId(2));
    /** The policy wants this slot for another expert. */
    static final ControlAction PIN = new ControlAction.Pin(new LayerId(0), new ExpertId(1), new RankId(0));

    static final List<List<Batch>> SMALL = List.of(Plans.SMALL);

    /** @param reached answers and ends that must be among those that were reached */
    private record Case(String name, Scope scope, Set<String> reached) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Case of(String name, Powers powers, List<List<Batch>> decisions, Wishes wishes, String... reached) {
        return new Case(name, Scope.of(powers, decisions).with(wishes), Set.of(reached));
    }

    static Stream<Case> cases() {
        return ExplorerTest.ALL ? Stream.concat(usual(), products()) : usual();
    }

    private static Stream<Case> products() {
        return Stream.of(
                new Case(
                        "approves of one decision or the other, and a planner that dies",
                        Scope.of(Powers.NONE.with(KILL_PLANNER), Plans.TWO_SMALL)
                                .whereApprovalIsNeeded()
                                .with(Wishes.of(2, APPROVE, APPROVE_NEXT, REJECT)),
                        Set.of("settled 2")),
                of(
                        "goes back where ranks lose their group, and a planner that dies",
                        Powers.NONE.with(LOSE_GATHER).with(KILL_PLANNER),
                        SMALL,
                        Wishes.of(1, BACK),
                        "REFUSED Rollback"),
                of(
                        "asks for anything before a rank dies",
                        Powers.NONE.with(CRASH).with(RESTART),
                        SMALL,
                        Wishes.of(1, PAUSE, DRAIN, BACK, ABORT),
                        "void with its life"));
    }

    private static Stream<Case> usual() {
        Powers none = Powers.NONE;
        return Stream.of(
                of(
                        "pauses while a plan is made and a planner dies",
                        none.with(KILL_PLANNER).with(SLOW_PLAN),
                        Plans.TWO_SMALL,
                        Wishes.of(1, PAUSE),
                        "DONE Pause",
                        "settled 2"),
                of(
                        "pauses and resumes",
                        none.with(SLOW_PLAN, 2),
                        Plans.TWO_SMALL,
                        Wishes.of(2, PAUSE, RESUME).repeating(),
                        "DONE Resume",
                        "settled 2"),
                of(
                        "stops a decision, twice if need be, and a planner that dies",
                        none.with(KILL_PLANNER),
                        SMALL,
                        Wishes.of(2, ABORT).repeating(),
                        "DONE Abort",
                        "REFUSED Abort",
                        "STALE Abort",
                        "stopped after 0"),
                of(
                        "goes back, from any version that was, and a planner that dies",
                        none.with(KILL_PLANNER),
                        SMALL,
                        Wishes.of(2, BACK).repeating().restingOnVersions(),
                        "DONE Rollback",
                        "STALE Rollback",
                        "REFUSED Rollback",
                        "rolled back as asked",
                        "settled 2"),
                of(
                        "speaks to a planner that is replaced",
                        none.with(FAIL_OVER),
                        SMALL,
                        Wishes.of(1, PAUSE, ABORT, BACK, DRAIN),
                        "DONE Pause",
                        "DONE Abort",
                        "DONE Rollback",
                        "DONE Drain"),
                of(
                        "asks placements for something",
                        none.with(SLOW_PLAN),
                        SMALL,
                        Wishes.of(2, DRAIN, UNDRAIN, PIN, BACK),
                        "DONE Drain",
                        "DONE Undrain",
                        "DONE Pin",
                        "proposed within what is asked",
                        "rolled back as asked"),
                new Case(
                        "approves of one decision or the other",
                        Scope.of(none, Plans.TWO_SMALL)
                                .whereApprovalIsNeeded()
                                .with(Wishes.of(2, APPROVE, APPROVE_NEXT, REJECT)),
                        Set.of("DONE Approve", "STALE Approve", "REFUSED Approve", "DONE Reject", "settled 2")),
                of(
                        "pauses or drains while a decision is found worse",
                        none.with(FIND_WORSE).with(SLOW_PLAN),
                        SMALL,
                        Wishes.of(1, PAUSE, DRAIN),
                        "DONE Pause",
                        "rolled back by itself",
                        "proposed within what is asked"),
                of(
                        "ends what does not end by what a window shows",
                        none.with(STOP).with(SHOW_WINDOW),
                        SMALL,
                        Wishes.of(1, VOID),
                        "DONE Void",
                        "REFUSED Void",
                        "STALE Void",
                        "ended by an operator"),
                of(
                        "asks for one thing after the other",
                        none,
                        SMALL,
                        Wishes.of(2, PAUSE, RESUME, ABORT, BACK, DRAIN),
                        "DONE Resume",
                        "REFUSED Abort",
                        "stopped after 1"),
                of(
                        "goes back where ranks lose their group",
                        none.with(LOSE_GATHER),
                        SMALL,
                        Wishes.of(1, BACK),
                        "REFUSED Rollback",
                        "settled 2"),
                of(
                        "pauses before a rank dies",
                        none.with(CRASH).with(RESTART),
                        SMALL,
                        Wishes.of(1, PAUSE),
                        "DONE Pause",
                        "void with its life"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whateverAnOperatorWantsIsDoneOnceOrNotAtAll(Case one) {
        Explorer.Result result = ExplorerTest.explore("operator who " + one.name(), one.scope());

        assertThat(result.reached()).containsAll(one.reached());
    }

    /** The engine has begun with an expert twice on a rank, which was mended: there is no way back to that. */
    @Test
    void rollbackToWhatTheRulesForbidIsRefused() {
        Placement unsound = Placement.of(0, new int[][] {{0, 0, 2, 3, 1, 1}, {0, 1, 2, 3, 0, 1}});
        Scope scope = Scope.of(Powers.NONE.with(KILL_PLANNER), List.of(Plans.MENDS))
                .startingWith(unsound)
                .with(Wishes.of(1, BACK));
        Explorer.Result result = ExplorerTest.explore("operator who goes back to what was mended", scope);

        assertThat(result.reached())
                .contains("REFUSED Rollback", "settled 1")
                .doesNotContain("DONE Rollback", "rolled back as asked");
    }
}
