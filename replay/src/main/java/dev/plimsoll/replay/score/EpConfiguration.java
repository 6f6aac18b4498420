package dev.plimsoll.replay.score;

import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model is spread over.
 *
 * @param redundant slots beyond the experts, over all ranks
 */
public record EpConfiguration(int ranks, int redundant, int nodes) {
    /** What keeps {@code experts} of a workload from being spread so; empty when nothing does. */
    public List<String> problems(String workload, int experts) {
        return problems(workload, experts, "--redundant ");
    }

    /** @param redundantOption that sets {@code redundant}, as it is written before a number */
    public List<String> problems(String workload, int experts, String redundantOption) {
        List<String> found = new ArrayList<>();
        if (ranks < 1 || redundant < 0 || nodes < 1) {
            found.add("--ranks and --nodes must be at least 1 and " + redundantOption.strip() + " at least 0, not "
                    + ranks + ", " + nodes + ", " + redundant);
            return found;
        }
        long slots = (long) experts + redundant;
        if (ranks % nodes != 0) {
            found.add("--ranks " + ranks + " do not divide evenly over --nodes " + nodes);
        }
        if (slots % ranks != 0) {
            found.add(workload + " has " + experts + " experts: with " + redundantOption + redundant + " these are "
                    + slots + " slots, which do not divide evenly over --ranks " + ranks);
        } else if (slots / ranks > experts) {
            found.add(workload + " has " + experts + " experts: with " + redundantOption + redundant
                    + " each of --ranks " + ranks + " has " + slots / ranks + " slots, more than there are experts");
        }
        return found;
    }

    /** Ranks and nodes in order, for a workload without {@link #problems}. */
    public Topology topology(int experts) {
        return Topology.even(ranks, nodes, (experts + redundant) / ranks);
    }

    @Override
    public String toString() {
        return ranks + " ranks + " + redundant + " redundant slots on " + nodes + (nodes == 1 ? " node" : " nodes");
    }
}
