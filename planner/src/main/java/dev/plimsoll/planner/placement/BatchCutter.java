package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Sources.Arrival;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Cuts a change of placement into batches of whole layers, in order of layers, whose incoming weights fit every rank's staging
 * memory; within the request's budget.
 *
 * <p>A layer is moved whole or not at all, as a part of a layer's moves could leave it worse than before. When the budget does
 * not last for all, layers with the largest fall of the hottest rank's load per move go first, and smaller ones may follow one
 * that did not fit. Senders are chosen batch by batch, as ranks wait for the busiest one of each.
 */
public final class BatchCutter {
    private record LayerChange(int layer, List<Arrival> arrivals, double fallPerMove) {}

    private BatchCutter() {}

    /**
     * @param plan what the policy wants
     * @param stagedPerRank incoming experts that fit a rank at once
     * @param bytesPerExpert weights of one expert in one layer, for the budget
     */
    public static Candidate cut(PlanRequest request, Plan plan, int stagedPerRank, long bytesPerExpert) {
        List<Integer> unfitting = new ArrayList<>();
        List<LayerChange> changes = new ArrayList<>();
        for (int layer = 0; layer < plan.target().layers(); layer++) {
            List<Arrival> arrivals = arrivals(request.settled(), plan.target(), layer);
            if (arrivals.isEmpty()) {
                continue;
            }
            if (most(incoming(arrivals, request.topology())) > stagedPerRank) {
                unfitting.add(layer);
                continue;
            }
            changes.add(new LayerChange(layer, arrivals, fall(request, plan.target(), layer) / arrivals.size()));
        }
        List<LayerChange> taken = within(request.budget(), bytesPerExpert, changes);
        List<Integer> overBudget = changes.stream()
                .filter(change -> !taken.contains(change))
                .map(LayerChange::layer)
                .toList();
        List<Batch> batches = batches(taken, request, stagedPerRank);
        return new Candidate(
                target(request.settled(), plan.target(), taken),
                batches,
                unfitting,
                overBudget,
                reasons(plan.layers(), taken, unfitting, overBudget).requireFor(batches));
    }

    private static List<Arrival> arrivals(Placement settled, Placement target, int layer) {
        int[] before = settled.layer(layer);
        int[] after = target.layer(layer);
        List<Arrival> arrivals = new ArrayList<>();
        for (int slot = 0; slot < after.length; slot++) {
            if (after[slot] != before[slot]) {
                arrivals.add(new Arrival(layer, slot, after[slot]));
            }
        }
        return arrivals;
    }

    /** What the budget lasts for, in order of layers. */
    private static List<LayerChange> within(Budget budget, long bytesPerExpert, List<LayerChange> changes) {
        long moves = Math.min(budget.moves(), budget.bytes() / bytesPerExpert);
        List<LayerChange> taken = new ArrayList<>();
        List<LayerChange> bestFirst = new ArrayList<>(changes);
        bestFirst.sort(Comparator.comparingDouble((LayerChange change) -> -change.fallPerMove())
                .thenComparingInt(LayerChange::layer));
        for (LayerChange change : bestFirst) {
            if (change.arrivals().size() <= moves && taken.size() < budget.layers()) {
                moves -= change.arrivals().size();
                taken.add(change);
            }
        }
        taken.sort(Comparator.comparingInt(LayerChange::layer));
        return taken;
    }

    private static List<Batch> batches(List<LayerChange> changes, PlanRequest request, int stagedPerRank) {
        Topology topology = request.topology();
        List<Batch> batches = new ArrayList<>();
        List<Arrival> open = new ArrayList<>();
        int[] staged = new int[topology.ranks()];
        for (LayerChange change : changes) {
            int[] incoming = incoming(change.arrivals(), topology);
            boolean fits = true;
            for (int rank = 0; rank < staged.length; rank++) {
                fits &= staged[rank] + incoming[rank] <= stagedPerRank;
            }
            if (!fits) {
                batches.add(new Batch(batches.size() + 1, Sources.of(request.settled(), topology, open)));
                open = new ArrayList<>();
                staged = new int[topology.ranks()];
            }
            open.addAll(change.arrivals());
            for (int rank = 0; rank < staged.length; rank++) {
                staged[rank] += incoming[rank];
            }
        }
        if (!open.isEmpty()) {
            batches.add(new Batch(batches.size() + 1, Sources.of(request.settled(), topology, open)));
        }
        return batches;
    }

    /** From what was wanted and not from the moves, so that the rules can hold the two against each other. */
    private static Placement target(Placement settled, Placement wanted, List<LayerChange> taken) {
        int[][] experts = settled.toArray();
        for (LayerChange change : taken) {
            experts[change.layer()] = wanted.layer(change.layer());
        }
        return Placement.of(settled.version(), experts);
    }

    private static PlanReasons reasons(
            List<LayerReason> said, List<LayerChange> taken, List<Integer> unfitting, List<Integer> overBudget) {
        SortedMap<Integer, LayerReason> moved = new TreeMap<>();
        if (!said.isEmpty()) {
            taken.forEach(change -> moved.put(change.layer(), said.get(change.layer())));
        }
        SortedMap<Stop, Integer> kept = new TreeMap<>();
        for (int layer = 0; layer < said.size(); layer++) {
            if (!moved.containsKey(layer)) {
                Stop stop = unfitting.contains(layer)
                        ? Stop.STAGING
                        : overBudget.contains(layer)
                                ? Stop.BUDGET
                                : said.get(layer).stop();
                kept.merge(stop, 1, Integer::sum);
            }
        }
        return new PlanReasons(moved, kept);
    }

    private static double fall(PlanRequest request, Placement target, int layer) {
        double[] load = request.newest().layer(layer);
        return EvenSplit.max(EvenSplit.rankLoads(request.settled().layer(layer), load, request.topology()))
                - EvenSplit.max(EvenSplit.rankLoads(target.layer(layer), load, request.topology()));
    }

    private static int[] incoming(List<Arrival> arrivals, Topology topology) {
        int[] incoming = new int[topology.ranks()];
        for (Arrival arrival : arrivals) {
            incoming[arrival.slot() / topology.slotsPerRank()]++;
        }
        return incoming;
    }

    private static int most(int[] values) {
        int most = 0;
        for (int value : values) {
            most = Math.max(most, value);
        }
        return most;
    }
}
