package dev.plimsoll.worker.explorer;

import static dev.plimsoll.worker.explorer.Power.BALANCE;
import static dev.plimsoll.worker.explorer.Power.BREAK_MAILBOX;
import static dev.plimsoll.worker.explorer.Power.FAIL_TRANSFER;
import static dev.plimsoll.worker.explorer.Power.HOLD_STAGING;
import static dev.plimsoll.worker.explorer.Power.LOSE_GATHER;
import static dev.plimsoll.worker.explorer.Power.MISS_END;
import static dev.plimsoll.worker.explorer.Power.STOP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of a rank: each must lead to a state that breaks an invariant, and how is told. */
class WrongRanksTest {
    private static final Powers POWERS = Powers.NONE.with(STOP);

    private record Mutant(String name, Scope scope, String... breaks) {
        Mutant(String name, Rules rules, Powers powers, List<List<Batch>> decisions, String... breaks) {
            this(name, Scope.of(powers, decisions).with(rules), breaks);
        }

        Mutant(String name, Rules rules, Powers powers, String... breaks) {
            this(name, rules, powers, Plans.ONE, breaks);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Mutant> mutants() {
        return Stream.of(voting(), staging(), losing(), answering(), engines()).flatMap(each -> each);
    }

    private static Stream<Mutant> voting() {
        return Stream.of(
                new Mutant(
                        "flips at an announced step, whoever else is ready",
                        before((words, event) -> words.castLevel() == 2 && isVerdict(event)
                                ? RankEvent.verdict(
                                        PlimsollApi.PLM_OUTCOME_RESOLVED, words.epoch(), words.batchesFlipped() + 1, 2)
                                : event),
                        POWERS,
                        "P1 lock step"),
                new Mutant(
                        "skips the gather when it is idle",
                        new Rules() {
                            @Override
                            boolean joins(RankWords words) {
                                return words.phase() != RankPhase.SERVING;
                            }
                        },
                        POWERS,
                        "P8 serves on"),
                new Mutant(
                        "withdraws a vote on ABORT",
                        new WithdrawsOnAbort(),
                        POWERS,
                        "P1 lock step",
                        "start together",
                        "P5 prefix"),
                new Mutant(
                        "reports a flip before it",
                        after((words, event, turn) ->
                                turn.words().phase() == RankPhase.READY && words.phase() != RankPhase.READY
                                        ? new RankTurn(
                                                turn.words()
                                                        .with(
                                                                Word.BATCHES_FLIPPED,
                                                                turn.words().batchesFlipped() + 1),
                                                turn.effects())
                                        : turn),
                        POWERS,
                        "reports"),
                new Mutant(
                        "acks a flip that is only staged", new SaysFlippedWhenReady(), POWERS, "reports", "P6 truth"),
                new Mutant(
                        "decides without comparing hashes",
                        new ExplorerTest.SaysWhatOthersSay() {
                            @Override
                            RankEvent verdict(List<RankVote> votes) {
                                return super.verdict(votes.stream()
                                        .map(vote -> vote.withPlanHash(0))
                                        .toList());
                            }
                        },
                        POWERS.splittingTheLog(),
                        "P1 lock step",
                        "P2 weights before map"),
                new Mutant(
                        "starts transfers on PERMIT",
                        after((words, event, turn) ->
                                turn.words().phase() == RankPhase.WILLING && words.phase() == RankPhase.ACCEPTED
                                        ? started(turn.words(), 1)
                                        : turn),
                        POWERS,
                        "start together"),
                new Mutant(
                        "does not hear ABORT once it is ready",
                        after((words, event, turn) -> isAbort(event) && words.phase() == RankPhase.READY
                                ? new RankTurn(words, List.of())
                                : turn),
                        POWERS,
                        "P10 liveness"),
                new Mutant(
                        "is ready without its weights",
                        after((words, event, turn) -> turn.words().phase() == RankPhase.TRANSFERRING
                                ? new RankTurn(
                                        turn.words().with(RankPhase.READY).with(Word.TRANSFER_RUNS, 0), turn.effects())
                                : turn),
                        POWERS,
                        "P2 weights before map",
                        "staging"),
                new Mutant(
                        "is willing before PERMIT",
                        after((words, event, turn) -> turn.words().phase() == RankPhase.ACCEPTED
                                ? new RankTurn(turn.words().with(RankPhase.WILLING), turn.effects())
                                : turn),
                        POWERS,
                        "P3 authority",
                        "P5 prefix"),
                new Mutant(
                        "obeys a planner that was replaced",
                        new ObeysAnybody(),
                        POWERS.with(Power.FAIL_OVER),
                        "noise"));
    }

    private static Stream<Mutant> staging() {
        return Stream.of(
                new Mutant(
                        "frees staging memory at ABORT",
                        after((words, event, turn) -> {
                            int held = words.intAt(Word.TRANSFERRING);
                            return !isAbort(event) || held == 0 || words.intAt(Word.TRANSFER_RUNS) != 0
                                    ? turn
                                    : and(turn, new RankEffect(RankEffect.Kind.FREE_STAGING, words.epoch(), held, 0));
                        }),
                        POWERS,
                        "P2 weights before map"),
                // What Java's agent did: whoever still touched the memory wrote into the next batch.
                new Mutant(
                        "starts into staging memory that is touched",
                        after((words, event, turn) ->
                                new RankTurn(turn.words().with(Word.STAGING_BUSY, 0), turn.effects())),
                        POWERS.with(HOLD_STAGING),
                        "staging"));
    }

    private static Stream<Mutant> losing() {
        return Stream.of(
                new Mutant(
                        "serves on with a vote of 2 unresolved",
                        after((words, event, turn) -> turn.words().phase() != RankPhase.FATAL
                                ? turn
                                : new RankTurn(
                                        turn.words().with(RankPhase.REFUSED).with(Word.OBSERVES, 1),
                                        List.of(new RankEffect(RankEffect.Kind.ABANDON_GROUP, words.epoch(), 0, 0)))),
                        POWERS.with(LOSE_GATHER),
                        "P1 lock step",
                        "P5 prefix"),
                // What Java's rules did: a group that is lost is lost, whatever is known of it.
                new Mutant(
                        "knows no undecided gather",
                        before((words, event) -> isOutcome(event, PlimsollApi.PLM_OUTCOME_UNDECIDED)
                                        || isOutcome(event, PlimsollApi.PLM_OUTCOME_FAILED)
                                ? RankEvent.verdict(PlimsollApi.PLM_OUTCOME_TIMED_OUT, 0, 0, 0)
                                : event),
                        POWERS.with(LOSE_GATHER),
                        "P8 serves on"),
                new Mutant(
                        "takes a time-out for undecided",
                        before((words, event) -> isOutcome(event, PlimsollApi.PLM_OUTCOME_TIMED_OUT)
                                ? RankEvent.verdict(PlimsollApi.PLM_OUTCOME_UNDECIDED, 0, 0, 0)
                                : event),
                        POWERS.with(LOSE_GATHER),
                        "P1 lock step",
                        "P5 prefix"));
    }

    private static Stream<Mutant> answering() {
        return Stream.of(
                // What Java's rules did: a decision that finds the rank busy is dropped with a note, and the planner
                // waits.
                new Mutant(
                        "answers no decision while it is behind",
                        after((words, event, turn) -> turn.words().intAt(Word.REFUSED_EPOCH)
                                        > turn.words().epoch()
                                ? new RankTurn(forgetful(turn.words()), turn.effects())
                                : turn),
                        POWERS.with(MISS_END),
                        Plans.TWO_SMALL,
                        "P10 liveness"),
                new Mutant(
                        "forgets that a later decision was stopped",
                        after((words, event, turn) ->
                                new RankTurn(turn.words().with(Word.REFUSED_STOPPED, 0), turn.effects())),
                        Powers.NONE.with(MISS_END),
                        Plans.TWO_SMALL,
                        "P10 liveness",
                        "noise"),
                // What Java's agent did: it heard nothing any more and went on.
                new Mutant(
                        "goes on when it is deaf",
                        after((words, event, turn) ->
                                event.kind() == RankEvent.Kind.DEAF ? new RankTurn(words, List.of()) : turn),
                        POWERS.with(BREAK_MAILBOX),
                        List.of(Plans.SMALL),
                        "P10 liveness",
                        "deafness"));
    }

    private static Stream<Mutant> engines() {
        return Stream.of(
                moving(
                        "votes while its engine is busy",
                        after((words, event, turn) -> event.kind() == RankEvent.Kind.ENGINE_BUSY
                                ? new RankTurn(words.with(Word.MOVED, 1), List.of())
                                : turn),
                        POWERS.with(BALANCE),
                        "busy engines",
                        "mixed samples"),
                moving(
                        "calls no sample mixed",
                        after((words, event, turn) -> new RankTurn(turn.words().with(Word.MOVED, 0), turn.effects())),
                        POWERS,
                        "mixed samples"),
                moving(
                        "believes that its engine has moved",
                        before((words, event) -> event.kind() == RankEvent.Kind.MOVED
                                ? RankEvent.moved(PlimsollApi.PLM_MAP_TARGET)
                                : event),
                        POWERS.with(FAIL_TRANSFER),
                        "P6 truth",
                        "reports"));
    }

    private static Mutant moving(String name, Rules rules, Powers powers, String... breaks) {
        return new Mutant(name, Scope.of(powers, Plans.WHOLE).whereEnginesMove().with(rules), breaks);
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongRankIsCaught(Mutant mutant) {
        assertCaught("a rank that " + mutant.name(), mutant.scope(), mutant.breaks());
    }

    static void assertCaught(String name, Scope scope, String... invariants) {
        Explorer.Result result = Explorer.explore(scope);
        System.out.println(name + ": " + result);

        assertThat(result.broken())
                .as("what %s breaks: %s", name, result)
                .hasValueSatisfying(broken -> assertThat(broken).isIn((Object[]) invariants));
        assertThat(result.trace()).hasSizeGreaterThan(1);
    }

    private static class WithdrawsOnAbort extends Rules {
        @Override
        RankTurn on(RankWords words, RankEvent event) {
            RankTurn turn = super.on(
                    words,
                    isVerdict(event) && !words.voted()
                            ? RankEvent.verdict(PlimsollApi.PLM_OUTCOME_NONE, 0, 0, 0)
                            : event);
            return isAbort(event) ? new RankTurn(turn.words().withoutCast(), turn.effects()) : turn;
        }
    }

    private static class ObeysAnybody extends Rules {
        @Override
        RankTurn on(RankWords words, RankEvent event) {
            return super.on(words.with(Word.TERM, 0).with(Word.COMMAND_NUMBER, 0), event);
        }
    }

    private static class SaysFlippedWhenReady extends Rules {
        @Override
        RankWords shown(RankWords words) {
            return words.phase() == RankPhase.READY
                    ? words.with(Word.BATCHES_FLIPPED, words.batchesFlipped() + 1)
                    : words;
        }
    }

    private static boolean isAbort(RankEvent event) {
        return event.kind() == RankEvent.Kind.ORDER && event.orderKind() == PlimsollApi.PLM_ORDER_ABORT;
    }

    private static boolean isVerdict(RankEvent event) {
        return event.kind() == RankEvent.Kind.VERDICT;
    }

    private static boolean isOutcome(RankEvent event, int outcome) {
        return isVerdict(event) && event.outcome() == outcome;
    }

    private static RankWords forgetful(RankWords words) {
        return words.with(Word.REFUSAL, PlimsollApi.PLM_REFUSAL_NONE)
                .with(Word.REFUSED_EPOCH, 0)
                .with(Word.REFUSED_HASH, 0)
                .with(Word.REFUSED_STOPPED, 0);
    }

    private static RankTurn started(RankWords words, int batch) {
        return new RankTurn(
                words.with(RankPhase.TRANSFERRING)
                        .with(Word.TRANSFERRING, batch)
                        .with(Word.TRANSFER_RUNS, 1),
                List.of(new RankEffect(RankEffect.Kind.START_TRANSFERS, words.epoch(), batch, 0)));
    }

    private static RankTurn and(RankTurn turn, RankEffect effect) {
        List<RankEffect> effects = new ArrayList<>(turn.effects());
        effects.add(effect);
        return new RankTurn(turn.words(), effects);
    }

    private interface After {
        RankTurn change(RankWords before, RankEvent event, RankTurn turn);
    }

    private interface Before {
        RankEvent change(RankWords before, RankEvent event);
    }

    private static Rules before(Before before) {
        return new Rules() {
            @Override
            RankTurn on(RankWords words, RankEvent event) {
                return super.on(words, before.change(words, event));
            }
        };
    }

    private static Rules after(After after) {
        return new Rules() {
            @Override
            RankTurn on(RankWords words, RankEvent event) {
                return after.change(words, event, super.on(words, event));
            }
        };
    }
}
