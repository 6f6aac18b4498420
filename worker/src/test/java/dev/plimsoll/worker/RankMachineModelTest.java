package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankId;
import dev.plimsoll.worker.Explorer.Result;
import dev.plimsoll.worker.World.Scope;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every state that three ranks can reach with one decision of two batches, or with several, whatever is delayed, lost, aborted,
 * failed over, broken or moved by engines themselves: run by the library's own machine through its C ABI. And wrong variants of
 * the rules, each of which must lead to a state that breaks an invariant.
 */
class RankMachineModelTest {
    private static final Rules RULES = Rules.of(new RankMachine());
    private static final Powers POWERS = Powers.NONE;
    private static final List<Batch> FIRST = List.of(Fixture.BATCHES.get(0));
    private static final List<List<Batch>> ONE = List.of(Fixture.BATCHES);
    /** An engine that moves weights itself gets one batch with all. */
    private static final List<List<Batch>> WHOLE = List.of(List.of(new Batch(
            1,
            List.of(Fixture.BATCHES.get(0), Fixture.BATCHES.get(1)).stream()
                    .flatMap(batch -> batch.moves().stream())
                    .toList())));

    private static Scope scope(Powers powers) {
        return new Scope(RULES, powers, false, ONE);
    }

    private static Result assertHolds(Scope scope) {
        return assertHolds(scope, 1);
    }

    /** @param least how many states the explorer of Java's rules, which this one follows, went through; fewer would be a loss */
    private static Result assertHolds(Scope scope, int least) {
        Result result = Explorer.explore(scope);
        if (System.getProperty("plimsoll.states") != null) {
            System.out.println(result.states() + " states with " + scope.powers + ": " + result.reached());
        }
        assertThat(result.states()).isGreaterThanOrEqualTo(least);
        assertThat(result.violation()).isEmpty();
        assertThat(result.stuck()).isEmpty();
        return result;
    }

    @Test
    void noInvariantBreaksWhateverIsDelayedOrAborted() {
        Result result = assertHolds(scope(POWERS.failingTransfers(1)), 3912);

        assertThat(result.reached())
                .contains("DONE", "ABORTED", "REFUSED", "stopped after 0", "stopped after 1", "stopped after 2")
                .doesNotContain("FATAL");
    }

    /** The first batch brings no weights to any rank: it is voted on and flipped like any other. */
    @Test
    void noInvariantBreaksWhereSlotsFallIdle() {
        Result result =
                assertHolds(new Scope(RULES, POWERS.failingTransfers(1), false, List.of(Fixture.SWITCHES)), 3912);

        assertThat(result.reached())
                .contains("DONE", "ABORTED", "REFUSED", "stopped after 0", "stopped after 1", "stopped after 2");
    }

    /**
     * Votes that one rank cannot see, votes that reach nobody, and gathers that are known never to complete: a rank that was ready
     * is fatal where others may have flipped, and nowhere else. (Java's rules knew only that the group was lost.)
     */
    @Test
    void noInvariantBreaksWhenAGatherIsLost() {
        Result result = assertHolds(scope(POWERS.losing(1).failingTransfers(1)), 29_087);

        assertThat(result.reached()).contains("FATAL", "REFUSED", "stopped after 1", "stopped after 2");
    }

    @Test
    void noInvariantBreaksWhenThePlannerFailsOver() {
        assertHolds(scope(POWERS.failingTransfers(1).failingOver()), 38_681);
    }

    @Test
    void ranksThatReadDifferentPlansNeverFlip() {
        Result result = assertHolds(scope(POWERS.splittingTheLog()), 364);

        assertThat(result.reached()).contains("WILLING").doesNotContain("TRANSFERRING");
    }

    /** Staging memory that is still touched holds up the next vote of 1 and nothing else, not even an order to stop. */
    @Test
    void noInvariantBreaksWhereStagingMemoryIsStillTouched() {
        Result result = assertHolds(scope(POWERS.failingTransfers(1).holdingStaging(1)));

        assertThat(result.reached())
                .contains("stopped after 1", "stopped after 2")
                .doesNotContain("FATAL");
    }

