package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankAck.Kind;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RefusedDecisionTest {
    private static final Membership MEMBERS = SmallDeployment.members(1);
    /** No deadline passes. */
    private static final Moment NOW = new Moment(0, 0, false);

    private static final Batch BATCH = new Batch(1, List.of(move(0, 1, 3, 3), move(0, 3, 1, 1)));

    private final List<PlanCommand> log = new ArrayList<>();
    private final DecisionProtocol protocol = new DecisionProtocol(new Patience(1_000, 1_000, 1_000), "test");
    private PlannerState state;

    RefusedDecisionTest() {
        take(protocol.takeOver(new PlanLog(), List.of(), MEMBERS, NOW));
    }

    @Test
    void decisionThatOneRankRefusesIsVoidWhateverTheReasonAndTheOrderOfAcks() {
        for (long seed = 0; seed < 300; seed++) {
            RefusedDecisionTest world = new RefusedDecisionTest();
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            Refusal refusal = Refusal.values()[(int) (seed % Refusal.values().length)];
            Propose before = world.settled();
            Propose refused = world.offer();
            List<RankAck> said = new ArrayList<>(List.of(
                    world.ack(0, refused.epoch(), Kind.ACCEPTED),
                    world.ack(1, refused.epoch(), Kind.ACCEPTED),
                    refused(2, refused.epoch(), refusal)));
            for (int rank = 0; rank < 3; rank++) {
                // A deaf rank's worker may see PROPOSE and ABORT at once.
                said.add(world.ack(rank, refused.epoch(), Kind.ABORTED));
                said.add(world.ack(rank, before.epoch(), Kind.ABORTED));
                said.add(refused(rank, before.epoch(), Refusal.BUSY));
                said.add(refused(rank, refused.epoch() + 1, Refusal.BEHIND));
                said.add(world.ack(rank, refused.epoch() + 1, Kind.ABORTED));
            }
            said.addAll(List.copyOf(said));
            Collections.shuffle(said, random);

            said.forEach(world::hear);

            assertThat(world.state.stage()).as("seed %d: %s", seed, world.log).isInstanceOf(Stage.Idle.class);
            assertThat(world.log.get(world.log.size() - 1))
                    .as("seed %d", seed)
                    .isInstanceOfSatisfying(
                            PlanCommand.Void.class,
                            end -> assertThat(end.epoch()).isEqualTo(refused.epoch()));
            assertThat(world.state.settled().version()).isEqualTo(before.epoch());
            assertThat(world.settled().epoch()).as("the next one goes through").isEqualTo(refused.epoch() + 1);
        }
    }

    @Test
    void whatIsSaidOfOtherDecisionsChangesNothingOfTheOneInFlight() {
        Propose before = settled();
        Propose refused = offer();
        PlannerState inFlight = state;

        for (int rank = 0; rank < 3; rank++) {
            hear(refused(rank, before.epoch(), Refusal.DEAF));
            hear(ack(rank, before.epoch(), Kind.ABORTED));
            hear(refused(rank, refused.epoch() + 1, Refusal.BUSY));
            hear(ack(rank, refused.epoch() + 1, Kind.ABORTED));
        }

        assertThat(state).isEqualTo(inFlight);
    }

    @Test
    void decisionOfAnEarlierReleaseThatIsInFlightIsTakenOverAndCarriedToItsEnd() {
        Propose made = offer();
        Propose old = new Propose(
                made.header(),
                made.epoch(),
                made.basedOn(),
                state.settled().with(made.epoch(), BATCH).hash(),
                made.batches(),
                1,
                0.5,
                0.9,
                "test",
                "it pays");
        assertThat(old.planHash()).isNotEqualTo(made.planHash());
        PlanLog past = PlanLog.of(List.of(log.get(0), old));
        List<SettledPlacement> kept = new ArrayList<>();
        for (int layer = 0; layer < MEMBERS.shape().layers(); layer++) {
            kept.add(SettledPlacement.of(
                    MEMBERS.deployment(),
                    1,
                    state.settled(),
                    layer,
                    state.settled().hash()));
        }
        log.clear();

        take(protocol.takeOver(past, kept, MEMBERS, NOW));
        for (int rank = 0; rank < 3; rank++) {
            hear(said(rank, old, Kind.ACCEPTED, 0));
        }
        for (int rank = 0; rank < 3; rank++) {
            hear(said(rank, old, Kind.FLIPPED, 1));
        }

        assertThat(log).hasSize(3).last().isInstanceOf(PlanCommand.Settled.class);
    }

    private static RankAck said(int rank, Propose decision, Kind kind, int batch) {
        return new RankAck(
                MEMBERS.deployment(),
                1,
                new RankId(rank),
                decision.epoch(),
                kind,
                batch,
                Optional.empty(),
                decision.planHash(),
                16);
    }

    /** Of a plan that the rank need not have seen. */
    private RankAck ack(int rank, int epoch, Kind kind) {
        long hash = log.stream()
                .filter(command -> command instanceof Propose made && made.epoch() == epoch)
                .map(command -> ((Propose) command).planHash())
                .findFirst()
                .orElse(7L);
        return new RankAck(MEMBERS.deployment(), 1, new RankId(rank), epoch, kind, 0, Optional.empty(), hash, 16);
    }

    private static RankAck refused(int rank, int epoch, Refusal why) {
        return new RankAck(MEMBERS.deployment(), 1, new RankId(rank), epoch, Kind.REFUSED, 0, Optional.of(why), 7, 16);
    }

    /** Swaps two experts of a layer, and back again the next time. */
    private Propose offer() {
        int[] held = state.settled().layer(0);
        take(protocol.apply(
                state,
                new Event.Offer(
                        state.settled().version(),
                        List.of(new Batch(1, List.of(move(0, 1, held[3], 3), move(0, 3, held[1], 1)))),
                        1,
                        0.5,
                        0.9,
                        "test",
                        "it pays",
                        PlanReasons.NONE),
                NOW));
        return (Propose) log.get(log.size() - 1);
    }

    /** One that all ranks have carried out. */
    private Propose settled() {
        Propose decision = offer();
        for (int rank = 0; rank < 3; rank++) {
            hear(said(rank, decision, Kind.ACCEPTED, 0));
        }
        for (int rank = 0; rank < 3; rank++) {
            hear(said(rank, decision, Kind.FLIPPED, 1));
        }
        assertThat(log.get(log.size() - 1)).isInstanceOf(PlanCommand.Settled.class);
        return decision;
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    private void take(Transition transition) {
        state = transition.state();
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                log.add(write.command());
            }
        }
    }

    private void hear(RankAck ack) {
        take(protocol.apply(state, new Event.Acked(ack), NOW));
    }
}
