package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankAck.Kind;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.planner.protocol.Served.Segment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A planner that takes over knows of the decision in flight what its predecessor knew. */
class SuccessorTest {
    private static final Membership MEMBERS = SmallDeployment.members(1);
    private static final Moment NOW = new Moment(0, 0, false);

    private final DecisionProtocol protocol = new DecisionProtocol(new Patience(10, 10, 10), "test");
    private final List<PlanCommand> log = new ArrayList<>();
    private final TreeMap<Integer, SettledPlacement> kept = new TreeMap<>();
    private final List<RankAck> acks = new ArrayList<>();
    private PlannerState state = take(protocol.takeOver(new PlanLog(), List.of(), MEMBERS, NOW));

    @Test
    void quarantineForAFlipThatNobodyPermittedIsKnownFromThePlanLogAlone() {
        offer();
        say(1, Kind.FLIPPED, 1, 0);
        assertThat(state.stage()).isInstanceOf(Stage.Quarantined.class);

        // Acks are kept for a quarter of the time for which the plan log is.
        Transition successor = protocol.takeOver(PlanLog.of(log), List.copyOf(kept.values()), MEMBERS, NOW);

        assertThat(successor.state().stage()).isEqualTo(state.stage());
        assertThat(successor.effects())
                .as("whoever reads of one planner only hears of it")
                .contains(new Effect.Alarm(((Stage.Quarantined) state.stage()).reason()));
    }

    @Test
    void flipThatNobodyPermittedIsOneAlsoWhereTheDecisionIsBeingStopped() {
        offer();
        apply(new Event.OperatorAbort("asked"));

        say(1, Kind.FLIPPED, 1, 0);

        assertThat(state.stage())
                .isInstanceOfSatisfying(
                        Stage.Quarantined.class,
                        found -> assertThat(found.reason()).startsWith("rank 1 flipped what was not permitted"));
    }

    @Test
    void whatAPersonWritesAsTheirReasonQuarantinesNothing() {
        offer();
        apply(new Event.OperatorAbort("rank 1 flipped what was not permitted: says bob"));

        assertThat(successor().stage()).isInstanceOf(Stage.Aborting.class);
    }

    @Test
    void successorTellsAnOperatorWhatItsPredecessorTold() {
        Map<String, Integer> seen = new HashMap<>();
        for (int seed = 0; seed < 400; seed++) {
            SuccessorTest world = new SuccessorTest();
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            for (int event = 0; event < 25; event++) {
                world.step(random);
                PlannerState successor = world.successor();
                Stage stage = world.state.stage();
                assertThat(told(successor))
                        .as("seed %d, event %d: %s, %s", seed, event, world.log, world.acks)
                        .isEqualTo(told(world.state));
                seen.merge(stage.getClass().getSimpleName(), 1, Integer::sum);
                if (stage instanceof Stage.Quarantined quarantined) {
                    seen.merge(
                            quarantined.reason().startsWith("ranks disagree") ? "disagree" : "unasked",
                            1,
                            Integer::sum);
                }
            }
        }
        assertThat(seen).containsKeys("Idle", "Proposed", "Running", "Aborting", "disagree", "unasked");
    }

    /** All that commands are judged by, and people told. */
    private static List<Object> told(PlannerState state) {
        List<Object> told = new ArrayList<>();
        Stage stage = state.stage();
        told.add(stage.getClass());
        told.add(stage.inFlight());
        told.add(stage.acks());
        told.add(state.settled());
        if (stage instanceof Stage.Quarantined quarantined) {
            told.add(quarantined.reason());
        }
        for (PlacementState served : List.of(
                PlacementState.settled(state.settled().version()),
                new PlacementState(0, 1, 1),
                PlacementState.settled(state.lastEpoch()))) {
            Served window =
                    new Served(new StepRange(7, 15), List.of(), List.of(new Segment(served, List.of(new RankId(0)))));
            told.add(WayOut.of(state, new Sight(Optional.of(window), Optional.of(window), OptionalLong.empty())));
            told.add(WayOut.of(state, new Sight(Optional.of(window), Optional.of(window), OptionalLong.of(7))));
        }
        told.add(WayOut.of(state, Sight.NONE));
        return told;
    }

    private void step(Random random) {
        int what = random.nextInt(100);
        if (state.stage() instanceof Stage.Idle) {
            offer();
        } else if (what < 4) {
            apply(new Event.OperatorAbort("asked"));
        } else if (what < 8) {
            take(protocol.apply(state, new Event.TimePassed(), new Moment(100, 100, false)));
        } else {
            Kind kind =
                    random.nextInt(8) == 0 ? Kind.values()[random.nextInt(Kind.values().length)] : usual(state.stage());
            int batch = kind == Kind.FLIPPED
                    ? 1 + random.nextInt(2)
                    : kind == Kind.ABORTED && random.nextInt(6) == 0 ? 1 : 0;
            say(random.nextInt(3), kind, batch, random.nextInt(60) == 0 ? 1 : 0);
        }
    }

    private static Kind usual(Stage stage) {
        if (stage instanceof Stage.Proposed) {
            return Kind.ACCEPTED;
        }
        return stage instanceof Stage.Running ? Kind.FLIPPED : Kind.ABORTED;
    }

    /** By the logs as they are, as a recovery does it. */
    private PlannerState successor() {
        PlannerState successor = protocol.takeOver(PlanLog.of(log), List.copyOf(kept.values()), MEMBERS, NOW)
                .state();
        for (RankAck ack : acks) {
            successor = protocol.apply(successor, new Event.Acked(ack), NOW).state();
        }
        return successor;
    }

    private void offer() {
        List<Batch> batches = new ArrayList<>();
        for (int layer = 0; layer < 2; layer++) {
            int[] experts = state.settled().layer(layer);
            Move move = new Move(new LayerId(layer), new SlotId(5), new ExpertId(experts[1]), new SlotId(1));
            Move back = new Move(new LayerId(layer), new SlotId(1), new ExpertId(experts[5]), new SlotId(5));
            batches.add(new Batch(layer + 1, List.of(move, back)));
        }
        apply(new Event.Offer(state.settled().version(), batches, 1, 0.5, 0.9, "test", "it pays", PlanReasons.NONE));
    }

    private void say(int rank, Kind kind, int batch, int wrong) {
        Propose decision = state.stage().inFlight().orElseThrow();
        RankAck ack = new RankAck(
                MEMBERS.deployment(),
                1,
                new RankId(rank),
                decision.epoch(),
                kind,
                batch,
                kind == Kind.REFUSED ? Optional.of(Refusal.BUSY) : Optional.empty(),
                decision.planHash() + wrong,
                7);
        acks.add(ack);
        apply(new Event.Acked(ack));
    }

    private void apply(Event event) {
        take(protocol.apply(state, event, NOW));
    }

    private PlannerState take(Transition transition) {
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                log.add(write.command());
            } else if (effect instanceof Effect.Settle settle) {
                kept.put(settle.placement().layer(), settle.placement());
            }
        }
        state = transition.state();
        return state;
    }
}