    /** A deaf rank stops what is in flight, and its node answers for it from then on. */
    @Test
    void everyDecisionEndsThoughARankGoesDeaf() {
        Powers deaf = POWERS.breakingMailboxes(1);
        Result stopped = assertHolds(new Scope(RULES, deaf, false, ONE));
        Result followed = assertHolds(new Scope(RULES, deaf.stopping(0), false, List.of(FIRST, Fixture.NEXT)));

        assertThat(stopped.reached())
                .contains("stopped after 0", "stopped after 1", "stopped after 2")
                .doesNotContain("FATAL");
        assertThat(followed.reached()).contains("settled 2", "stopped after 0").doesNotContain("FATAL");
    }

    /** It refuses what comes next as BEHIND, is told again, and takes part in the decision after that. */
    @Test
    void rankThatMissedAnEndAsksForItAndTakesPartAgain() {
        Scope scope = new Scope(
                RULES,
                POWERS.missing(1).stopping(0),
                false,
                List.of(
                        FIRST,
                        Fixture.NEXT,
                        List.of(new Batch(1, Fixture.BATCHES.get(1).moves()))));
        Result result = new Explorer(scope, World::allHaveHeard).run();

        assertThat(result.violation()).isEmpty();
        assertThat(result.stuck()).isEmpty();
        assertThat(result.reached()).contains("settled 2", "settled 3 after an end was missed");
    }

    @Test
    void noInvariantBreaksWhenEndsAreMissedAndDecisionsStopped() {
        assertHolds(new Scope(RULES, POWERS.missing(1), false, List.of(Fixture.BATCHES, Fixture.NEXT)));
    }

    /**
     * Whatever a rank is at, a proposal that no planner should write now is answered, its end too, and what the rank is at goes on as if
     * nothing had come. (Java's rules dropped it with a note.)
     */
    @Test
    void everyStateAnswersAProposalOutOfTurnAndGoesOn() {
        Set<RankWords> states = new LinkedHashSet<>();
        for (Scope scope : List.of(
                scope(POWERS.failingTransfers(1)),
                new Scope(RULES, POWERS.failingTransfers(1), true, WHOLE),
                new Scope(RULES, POWERS.missing(1), false, List.of(FIRST, Fixture.NEXT)))) {
            scope.witness = (before, event, turn) -> states.add(turn.words());
            assertThat(Explorer.explore(scope).violation()).isEmpty();
        }
        RankMachine machine = new RankMachine();
        RankAcks acks = new RankAcks(Fixture.MEMBERS, new RankId(0));
        int busy = 0;
        for (RankWords words : states) {
            int epoch = words.epoch() + 1;
            long number = words.at(Word.COMMAND_NUMBER) + 1;
            long term = Math.max(1, words.at(Word.TERM));
            PlanHeader first = Fixture.header(term, number);
            PlanHeader second = Fixture.header(term, number + 1);
            RankWords told = machine.on(
                            words,
                            RankEvent.order(OrderHeads.of(Fixture.propose(
                                    first, epoch, Fixture.INITIAL.withVersion(words.intAt(Word.SETTLED_VERSION)), FIRST))))
                    .words();
            RankWords stopped = machine.on(told, RankEvent.order(OrderHeads.of(new PlanCommand.Abort(second, epoch, "stray"))))
                    .words();
            Reports answer = Reports.of(acks.of(machine.describe(told, 0), batch -> Optional.empty()), epoch);

            assertThat(answer.accepted() != answer.refused()).as("an answer of %s", words).isTrue();
            assertThat(Reports.of(acks.of(machine.describe(stopped, 0), batch -> Optional.empty()), epoch)
                            .stopped())
                    .as("the end of it in %s", stopped)
                    .hasValue(0);
            if (answer.refused() && told.epoch() < epoch) {
                busy++;
                assertThat(goingOn(stopped)).isEqualTo(goingOn(words));
                assertThat(machine.vote(stopped)).isEqualTo(machine.vote(words));
            }
        }
        assertThat(busy).isGreaterThan(states.size() / 4);
    }

