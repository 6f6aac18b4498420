package dev.plimsoll.app.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Patience;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Sight;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.planner.protocol.Transition;
import dev.plimsoll.replay.source.Dated;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The stage that is read from the log is the planner's own, whatever ranks say and whenever another planner takes over. */
class StageFromTheLogTest {
    private static final int SEEDS = 300;
    private static final int EVENTS = 60;

    private final DecisionProtocol protocol = new DecisionProtocol(new Patience(10, 10, 10), "test");

    private Random random = new Random(0);
    private Membership members = MadeUpDeployment.members("demo", 1, GatherMode.HOST);
    private List<Dated<PlanCommand>> plan = new ArrayList<>();
    private List<Dated<SettledPlacement>> kept = new ArrayList<>();
    private List<Dated<RankAck>> acks = new ArrayList<>();
    private List<Dated<ControlRecord>> control = new ArrayList<>();
    private long millis;
    private PlannerState state = take(protocol.takeOver(new PlanLog(), List.of(), members, at(0)));
    private final Map<DeploymentStage, Integer> seen = new EnumMap<>(DeploymentStage.class);

    @Test
    void stageReadFromTheLogIsThePlannersOwn() {
        for (int seed = 0; seed < SEEDS; seed++) {
            begin(seed);
            for (int event = 0; event < EVENTS; event++) {
                step();
                DeploymentStory story = DeploymentStory.of(new DeploymentLog(
                        members, plan, true, kept, acks, List.of(), control, Optional.empty(), Optional.empty()));
                assertThat(story.stage())
                        .as("seed %d, event %d, %s: %s", seed, event, state.stage(), plan)
                        .isEqualTo(stage());
                assertThat(story.settled()).contains(state.settled());
                assertThat(story.inFlight().map(DecisionStory::epoch))
                        .isEqualTo(state.stage().inFlight().map(Propose::epoch));
                seen.merge(story.stage(), 1, Integer::sum);
            }
        }
        assertThat(seen.keySet())
                .contains(
                        DeploymentStage.IDLE,
                        DeploymentStage.WAITING_FOR_APPROVAL,
                        DeploymentStage.PROPOSED,
                        DeploymentStage.RUNNING,
                        DeploymentStage.ABORTING,
                        DeploymentStage.QUARANTINED);
    }

    private DeploymentStage stage() {
        Stage stage = state.stage();
        if (stage instanceof Stage.Proposed proposed) {
            return proposed.approval().awaited() ? DeploymentStage.WAITING_FOR_APPROVAL : DeploymentStage.PROPOSED;
        } else if (stage instanceof Stage.Running) {
            return DeploymentStage.RUNNING;
        } else if (stage instanceof Stage.Aborting) {
            return DeploymentStage.ABORTING;
        }
        return stage instanceof Stage.Quarantined ? DeploymentStage.QUARANTINED : DeploymentStage.IDLE;
    }

    private void begin(int seed) {
        random = new Random(seed);
        members = MadeUpDeployment.members("demo", 1, GatherMode.HOST);
        plan = new ArrayList<>();
        kept = new ArrayList<>();
        acks = new ArrayList<>();
        control = new ArrayList<>();
        state = take(protocol.takeOver(new PlanLog(), List.of(), members, at(0)));
    }

    private void step() {
        int what = random.nextInt(100);
        if (what < 3) {
            members = MadeUpDeployment.members("demo", members.incarnation() + 1, GatherMode.HOST);
            state = take(protocol.apply(state, new Event.Began(members), at(0)));
        } else if (what < 10) {
            takeOver();
        } else if (what < 15) {
            state = take(protocol.apply(state, new Event.TimePassed(), at(100)));
        } else if (what < 18) {
            state = take(protocol.apply(state, new Event.OperatorAbort("test"), at(0)));
        } else if (what < 22) {
            state = take(protocol.apply(state, new Event.OperatorVoid(Sight.NONE, "test"), at(0)));
        } else if (what < 40
                && state.stage() instanceof Stage.Proposed proposed
                && proposed.approval().awaited()) {
            say(proposed.decision().epoch());
        } else if (state.stage().inFlight().isEmpty()) {
            state = take(protocol.apply(state, offer(), at(0)));
        } else {
            RankAck ack = ack(state.stage().inFlight().orElseThrow());
            acks.add(new Dated<>(ack, acks.size(), millis++));
            state = take(protocol.apply(state, new Event.Acked(ack), at(0)));
        }
    }

