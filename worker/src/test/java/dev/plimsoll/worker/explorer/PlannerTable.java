package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Origin;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.protocol.Approval;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Due;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.planner.protocol.Transition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The planner's protocol over numbers of states: what was asked once is remembered, for the protocol is a function.
 *
 * <p>When something is due and why something was stopped is left out of states and commands: time passes here whenever the explorer
 * says so, and nothing depends on a reason.
 */
final class PlannerTable {
    static final Moment NOW = new Moment(0, 0, false);
    static final Moment LATE = new Moment(1_000_000, 1_000_000, false);
    private static final Due DUE = new Due(1, 1);

    /**
     * What a planner does in one transaction.
     *
     * @param settled what it keeps, by layer; empty where it keeps nothing new
     */
    record Act(int planner, List<PlanCommand> commands, List<SettledPlacement> settled) {}

    /** What of a rank's acks reaches the planner now. */
    private enum Arrival {
        NONE,
        ALL,
        /** The newest first. */
        BACKWARDS,
        /** What a rank said before something went wrong; the rest is on its way. */
        GOOD_NEWS
    }

    private record Start(int log, int kept, int life, int approved) {}

    private record Asked(int planner, Object event) {}

    private final DecisionProtocol protocol;
    private final Lives lives;
    private final Log.Root logs;
    private final RankTable ranks;
    private final Origin origin;
    private final Table<PlannerState> states = new Table<>();
    private final Table<List<SettledPlacement>> kept = new Table<>();
    private final Map<Start, Act> starts = new HashMap<>();
    private final Map<Asked, Act> applied = new HashMap<>();
    private final Map<Asked, List<Act>> heard = new HashMap<>();
    private final Map<List<SettledPlacement>, Map<Integer, Integer>> keeping = new IdentityHashMap<>();
    private final Map<Long, Act> offered = new HashMap<>();
    final int nothingKept = kept.number(List.of());

    PlannerTable(DecisionProtocol protocol, Lives lives, Log.Root logs, RankTable ranks, boolean needsApproval) {
        origin = new Origin(needsApproval, Optional.empty());
        this.protocol = protocol;
        this.lives = lives;
        this.logs = logs;
        this.ranks = ranks;
    }

    PlannerState state(int number) {
        return states.value(number);
    }

    int size() {
        return states.size();
    }

    List<SettledPlacement> kept(int number) {
        return kept.value(number);
    }

    /** What is kept once more was. */
    int keep(int number, List<SettledPlacement> settled) {
        if (settled.isEmpty()) {
            return number;
        }
        return keeping.computeIfAbsent(settled, unused -> new HashMap<>()).computeIfAbsent(number, before -> {
            Map<Integer, SettledPlacement> byLayer = new TreeMap<>();
            kept.value(before).forEach(record -> byLayer.put(record.layer(), record));
            settled.forEach(record -> byLayer.put(record.layer(), record));
            return kept.number(List.copyOf(byLayer.values()));
        });
    }

    /** Offers a decision of a life, the first, second… of it. */
    Act offer(int planner, int life, int number) {
        return offered.computeIfAbsent(((long) planner << 16 | life) << 16 | number, unused -> {
            int basedOn = state(planner).settled().version();
            return apply(
                    planner,
                    new Event.Offer(
                            basedOn,
                            lives.decisions().get(life).get(number),
                            1,
                            0.5,
                            0.9,
                            "test",
                            "it pays",
                            PlanReasons.NONE,
                            Optional.empty(),
                            Optional.empty(),
                            origin));
        });
    }

    /** @param approved epochs of which a person approved, one bit each */
    Act takeOver(int log, int keptNumber, int life, int approved) {
        return starts.computeIfAbsent(new Start(log, keptNumber, life, approved), start -> begin(start));
    }

    private Act begin(Start start) {
        Log log = logs.number(start.log());
        Act act = begin(start, log.folded);
        long incarnation = lives.of(start.life()).incarnation();
        boolean foreign = log.folded
                .inFlight()
                .filter(decision -> decision.header().incarnation() != incarnation)
                .isPresent();
        if (!foreign) {
            for (PlanLog read : Restarts.of(log, lives.of(start.life()))) {
                Act other = begin(start, read);
                if (!other.equals(act)) {
                    throw new Violation(
                            "P6 truth",
                            "a successor that does not read from the beginning begins with " + other
                                    + ", one that does with " + act);
                }
            }
        }
        return act;
    }

    private Act begin(Start start, PlanLog read) {
        return act(protocol.takeOver(
                read,
                kept.value(start.kept()),
                lives.of(start.life()),
                epoch -> (start.approved() >> epoch & 1) != 0,
                NOW));
    }

