package dev.plimsoll.replay;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.BatchCutter;
import dev.plimsoll.planner.placement.Candidate;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A replay as one would write it on a slip of paper: no topics, no protocol, no ranks. Of the planner it knows what makes a plan of
 * windows (policy, batches, gate), nothing of what is around it.
 */
final class NaiveReplay {
    record Found(List<Double> balancedness, List<Long> decidedOn, Placement last) {}

    private NaiveReplay() {}

    static Found run(Membership members, PlannerSettings settings, List<ExpertLoad> windows, Duration windowTime) {
        Policy policy = Policy.named(settings.policy());
        Topology topology = members.topology();
        Placement served = Placement.initial(members.shape(), topology);
        List<Double> balancedness = new ArrayList<>();
        List<Long> decidedOn = new ArrayList<>();
        List<Batch> toFlip = new ArrayList<>();
        int decided = -1;
        int planFrom = 0;
        int ended = -1;
        Placement before = served;
        NaiveExperience experience = new NaiveExperience();
        for (int t = 0; t < windows.size(); t++) {
            ExpertLoad window = windows.get(t);
            double[][] ranks = new double[window.layers()][topology.ranks()];
            int version = decidedOn.size();
            for (int part = 0; part < window.samples(); part++) {
                add(ranks, window, part, served, topology);
                if (decided >= 0 && decided < t && !toFlip.isEmpty()) {
                    List<Move> moves = toFlip.remove(0).moves();
                    served = served.with(version, moves);
                    if (toFlip.isEmpty()) {
                        // It ended while window t was under way, of which the planner knew t - 1.
                        planFrom = t + settings.cooldownWindows();
                        decided = -1;
                        ended = t;
                    }
                }
            }
            balancedness.add(mean(ranks));
            if (decided < 0 && version > 0 && t > ended) {
                experience.window(window, before, served, topology, settings.historyWindows());
            }
            if (decided >= 0 || t < planFrom || t == 0) {
                continue;
            }
            List<ExpertLoad> past = new ArrayList<>();
            for (int i = Math.max(0, t + 1 - settings.historyWindows()); i <= t; i++) {
                past.add(windows.get(i));
            }
            PlanRequest request = new PlanRequest(
                    past,
                    served,
                    members.shape(),
                    topology,
                    settings.budget().within(members.stagedExpertsPerRank(), members.bytesPerExpert()),
                    settings.prices(),
                    settings.seed());
            Candidate candidate = cut(policy, request, members);
            Placement earlier = cut(policy, request.withoutNewest(), members).target();
            Verdict verdict = Gate.judge(
                    settings.gate(),
                    Objective.TOKENS,
                    Gate.learned(Optional.empty(), Gate.assumed(settings.gate()), experience.experience()),
                    candidate,
                    earlier,
                    served,
                    members,
                    window,
                    ReplicaParts.EVEN,
                    windowTime);
            if (verdict instanceof Verdict.Change) {
                experience.decided(verdict.numbers());
                before = served;
                toFlip.addAll(candidate.batches());
                decidedOn.add((long) t);
                decided = t;
            }
        }
        return new Found(balancedness, decidedOn, served);
    }

    private static Candidate cut(Policy policy, PlanRequest request, Membership members) {
        return BatchCutter.cut(request, policy.plan(request), members.stagedExpertsPerRank(), members.bytesPerExpert());
    }

    static double balancedness(ExpertLoad window, Placement served, Topology topology) {
        double[][] ranks = new double[window.layers()][topology.ranks()];
        for (int part = 0; part < window.samples(); part++) {
            add(ranks, window, part, served, topology);
        }
        return mean(ranks);
    }

    /** Every replica gets the same part of its expert's tokens. */
    private static void add(double[][] ranks, ExpertLoad window, int part, Placement served, Topology topology) {
        for (int layer = 0; layer < ranks.length; layer++) {
            int[][] slots = served.slotsOfExperts(layer, window.experts());
            for (int expert = 0; expert < window.experts(); expert++) {
                for (int slot : slots[expert]) {
                    ranks[layer][slot / topology.slotsPerRank()] +=
                            window.at(layer, part, expert) / (double) slots[expert].length;
                }
            }
        }
    }

    private static double mean(double[][] ranks) {
        double sum = 0;
        int loaded = 0;
        for (double[] layer : ranks) {
            double total = 0;
            double hottest = 0;
            for (double rank : layer) {
                total += rank;
                hottest = Math.max(hottest, rank);
            }
            if (total > 0) {
                sum += total / layer.length / hottest;
                loaded++;
            }
        }
        return sum / loaded;
    }
}