    /** A person approves or rejects, and the planner answers in the transaction of what follows. */
    private void say(int epoch) {
        boolean yes = random.nextInt(3) > 0;
        String id = "command-" + control.size();
        control.add(new Dated<>(
                new Control(
                        members.deployment(),
                        id,
                        millis,
                        "ada",
                        "test",
                        OptionalInt.empty(),
                        yes ? new ControlAction.Approve(epoch) : new ControlAction.Reject(epoch)),
                control.size(),
                millis));
        state = take(protocol.apply(state, yes ? new Event.Approved(epoch) : new Event.Rejected(epoch, "test"), at(0)));
        control.add(new Dated<>(
                new ControlAnswer(
                        members.deployment(),
                        members.incarnation(),
                        id,
                        ControlAnswer.Verdict.DONE,
                        "test",
                        OptionalInt.of(epoch),
                        state.settled().version()),
                control.size(),
                millis));
    }

    /** Another planner does as a recovery does. */
    private void takeOver() {
        TreeMap<Integer, SettledPlacement> newest = new TreeMap<>();
        kept.forEach(record -> newest.put(record.value().layer(), record.value()));
        ControlState said = ControlState.of(control.stream().map(Dated::value).toList());
        state = take(protocol.takeOver(
                PlanLog.of(plan.stream().map(Dated::value).toList()),
                List.copyOf(newest.values()),
                members,
                epoch -> said.approved().containsKey(epoch),
                at(0)));
        for (Dated<RankAck> ack : acks) {
            state = take(protocol.apply(state, new Event.Acked(ack.value()), at(0)));
        }
    }

    private Event.Offer offer() {
        List<Batch> batches = new ArrayList<>();
        for (int layer = 0; layer < 2; layer++) {
            int[] experts = state.settled().layer(layer);
            batches.add(new Batch(layer + 1, List.of(move(layer, 0, experts[2], 2), move(layer, 2, experts[0], 0))));
        }
        return new Event.Offer(
                state.settled().version(),
                batches,
                0,
                0.5,
                0.9,
                "test",
                "test",
                PlanReasons.NONE,
                Optional.empty(),
                Optional.empty(),
                new Origin(random.nextBoolean(), Optional.empty()));
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    /** Mostly what ranks say in that stage. */
    private RankAck ack(Propose decision) {
        RankAck.Kind kind = usual();
        int what = random.nextInt(100);
        if (what < 8) {
            kind = RankAck.Kind.values()[random.nextInt(RankAck.Kind.values().length)];
        }
        int batch = switch (kind) {
            case FLIPPED -> 1 + random.nextInt(2);
            case ABORTED -> random.nextInt(10) == 0 ? 1 : 0;
            default -> 0;
        };
        return new RankAck(
                members.deployment(),
                members.incarnation(),
                new RankId(random.nextInt(2)),
                decision.epoch(),
                kind,
                batch,
                kind == RankAck.Kind.REFUSED ? Optional.of(Refusal.BUSY) : Optional.empty(),
                decision.planHash() + (random.nextInt(60) == 0 ? 1 : 0),
                1);
    }

    private RankAck.Kind usual() {
        if (state.stage() instanceof Stage.Proposed) {
            return RankAck.Kind.ACCEPTED;
        }
        return state.stage() instanceof Stage.Running ? RankAck.Kind.FLIPPED : RankAck.Kind.ABORTED;
    }

    private PlannerState take(Transition transition) {
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                plan.add(new Dated<>(write.command(), plan.size(), millis++));
            } else if (effect instanceof Effect.Settle settle) {
                kept.add(new Dated<>(settle.placement(), kept.size(), kept.size()));
            }
        }
        return transition.state();
    }

    private static Moment at(long millis) {
        return new Moment(millis, 1_000 * millis, false);
    }
}