    /** The same rank had it heard of no later decision. */
    private static RankWords goingOn(RankWords words) {
        return words.with(Word.REFUSAL, PlimsollApi.PLM_REFUSAL_NONE)
                .with(Word.REFUSED_EPOCH, 0)
                .with(Word.REFUSED_HASH, 0)
                .with(Word.REFUSED_STOPPED, 0)
                .with(Word.TERM, 0)
                .with(Word.COMMAND_NUMBER, 0);
    }

    /** Maps change one by one on ranks that are through at different boundaries: just the samples that span a change say so. */
    @Test
    void noInvariantBreaksWhereEnginesMoveWeightsThemselves() {
        Result result = assertHolds(new Scope(RULES, POWERS.failingTransfers(1), true, WHOLE));

        assertThat(result.reached())
                .contains("MOVING", "DONE", "ABORTED", "REFUSED", "stopped after 0", "stopped after 1", "quarantined");
    }

    @Test
    void noInvariantBreaksWhereEnginesMoveAndBalanceThemselves() {
        Result result = assertHolds(new Scope(RULES, POWERS.changing(1), true, WHOLE));

        assertThat(result.reached()).contains("MOVING", "DONE", "REFUSED").doesNotContain("FATAL");
    }

    /** A rank whose engine changed its map refuses what comes, and every decision ends for all that. */
    @Test
    void everyDecisionEndsThoughAnEngineChangedItsMap() {
        Result result = assertHolds(
                new Scope(RULES, POWERS.changing(1).stopping(0), true, List.of(FIRST, Fixture.NEXT)));

        assertThat(result.reached()).contains("settled 1", "settled 2", "stopped after 0");
    }

    @Test
    void noInvariantBreaksWhereEnginesMoveAndAGatherIsLost() {
        Result result = assertHolds(new Scope(RULES, POWERS.losing(1), true, WHOLE));

        assertThat(result.reached()).contains("MOVING", "DONE", "FATAL");
    }

    @Tag("mutant")
    @Test
    void mutantThatFlipsWithoutTheOthersIsCaught() {
        assertCaught(
                mutant((before, event) -> before.castLevel() == 2 && isVerdict(event)
                        ? RankEvent.verdict(
                                PlimsollApi.PLM_OUTCOME_RESOLVED, before.epoch(), before.batchesFlipped() + 1, 2)
                        : event),
                POWERS,
                "P1 lock step");
    }

    @Tag("mutant")
    @Test
    void mutantThatWithdrawsAVoteOnAbortIsCaught() {
        assertCaught(
                mutant(
                        (before, event, turn) ->
                                isAbort(event) ? new RankTurn(turn.words().withoutCast(), turn.effects()) : turn,
                        (before, event) -> isVerdict(event) && !before.voted()
                                ? RankEvent.verdict(PlimsollApi.PLM_OUTCOME_NONE, 0, 0, 0)
                                : event),
                POWERS,
                "P1 lock step",
                "start together",
                "P5 prefix");
    }

    @Tag("mutant")
    @Test
    void mutantThatFreesStagingAtAbortIsCaught() {
        assertCaught(
                mutant((before, event, turn) -> {
                    int held = before.intAt(Word.TRANSFERRING);
                    if (!isAbort(event) || held == 0 || before.intAt(Word.TRANSFER_RUNS) != 0) {
                        return turn;
                    }
                    return and(turn, new RankEffect(RankEffect.Kind.FREE_STAGING, before.epoch(), held, 0));
                }),
                POWERS,
                "P2 weights before map");
    }

    @Tag("mutant")
    @Test
    void mutantThatServesOnWithAReadyVoteUnresolvedIsCaught() {
        assertCaught(
                mutant((before, event, turn) -> turn.words().phase() != RankPhase.FATAL
                        ? turn
                        : new RankTurn(
                                turn.words().with(RankPhase.REFUSED).with(Word.OBSERVES, 1),
                                List.of(new RankEffect(RankEffect.Kind.ABANDON_GROUP, before.epoch(), 0, 0)))),
                POWERS.losing(1),
                "P1 lock step",
                "P5 prefix");
    }

