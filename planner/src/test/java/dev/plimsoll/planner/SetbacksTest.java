package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.planner.placement.Rollback;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class SetbacksTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final String BUSY = "rank-2 REFUSED 4: BUSY at step 64";
    private static final String NO_MEMORY = "rank-1 REFUSED 5: NO_MEMORY at step 72";

    private long number;
    private int epoch;
    private Setbacks setbacks = Setbacks.NONE;

    private PlanHeader header(long incarnation) {
        number++;
        return new PlanHeader(DEPLOYMENT, incarnation, 1, number);
    }

    private void proposed(String policy, long window) {
        epoch++;
        Batch batch = new Batch(1, List.of(new Move(new LayerId(0), new SlotId(0), new ExpertId(1), new SlotId(1))));
        setbacks = setbacks.after(
                new PlanCommand.Propose(header(1), epoch, 0, 9, List.of(batch), window, 0.5, 0.9, policy, "it pays"));
    }

    private void voided(String reason, long lastWindow) {
        proposed("test", lastWindow);
        setbacks = setbacks.after(new PlanCommand.Void(header(1), epoch, reason, OptionalLong.of(lastWindow)));
    }

    private void settled(String policy, long lastWindow) {
        proposed(policy, lastWindow);
        setbacks = setbacks.after(new PlanCommand.Settled(header(1), epoch, 1, true, 9, OptionalLong.of(lastWindow)));
    }

    private Setbacks.Pause pause() {
        return setbacks.pause().orElseThrow();
    }

    @Test
    void pauseDoublesWithEveryVoidOfAReasonUpTo256Windows() {
        for (int times = 1; times <= 10; times++) {
            voided(BUSY, 100);
            long windows = Math.min(256, 1L << times);
            assertThat(pause()).isEqualTo(new Setbacks.Pause("busy", times, windows, 101 + windows));
        }
        assertThat(pause().summary())
                .isEqualTo("busy, 10 times since a decision settled: a pause of 256 windows, until window 357");
    }

    @Test
    void everyReasonCountsForItself() {
        voided(BUSY, 1);
        voided(BUSY, 5);
        voided(NO_MEMORY, 10);
        assertThat(pause()).isEqualTo(new Setbacks.Pause("no_memory", 1, 2, 13));

        voided(BUSY, 14);
        assertThat(pause()).isEqualTo(new Setbacks.Pause("busy", 3, 8, 23));
    }

    @Test
    void settledDecisionEndsThePauseAndTheCount() {
        voided(BUSY, 1);
        voided(BUSY, 5);
        settled("test", 20);
        assertThat(setbacks.pause()).isEmpty();

        voided(BUSY, 30);
        assertThat(pause().times()).isEqualTo(1);
    }

    @Test
    void pauseCoversNoWindowBehindAJumpBack() {
        voided(BUSY, 1L << 46);

        assertThat(pause().covers((1L << 46) + 1)).isTrue();
        assertThat(pause().covers((1L << 46) + 3)).isFalse();
        assertThat(pause().covers(2)).isFalse();
    }

    @Test
    void whatAnOperatorOrANewIncarnationEndsIsNoSetback() {
        voided("operator: ann stops it", 1);
        voided("incarnation 2 began", 1);

        assertThat(setbacks.times()).isEmpty();
        assertThat(setbacks.pause()).isEmpty();
    }

    @Test
    void endsWithoutARefusalHaveReasonsToo() {
        assertThat(Setbacks.word("3 of 4 ranks accepted in time")).hasValue("not_accepted");
        assertThat(Setbacks.word("no flip in time; flipped so far [0, 1]")).hasValue("no_flip");
        assertThat(Setbacks.word("nobody approved it in time")).hasValue("not_approved");
        assertThat(Setbacks.word("rank-0 FATAL 3 at step 12")).hasValue("fatal");
        assertThat(Setbacks.word("rank-0 accepted another plan under this epoch"))
                .hasValue("other");
    }

    @Test
    void rejectionsAreCountedByThemselves() {
        voided("rank-0 accepted another plan under this epoch", 1);
        voided("rejected: ann: not before the demo", 4);

        assertThat(pause()).isEqualTo(new Setbacks.Pause("rejected", 1, 2, 7));
        assertThat(Setbacks.word("rank 3 REFUSED 7: BUSY at step 8")).hasValue("busy");
    }

    @Test
    void whatAPersonWritesIsNotReadAsWhatRanksSay() {
        voided("rejected: ann: as after rank 3 REFUSED 1: OBSERVE_ONLY", 1);
        voided("operator: ann: as after rank 3 REFUSED 1: OBSERVE_ONLY", 1);
        setbacks = setbacks.after(new PlanCommand.Abort(header(1), 3, "operator: ann: rank 3 REFUSED 1: OBSERVE_ONLY"));

        assertThat(setbacks.observeOnly()).isEmpty();
        assertThat(setbacks.times()).containsOnlyKeys("rejected");
    }

    @Test
    void ranksThatCannotVoteAreRememberedWhateverSettlesAndForTheirIncarnationOnly() {
        voided("rank-3 REFUSED 1: OBSERVE_ONLY at step 8", 1);
        settled("test", 3);
        assertThat(setbacks.observeOnly()).hasValue("rank-3 REFUSED 1: OBSERVE_ONLY at step 8");

        setbacks = setbacks.after(new PlanCommand.Term(header(2), "next"));
        assertThat(setbacks).isEqualTo(Setbacks.begin(2));
        setbacks = setbacks.after(new PlanCommand.Void(header(1), 9, BUSY));
        assertThat(setbacks).as("what is said of an incarnation that is over").isEqualTo(Setbacks.begin(2));
    }

    @Test
    void ranksSayInTheAbortAlreadyThatTheyCannotVote() {
        setbacks = setbacks.after(new PlanCommand.Abort(header(1), 3, "rank-3 REFUSED 3: OBSERVE_ONLY at step 8"));

        assertThat(setbacks.observeOnly()).isPresent();
    }

    @Test
    void takingBackPausesLongerEachTimeUntilTwoDecisionsInARowAreKept() {
        settled("test", 1);
        settled(Rollback.POLICY, 5);
        assertThat(pause()).isEqualTo(new Setbacks.Pause("rolled_back", 1, 2, 8));
        settled("test", 9);
        assertThat(setbacks.pause()).isEmpty();
        settled(Rollback.POLICY, 12);
        assertThat(pause().times()).isEqualTo(2);

        settled("test", 20);
        settled("test", 30);
        settled(Rollback.POLICY, 40);
        assertThat(pause().times()).isEqualTo(1);
    }
}
