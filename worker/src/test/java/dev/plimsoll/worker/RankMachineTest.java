package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Single steps of a rank's machine. Those whose Javadoc names a fault of Java's rules, which stood before them, fail on those rules by
 * construction: what they ask for was an event, an outcome or a word that those did not have.
 */
class RankMachineTest {
    private static final PlanCommand.Propose PROPOSE =
            Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, Fixture.BATCHES);
    private static final PlanCommand.Permit PERMIT =
            new PlanCommand.Permit(Fixture.header(1, 2), 1, PROPOSE.planHash());
    private static final RankEvent NOTHING = resolved(0, 0, 0);

    private final RankMachine machine = new RankMachine();
    private RankWords rank = machine.begin(Fixture.INCARNATION, 0, false, false);
    private List<RankEffect> effects = List.of();

    @Test
    void planBasedOnAnotherVersionIsRefused() {
        hear(Fixture.propose(Fixture.header(1, 1), 4, Fixture.INITIAL.withVersion(3), Fixture.BATCHES));

        assertRefused(PlimsollApi.PLM_REFUSAL_STALE_BASE);
    }

    @Test
    void planThatTheWorkerFoundWrongIsRefusedForItsReason() {
        on(RankEvent.order(OrderHeads.of(PROPOSE, false, PlimsollApi.PLM_REFUSAL_NO_MEMORY)));

        assertRefused(PlimsollApi.PLM_REFUSAL_NO_MEMORY);
    }

    @Test
    void rankThatCannotVoteRefuses() {
        rank = machine.begin(Fixture.INCARNATION, 0, true, false);
        hear(PROPOSE);

        assertRefused(PlimsollApi.PLM_REFUSAL_OBSERVE_ONLY);
    }

    @Test
    void engineThatMovesWeightsItselfTakesOneBatchOnly() {
        rank = machine.begin(Fixture.INCARNATION, 0, false, true);
        hear(PROPOSE);

        assertRefused(PlimsollApi.PLM_REFUSAL_INVALID_PLAN);
    }

    @Test
    void sameEpochWithAnotherHashIsRefusedAndTheFirstOneStands() {
        hear(PROPOSE);
        hear(Fixture.propose(Fixture.header(1, 2), 1, Fixture.INITIAL, Fixture.OTHER_BATCHES));

        assertThat(rank.intAt(Word.REFUSAL)).isEqualTo(PlimsollApi.PLM_REFUSAL_HASH_MISMATCH);
        assertThat(rank.phase()).isEqualTo(RankPhase.ACCEPTED);
        assertThat(rank.at(Word.PLAN_HASH)).isEqualTo(PROPOSE.planHash());
    }

    @Test
    void leaveForAnotherHashIsRefused() {
        hear(PROPOSE);
        hear(new PlanCommand.Permit(Fixture.header(1, 2), 1, 99));

        assertRefused(PlimsollApi.PLM_REFUSAL_HASH_MISMATCH);
    }

    @Test
    void refusedDecisionIsAbortedWithNothingFlippedAndTheNextIsAccepted() {
        hear(Fixture.propose(Fixture.header(1, 1), 4, Fixture.INITIAL.withVersion(3), Fixture.BATCHES));
        hear(new PlanCommand.Abort(Fixture.header(1, 2), 4, "refused"));
        assertThat(rank.phase()).isEqualTo(RankPhase.ABORTED);
        hear(new PlanCommand.Void(Fixture.header(1, 3), 4, "aborted"));

        hear(Fixture.propose(Fixture.header(1, 4), 5, Fixture.INITIAL, Fixture.BATCHES));

        assertThat(rank.phase()).isEqualTo(RankPhase.ACCEPTED);
        assertThat(rank.intAt(Word.REFUSAL)).isEqualTo(PlimsollApi.PLM_REFUSAL_NONE);
    }

    @Test
    void commandsOfOthersChangeNothingAndAreCounted() {
        hear(new PlanCommand.Term(Fixture.header(3, 5), "planner"));
        RankWords before = rank;

        assertIgnored(new PlanCommand.Term(Fixture.header(2, 6), "zombie"), PlimsollApi.PLM_IGNORED_OLD_TERM);
        assertIgnored(new PlanCommand.Term(Fixture.header(3, 5), "planner"), PlimsollApi.PLM_IGNORED_DUPLICATE);
        assertThat(rank).isEqualTo(before);
        assertIgnored(
                new PlanCommand.Abort(new PlanHeader(Fixture.DEPLOYMENT, 6, 3, 6), 1, "old life"),
                PlimsollApi.PLM_IGNORED_FOREIGN_INCARNATION);
        assertThat(rank.phase()).isEqualTo(RankPhase.SERVING);
        assertIgnored(new PlanCommand.Permit(Fixture.header(3, 7), 1, 9), PlimsollApi.PLM_IGNORED_OLD_EPOCH);
    }

    @Test
    void settledThatDisagreesWithWhatWasFlippedChangesNothing() {
        flipFirstBatch();
        hear(new PlanCommand.Abort(Fixture.header(1, 3), 1, "operator"));
        on(NOTHING);
        assertThat(rank.phase()).isEqualTo(RankPhase.ABORTED);

        assertIgnored(
                new PlanCommand.Settled(Fixture.header(1, 4), 1, 2, true, 0), PlimsollApi.PLM_IGNORED_OUT_OF_PLACE);
        assertIgnored(new PlanCommand.Void(Fixture.header(1, 6), 1, "wrong"), PlimsollApi.PLM_IGNORED_OUT_OF_PLACE);
    }

    @Test
    void settledPrefixIsServedAsTheNewVersion() {
        flipFirstBatch();
        hear(new PlanCommand.Abort(Fixture.header(1, 3), 1, "operator"));
        on(NOTHING);

        hear(new PlanCommand.Settled(Fixture.header(1, 4), 1, 1, false, 0));
        on(NOTHING);

        assertThat(rank.phase()).isEqualTo(RankPhase.SERVING);
        assertThat(rank.intAt(Word.SETTLED_VERSION)).isEqualTo(1);
        assertThat(machine.vote(rank).settledVersion()).isEqualTo(1);
        assertThat(machine.vote(rank).epoch()).isZero();
    }

    @Test
    void voteTellsTheStateThatTheStepsBeforeRanUnder() {
        flipFirstBatch();

        assertThat(machine.vote(rank).batchesFlipped()).isZero();
        on(NOTHING);
        assertThat(machine.vote(rank).batchesFlipped()).isEqualTo(1);
    }

    @Test
    void verdictThatThisRankNeverVotedForIsFatal() {
        on(resolved(1, 1, 2));

        assertThat(effects).containsExactly(new RankEffect(RankEffect.Kind.LEAVE_GROUP, 0, 0, 0));
        assertThat(rank.phase()).isEqualTo(RankPhase.FATAL);
    }

    /** The fault: survivors that had voted 2 ended although the gather was known never to complete, and so nobody had flipped. */
    @Test
    void readyRankServesOnWhereTheGatherIsKnownNeverToComplete() {
        becomeReady();
        vote();

        on(RankEvent.verdict(PlimsollApi.PLM_OUTCOME_UNDECIDED, 0, 0, 0));

        assertServesOnWithoutAGroup();
    }

    /** The fault: FAILED and TIMED_OUT were one, so a rank whose vote had reached nobody ended. */
    @Test
    void readyRankServesOnWhereItsVoteReachedNobody() {
        becomeReady();
        vote();

        on(RankEvent.verdict(PlimsollApi.PLM_OUTCOME_FAILED, 0, 0, 0));

        assertServesOnWithoutAGroup();
    }

    @Test
    void readyRankIsFatalWhereOthersMayHaveSeenItsVote() {
        becomeReady();
        vote();

        on(RankEvent.verdict(PlimsollApi.PLM_OUTCOME_TIMED_OUT, 0, 0, 0));

        assertThat(rank.phase()).isEqualTo(RankPhase.FATAL);
    }

    /** The fault: a rank whose mailbox was broken was deaf for ever, went on, and nobody was told. */
    @Test
    void deafRankStopsWhatIsInFlightAndSaysSo() {
        becomeReady();
        vote();

        on(RankEvent.of(RankEvent.Kind.DEAF));
        assertThat(rank.phase()).isEqualTo(RankPhase.ABORTING);
        on(NOTHING);

        RankState seen = machine.describe(rank, 0);
        assertThat(seen.deaf()).isTrue();
        assertThat(seen.refusal()).isEqualTo(PlimsollApi.PLM_REFUSAL_DEAF);
        assertThat(seen.phase()).isEqualTo(RankPhase.ABORTED);
        assertThat(machine.vote(rank).level()).isZero();
    }

    /** The fault: nobody could stop it any more, so nobody ever heard how far it had got. */
    @Test
    void deafRankThatHadRefusedSaysHowFarItGot() {
        flipFirstBatch();
        on(RankEvent.of(RankEvent.Kind.STAGING_FREED));
        vote();
        on(resolved(1, 2, 1));
        on(RankEvent.transferEnded(1, 2, false));
        assertThat(rank.phase()).isEqualTo(RankPhase.REFUSED);

        on(RankEvent.of(RankEvent.Kind.DEAF));

        assertThat(rank.phase()).isEqualTo(RankPhase.ABORTED);
        assertThat(machine.describe(rank, 0).batchesFlipped()).isEqualTo(1);
        assertThat(machine.describe(rank, 0).refusal()).isEqualTo(PlimsollApi.PLM_REFUSAL_TRANSFER_FAILED);
    }

    /** The fault: BUSY was a note in a log, and the planner waited for an answer until its deadline. */
    @Test
    void decisionThatFindsTheRankBusyIsRefusedForAllToSee() {
        hear(PROPOSE);

        hear(Fixture.propose(Fixture.header(1, 2), 2, Fixture.INITIAL, Fixture.OTHER_BATCHES));

        RankState seen = machine.describe(rank, 0);
        assertThat(seen.refusal()).isEqualTo(PlimsollApi.PLM_REFUSAL_BUSY);
        assertThat(seen.refusedEpoch()).isEqualTo(2);
        assertThat(seen.epoch()).isEqualTo(1);
        assertThat(seen.phase()).isEqualTo(RankPhase.ACCEPTED);
        hear(new PlanCommand.Abort(Fixture.header(1, 3), 2, "refused"));
        assertThat(machine.describe(rank, 0).refusedStopped()).isTrue();
    }

    /** The fault: a rank that had missed a SETTLED was busy for ever, and no decision could be carried out again. */
    @Test
    void rankThatMissedAnEndAsksUntilItIsTold() {
        flipFirstBatch();
        hear(new PlanCommand.Abort(Fixture.header(1, 3), 1, "operator"));
        on(NOTHING);
        PlanCommand missed = new PlanCommand.Settled(Fixture.header(1, 4), 1, 1, false, 0);

        hear(Fixture.propose(Fixture.header(1, 5), 2, Fixture.INITIAL.withVersion(1), Fixture.NEXT));
        assertThat(rank.intAt(Word.REFUSAL)).isEqualTo(PlimsollApi.PLM_REFUSAL_BEHIND);
        hear(new PlanCommand.Abort(Fixture.header(1, 6), 2, "refused"));
        hear(new PlanCommand.Void(Fixture.header(1, 7), 2, "aborted"));
        assertThat(rank.intAt(Word.REFUSAL)).isEqualTo(PlimsollApi.PLM_REFUSAL_BEHIND);

        on(RankEvent.order(OrderHeads.again(missed)));
        hear(Fixture.propose(Fixture.header(1, 8), 3, Fixture.INITIAL.withVersion(1), Fixture.NEXT));

        assertThat(rank.intAt(Word.SETTLED_VERSION)).isEqualTo(1);
        assertThat(rank.phase()).isEqualTo(RankPhase.ACCEPTED);
        assertThat(rank.intAt(Word.REFUSAL)).isEqualTo(PlimsollApi.PLM_REFUSAL_NONE);
    }

    /** The fault: ABORT freed staging memory at once, which waited up to 5 s for whoever still touched it. */
    @Test
    void stagingMemoryThatIsStillTouchedHoldsUpTheNextBatchAndNothingElse() {
        flipFirstBatch();

        assertThat(rank.phase()).isEqualTo(RankPhase.WILLING);
        assertThat(machine.vote(rank).level()).isZero();
        on(RankEvent.of(RankEvent.Kind.STAGING_FREED));
        assertThat(machine.vote(rank).level()).isEqualTo(1);
    }

    /** The fault: an exchange that one member had given up ran on until it timed out, whatever its size. */
    @Test
    void orderToStopCancelsTransfers() {
        becomeWilling();
        vote();
        on(resolved(1, 1, 1));

        hear(new PlanCommand.Abort(Fixture.header(1, 3), 1, "operator"));

        assertThat(effects).containsExactly(new RankEffect(RankEffect.Kind.CANCEL_TRANSFERS, 1, 1, 0));
        assertThat(rank.phase()).isEqualTo(RankPhase.ABORTING);
        on(RankEvent.transferEnded(1, 1, false));
        assertThat(rank.phase()).isEqualTo(RankPhase.ABORTED);
    }

    @Test
    void samplesAreMixedFromTheOrderToMoveUntilTheMapWasReadBack() {
        becomeReadyToMove();
        on(resolved(1, 1, 2));
        assertThat(effects).containsExactly(new RankEffect(RankEffect.Kind.MOVE, 1, 1, 0));
        List<Boolean> mixed = new ArrayList<>(List.of(machine.vote(rank).mixed()));

        on(NOTHING);
        mixed.add(machine.vote(rank).mixed());
        on(RankEvent.moved(PlimsollApi.PLM_MAP_TARGET));
        on(NOTHING);
        mixed.add(machine.vote(rank).mixed());
        on(NOTHING);
        mixed.add(machine.vote(rank).mixed());

        assertThat(mixed).containsExactly(false, true, true, false);
        assertThat(rank.phase()).isEqualTo(RankPhase.DONE);
    }

    /** The fault: weights that came from others before a reload in place were flipped into slots after it. */
    @Test
    void weightsThatWereReceivedBeforeAReloadAreNeverFlippedAfterIt() {
        becomeReady();
        vote();
        on(NOTHING);

        on(RankEvent.reload());

        assertRefused(PlimsollApi.PLM_REFUSAL_TRANSFER_FAILED);
        assertThat(effects).contains(new RankEffect(RankEffect.Kind.FREE_STAGING, 1, 1, 0));
        assertThat(rank.intAt(Word.RELOADING)).isEqualTo(PlimsollApi.PLM_RELOAD_ASKED);
        on(RankEvent.of(RankEvent.Kind.STAGING_FREED));
        assertMayReload();
    }

    @Test
    void voteThatMayFlipIsResolvedBeforeTheReloadAndWhatItFlipsStays() {
        becomeReady();
        vote();

        on(RankEvent.reload());
        assertThat(rank.intAt(Word.RELOADING)).isEqualTo(PlimsollApi.PLM_RELOAD_ASKED);
        assertThat(rank.phase()).isEqualTo(RankPhase.READY);
        on(resolved(1, 1, 2));

        assertThat(rank.batchesFlipped()).isEqualTo(1);
        assertThat(rank.phase()).isEqualTo(RankPhase.WILLING);
        on(RankEvent.of(RankEvent.Kind.STAGING_FREED));
        assertThat(machine.vote(rank).level()).isZero();
        assertMayReload();
    }

    @Test
    void transfersThatAVerdictStartsUnderAReloadAreStartedAndCancelled() {
        becomeWilling();
        vote();

        on(RankEvent.reload());
        assertThat(rank.intAt(Word.RELOADING)).isEqualTo(PlimsollApi.PLM_RELOAD_ASKED);
        on(resolved(1, 1, 1));

        assertThat(effects)
                .extracting(RankEffect::kind)
                .containsExactly(
                        RankEffect.Kind.START_TRANSFERS, RankEffect.Kind.REFUSED, RankEffect.Kind.CANCEL_TRANSFERS);
        on(RankEvent.transferEnded(1, 1, false));
        on(RankEvent.of(RankEvent.Kind.STAGING_FREED));
        assertMayReload();
    }

    @Test
    void transfersAreNotStartedASecondTimeForAReload() {
        becomeWilling();
        vote();
        on(resolved(1, 1, 1));
        vote();
        on(RankEvent.transferEnded(1, 1, true));

        on(RankEvent.reload());
        on(resolved(1, 1, 1));

        assertThat(effects).containsExactly(new RankEffect(RankEffect.Kind.FREE_STAGING, 1, 1, 0));
    }

    @Test
    void decisionOfWhichNothingIsUnderWayWaitsForTheReload() {
        becomeWilling();

        assertMayReload();
        assertThat(machine.vote(rank).level()).isZero();
        on(RankEvent.reloaded(7));

        assertThat(rank.phase()).isEqualTo(RankPhase.WILLING);
        assertThat(machine.vote(rank).level()).isEqualTo(1);
    }

    @Test
    void ranksOfDifferentGenerationsAgreeOnNothing() {
        becomeWilling();
        RankVote before = machine.vote(rank);
        assertMayReload();
        on(RankEvent.reloaded(7));
        RankVote after = machine.vote(rank);

        assertThat(machine.verdict(List.of(before, after))).isEqualTo(NOTHING);
        assertThat(machine.verdict(List.of(after, after))).isEqualTo(resolved(1, 1, 1));
    }

    @Test
    void rankThatReloadedWithoutLeaveLeavesWhereTheOthersFlip() {
        becomeReady();
        vote();

        on(RankEvent.reloaded(7));
        assertRefused(PlimsollApi.PLM_REFUSAL_TRANSFER_FAILED);
        on(resolved(1, 1, 2));

        assertThat(effects).containsExactly(new RankEffect(RankEffect.Kind.LEAVE_GROUP, 1, 0, 0));
        assertThat(rank.phase()).isEqualTo(RankPhase.FATAL);
        assertThat(rank.batchesFlipped()).isZero();
    }

    @Test
    void rankThatReloadedWithoutLeaveServesOnWhereNobodyFlips() {
        becomeReady();
        vote();

        on(RankEvent.reloaded(7));
        on(NOTHING);

        assertRefused(PlimsollApi.PLM_REFUSAL_TRANSFER_FAILED);
        assertThat(rank.intAt(Word.RELOADING)).isEqualTo(PlimsollApi.PLM_RELOAD_NONE);
        hear(new PlanCommand.Abort(Fixture.header(1, 3), 1, "refused"));
        assertThat(rank.phase()).isEqualTo(RankPhase.ABORTED);
    }

    @Test
    void engineThatMovesItselfIsThroughWithAMoveBeforeItReloads() {
        becomeReadyToMove();
        on(RankEvent.reload());
        on(resolved(1, 1, 2));
        assertThat(rank.intAt(Word.MOVING)).isEqualTo(1);

        on(RankEvent.reload());
        assertThat(rank.intAt(Word.RELOADING)).isEqualTo(PlimsollApi.PLM_RELOAD_ASKED);
        on(RankEvent.moved(PlimsollApi.PLM_MAP_TARGET));

        assertThat(rank.phase()).isEqualTo(RankPhase.DONE);
        assertMayReload();
    }

    private void assertMayReload() {
        on(RankEvent.reload());
        assertThat(rank.intAt(Word.RELOADING)).isEqualTo(PlimsollApi.PLM_RELOAD_UNDER_WAY);
    }

    private static RankEvent resolved(int epoch, int batch, int level) {
        return RankEvent.verdict(PlimsollApi.PLM_OUTCOME_RESOLVED, epoch, batch, level);
    }

    private void becomeWilling() {
        hear(PROPOSE);
        hear(PERMIT);
    }

    /** All were ready, and so did this rank vote: its engine moves weights by itself. */
    private void becomeReadyToMove() {
        rank = machine.begin(Fixture.INCARNATION, 0, false, true);
        hear(Fixture.propose(Fixture.header(1, 1), 1, Fixture.INITIAL, Fixture.NEXT));
        hear(new PlanCommand.Permit(Fixture.header(1, 2), 1, rank.at(Word.PLAN_HASH)));
        vote();
        on(resolved(1, 1, 1));
        vote();
    }

    private void becomeReady() {
        becomeWilling();
        vote();
        on(resolved(1, 1, 1));
        on(RankEvent.transferEnded(1, 1, true));
        assertThat(rank.phase()).isEqualTo(RankPhase.READY);
    }

    private void flipFirstBatch() {
        becomeReady();
        vote();
        on(resolved(1, 1, 2));
        assertThat(rank.batchesFlipped()).isEqualTo(1);
        assertThat(effects)
                .containsExactly(
                        new RankEffect(RankEffect.Kind.FLIP, 1, 1, 0),
                        new RankEffect(RankEffect.Kind.FREE_STAGING, 1, 1, 0));
    }

    private void vote() {
        RankVote vote = machine.vote(rank);
        on(RankEvent.voted(vote));
    }

    private void hear(PlanCommand command) {
        on(RankEvent.order(OrderHeads.of(command)));
    }

    private void on(RankEvent event) {
        RankTurn turn = machine.on(rank, event);
        rank = turn.words();
        effects = turn.effects();
    }

    private void assertServesOnWithoutAGroup() {
        assertThat(rank.phase()).isEqualTo(RankPhase.REFUSED);
        assertThat(rank.intAt(Word.REFUSAL)).isEqualTo(PlimsollApi.PLM_REFUSAL_OBSERVE_ONLY);
        assertThat(effects.get(0).kind()).isEqualTo(RankEffect.Kind.ABANDON_GROUP);
        assertThat(machine.vote(rank).level()).isZero();
    }

    private void assertRefused(int refusal) {
        assertThat(rank.phase()).isEqualTo(RankPhase.REFUSED);
        assertThat(rank.intAt(Word.REFUSAL)).isEqualTo(refusal);
        assertThat(machine.vote(rank).level()).isZero();
    }

    private void assertIgnored(PlanCommand command, int reason) {
        hear(command);
        assertThat(effects).hasSize(1);
        assertThat(effects.get(0).kind()).isEqualTo(RankEffect.Kind.IGNORED);
        assertThat(effects.get(0).code()).isEqualTo(reason);
    }
}
