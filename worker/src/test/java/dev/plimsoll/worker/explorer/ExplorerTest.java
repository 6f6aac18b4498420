package dev.plimsoll.worker.explorer;

import static dev.plimsoll.worker.explorer.Power.BALANCE;
import static dev.plimsoll.worker.explorer.Power.BREAK_MAILBOX;
import static dev.plimsoll.worker.explorer.Power.CRASH;
import static dev.plimsoll.worker.explorer.Power.END;
import static dev.plimsoll.worker.explorer.Power.FAIL_OVER;
import static dev.plimsoll.worker.explorer.Power.FAIL_TRANSFER;
import static dev.plimsoll.worker.explorer.Power.HOLD_STAGING;
import static dev.plimsoll.worker.explorer.Power.KILL_PLANNER;
import static dev.plimsoll.worker.explorer.Power.LOSE_ACKS;
import static dev.plimsoll.worker.explorer.Power.LOSE_GATHER;
import static dev.plimsoll.worker.explorer.Power.MISS_END;
import static dev.plimsoll.worker.explorer.Power.RELOAD;
import static dev.plimsoll.worker.explorer.Power.RELOAD_UNASKED;
import static dev.plimsoll.worker.explorer.Power.RESTART;
import static dev.plimsoll.worker.explorer.Power.SHOW_WINDOW;
import static dev.plimsoll.worker.explorer.Power.STOP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.worker.Fixture;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every state that the planner, three ranks and their logs can reach, whatever is delayed, repeated, lost, aborted, failed over, broken,
 * moved by engines themselves or begun anew: no invariant breaks, and every decision can end.
 *
 * <p>{@code -Dplimsoll.explore=all} goes through products of these powers too; CONTRIBUTING.md says what that takes.
 */
class ExplorerTest {
    /** Whether products are gone through too. */
    static final boolean ALL = "all".equals(System.getProperty("plimsoll.explore"));

    private static final Powers POWERS = Powers.NONE.with(STOP);

