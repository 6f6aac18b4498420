package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.SlotId;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanLogTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final Batch BATCH =
            new Batch(1, List.of(new Move(new LayerId(0), new SlotId(0), new ExpertId(1), new SlotId(1))));

    private final PlanLog log = new PlanLog();
    private long number;

    @Test
    void decisionsOfAnIncarnationThatHasPassedAreForgotten() {
        decided(1, 1);
        decided(1, 2);
        log.add(proposal(2, 3));

        assertThat(log.proposal(1)).isEmpty();
        assertThat(log.proposal(2)).isEmpty();
        assertThat(log.lastProposal(1)).isEmpty();
        assertThat(log.lastSettled(1)).isEmpty();
        assertThat(log.lastProposal(2)).map(Propose::epoch).hasValue(3);
    }

    @Test
    void numbersGoOnOverIncarnations() {
        decided(1, 7);
        log.add(new PlanCommand.Term(new PlanHeader(DEPLOYMENT, 2, 4, ++number), "next"));

        assertThat(log.lastEpoch()).isEqualTo(7);
        assertThat(log.term()).isEqualTo(4);
        assertThat(log.number()).isEqualTo(number);
    }

    @Test
    void aDecisionWithoutAnEndOutlivesItsIncarnationUntilItIsVoided() {
        Propose left = proposal(1, 1);
        log.add(left);
        log.add(new PlanCommand.Term(new PlanHeader(DEPLOYMENT, 2, 2, ++number), "next"));

        assertThat(log.inFlight()).hasValue(left);

        // It is voided under its own incarnation, which must not bring that back.
        log.add(new PlanCommand.Void(new PlanHeader(DEPLOYMENT, 1, 2, ++number), 1, "incarnation 2 began"));
        log.add(proposal(2, 2));

        assertThat(log.inFlight()).map(Propose::epoch).hasValue(2);
        assertThat(log.proposal(1)).isEmpty();
    }

    private void decided(long incarnation, int epoch) {
        log.add(proposal(incarnation, epoch));
        log.add(new PlanCommand.Settled(new PlanHeader(DEPLOYMENT, incarnation, 1, ++number), epoch, 1, true, 0));
    }

    private Propose proposal(long incarnation, int epoch) {
        PlanHeader header = new PlanHeader(DEPLOYMENT, incarnation, 1, ++number);
        return new Propose(header, epoch, 0, 0, List.of(BATCH), 1, 0.5, 0.9, "plimsoll", "test");
    }
}