    @Tag("mutant")
    @Test
    void mutantThatReportsAFlipBeforeItIsCaught() {
        assertCaught(
                mutant((before, event, turn) -> turn.words().phase() == RankPhase.READY
                                && before.phase() != RankPhase.READY
                        ? new RankTurn(
                                turn.words()
                                        .with(Word.BATCHES_FLIPPED, turn.words().batchesFlipped() + 1),
                                turn.effects())
                        : turn),
                POWERS,
                "reports");
    }

    @Tag("mutant")
    @Test
    void mutantThatStartsTransfersOnPermitIsCaught() {
        assertCaught(
                mutant((before, event, turn) ->
                        turn.words().phase() == RankPhase.WILLING && before.phase() == RankPhase.ACCEPTED
                                ? new RankTurn(
                                        turn.words()
                                                .with(RankPhase.TRANSFERRING)
                                                .with(Word.TRANSFERRING, 1)
                                                .with(Word.TRANSFER_RUNS, 1),
                                        List.of(new RankEffect(RankEffect.Kind.START_TRANSFERS, before.epoch(), 1, 0)))
                                : turn),
                POWERS,
                "start together");
    }

    @Tag("mutant")
    @Test
    void mutantWhoseVerdictComparesNoHashesIsCaught() {
        assertCaught(
                new Variant() {
                    @Override
                    public RankEvent verdict(List<RankVote> votes) {
                        return RULES.verdict(
                                votes.stream().map(vote -> vote.withPlanHash(0)).toList());
                    }
                },
                POWERS.splittingTheLog(),
                "P1 lock step",
                "P2 weights before map");
    }

    /** What Java's rules did: a group that is lost is lost, whatever is known of it. */
    @Tag("mutant")
    @Test
    void mutantThatKnowsNoUndecidedGatherIsCaught() {
        assertCaught(
                mutant((before, event) -> isVerdict(event)
                                && (event.outcome() == PlimsollApi.PLM_OUTCOME_UNDECIDED
                                        || event.outcome() == PlimsollApi.PLM_OUTCOME_FAILED)
                        ? RankEvent.verdict(PlimsollApi.PLM_OUTCOME_TIMED_OUT, 0, 0, 0)
                        : event),
                POWERS.losing(1),
                "P8 serves on");
    }

    @Tag("mutant")
    @Test
    void mutantThatTakesATimeOutForUndecidedIsCaught() {
        assertCaught(
                mutant((before, event) -> isVerdict(event) && event.outcome() == PlimsollApi.PLM_OUTCOME_TIMED_OUT
                        ? RankEvent.verdict(PlimsollApi.PLM_OUTCOME_UNDECIDED, 0, 0, 0)
                        : event),
                POWERS.losing(1),
                "P1 lock step",
                "P5 prefix");
    }

    /** What Java's agent did: the memory was free when the rules said so, and whoever still touched it wrote into the next batch. */
    @Tag("mutant")
    @Test
    void mutantThatStartsIntoTouchedStagingMemoryIsCaught() {
        assertCaught(
                mutant((before, event, turn) -> new RankTurn(turn.words().with(Word.STAGING_BUSY, 0), turn.effects())),
                POWERS.holdingStaging(1),
                "staging");
    }

    /** What Java's rules did: a decision that finds the rank busy is dropped with a note, and the planner waits. */
    @Tag("mutant")
    @Test
    void mutantThatAnswersNoDecisionWhileItIsBehindIsCaught() {
        assertCaught(
                mutant((before, event, turn) ->
                        turn.words().intAt(Word.REFUSED_EPOCH) > turn.words().epoch()
                                ? new RankTurn(
                                        turn.words()
                                                .with(Word.REFUSAL, PlimsollApi.PLM_REFUSAL_NONE)
                                                .with(Word.REFUSED_EPOCH, 0)
                                                .with(Word.REFUSED_HASH, 0)
                                                .with(Word.REFUSED_STOPPED, 0),
                                        turn.effects())
                                : turn),
                new Powers(0, 0, false, false, 0, 0, 1, 0, 1),
                List.of(FIRST, Fixture.NEXT),
                "stuck");
    }

