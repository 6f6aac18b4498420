package dev.plimsoll.app.chaos;

import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.placement.Rollback;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * All decisions of one deployment, from what stands in the topics when everything is over. Shares no code with planner and ranks but the
 * arithmetic of placements.
 *
 * <p>The step that an ack names is when a worker looked, so flips are not compared by it.
 */
final class DecisionAudit {
    /** The policy of decisions towards an older placement. */
    static final String ROLLBACK = Rollback.POLICY;

    private final Map<Long, Membership> members = new HashMap<>();
    private final Map<Long, TreeMap<Integer, Placement>> placements = new HashMap<>();
    /** By epoch, which is never used twice: how many batches a rank says to have flipped. */
    private final Map<Integer, Map<RankId, Integer>> reached = new HashMap<>();

    private final List<String> findings = new ArrayList<>();
    /** By epoch: how many batches of it are settled. */
    private final Map<Integer, Integer> batches = new HashMap<>();

    private final Set<Integer> ended = new HashSet<>();
    private Optional<PlanCommand.Propose> open = Optional.empty();
    private Optional<String> planner = Optional.empty();
    private boolean aborting;
    private long term;
    private int decisions;
    private int settled;
    private int aborted;
    private int rollbacks;
    private int failovers;
    private int lost;
    private int uncovered;

    private DecisionAudit() {}

    /**
     * @param memberships of all incarnations
     * @param plan all commands, in the order of the log
     * @param commands ids of what operators wanted, each of which must have been answered once
     */
    static DecisionVerdict of(
            Collection<Membership> memberships,
            List<PlanCommand> plan,
            List<RankAck> acks,
            MapSkew skew,
            Set<String> commands,
            Map<String, List<ControlAnswer>> answers) {
        DecisionAudit audit = new DecisionAudit();
        memberships.forEach(one -> audit.members.put(one.incarnation(), one));
        acks.forEach(audit::ack);
        plan.forEach(audit::command);
        audit.checkAnswers(commands, answers);
        List<String> differing = skew.findings(audit.batches);
        audit.findings.addAll(differing);
        // The one in flight when the ranks were stopped: its incarnation is over, and nobody came to say that it is
        // void.
        audit.open.ifPresent(last -> audit.decisions--);
        if (audit.open.isPresent() && audit.aborting) {
            audit.aborted--;
        }
        return new DecisionVerdict(
                audit.decisions,
                audit.settled,
                audit.aborted,
                audit.rollbacks,
                audit.failovers,
                differing.size(),
                audit.lost,
                audit.uncovered,
                audit.findings);
    }

    private void lost(String what) {
        lost++;
        findings.add(what);
    }

    private void ack(RankAck ack) {
        if (ack.kind() == RankAck.Kind.FLIPPED || ack.kind() == RankAck.Kind.ABORTED) {
            reached.computeIfAbsent(ack.epoch(), none -> new HashMap<>()).merge(ack.rank(), ack.batch(), Math::max);
        }
    }

    private void command(PlanCommand command) {
        if (command.header().term() < term) {
            lost("a planner of term " + command.header().term() + " still wrote in term " + term + ": "
                    + command.summary());
        }
        term = Math.max(term, command.header().term());
        if (command instanceof PlanCommand.Term begun) {
            if (planner.isPresent() && !planner.get().equals(begun.planner())) {
                failovers++;
            }
            planner = Optional.of(begun.planner());
        } else if (command instanceof PlanCommand.Propose propose) {
            open.ifPresent(before -> lost(
                    "decision " + before.epoch() + " has no end, and decision " + propose.epoch() + " was proposed"));
            open = Optional.of(propose);
            aborting = false;
            decisions++;
        } else if (command instanceof PlanCommand.Abort) {
            aborted += aborting ? 0 : 1;
            aborting = true;
        } else if (command instanceof PlanCommand.Settled end) {
            end(end.epoch(), command).ifPresent(propose -> settle(propose, end));
        } else if (command instanceof PlanCommand.Void end) {
            end(end.epoch(), command);
        }
    }

    private void checkAnswers(Set<String> commands, Map<String, List<ControlAnswer>> answers) {
        for (String id : commands) {
            List<ControlAnswer> given = answers.getOrDefault(id, List.of());
            if (given.size() != 1) {
                lost("an operator's command was answered " + given.size() + " times: " + id + " "
                        + given.stream().map(ControlAnswer::summary).toList());
            }
        }
    }

    private Optional<PlanCommand.Propose> end(int epoch, PlanCommand end) {
        Optional<PlanCommand.Propose> decision = open.filter(propose -> propose.epoch() == epoch);
        if (decision.isEmpty() || !ended.add(epoch)) {
            lost("ends what is not in flight: " + end.summary());
        }
        open = Optional.empty();
        return decision;
    }

    private void settle(PlanCommand.Propose propose, PlanCommand.Settled end) {
        settled++;
        batches.put(end.epoch(), end.batchesFlipped());
        if (propose.policy().equals(ROLLBACK)) {
            rollbacks++;
        }
        long incarnation = end.header().incarnation();
        Membership of = members.get(incarnation);
        if (of == null || incarnation != propose.header().incarnation()) {
            lost("of an incarnation that nobody knows, or that is not the proposal's: " + end.summary());
            return;
        }
        Map<RankId, Integer> far = reached.getOrDefault(end.epoch(), Map.of());
        long ranks = far.values().stream()
                .filter(batches -> batches >= end.batchesFlipped())
                .count();
        if (ranks != of.topology().ranks()) {
            lost(end.summary() + ": only " + ranks + " of " + of.topology().ranks() + " ranks say that they flipped "
                    + end.batchesFlipped() + " batches");
        }
        TreeMap<Integer, Placement> versions = placements.computeIfAbsent(incarnation, none -> {
            TreeMap<Integer, Placement> start = new TreeMap<>();
            start.put(of.start().version(), of.start());
            return start;
        });
        Placement base = versions.get(propose.basedOn());
        if (base == null) {
            lost("is based on v" + propose.basedOn() + ", which was never settled in its incarnation: "
                    + propose.summary());
            return;
        }
        Placement result = base.withBatches(
                end.epoch(),
                propose.batches().stream().limit(end.batchesFlipped()).toList());
        versions.put(end.epoch(), result);
        if (result.hash() != end.placementHash()) {
            lost("settled as another placement than its batches lead to: " + end.summary());
        }
        List<String> without = PlacementRules.lost(result, of.shape());
        uncovered += without.size();
        without.forEach(expert -> findings.add(end.summary() + ": " + expert));
    }
}
