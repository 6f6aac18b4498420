package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.ReplicaShare;
import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class RoutingMapTest {

    @Test
    void replicasTakeTurnsWhateverIsFlippedAndWhoeverRoutes() {
        for (long seed = 1; seed <= 200; seed++) {
            SplitMix random = new SplitMix(seed);
            int experts = 2 + random.nextInt(6);
            int slots = experts + random.nextInt(8);
            int[][] placement = {new int[slots], new int[slots]};
            for (int[] layer : placement) {
                Arrays.setAll(layer, slot -> slot % experts);
            }
            RoutingMap map = map(Placement.of(0, placement), experts, random.nextInt(8));
            for (int flip = 0; flip < 10; flip++) {
                int layer = random.nextInt(2);
                int slot = random.nextInt(slots);
                int expert = random.nextInt(experts);
                if (Arrays.stream(placement[layer])
                                .filter(e -> e == placement[layer][slot])
                                .count()
                        > 1) {
                    placement[layer][slot] = expert;
                    map.flip(layer, new int[] {slot}, new int[] {expert}, new boolean[] {true});
                }
                for (int l = 0; l < 2; l++) {
                    for (int e = 0; e < experts; e++) {
                        requireEven(map, placement[l], l, e, 1 + random.nextInt(40), "seed " + seed);
                    }
                }
            }
        }
    }

    @Test
    void ranksStartAtDifferentReplicas() {
        Placement twoReplicas = Placement.of(0, new int[][] {{0, 0}});

        assertThat(map(twoReplicas, 1, 4).route(0, 0, 0)).isZero();
        assertThat(map(twoReplicas, 1, 5).route(0, 0, 0)).isEqualTo(1);
    }

    @Test
    void anIdleSlotGetsNoTokensUntilItIsInUseAgain() {
        for (int rank = 0; rank < 3; rank++) {
            RoutingMap map = map(Placement.of(0, new int[][] {{0, 1, 0, 0}}), 2, rank);
            map.flip(0, new int[] {2}, new int[] {0}, new boolean[] {false});
            requireEven(map, new int[] {0, 1, -1, 0}, 0, 0, 31, "rank " + rank);

            map.flip(0, new int[] {2, 3}, new int[] {0, 0}, new boolean[] {true, false});
            requireEven(map, new int[] {0, 1, 0, -1}, 0, 0, 31, "rank " + rank);
        }
    }

    @Test
    void slotsThatStandIdleFromTheStartGetNoTokens() {
        BitSet[] idle = {BitSet.valueOf(new long[] {1})};
        RoutingMap map = map(Placement.of(0, new int[][] {{0, 1, 0}}, idle), 2, 5);

        requireEven(map, new int[] {-1, 1, 0}, 0, 0, 9, "idle");
    }

    @Test
    void anExpertWithoutASlotIsRefusedWhenItIsRouted() {
        RoutingMap map = map(Placement.of(0, new int[][] {{0, 1}}), 2, 0);
        map.flip(0, new int[] {1}, new int[] {0}, new boolean[] {true});

        assertThatThrownBy(() -> map.route(0, 1, 0)).hasMessageContaining("layer 0 expert 1 has no slot");
    }

    /** As vllm-ascend's first runner does: replicas share only as far as source ranks are many. */
    @Test
    void bySourceEveryRankSendsAllToOneReplica() {
        assertThat(sent(ReplicaShare.BY_SOURCE, 0)).containsExactly(12, 0, 0, 0);
        assertThat(sent(ReplicaShare.BY_SOURCE, 1)).containsExactly(0, 0, 12, 0);
        assertThat(sent(ReplicaShare.BY_SOURCE, 3)).containsExactly(12, 0, 0, 0);
    }

    /** Slots 0, 2 and 3 of four ranks with one slot each hold the expert: rank 1 has none. */
    @Test
    void localFirstARankKeepsWhatItHolds() {
        assertThat(sent(ReplicaShare.LOCAL_FIRST, 0)).containsExactly(12, 0, 0, 0);
        assertThat(sent(ReplicaShare.LOCAL_FIRST, 2)).containsExactly(0, 0, 12, 0);
        assertThat(sent(ReplicaShare.LOCAL_FIRST, 3)).containsExactly(0, 0, 0, 12);
        assertThat(Arrays.stream(sent(ReplicaShare.LOCAL_FIRST, 1)).max()).hasValue(12);
    }

    @Test
    void hashedByRowTheSameRowAlwaysGoesToTheSameReplica() {
        RoutingMap map = new RoutingMap(Placement.of(0, new int[][] {{0, 1, 0, 0}}), 2, 1, 4, ReplicaShare.HASHED_ROW);
        int[] rows = new int[4];
        for (int row = 0; row < 3_000; row++) {
            int slot = map.route(0, 0, row);
            rows[slot]++;
            assertThat(map.route(0, 0, row)).isEqualTo(slot);
        }
        assertThat(rows[1]).isZero();
        assertThat(Arrays.stream(rows).filter(count -> count > 0).min().orElseThrow())
                .isGreaterThan(900);
    }

    @Test
    void aRouterNeedsARule() {
        assertThatThrownBy(() -> new RoutingMap(Placement.of(0, new int[][] {{0, 0}}), 1, 0, 2, ReplicaShare.FITTED))
                .hasMessageContaining("FITTED");
    }

    /** Twelve tokens for an expert in slots 0, 2 and 3 of four, in rows that follow each other. */
    private static int[] sent(ReplicaShare share, int rank) {
        RoutingMap map = new RoutingMap(Placement.of(0, new int[][] {{0, 1, 0, 0}}), 2, rank, 4, share);
        int[] sent = new int[4];
        for (int row = 0; row < 12; row++) {
            sent[map.route(0, 0, row)]++;
        }
        return sent;
    }

    private static RoutingMap map(Placement placement, int experts, int rank) {
        return new RoutingMap(placement, experts, rank, 1, ReplicaShare.EVEN);
    }

    private static void requireEven(RoutingMap map, int[] placement, int layer, int expert, int tokens, String seed) {
        int[] sent = new int[placement.length];
        for (int i = 0; i < tokens; i++) {
            sent[map.route(layer, expert, 0)]++;
        }
        int least = Integer.MAX_VALUE;
        int most = 0;
        for (int slot = 0; slot < placement.length; slot++) {
            if (placement[slot] == expert) {
                least = Math.min(least, sent[slot]);
                most = Math.max(most, sent[slot]);
            } else {
                assertThat(sent[slot]).as(seed).isZero();
            }
        }
        assertThat(most - least).as(seed).isBetween(0, 1);
    }
}
