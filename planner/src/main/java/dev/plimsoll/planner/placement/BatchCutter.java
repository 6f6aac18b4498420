package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Cuts a change of placement into batches of whole layers, in order of layers, whose incoming weights fit every rank's staging
 * memory; within a budget of moves.
 *
 * <p>A layer is moved whole or not at all, as a part of a layer's moves could leave it worse than before. When the budget does
 * not last for all, layers with the largest fall of the hottest rank's load per move go first.
 */
public final class BatchCutter {
    private record LayerChange(int layer, List<Move> moves, double fallPerMove) {}

    private BatchCutter() {}

    /**
     * @param target what the policy wants
     * @param stagedPerRank incoming experts that fit a rank at once
     * @param budget most moves
     */
    public static Candidate cut(PlanRequest request, Placement target, int stagedPerRank, int budget) {
        List<Integer> unfitting = new ArrayList<>();
        List<Integer> overBudget = new ArrayList<>();
        List<LayerChange> changes = new ArrayList<>();
        Sources sources = new Sources(request.settled(), request.topology());
        for (int layer = 0; layer < target.layers(); layer++) {
            List<Move> moves = sources.moves(layer, target.layer(layer));
            if (moves.isEmpty()) {
                continue;
            }
            if (most(incoming(moves, request.topology())) > stagedPerRank) {
                unfitting.add(layer);
                continue;
            }
            changes.add(new LayerChange(layer, moves, fall(request, target, layer) / moves.size()));
        }
        List<LayerChange> taken = new ArrayList<>();
        int left = budget;
        changes.sort(Comparator.comparingDouble((LayerChange change) -> -change.fallPerMove())
                .thenComparingInt(LayerChange::layer));
        for (LayerChange change : changes) {
            if (change.moves().size() <= left) {
                left -= change.moves().size();
                taken.add(change);
            } else {
                overBudget.add(change.layer());
            }
        }
        taken.sort(Comparator.comparingInt(LayerChange::layer));
        overBudget.sort(Comparator.naturalOrder());
        List<Batch> batches = batches(taken, request.topology(), stagedPerRank);
        Placement result = request.settled()
                .with(
                        request.settled().version(),
                        taken.stream()
                                .flatMap(change -> change.moves().stream())
                                .toList());
        return new Candidate(result, batches, unfitting, overBudget);
    }

    private static List<Batch> batches(List<LayerChange> changes, Topology topology, int stagedPerRank) {
        List<Batch> batches = new ArrayList<>();
        List<Move> open = new ArrayList<>();
        int[] staged = new int[topology.ranks()];
        for (LayerChange change : changes) {
            int[] incoming = incoming(change.moves(), topology);
            boolean fits = true;
            for (int rank = 0; rank < staged.length; rank++) {
                fits &= staged[rank] + incoming[rank] <= stagedPerRank;
            }
            if (!fits) {
                batches.add(new Batch(batches.size() + 1, open));
                open = new ArrayList<>();
                staged = new int[topology.ranks()];
            }
            open.addAll(change.moves());
            for (int rank = 0; rank < staged.length; rank++) {
                staged[rank] += incoming[rank];
            }
        }
        if (!open.isEmpty()) {
            batches.add(new Batch(batches.size() + 1, open));
        }
        return batches;
    }

    private static double fall(PlanRequest request, Placement target, int layer) {
        double[] load = request.newest().layer(layer);
        return EvenSplit.max(EvenSplit.rankLoads(request.settled().layer(layer), load, request.topology()))
                - EvenSplit.max(EvenSplit.rankLoads(target.layer(layer), load, request.topology()));
    }

    static int[] incoming(List<Move> moves, Topology topology) {
        int[] incoming = new int[topology.ranks()];
        for (Move move : moves) {
            incoming[move.slot().index() / topology.slotsPerRank()]++;
        }
        return incoming;
    }

    static int most(int[] values) {
        int most = 0;
        for (int value : values) {
            most = Math.max(most, value);
        }
        return most;
    }
}
