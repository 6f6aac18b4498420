package dev.plimsoll.replay;

import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.replay.score.EpConfiguration;
import java.util.ArrayList;
import java.util.List;

/**
 * What one run replays the past with.
 *
 * @param choice the policy and its settings
 * @param members as in the past, but for the topology
 * @param start placement at the beginning
 */
public record RunSpec(PolicyChoice choice, Membership members, Placement start) {

    /**
     * One for each policy and configuration, policies first.
     *
     * @param members of the past
     * @param placement of the past, taken where the configuration is the past's
     */
    public static List<RunSpec> of(
            List<PolicyChoice> policies,
            List<EpConfiguration> configurations,
            Membership members,
            Placement placement) {
        List<RunSpec> runs = new ArrayList<>();
        for (PolicyChoice policy : policies) {
            for (EpConfiguration configuration : configurations) {
                Topology topology = topology(configuration, members);
                boolean same = placement.slots() == topology.slots()
                        && members.topology().ranks() == topology.ranks();
                Membership other = with(members, topology);
                runs.add(new RunSpec(policy, other, same ? placement : Placement.initial(members.shape(), topology)));
            }
        }
        return List.copyOf(runs);
    }

    /** That of the past where it has as many ranks, slots and nodes: its ranks may be on nodes in another order. */
    private static Topology topology(EpConfiguration configuration, Membership members) {
        return configuration.equals(configuration(members))
                ? members.topology()
                : configuration.topology(members.shape().experts());
    }

    /** That of a deployment. */
    public static EpConfiguration configuration(Membership members) {
        return new EpConfiguration(
                members.topology().ranks(),
                members.topology().slots() - members.shape().experts(),
                (int) members.topology().nodeOfRank().stream().distinct().count());
    }

    /** With another topology, and ranks that can vote: what they would have done if they could is the question. */
    private static Membership with(Membership members, Topology topology) {
        return members.withTopology(topology, GatherMode.HOST);
    }

    PlannerSettings settings() {
        return choice.settings();
    }
}
