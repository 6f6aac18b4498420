package dev.plimsoll.worker;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.protocol.PlanLog;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** The logs of a simulation as they were committed: who writes to them must hold the fence, and may write only what is true. */
final class SimulatedLogs {
    /** What {@link DecisionSimulation#PATIENCE} gives, less what a planner may be behind in counting. */
    private static final int LEAST_WAIT = 9;

    final List<PlanCommand> plan = new ArrayList<>();
    final List<ControlRecord> control = new ArrayList<>();
    final List<RankAck> acks = new ArrayList<>();
    final TreeMap<Integer, SettledPlacement> kept = new TreeMap<>();
    final Map<Integer, List<Batch>> decisions = new HashMap<>();
    private final PlanLog folded = new PlanLog();
    private int fence;
    /** Boundary at which ranks were last given something to wait for. */
    private long waitsSince;

    int settled;
    int voided;
    int prefixes;
    /** For being late. */
    int aborted;

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

    /**
     * One command of a transaction.
     *
     * @param group the ranks as they are, whatever the planner knows of them
     * @param begins whether it is the first of a reign
     * @param boundary that ranks have passed
     */
    void write(PlanCommand command, SimulatedGroup group, boolean begins, long boundary) {
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
            aborted += late ? 1 : 0;
        } else if (!(command instanceof PlanCommand.Settled || command instanceof PlanCommand.Void)) {
            waitsSince = boundary;
        }
        if (command instanceof Propose propose) {
            propose(propose, group.members);
        } else if (command instanceof PlanCommand.Permit permit) {
            for (int rank = 0; rank < SimulatedGroup.RANKS; rank++) {
                require(hasAccepted(rank, permit), command, "rank " + rank + " has accepted it");
            }
        } else if (command instanceof PlanCommand.Settled end) {
            settled++;
            prefixes += end.complete() ? 0 : 1;
            end(command, end.epoch(), end.batchesFlipped(), group);
        } else if (command instanceof PlanCommand.Void end) {
            voided++;
            end(command, end.epoch(), 0, group);
        }
        plan.add(command);
        folded.add(command);
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
        return acks.stream()
                .anyMatch(ack -> ack.rank().index() == rank
                        && ack.epoch() == permit.epoch()
                        && ack.kind() == RankAck.Kind.ACCEPTED
                        && ack.planHash() == permit.planHash());
    }

    private void end(PlanCommand command, int epoch, int batches, SimulatedGroup group) {
        require(
                folded.inFlight().filter(decision -> decision.epoch() == epoch).isPresent(),
                command,
                "it is in flight");
        if (command.header().incarnation() != group.members.incarnation()) {
            return;
        }
        for (SimulatedRank rank : group.ranks) {
            require(
                    rank.flipped[epoch] == batches,
                    command,
                    "every rank has flipped " + batches + ": " + group.states());
        }
    }

    /** P6: what is kept is what the log has settled. */
    void checkKept(Membership members) {
        for (SettledPlacement record : kept.values()) {
            if (record.incarnation() == members.incarnation()) {
                var placements = folded.placements(members);
                long hash = Objects.requireNonNull(placements.get(placements.lastKey()))
                        .hash();
                if (record.placementHash() != hash) {
                    throw new AssertionError("P6: " + record + " is kept, and the log says " + hash);
                }
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