    /** @param reached phases and ends that must be among those that were reached, so that this was about something */
    private record Case(String name, Scope scope, List<String> reached) {
        Case(String name, Powers powers, List<List<Batch>> decisions, String... reached) {
            this(name, Scope.of(powers, decisions), List.of(reached));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Case> cases() {
        Stream<Case> cases = Stream.concat(usual(), engines());
        return ALL ? Stream.concat(cases, products()) : cases;
    }

    private static Stream<Case> usual() {
        return Stream.of(
                new Case("delays", POWERS, Plans.TWO, "settled 1", "settled 2", "stopped after 0", "stopped after 1"),
                new Case("transfers that fail", POWERS.with(FAIL_TRANSFER), Plans.TWO, "REFUSED", "settled 2"),
                new Case("slots that fall idle", POWERS.with(FAIL_TRANSFER), Plans.SWITCHES, "stopped after 1"),
                new Case("gathers that are lost", POWERS.with(LOSE_GATHER), Plans.ONE, "FATAL", "settled 1"),
                new Case("a planner that dies", POWERS.with(KILL_PLANNER), Plans.TWO, "settled 2", "stopped after 1"),
                new Case(
                        "a planner that is replaced",
                        POWERS.with(FAIL_OVER),
                        Plans.TWO,
                        "settled 2",
                        "stopped after 1"),
                new Case(
                        "a rank and the planner that die together",
                        Powers.NONE.with(CRASH).with(RESTART).with(KILL_PLANNER),
                        Plans.ONE,
                        "FATAL",
                        "settled 1",
                        "settled 2",
                        "void with its life"),
                new Case(
                        "a rank that dies while all stop",
                        POWERS.with(CRASH).with(RESTART),
                        Plans.ONE,
                        "stopped after 1",
                        "void with its life"),
                new Case(
                        "a source of weights that dies in a transfer",
                        Powers.NONE.with(CRASH).with(RESTART),
                        List.of(Plans.SURVIVED),
                        "a source dies in a transfer",
                        "transfers of a source that died end badly",
                        "the survivors hold every expert",
                        "void with its life after a source died",
                        "settled 2 after a source died"),
                new Case(
                        "weights that are loaded anew",
                        Powers.NONE.with(RELOAD, 3),
                        List.of(Plans.SMALL),
                        "reloaded while SERVING",
                        "reloaded while ACCEPTED",
                        "reloaded while REFUSED",
                        "reloaded while DONE",
                        "settled 1",
                        "stopped after 0"),
                new Case(
                        "weights that are loaded anew, and nobody is asked",
                        POWERS.with(RELOAD_UNASKED),
                        List.of(Plans.SMALL),
                        "reloaded while READY",
                        "reloaded while TRANSFERRING",
                        "FATAL",
                        "settled 1"),
                new Case("acks that are lost", POWERS.with(LOSE_ACKS), Plans.ONE, "settled 1", "stopped after 1"),
                new Case(
                        "staging memory that is held",
                        POWERS.with(HOLD_STAGING).with(FAIL_TRANSFER),
                        Plans.ONE,
                        "stopped after 1"),
                new Case(
                        "a rank that is deaf",
                        POWERS.with(BREAK_MAILBOX),
                        Plans.ONE,
                        "stopped after 0",
                        "stopped after 1",
                        "settled 1"),
                new Case(
                        "a deaf rank, and a decision after it",
                        Powers.NONE.with(BREAK_MAILBOX),
                        Plans.TWO_SMALL,
                        "settled 2",
                        "stopped after 0"),
                new Case(
                        "a person who approves or not",
                        Scope.of(POWERS.with(KILL_PLANNER), Plans.ONE)
                                .whereApprovalIsNeeded()
                                .with(Wishes.of(1, new ControlAction.Approve(1), new ControlAction.Reject(1))),
                        List.of("settled 1", "stopped after 0", "stopped after 1")),
                new Case(
                        "an operator who ends what does not end",
                        POWERS.with(SHOW_WINDOW).with(END),
                        Plans.TWO_SMALL,
                        "ended by an operator",
                        "settled 2"),
                new Case("an end that is missed", POWERS.with(MISS_END), Plans.TWO, "settled 2"));
    }

    /** Engines that move weights by themselves: maps change one by one, on ranks that are through at different boundaries. */
    private static Stream<Case> engines() {
        return Stream.of(
                moving("engines that move", POWERS.with(FAIL_TRANSFER), Plans.WHOLE, "MOVING", "DONE", "quarantined"),
                moving("engines that move and balance", POWERS.with(BALANCE), Plans.WHOLE, "MOVING", "DONE", "REFUSED"),
                moving(
                        "engines that balance between decisions",
                        Powers.NONE.with(BALANCE),
                        Plans.TWO_SMALL,
                        "settled 1",
                        "settled 2",
                        "stopped after 0"),
                moving("engines that move, and a lost gather", POWERS.with(LOSE_GATHER), Plans.WHOLE, "DONE", "FATAL"));
    }

    private static Case moving(String name, Powers powers, List<List<Batch>> decisions, String... reached) {
        return new Case(name, Scope.of(powers, decisions).whereEnginesMove(), List.of(reached));
    }

    /** As large as can be waited for: CONTRIBUTING.md says how long. Of the second and the fourth more decisions, or batches, could not. */
    private static Stream<Case> products() {
        return Stream.of(
                new Case("gathers and transfers", POWERS.with(LOSE_GATHER).with(FAIL_TRANSFER), Plans.TWO),
                new Case(
                        "gathers, and a planner that fails",
                        POWERS.with(LOSE_GATHER).with(FAIL_OVER),
                        Plans.ONE),
                new Case(
                        "gathers, and a rank that dies",
                        POWERS.with(LOSE_GATHER).with(CRASH).with(RESTART),
                        Plans.ONE),
                new Case(
                        "a rank and the planner that die while all stop",
                        POWERS.with(CRASH).with(RESTART).with(KILL_PLANNER),
                        List.of(Plans.SMALL)),
                new Case(
                        "weights that are loaded anew, asked or not, and gathers that are lost",
                        Powers.NONE.with(RELOAD, 2).with(RELOAD_UNASKED).with(LOSE_GATHER),
                        List.of(Plans.SMALL)),
                new Case("weights that are loaded anew between batches", Powers.NONE.with(RELOAD, 3), Plans.ONE));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void noInvariantBreaksAndEveryDecisionCanEnd(Case one) {
        Explorer.Result result = explore(one.name(), one.scope());

        assertThat(result.reached()).containsAll(one.reached());
    }

    static Explorer.Result explore(String name, Scope scope) {
        Explorer.Result result = Explorer.explore(scope);
        System.out.println("explored " + name + " (" + scope.powers + "): " + result + "; " + scope.parts());
        assertThat(result.broken()).as("%s", result).isEmpty();
        return result;
    }

    /** The planner hears of another hash under the same epoch, and stops. */
    @Test
    void planThatOneRankReadsOtherwiseIsNeverPermitted() {
        Explorer.Result result =
                explore("ranks that read different plans", Scope.of(POWERS.splittingTheLog(), Plans.ONE));

        assertThat(result.reached()).contains("stopped after 0").doesNotContain("WILLING", "settled 1");
    }

    /** A rank's node says of it what the others' say: only votes can tell. */
    @Test
    void ranksThatReadDifferentPlansNeverFlip() {
        Explorer.Result result = explore(
                "ranks that read different plans, unseen",
                Scope.of(POWERS.splittingTheLog(), Plans.ONE).with(new SaysWhatOthersSay()));

        assertThat(result.reached()).contains("WILLING", "stopped after 0").doesNotContain("TRANSFERRING", "settled 1");
    }

    static class SaysWhatOthersSay extends Rules {
        private static final long HASH = Fixture.propose(Fixture.header(1, 2), 1, Fixture.INITIAL, Fixture.BATCHES)
                .planHash();

        @Override
        RankWords shown(RankWords words) {
            return words.at(Word.PLAN_HASH) == 0 ? words : words.with(Word.PLAN_HASH, HASH);
        }
    }

    /** It refuses what comes next as BEHIND, is told again, and takes part in the decision after that. */
    @Test
    void rankThatMissedAnEndAsksForItAndTakesPartAgain() {
        Scope scope = Scope.of(Powers.NONE.with(MISS_END), Plans.THREE_SMALL);
        Explorer.Result result = Explorer.explore(scope, World::allHaveHeard);

        assertThat(result.broken()).as("%s", result).isEmpty();
        assertThat(result.reached()).contains("settled 2", "settled 3 after a miss");
    }
}
