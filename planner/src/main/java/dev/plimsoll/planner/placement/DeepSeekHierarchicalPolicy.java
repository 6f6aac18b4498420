package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * DeepSeek's rule for models whose router picks groups of experts first: groups are packed onto nodes by load, then each node
 * replicates the experts of its groups by load ÷ replicas and packs them onto its ranks; planned from the newest window.
 *
 * <p>Source: the load balancer that DeepSeek published in February 2025 (EPLB, "hierarchical load balancing"), the default of vLLM
 * and SGLang where groups divide over nodes. For a model whose router has no groups the engines use the global rule: so should who chooses
 * the policy, as binding experts to nodes costs balance. A model's shape says nothing of groups here, so their number is the policy's: 8 by
 * default, as DeepSeek-V3 has; experts of a group have consecutive ids. The global rule of {@link DeepSeekPolicy} is applied where the
 * hierarchy is impossible: experts do not divide over groups or groups over nodes, nodes have different numbers of ranks, or a
 * rank has more slots than its node has experts (a node could not fill them without an expert twice on a rank). Mended here as there.
 */
final class DeepSeekHierarchicalPolicy implements Policy {
    /** Groups that DeepSeek-V3's router picks from. */
    static final int GROUPS = 8;

    private final int groups;

    /** @param groups that experts fall into, in order of ids and equally many in each */
    DeepSeekHierarchicalPolicy(int groups) {
        if (groups < 1) {
            throw new IllegalArgumentException("experts fall into at least 1 group, not " + groups);
        }
        this.groups = groups;
    }

    @Override
    public String name() {
        return "deepseek-hierarchical";
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        double[] load = request.newest().layer(layer);
        if (EvenSplit.max(load) == 0) {
            return LayerPlan.settled(request, layer);
        }
        Topology topology = request.topology();
        List<int[]> nodes = ranksOfNodes(topology);
        boolean divides = divides(nodes, request.shape().experts(), topology.slotsPerRank());
        int[] placed = divides
                ? place(load, nodes, topology.slotsPerRank())
                : DeepSeekPolicy.place(load, topology.ranks(), topology.slotsPerRank());
        return LayerPlan.of(request, layer, placed);
    }

    /** Ranks of every node in order of nodes' numbers. */
    private static List<int[]> ranksOfNodes(Topology topology) {
        TreeMap<Integer, int[]> nodes = new TreeMap<>();
        for (int node : topology.nodeOfRank()) {
            nodes.computeIfAbsent(
                    node,
                    number -> IntStream.range(0, topology.ranks())
                            .filter(rank -> topology.nodeOfRank().get(rank).equals(number))
                            .toArray());
        }
        return List.copyOf(nodes.values());
    }

    private boolean divides(List<int[]> nodes, int experts, int slotsPerRank) {
        return experts % groups == 0
                && groups % nodes.size() == 0
                && nodes.stream().allMatch(ranks -> ranks.length == nodes.get(0).length)
                && slotsPerRank <= experts / nodes.size();
    }

    private int[] place(double[] load, List<int[]> nodes, int slotsPerRank) {
        int expertsPerGroup = load.length / groups;
        double[] ofGroup = new double[groups];
        for (int expert = 0; expert < load.length; expert++) {
            ofGroup[expert / expertsPerGroup] += load[expert];
        }
        int[] once = new int[groups];
        Arrays.fill(once, 1);
        Packing groupsOfNodes = Packing.byLoad(ofGroup, once, nodes.size(), groups / nodes.size());
        int ranksPerNode = nodes.get(0).length;
        int[] placed = new int[nodes.size() * ranksPerNode * slotsPerRank];
        for (int node = 0; node < nodes.size(); node++) {
            int[] experts = Arrays.stream(groupsOfNodes.experts(node))
                    .flatMap(group -> IntStream.range(group * expertsPerGroup, (group + 1) * expertsPerGroup))
                    .toArray();
            double[] ofNode =
                    Arrays.stream(experts).mapToDouble(expert -> load[expert]).toArray();
            int[] within = DeepSeekPolicy.place(ofNode, ranksPerNode, slotsPerRank);
            for (int slot = 0; slot < within.length; slot++) {
                int rank = nodes.get(node)[slot / slotsPerRank];
                placed[rank * slotsPerRank + slot % slotsPerRank] = experts[within[slot]];
            }
        }
        return placed;
    }
}
