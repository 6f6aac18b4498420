package dev.plimsoll.worker.explorer;

import static dev.plimsoll.worker.explorer.Power.FAIL_TRANSFER;
import static dev.plimsoll.worker.explorer.Power.MISS_END;
import static dev.plimsoll.worker.explorer.Power.STOP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.worker.Acks;
import dev.plimsoll.worker.Fixture;
import dev.plimsoll.worker.OrderHeads;
import dev.plimsoll.worker.Orders;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Whatever a rank is at, it says something to whoever proposes. */
class AnswersTest {
    private final RankMachine machine = new RankMachine();

    /**
     * A proposal that no planner should write now is answered, its end too, and what the rank is at goes on as if nothing had come.
     * (Java's rules dropped it with a note.)
     */
    @Test
    void everyStateAnswersAProposalOutOfTurnAndGoesOn() {
        Set<RankWords> states = states();
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
                                    first,
                                    epoch,
                                    Fixture.INITIAL.withVersion(words.intAt(Word.SETTLED_VERSION)),
                                    Plans.SMALL))))
                    .words();
            RankWords stopped = machine.on(
                            told, RankEvent.order(OrderHeads.of(new PlanCommand.Abort(second, epoch, "stray"))))
                    .words();
            boolean accepted = says(told, epoch, RankAck.Kind.ACCEPTED);
            boolean refused = says(told, epoch, RankAck.Kind.REFUSED);

            assertThat(accepted != refused).as("an answer of %s", words).isTrue();
            assertThat(says(stopped, epoch, RankAck.Kind.ABORTED))
                    .as("the end of it in %s", stopped)
                    .isTrue();
            if (refused && told.epoch() < epoch) {
                busy++;
                assertThat(goingOn(stopped)).isEqualTo(goingOn(words));
                assertThat(machine.vote(stopped)).isEqualTo(machine.vote(words));
            }
        }
        assertThat(busy).isGreaterThan(states.size() / 4);
    }

    private static Set<RankWords> states() {
        Set<RankWords> states = new LinkedHashSet<>();
        for (Scope scope : List.of(
                Scope.of(Powers.NONE.with(STOP).with(FAIL_TRANSFER), Plans.ONE),
                Scope.of(Powers.NONE.with(STOP).with(FAIL_TRANSFER), Plans.WHOLE)
                        .whereEnginesMove(),
                Scope.of(Powers.NONE.with(STOP).with(MISS_END), Plans.TWO_SMALL))) {
            scope.ranks.witness = (before, event, turn) -> states.add(turn.words());
            assertThat(Explorer.explore(scope).broken()).isEmpty();
        }
        return states;
    }

    /** That nothing of it was flipped, where it says that it has stopped. */
    private boolean says(RankWords words, int epoch, RankAck.Kind kind) {
        return Acks.of(Fixture.MEMBERS, 0, machine.describe(words, 0), Orders.begin(Fixture.MEMBERS)).stream()
                .anyMatch(ack -> ack.epoch() == epoch && ack.kind() == kind && ack.batch() == 0);
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
}