    Act apply(int planner, Event event) {
        Asked asked = new Asked(planner, event);
        Act known = applied.get(asked);
        if (known == null) {
            Moment now = event instanceof Event.TimePassed ? LATE : NOW;
            known = act(protocol.apply(states.value(planner), event, now));
            applied.put(asked, known);
        }
        return known;
    }

    /**
     * All that a planner may do for what ranks have said, whatever of it has reached it. An ack that leads to nothing is as if it had
     * not come yet, so only that counts which makes the planner write or gives up.
     */
    List<Act> hear(int planner, int[] said) {
        Asked asked = new Asked(planner, List.of(said[0], said[1], said[2]));
        List<Act> known = heard.get(asked);
        if (known == null) {
            known = hearAll(planner, said);
            heard.put(asked, known);
        }
        return known;
    }

    private List<Act> hearAll(int planner, int[] said) {
        Set<Act> acts = new LinkedHashSet<>();
        Arrival[] all = Arrival.values();
        for (int way = 0; way < all.length * all.length * all.length; way++) {
            Act act = new Act(planner, List.of(), List.of());
            int left = way;
            for (int number : said) {
                act = arrive(act, ranks.said(number), all[left % all.length]);
                left /= all.length;
            }
            boolean gaveUp = state(act.planner()).stage() instanceof Stage.Quarantined
                    && !(state(planner).stage() instanceof Stage.Quarantined);
            if (!act.commands().isEmpty() || gaveUp) {
                acts.add(act);
            }
        }
        return List.copyOf(acts);
    }

    private Act arrive(Act before, List<RankAck> said, Arrival arrival) {
        List<RankAck> acks = new ArrayList<>();
        if (arrival != Arrival.NONE) {
            acks.addAll(said);
            acks.sort(Comparator.comparing(RankAck::epoch)
                    .thenComparing(PlannerTable::when)
                    .thenComparing(RankAck::batch));
        }
        if (arrival == Arrival.BACKWARDS) {
            Collections.reverse(acks);
        } else if (arrival == Arrival.GOOD_NEWS) {
            acks.removeIf(ack -> when(ack) > 1);
        }
        Act after = before;
        for (RankAck ack : acks) {
            Act next = apply(after.planner(), new Event.Acked(ack));
            List<PlanCommand> commands = new ArrayList<>(after.commands());
            commands.addAll(next.commands());
            List<SettledPlacement> settled = new ArrayList<>(after.settled());
            settled.addAll(next.settled());
            after = new Act(next.planner(), commands, settled);
        }
        return after;
    }

    private static int when(RankAck ack) {
        return switch (ack.kind()) {
            case ACCEPTED -> 0;
            case FLIPPED -> 1;
            case REFUSED -> 2;
            case ABORTED -> 3;
            case FATAL -> 4;
        };
    }

    private Act act(Transition transition) {
        List<PlanCommand> commands = new ArrayList<>();
        List<SettledPlacement> settled = new ArrayList<>();
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                commands.add(withoutReason(write.command()));
            } else if (effect instanceof Effect.Settle settle) {
                settled.add(settle.placement());
            }
        }
        return new Act(states.number(timeless(transition.state())), commands, settled);
    }

    private static PlanCommand withoutReason(PlanCommand command) {
        if (command instanceof PlanCommand.Abort abort) {
            return new PlanCommand.Abort(abort.header(), abort.epoch(), "");
        }
        if (command instanceof PlanCommand.Void end) {
            return new PlanCommand.Void(end.header(), end.epoch(), "", end.lastWindow());
        }
        return command;
    }

    private static PlannerState timeless(PlannerState state) {
        Stage stage = state.stage();
        if (stage instanceof Stage.Proposed proposed) {
            Approval approval = proposed.approval().awaited() ? new Approval(true, 1) : Approval.NONE;
            stage = new Stage.Proposed(proposed.decision(), proposed.evidence(), DUE, approval);
        } else if (stage instanceof Stage.Running running) {
            stage = new Stage.Running(running.decision(), running.evidence(), DUE);
        } else if (stage instanceof Stage.Aborting aborting) {
            stage = new Stage.Aborting(aborting.decision(), aborting.evidence(), DUE, "", aborting.permitted());
        } else if (stage instanceof Stage.Quarantined quarantined) {
            stage = new Stage.Quarantined(quarantined.decision(), "", quarantined.unlike(), quarantined.logged());
        }
        return new PlannerState(
                state.members(), state.settled(), state.term(), state.number(), state.lastEpoch(), stage);
    }
}
