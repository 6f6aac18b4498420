package dev.plimsoll.replay;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.SubWindowSums;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.replay.result.PastWindow;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/**
 * A window of the past as the aggregator would have published it, had its tokens run under other placements: which experts a token picks
 * does not depend on where they are.
 *
 * @param rows one per stretch and layer
 * @param hottestLoad load of the busiest rank of each layer, added up over layers
 */
record Counterfactual(List<LoadWindow> rows, WindowSummary summary, double hottestLoad) {
    Counterfactual {
        rows = List.copyOf(rows);
    }

    /**
     * @param previousIndex of the window before it, -1 for none
     * @param stretches of all parts of the window, in order
     */
    static Counterfactual of(
            Membership members,
            PastWindow facts,
            long previousIndex,
            ExpertLoad load,
            List<Stretch> stretches,
            long closedAtMillis) {
        int layers = load.layers();
        double[][] loadOfRank = new double[layers][members.topology().ranks()];
        List<LoadWindow> rows = new ArrayList<>();
        SubWindowSums.Packer packer = new SubWindowSums.Packer();
        ReplicaParts parts = ReplicaParts.of(members, List.of(load));
        for (int segment = 0; segment < stretches.size(); segment++) {
            Stretch stretch = stretches.get(segment);
            ReplicaSplit split = new ReplicaSplit(stretch.served(), load.experts());
            for (int layer = 0; layer < layers; layer++) {
                rows.add(row(members, facts, load, segment, stretch, split, layer, packer));
                add(loadOfRank[layer], load, layer, stretch, parts, members);
            }
        }
        WindowSummary summary = summary(
                members,
                facts,
                previousIndex,
                CloseReason.COMPLETE,
                balance(loadOfRank),
                stretches.stream().map(Stretch::state).toList(),
                closedAtMillis);
        return new Counterfactual(rows, summary, hottest(loadOfRank));
    }

    /** What is told of a window that nothing can be planned from. */
    static WindowSummary unusable(Membership members, PastWindow facts, long previousIndex, long closedAtMillis) {
        return summary(members, facts, previousIndex, CloseReason.GAP, Balance.UNLOADED, List.of(), closedAtMillis);
    }

    /** Balancedness of a whole window under one placement. */
    static Balance balance(Placement served, ExpertLoad load, Membership members) {
        return ReplicaParts.of(members, List.of(load)).balance(served, load.toDoubles(), members.topology());
    }

    /**
     * Adds what a stretch brings to every rank of a layer. Fractions of tokens are kept: whole tokens, part by part, would give what is
     * left over to the same replicas each time.
     */
    private static void add(
            double[] loadOfRank, ExpertLoad load, int layer, Stretch stretch, ReplicaParts parts, Membership members) {
        double[] ofExpert = new double[load.experts()];
        for (int part = stretch.from(); part < stretch.to(); part++) {
            for (int expert = 0; expert < ofExpert.length; expert++) {
                ofExpert[expert] += load.at(layer, part, expert);
            }
        }
        double[] ofStretch = parts.rankLoads(layer, stretch.served().inUse(layer), ofExpert, members.topology());
        for (int rank = 0; rank < loadOfRank.length; rank++) {
            loadOfRank[rank] += ofStretch[rank];
        }
    }

    private static Balance balance(double[][] loadOfRank) {
        return Balance.over(Arrays.stream(loadOfRank).map(Balance::ofLayer).toArray(OptionalDouble[]::new));
    }

    private static LoadWindow row(
            Membership members,
            PastWindow facts,
            ExpertLoad load,
            int segment,
            Stretch stretch,
            ReplicaSplit split,
            int layer,
            SubWindowSums.Packer packer) {
        int slots = stretch.served().slots();
        int parts = stretch.to() - stretch.from();
        long[] sums = new long[parts * slots];
        long[] all = new long[slots];
        for (int part = 0; part < parts; part++) {
            for (int slot = 0; slot < slots; slot++) {
                long tokens =
                        split.tokens(layer, slot, load.at(layer, stretch.from() + part, split.expert(layer, slot)));
                sums[part * slots + slot] = tokens;
                all[slot] += tokens;
            }
        }
        LongVector sum = LongVector.wrapping(all);
        return new LoadWindow(
                members.deployment(),
                members.incarnation(),
                members.phase(),
                facts.index(),
                steps(facts),
                layer,
                segment,
                stretch.state(),
                0,
                sum,
                load.samples(),
                stretch.from(),
                packer.pack(sum, parts, sums, 0, slots),
                "");
    }

    private static WindowSummary summary(
            Membership members,
            PastWindow facts,
            long previousIndex,
            CloseReason reason,
            Balance balance,
            List<PlacementState> states,
            long closedAtMillis) {
        long[] present = new long[members.topology().ranks()];
        Arrays.fill(present, reason == CloseReason.COMPLETE ? 1 : 0);
        return new WindowSummary(
                members.deployment(),
                members.incarnation(),
                members.phase(),
                facts.index(),
                // Histories that were put together from several may begin again.
                Math.min(previousIndex, facts.index() - 1),
                steps(facts),
                reason,
                1,
                LongVector.wrapping(present),
                balance,
                states,
                0,
                Conservation.UNKNOWN,
                facts.load(),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                closedAtMillis,
                "");
    }

    private static StepRange steps(PastWindow facts) {
        long from = Math.max(0, facts.firstStep() - 1);
        return new StepRange(from, Math.max(from + 1, facts.lastStep()));
    }

    private static double hottest(double[][] loadOfRank) {
        return Arrays.stream(loadOfRank)
                .mapToDouble(layer -> Arrays.stream(layer).max().orElse(0))
                .sum();
    }
}
