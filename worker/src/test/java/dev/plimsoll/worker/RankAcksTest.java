package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RankAcksTest {
    private static final RankAcks ACKS = new RankAcks(Fixture.MEMBERS, new RankId(2));

    @Test
    void rankThatHasHeardOfNothingSaysNothing() {
        assertThat(said(state(RankPhase.SERVING, 0, 0, -1, 0, false))).isEmpty();
    }

    @Test
    void engineThatIsMovingHasAccepted() {
        assertThat(said(state(RankPhase.MOVING, 3, 0, -1, 0, false))).containsExactly("rank 2 ACCEPTED 3 at step 64");
    }

    @Test
    void rankInEveryPhaseSaysWhatHoldsInIt() {
        for (RankPhase phase : RankPhase.values()) {
            List<RankAck> acks = ACKS.of(state(phase, 3, 1, -1, 0, false), batch -> Optional.empty());
            assertThat(acks).extracting(RankAck::kind).as("%s", phase).contains(RankAck.Kind.FLIPPED);
            assertThat(acks.stream().anyMatch(ack -> ack.kind() == RankAck.Kind.ACCEPTED))
                    .as("%s", phase)
                    .isEqualTo(
                            switch (phase) {
                                case ACCEPTED, WILLING, TRANSFERRING, READY, MOVING, DONE -> true;
                                case SERVING, REFUSED, ABORTING, ABORTED, FATAL -> false;
                            });
            assertThat(acks.stream().anyMatch(ack -> ack.kind() == RankAck.Kind.ABORTED && ack.batch() == 1))
                    .isEqualTo(phase == RankPhase.ABORTED);
            assertThat(acks.stream().anyMatch(ack -> ack.kind() == RankAck.Kind.FATAL))
                    .isEqualTo(phase == RankPhase.FATAL);
        }
    }

    @Test
    void refusalSpeaksOfTheDecisionThatItIsOf() {
        for (Refusal refusal : Refusal.values()) {
            if (refusal != Refusal.BEHIND) {
                assertThat(said(state(RankPhase.REFUSED, 3, 0, refusal.ordinal(), 3, false)))
                        .containsExactly("rank 2 REFUSED 3: " + refusal + " at step 64");
            }
            assertThat(said(state(RankPhase.ACCEPTED, 3, 0, refusal.ordinal(), 4, false)))
                    .containsExactly("rank 2 ACCEPTED 3 at step 64", "rank 2 REFUSED 4: " + refusal + " at step 64");
        }
    }

    @Test
    void transferThatFailedNamesWhomItFailedWith() {
        RankState failed = new RankState(
                Fixture.INCARNATION,
                0,
                3,
                RankPhase.REFUSED,
                0,
                9,
                Refusal.TRANSFER_FAILED.ordinal(),
                false,
                3,
                64,
                3,
                9,
                false,
                0,
                1);

        assertThat(said(failed)).containsExactly("rank 2 REFUSED 3: TRANSFER_FAILED with rank 1 at step 64");
    }

    @Test
    void stoppingOfALaterDecisionIsNoStoppingOfThisOne() {
        assertThat(said(state(RankPhase.DONE, 3, 1, Refusal.BEHIND.ordinal(), 4, true)))
                .containsExactly(
                        "rank 2 ACCEPTED 3 at step 64",
                        "rank 2 FLIPPED 3 batch 1 at step 64",
                        "rank 2 REFUSED 4: BEHIND at step 64",
                        "rank 2 ABORTED 4 after batch 0 at step 64");
        assertThat(said(state(RankPhase.REFUSED, 3, 0, Refusal.NO_MEMORY.ordinal(), 3, true)))
                .as("it waits until its last vote is resolved")
                .containsExactly("rank 2 REFUSED 3: NO_MEMORY at step 64");
    }

    @Test
    void refusalOfANewerLibraryIsNamed() {
        assertThatThrownBy(() -> said(state(RankPhase.REFUSED, 3, 0, 11, 3, false)))
                .hasMessageContaining("refusal 11")
                .hasMessageContaining("newer than this worker's");
    }

    private static List<String> said(RankState state) {
        return ACKS.of(state, batch -> Optional.empty()).stream()
                .map(RankAck::summary)
                .toList();
    }

    private static RankState state(
            RankPhase phase, int epoch, int flipped, int refusal, int refusedEpoch, boolean stopped) {
        return new RankState(
                Fixture.INCARNATION,
                0,
                epoch,
                phase,
                flipped,
                9,
                refusal,
                phase == RankPhase.FATAL,
                3,
                64,
                refusedEpoch,
                11,
                stopped,
                0,
                -1);
    }
}
