package dev.plimsoll.worker;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.DriverEffect;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.worker.Seen.What;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The logs of a simulation as they were committed: who writes to them must hold the fence, and may write only what is true. */
final class SimulatedLogs {
    /** What {@link DecisionSimulation#PATIENCE} gives, less what a planner may be behind in counting. */
    private static final int LEAST_WAIT = 9;

    final List<PlanCommand> plan = new ArrayList<>();
    final List<ControlRecord> control = new ArrayList<>();
    final List<RankAck> acks = new ArrayList<>();
    final List<WindowSummary> windows = new ArrayList<>();
    final TreeMap<Integer, SettledPlacement> kept = new TreeMap<>();
    private final Map<Integer, List<Batch>> decisions = new HashMap<>();
    private final Set<Integer> permitted = new HashSet<>();
    private final Map<Integer, Integer> ended = new HashMap<>();
    private final PlanLog folded = new PlanLog();
    private final ControlRules people;
    private final Seen seen;
    private final Consumer<PlanCommand> arrived;
    private int fence;
    /** That ranks have passed. */
    private long boundary;
    /** Boundary at which ranks were last given something to wait for. */
    private long waitsSince;

    /** @param arrived hears of every command that is in the log */
    SimulatedLogs(Seen seen, Consumer<PlanCommand> arrived) {
        this.seen = seen;
        this.arrived = arrived;
        people = new ControlRules(seen);
    }

    void reached(long next) {
        boundary = next;
    }

    /** Who writes next; whoever wrote before cannot any more. */
    int fence() {
        return ++fence;
    }

    boolean holds(int token) {
        return token == fence;
    }

    PlanLog read() {
        return PlanLog.of(plan);
    }

    /** What the plan log comes to; not to be added to. */
    PlanLog folded() {
        return folded;
    }

    ControlState people() {
        return people.state();
    }

    void say(Control command) {
        control.add(command);
        people.said(command);
    }

    void closed(WindowSummary window) {
        seen.saw(window.complete() ? What.WINDOW : What.INCOMPLETE_WINDOW);
        windows.add(window);
    }

    List<Batch> batches(int epoch) {
        List<Batch> batches = decisions.get(epoch);
        if (batches == null) {
            throw new AssertionError("P3: a rank carries out decision " + epoch + ", which nobody proposed");
        }
        return batches;
    }

    /** P3 and P6: what is flipped was permitted, and is not more than what a decision has ended with. */
    void requireMayFlip(int epoch, int batch, Membership members) {
        if (!permitted.contains(epoch)) {
            throw new AssertionError("P3: a rank flips batch " + batch + " of decision " + epoch
                    + ", which nobody permitted, in incarnation " + members.incarnation());
        }
        Integer end = ended.get(epoch);
        if (end != null && batch > end) {
            throw new AssertionError("P6: a rank flips batch " + batch + " of decision " + epoch
                    + ", which has ended with " + end + ", in incarnation " + members.incarnation());
        }
    }

    /** What somebody was told must have been committed. */
    void requireTold(PlanCommand command) {
        long number = command.header().number();
        require(
                number <= plan.size() && plan.get((int) number - 1).equals(command),
                command,
                "what is told is in the log");
    }

    /**
     * One step of a transaction.
     *
     * @param group the ranks as they are, whatever the planner knows of them
     * @param begins whether it is the first of a reign
     */
    void write(List<DriverEffect> step, SimulatedGroup group, boolean begins) {
        people.requireRight(step, folded, group.members);
        boolean first = begins;
        boolean settles = false;
        for (DriverEffect effect : step) {
            if (effect instanceof DriverEffect.Write write) {
                write(write.command(), group, first);
                first = false;
            } else if (effect instanceof DriverEffect.Settle settle) {
                kept.put(settle.placement().layer(), settle.placement());
                settles = true;
            } else if (effect instanceof DriverEffect.Answer answer) {
                control.add(answer.answer());
            }
        }
        if (settles) {
            checkKept(group.members);
        }
    }

