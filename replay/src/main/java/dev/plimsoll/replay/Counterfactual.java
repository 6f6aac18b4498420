package dev.plimsoll.replay;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.SubWindowSums;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.result.PastWindow;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

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

    /** @param stretches of all parts of the window, in order */
    static Counterfactual of(
            Membership members, PastWindow facts, ExpertLoad load, List<Stretch> stretches, long closedAtMillis) {
        int layers = load.layers();
        long[][] loadOfRank = new long[layers][members.topology().ranks()];
        List<LoadWindow> rows = new ArrayList<>();
        SubWindowSums.Packer packer = new SubWindowSums.Packer();
        for (int segment = 0; segment < stretches.size(); segment++) {
            Stretch stretch = stretches.get(segment);
            ReplicaSplit split = new ReplicaSplit(stretch.served(), load.experts());
            for (int layer = 0; layer < layers; layer++) {
                rows.add(row(members, facts, load, segment, stretch, split, layer, packer, loadOfRank[layer]));
            }
        }
        WindowSummary summary = summary(
                members,
                facts,
                CloseReason.COMPLETE,
                Balance.of(loadOfRank),
                stretches.stream().map(Stretch::state).toList(),
                closedAtMillis);
        return new Counterfactual(rows, summary, hottest(loadOfRank));
    }

    /** What is told of a window that nothing can be planned from. */
    static WindowSummary unusable(Membership members, PastWindow facts, long closedAtMillis) {
        return summary(members, facts, CloseReason.GAP, Balance.UNLOADED, List.of(), closedAtMillis);
    }

    /** Balancedness of a whole window under one placement. */
    static Balance balance(Placement served, ExpertLoad load, Membership members) {
        ReplicaSplit split = new ReplicaSplit(served, load.experts());
        long[][] loadOfRank = new long[load.layers()][members.topology().ranks()];
        for (int layer = 0; layer < load.layers(); layer++) {
            for (int part = 0; part < load.samples(); part++) {
                for (int slot = 0; slot < served.slots(); slot++) {
                    loadOfRank[layer][slot / members.topology().slotsPerRank()] +=
                            split.tokens(layer, slot, load.at(layer, part, split.expert(layer, slot)));
                }
            }
        }
        return Balance.of(loadOfRank);
    }

    private static LoadWindow row(
            Membership members,
            PastWindow facts,
            ExpertLoad load,
            int segment,
            Stretch stretch,
            ReplicaSplit split,
            int layer,
            SubWindowSums.Packer packer,
            long[] loadOfRank) {
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
        for (int slot = 0; slot < slots; slot++) {
            loadOfRank[slot / members.topology().slotsPerRank()] += all[slot];
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
                -1,
                steps(facts),
                reason,
                1,
                LongVector.wrapping(present),
                balance,
                states,
                0,
                true,
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

    private static double hottest(long[][] loadOfRank) {
        return Arrays.stream(loadOfRank)
                .mapToLong(layer -> Arrays.stream(layer).max().orElse(0))
                .sum();
    }
}