    @Tag("mutant")
    @Test
    void mutantThatForgetsThatALaterDecisionWasStoppedIsCaught() {
        assertCaught(
                mutant((before, event, turn) ->
                        new RankTurn(turn.words().with(Word.REFUSED_STOPPED, 0), turn.effects())),
                POWERS.missing(1).stopping(0),
                List.of(FIRST, Fixture.NEXT),
                "stuck",
                "noise");
    }

    /** What Java's agent did: it heard nothing any more and went on. */
    @Tag("mutant")
    @Test
    void mutantThatGoesOnWhenItIsDeafIsCaught() {
        assertCaught(
                mutant((before, event, turn) ->
                        event.kind() == RankEvent.Kind.DEAF ? new RankTurn(before, List.of()) : turn),
                POWERS.breakingMailboxes(1),
                List.of(FIRST),
                "stuck",
                "deafness");
    }

    @Tag("mutant")
    @Test
    void mutantThatVotesWhileItsEngineIsBusyIsCaught() {
        assertCaught(
                mutant((before, event, turn) -> event.kind() == RankEvent.Kind.ENGINE_BUSY
                        ? new RankTurn(before.with(Word.MOVED, 1), List.of())
                        : turn),
                new Powers(0, 0, false, false, 0, 0, 0, 1, 1),
                WHOLE,
                "busy engines",
                "mixed samples");
    }

    @Tag("mutant")
    @Test
    void mutantThatCallsNoSampleMixedIsCaught() {
        assertCaught(
                mutant((before, event, turn) -> new RankTurn(turn.words().with(Word.MOVED, 0), turn.effects())),
                POWERS,
                WHOLE,
                "mixed samples");
    }

    @Tag("mutant")
    @Test
    void mutantThatBelievesItsEngineHasMovedIsCaught() {
        assertCaught(
                mutant((before, event) ->
                        event.kind() == RankEvent.Kind.MOVED ? RankEvent.moved(PlimsollApi.PLM_MAP_TARGET) : event),
                POWERS.failingTransfers(1),
                WHOLE,
                "P6 truth",
                "reports");
    }

    private static boolean isAbort(RankEvent event) {
        return event.kind() == RankEvent.Kind.ORDER && event.orderKind() == PlimsollApi.PLM_ORDER_ABORT;
    }

    private static boolean isVerdict(RankEvent event) {
        return event.kind() == RankEvent.Kind.VERDICT;
    }

    private static RankTurn and(RankTurn turn, RankEffect effect) {
        List<RankEffect> effects = new ArrayList<>(turn.effects());
        effects.add(effect);
        return new RankTurn(turn.words(), effects);
    }

    private static void assertCaught(Rules mutant, Powers powers, String... invariants) {
        assertCaught(mutant, powers, ONE, invariants);
    }

    private static void assertCaught(Rules mutant, Powers powers, List<List<Batch>> decisions, String... invariants) {
        Result result = Explorer.explore(new Scope(mutant, powers, decisions == WHOLE, decisions));

        assertThat(result.violation()
                        .map(violation -> violation.invariant)
                        .or(() -> result.stuck().map(s -> "stuck")))
                .as("what the mutant breaks, in %d states", result.states())
                .hasValueSatisfying(broken -> assertThat(broken).isIn((Object[]) invariants));
    }

    private interface After {
        RankTurn change(RankWords before, RankEvent event, RankTurn turn);
    }

    private interface Before {
        RankEvent change(RankWords before, RankEvent event);
    }

    private static Rules mutant(Before before) {
        return mutant((words, event, turn) -> turn, before);
    }

    private static Rules mutant(After after) {
        return mutant(after, (words, event) -> event);
    }

    private static Rules mutant(After after, Before before) {
        return new Variant() {
            @Override
            public RankTurn on(RankWords words, RankEvent event) {
                return after.change(words, event, RULES.on(words, before.change(words, event)));
            }
        };
    }

    /** The library's machine, but for what is overridden. */
    private static class Variant implements Rules {
        @Override
        public RankVote vote(RankWords words) {
            return RULES.vote(words);
        }

        @Override
        public RankTurn on(RankWords words, RankEvent event) {
            return RULES.on(words, event);
        }

        @Override
        public RankEvent verdict(List<RankVote> votes) {
            return RULES.verdict(votes);
        }
    }
}
