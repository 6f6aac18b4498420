package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The global and the hierarchical rule on examples that were computed by hand. */
class DeepSeekPoliciesTest {
    @Test
    void deepseekGivesTheHottestFiveReplicasEachAndPacksThemByLoad() {
        LayerExample example = new LayerExample(8, Topology.even(8, 2, 2));

        int[] placed = example.plan("deepseek", LayerExample.STEEP);

        // 120 × 5 of expert 0, then experts 2 and 3, 112 × 5 of expert 1 on top, then what is light.
        assertThat(example.rankLoads(placed, LayerExample.STEEP))
                .containsExactly(232, 232, 232, 232, 130, 130, 130, 132);
        assertThat(example.rows(placed))
                .isDeepEqualTo(new int[][] {{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 5}, {2, 6}, {3, 7}, {1, 4}});
    }

    @Test
    void expertsStayOnTheirRankWhereEachHasOneSlot() {
        LayerExample example = new LayerExample(4, Topology.even(6, 1, 1));

        assertThat(example.plan("deepseek", 10, 20, 90, 30)).containsExactly(0, 1, 2, 3, 2, 2);
    }

    private static final long[] STAIRS = {80, 10, 20, 30, 40, 50, 60, 70};

    @Test
    void hierarchyPacksGroupsOntoNodesBeforeExpertsOntoRanks() {
        LayerExample example = new LayerExample(8, Topology.even(4, 2, 3));

        int[] placed = example.plan("deepseek-hierarchical", STAIRS);

        // Node 0 gets 80 + 50 + 40 + 10, node 1 70 + 60 + 30 + 20; each replicates its two hottest.
        assertThat(example.rows(placed)).isDeepEqualTo(new int[][] {{0, 4, 5}, {0, 1, 5}, {3, 6, 7}, {2, 6, 7}});
        assertThat(example.rankLoads(placed, STAIRS)).containsExactly(105, 75, 95, 85);
    }

    @Test
    void hierarchyFollowsNodesAndNotTheOrderOfRanks() {
        LayerExample example = new LayerExample(8, new Topology(List.of(7, 3, 7, 3), 3));

        int[] placed = example.plan("deepseek-hierarchical", STAIRS);

        assertThat(example.rows(placed)).isDeepEqualTo(new int[][] {{3, 6, 7}, {0, 4, 5}, {2, 6, 7}, {0, 1, 5}});
    }

    @Test
    void hierarchyFallsBackToTheGlobalRuleWhereItIsImpossible() {
        long[] seven = Arrays.copyOf(STAIRS, 7);
        LayerExample expertsDoNotDivide = new LayerExample(7, Topology.even(4, 2, 3));
        LayerExample groupsDoNotDivide = new LayerExample(8, Topology.even(3, 3, 4));
        LayerExample nodesDiffer = new LayerExample(8, new Topology(List.of(0, 0, 0, 1), 3));
        LayerExample rankHoldsMoreThanItsNodeHas = new LayerExample(8, Topology.even(4, 2, 5));

        assertThat(expertsDoNotDivide.plan("deepseek-hierarchical", seven))
                .isEqualTo(expertsDoNotDivide.plan("deepseek", seven));
        for (LayerExample example : List.of(groupsDoNotDivide, nodesDiffer, rankHoldsMoreThanItsNodeHas)) {
            assertThat(example.plan("deepseek-hierarchical", STAIRS))
                    .as("%s", example)
                    .isEqualTo(example.plan("deepseek", STAIRS));
        }
    }

    @Test
    void hierarchyKeepsEveryGroupOnOneNode() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            int nodes = 1 << random.nextInt(4);
            int experts = 8 * (1 + random.nextInt(4));
            int ofNode = experts / nodes;
            int ranksPerNode = 1 + random.nextInt(4);
            int least = (ofNode + ranksPerNode - 1) / ranksPerNode;
            List<Integer> nodeOfRank = new ArrayList<>();
            for (int rank = 0; rank < nodes * ranksPerNode; rank++) {
                nodeOfRank.add(random.nextInt(rank + 1), rank % nodes);
            }
            LayerExample example =
                    new LayerExample(experts, new Topology(nodeOfRank, least + random.nextInt(ofNode - least + 1)));
            long[] load = random.longs(experts, 0, 4).toArray();
            load[0] = 1;

            int[] placed = example.plan("deepseek-hierarchical", load);

            assertThat(PlacementRules.violations(
                            Placement.of(0, new int[][] {placed}), example.shape(1), example.topology()))
                    .as("seed %d", seed)
                    .isEmpty();
            int[] nodeOfGroup = new int[8];
            Arrays.fill(nodeOfGroup, -1);
            for (int slot = 0; slot < placed.length; slot++) {
                int group = placed[slot] / (experts / 8);
                int node = nodeOfRank.get(slot / example.topology().slotsPerRank());
                assertThat(nodeOfGroup[group]).as("seed %d", seed).isIn(-1, node);
                nodeOfGroup[group] = node;
            }
        }
    }
}
