package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Placement;
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
            RoutingMap map = new RoutingMap(Placement.of(0, placement), experts, random.nextInt(8));
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

        assertThat(new RoutingMap(twoReplicas, 1, 4).route(0, 0)).isZero();
        assertThat(new RoutingMap(twoReplicas, 1, 5).route(0, 0)).isEqualTo(1);
    }

    @Test
    void anIdleSlotGetsNoTokensUntilItIsInUseAgain() {
        for (int rank = 0; rank < 3; rank++) {
            RoutingMap map = new RoutingMap(Placement.of(0, new int[][] {{0, 1, 0, 0}}), 2, rank);
            map.flip(0, new int[] {2}, new int[] {0}, new boolean[] {false});
            requireEven(map, new int[] {0, 1, -1, 0}, 0, 0, 31, "rank " + rank);

            map.flip(0, new int[] {2, 3}, new int[] {0, 0}, new boolean[] {true, false});
            requireEven(map, new int[] {0, 1, 0, -1}, 0, 0, 31, "rank " + rank);
        }
    }

    @Test
    void slotsThatStandIdleFromTheStartGetNoTokens() {
        BitSet[] idle = {BitSet.valueOf(new long[] {1})};
        RoutingMap map = new RoutingMap(Placement.of(0, new int[][] {{0, 1, 0}}, idle), 2, 5);

        requireEven(map, new int[] {-1, 1, 0}, 0, 0, 9, "idle");
    }

    @Test
    void anExpertWithoutASlotIsRefusedWhenItIsRouted() {
        RoutingMap map = new RoutingMap(Placement.of(0, new int[][] {{0, 1}}), 2, 0);
        map.flip(0, new int[] {1}, new int[] {0}, new boolean[] {true});

        assertThatThrownBy(() -> map.route(0, 1)).hasMessageContaining("layer 0 expert 1 has no slot");
    }

    private static void requireEven(RoutingMap map, int[] placement, int layer, int expert, int tokens, String seed) {
        int[] sent = new int[placement.length];
        for (int i = 0; i < tokens; i++) {
            sent[map.route(layer, expert)]++;
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
