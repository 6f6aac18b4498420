package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Sources.Arrival;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Cuts a change of placement into batches of whole layers, best first, whose incoming weights fit every rank's staging memory; within the
 * request's budget.
 *
 * <p>Layers in which slots are only switched need no weights: they are a batch of their own, the first, which waits for no transfer, and
 * take nothing of the budget. Where a layer is moved, its switches go with its moves.
 *
 * <p>A layer is moved whole or not at all, as a part of a layer's moves could leave it worse than before. Layers that gain most per move go
 * first, by the slowest rank's time or, by tokens, the hottest rank's load: so a decision that is stopped has brought the most that its
 * moves could. When the budget does not last for all, smaller ones may follow one that did not fit. Any order is safe, as a layer's weights
 * come from that layer only. Senders are chosen batch by batch, as ranks wait for the busiest one of each.
 */
public final class BatchCutter {
    private record LayerChange(int layer, List<Arrival> arrivals, List<Switch> switches, double fallPerMove) {
        boolean moves() {
            return !arrivals.isEmpty();
        }
    }

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
            List<Switch> switches = switches(request.settled(), plan.target(), layer);
            if (arrivals.isEmpty() && switches.isEmpty()) {
                continue;
            }
            if (most(incoming(arrivals, request.topology())) > stagedPerRank) {
                unfitting.add(layer);
                continue;
            }
            changes.add(new LayerChange(
                    layer, arrivals, switches, fall(request, plan.target(), layer) / Math.max(1, arrivals.size())));
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

    /** What is left to do when the moves are done: a moved slot is in use. */
    private static List<Switch> switches(Placement settled, Placement target, int layer) {
        int[] before = settled.layer(layer);
        int[] after = target.layer(layer);
        List<Switch> switches = new ArrayList<>();
        for (int slot = 0; slot < after.length; slot++) {
            boolean idle = after[slot] == before[slot] && settled.idle(layer, slot);
            if (idle != target.idle(layer, slot)) {
                switches.add(new Switch(new LayerId(layer), new SlotId(slot), idle));
            }
        }
        return switches;
    }

    /** What the budget lasts for, best first. */
    private static List<LayerChange> within(Budget budget, long bytesPerExpert, List<LayerChange> changes) {
        long moves = Math.min(budget.moves(), budget.bytes() / bytesPerExpert);
        List<LayerChange> taken = new ArrayList<>();
        int layers = 0;
        List<LayerChange> bestFirst = new ArrayList<>(changes);
        bestFirst.sort(Comparator.comparingDouble((LayerChange change) -> -change.fallPerMove())
                .thenComparingInt(LayerChange::layer));
        for (LayerChange change : bestFirst) {
            if (!change.moves()) {
                taken.add(change);
            } else if (change.arrivals().size() <= moves && layers < budget.layers()) {
                moves -= change.arrivals().size();
                layers++;
                taken.add(change);
            }
        }
        return taken;
    }

    private static List<Batch> batches(List<LayerChange> changes, PlanRequest request, int stagedPerRank) {
        Topology topology = request.topology();
        List<List<LayerChange>> batches = new ArrayList<>();
        List<LayerChange> switched =
                changes.stream().filter(change -> !change.moves()).toList();
        if (!switched.isEmpty()) {
            batches.add(switched);
        }
        List<LayerChange> open = new ArrayList<>();
        int[] staged = new int[topology.ranks()];
        for (LayerChange change : changes) {
            if (!change.moves()) {
                continue;
            }
            int[] incoming = incoming(change.arrivals(), topology);
            boolean fits = true;
            for (int rank = 0; rank < staged.length; rank++) {
                fits &= staged[rank] + incoming[rank] <= stagedPerRank;
            }
            if (!fits) {
                batches.add(open);
                open = new ArrayList<>();
                staged = new int[topology.ranks()];
            }
            open.add(change);
            for (int rank = 0; rank < staged.length; rank++) {
                staged[rank] += incoming[rank];
            }
        }
        if (!open.isEmpty()) {
            batches.add(open);
        }
        return IntStream.range(0, batches.size())
                .mapToObj(i -> batch(i + 1, batches.get(i), request))
                .toList();
    }

    private static Batch batch(int number, List<LayerChange> unordered, PlanRequest request) {
        List<LayerChange> changes = unordered.stream()
                .sorted(Comparator.comparingInt(LayerChange::layer))
                .toList();
        List<Arrival> arrivals =
                changes.stream().flatMap(change -> change.arrivals().stream()).toList();
        return new Batch(
                number,
                Sources.of(request.settled(), request.topology(), arrivals),
                changes.stream().flatMap(change -> change.switches().stream()).toList());
    }

    /** From what was wanted and not from the moves, so that the rules can hold the two against each other. */
    private static Placement target(Placement settled, Placement wanted, List<LayerChange> taken) {
        int[][] experts = settled.toArray();
        BitSet[] idle = new BitSet[experts.length];
        Arrays.setAll(idle, settled::idle);
        for (LayerChange change : taken) {
            experts[change.layer()] = wanted.layer(change.layer());
            idle[change.layer()] = wanted.idle(change.layer());
        }
        return Placement.of(settled.version(), experts, idle);
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
        long steps = request.newest().steps();
        if (request.objective() instanceof Objective.Time time && steps > 0) {
            for (int expert = 0; expert < load.length; expert++) {
                load[expert] /= steps;
            }
            return SlowestRank.micros(
                            layer,
                            inUse(request.settled(), layer, load.length),
                            load,
                            time.expected(),
                            request.parts(),
                            request.topology())
                    - SlowestRank.micros(
                            layer,
                            inUse(target, layer, load.length),
                            load,
                            time.expected(),
                            request.parts(),
                            request.topology());
        }
        ReplicaParts parts = request.parts();
        return EvenSplit.max(
                        parts.rankLoads(layer, inUse(request.settled(), layer, load.length), load, request.topology()))
                - EvenSplit.max(parts.rankLoads(layer, inUse(target, layer, load.length), load, request.topology()));
    }

    /** -1 where no router sends to the slot: it is idle, or its weights are of no expert. */
    private static int[] inUse(Placement placement, int layer, int experts) {
        int[] inUse = placement.inUse(layer);
        for (int slot = 0; slot < inUse.length; slot++) {
            inUse[slot] = inUse[slot] < experts ? inUse[slot] : -1;
        }
        return inUse;
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