    private void write(PlanCommand command, SimulatedGroup group, boolean begins) {
        require(command.header().number() == folded.number() + 1, command, "numbers are dense");
        require(
                begins == command instanceof PlanCommand.Term
                        && (begins
                                ? command.header().term() > folded.term()
                                : command.header().term() == folded.term()),
                command,
                "a reign begins with TERM and keeps its term");
        if (command instanceof PlanCommand.Abort abort) {
            boolean late = abort.reason().contains("in time") && !abort.reason().contains("nobody");
            require(!late || boundary - waitsSince >= LEAST_WAIT, command, "ranks have had their boundaries");
            seen.saw(What.LATE, late ? 1 : 0);
        } else if (!(command instanceof PlanCommand.Settled || command instanceof PlanCommand.Void)) {
            waitsSince = boundary;
        }
        if (command instanceof Propose propose) {
            propose(propose, group.members);
        } else if (command instanceof PlanCommand.Permit permit) {
            for (int rank = 0; rank < SimulatedGroup.RANKS; rank++) {
                require(hasAccepted(rank, permit), command, "all ranks have accepted it");
            }
            permitted.add(permit.epoch());
        } else if (command instanceof PlanCommand.Settled end) {
            seen.saw(What.SETTLED);
            seen.saw(What.PREFIX, end.complete() ? 0 : 1);
            end(command, end.epoch(), end.batchesFlipped(), group);
        } else if (command instanceof PlanCommand.Void end) {
            seen.saw(What.VOIDED);
            end(command, end.epoch(), 0, group);
        }
        plan.add(command);
        folded.add(command);
        arrived.accept(command);
    }

    private void propose(Propose propose, Membership members) {
        require(propose.epoch() > folded.lastEpoch(), propose, "an epoch is used once");
        require(folded.inFlight().isEmpty(), propose, "one decision at a time");
        decisions.put(propose.epoch(), propose.batches());
        if (propose.header().incarnation() == members.incarnation()) {
            Placement base = folded.placements(members).get(propose.basedOn());
            require(
                    base != null
                            && PlacementRules.violations(propose, base, members).isEmpty(),
                    propose,
                    "it is sound");
        }
    }

    private boolean hasAccepted(int rank, PlanCommand.Permit permit) {
        for (RankAck ack : acks) {
            if (ack.rank().index() == rank
                    && ack.epoch() == permit.epoch()
                    && ack.kind() == RankAck.Kind.ACCEPTED
                    && ack.planHash() == permit.planHash()) {
                return true;
            }
        }
        return false;
    }

    private void end(PlanCommand command, int epoch, int batches, SimulatedGroup group) {
        require(
                folded.inFlight().filter(decision -> decision.epoch() == epoch).isPresent(),
                command,
                "it is in flight");
        if (command.header().incarnation() != group.members.incarnation()) {
            return;
        }
        ended.put(epoch, batches);
        for (SimulatedRank rank : group.ranks) {
            if (rank.flipped[epoch] != batches) {
                require(false, command, "every rank has flipped " + batches + ": " + group.states());
            }
        }
    }

    /** P6: what is kept is what the log has settled. */
    private void checkKept(Membership members) {
        var placements = folded.placements(members);
        long hash = Objects.requireNonNull(placements.get(placements.lastKey())).hash();
        for (SettledPlacement record : kept.values()) {
            if (record.incarnation() == members.incarnation() && record.placementHash() != hash) {
                throw new AssertionError("P6: " + record + " is kept, and the log says " + hash);
            }
        }
    }

    private static void require(boolean holds, PlanCommand command, String rule) {
        if (!holds) {
            throw new AssertionError(command.summary() + " (command "
                    + command.header().number() + " of term " + command.header().term() + "): " + rule);
        }
    }
}
