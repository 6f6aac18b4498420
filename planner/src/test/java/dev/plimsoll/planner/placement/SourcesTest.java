package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferLists;
import dev.plimsoll.planner.placement.Sources.Arrival;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SourcesTest {

    /** Any placement, sound or not, and experts that come to slots which do not hold them. */
    private record Case(Placement settled, Topology topology, List<Arrival> arrivals) {
        static Case random(long seed, int most) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            int nodes = 1 + random.nextInt(3);
            Topology topology = Topology.even(nodes * (1 + random.nextInt(3)), nodes, 1 + random.nextInt(4));
            int experts = 1 + random.nextInt(topology.slots());
            int layers = 1 + random.nextInt(3);
            int[][] held = new int[layers][];
            List<Arrival> arrivals = new ArrayList<>();
            for (int layer = 0; layer < layers; layer++) {
                held[layer] = random.ints(topology.slots(), 0, experts).toArray();
                for (int slot = 0; slot < topology.slots(); slot++) {
                    int expert = held[layer][random.nextInt(topology.slots())];
                    if (held[layer][slot] != expert && arrivals.size() < most) {
                        arrivals.add(new Arrival(layer, slot, expert));
                    }
                }
            }
            return new Case(Placement.of(0, held), topology, arrivals);
        }

        List<Move> moves() {
            return Sources.of(settled, topology, arrivals);
        }

        int rank(int slot) {
            return slot / topology.slotsPerRank();
        }

        /** 0 on the rank, 1 on the node, 2 elsewhere. */
        int tier(int from, int to) {
            if (rank(from) == rank(to)) {
                return 0;
            }
            return topology.nodeOfRank()
                            .get(rank(from))
                            .equals(topology.nodeOfRank().get(rank(to)))
                    ? 1
                    : 2;
        }

        /** Ranks that hold what comes, none of them farther than another. */
        int[] nearestRanks(Arrival arrival) {
            int[] held = settled.layer(arrival.layer());
            for (int tier = 0; tier < 3; tier++) {
                int near = tier;
                int[] ranks = IntStream.range(0, held.length)
                        .filter(slot -> held[slot] == arrival.expert() && tier(slot, arrival.slot()) == near)
                        .map(this::rank)
                        .distinct()
                        .toArray();
                if (ranks.length > 0) {
                    return ranks;
                }
            }
            throw new AssertionError("nobody holds " + arrival);
        }

        private int[] sends() {
            int[] sends = new int[topology.ranks()];
            moves().forEach(move -> sends[rank(move.source().index())]++);
            return sends;
        }

        int busiestSender() {
            return Arrays.stream(sends()).max().orElseThrow();
        }

        /** Sum of squares over senders. */
        int unevenness() {
            return Arrays.stream(sends()).map(sent -> sent * sent).sum();
        }
    }

    @Test
    void everyMoveComesFromANearestHolderInTheOrderOfTheArrivals() {
        Set<Integer> tiers = new HashSet<>();
        for (long seed = 0; seed < 2000; seed++) {
            Case given = Case.random(seed, Integer.MAX_VALUE);
            List<Move> moves = given.moves();

            assertThat(moves).as("seed %d", seed).hasSameSizeAs(given.arrivals());
            for (int i = 0; i < moves.size(); i++) {
                Move move = moves.get(i);
                Arrival arrival = given.arrivals().get(i);
                assertThat(new Arrival(
                                move.layer().index(),
                                move.slot().index(),
                                move.expert().index()))
                        .as("seed %d", seed)
                        .isEqualTo(arrival);
                assertThat(given.settled().expert(move.layer(), move.source())).isEqualTo(move.expert());
                assertThat(given.nearestRanks(arrival))
                        .as("seed %d: %s", seed, move)
                        .contains(given.rank(move.source().index()));
                tiers.add(given.tier(move.source().index(), arrival.slot()));
            }
            assertThat(given.moves()).as("seed %d, again", seed).isEqualTo(moves);
            if (!moves.isEmpty()) {
                assertThat(TransferLists.of(new Batch(1, moves), given.topology())
                                .detours(given.settled(), given.topology()))
                        .as("seed %d", seed)
                        .isEmpty();
            }
        }
        assertThat(tiers).containsExactlyInAnyOrder(0, 1, 2);
    }

    @Test
    void noOtherChoiceAmongNearestHoldersHasALessBusySender() {
        int worth = 0;
        for (long seed = 0; seed < 2000; seed++) {
            Case given = Case.random(seed, 7);
            int[][] holders = given.arrivals().stream().map(given::nearestRanks).toArray(int[][]::new);
            int least = least(holders, 0, new int[given.topology().ranks()]);

            assertThat(given.busiestSender()).as("seed %d", seed).isEqualTo(least);
            assertThat(given.unevenness())
                    .as("seed %d, all senders", seed)
                    .isEqualTo(
                            leastUnevenness(holders, 0, new int[given.topology().ranks()]));
            worth += first(holders, given.topology().ranks()) > least ? 1 : 0;
        }
        assertThat(worth).as("cases in which taking any holder is worse").isGreaterThan(300);
    }

    /** By trying everything. */
    private static int least(int[][] holders, int from, int[] sends) {
        if (from == holders.length) {
            return Arrays.stream(sends).max().orElseThrow();
        }
        int least = Integer.MAX_VALUE;
        for (int rank : holders[from]) {
            sends[rank]++;
            least = Math.min(least, least(holders, from + 1, sends));
            sends[rank]--;
        }
        return least;
    }

    private static int leastUnevenness(int[][] holders, int from, int[] sends) {
        if (from == holders.length) {
            return Arrays.stream(sends).map(sent -> sent * sent).sum();
        }
        int least = Integer.MAX_VALUE;
        for (int rank : holders[from]) {
            sends[rank]++;
            least = Math.min(least, leastUnevenness(holders, from + 1, sends));
            sends[rank]--;
        }
        return least;
    }

    private static int first(int[][] holders, int ranks) {
        int[] sends = new int[ranks];
        Arrays.stream(holders).forEach(of -> sends[of[0]]++);
        return Arrays.stream(sends).max().orElseThrow();
    }

    @Test
    void largeBatchesHaveTheLeastBusySenderToo() {
        for (long seed = 0; seed < 500; seed++) {
            Case given = Case.random(seed, Integer.MAX_VALUE);
            int[][] holders = given.arrivals().stream().map(given::nearestRanks).toArray(int[][]::new);
            int busiest = given.busiestSender();

            assertThat(fits(holders, given.topology().ranks(), busiest))
                    .as("seed %d", seed)
                    .isTrue();
            assertThat(busiest > 0 && fits(holders, given.topology().ranks(), busiest - 1))
                    .as("seed %d: one fewer would do", seed)
                    .isFalse();
        }
    }

    /** Whether all can be sent with so many per rank: a bipartite matching where every rank counts that often. */
    private static boolean fits(int[][] holders, int ranks, int perRank) {
        int[] placeTaken = new int[ranks * perRank];
        Arrays.fill(placeTaken, -1);
        for (int arrival = 0; arrival < holders.length; arrival++) {
            if (!match(arrival, holders, perRank, placeTaken, new boolean[placeTaken.length])) {
                return false;
            }
        }
        return true;
    }

    private static boolean match(int arrival, int[][] holders, int perRank, int[] placeTaken, boolean[] tried) {
        for (int rank : holders[arrival]) {
            for (int place = rank * perRank; place < (rank + 1) * perRank; place++) {
                if (!tried[place]) {
                    tried[place] = true;
                    if (placeTaken[place] < 0 || match(placeTaken[place], holders, perRank, placeTaken, tried)) {
                        placeTaken[place] = arrival;
                        return true;
                    }
                }
            }
        }
        return false;
    }

    @Test
    void sourcesAreOnTheSameNodeWhereOneIsAndAreSpreadOverHolders() {
        // Expert 0 is on ranks 0 (node 0), 2 and 3 (node 1); it comes to ranks 1, 4 and 5.
        Topology topology = new Topology(List.of(0, 0, 1, 1, 2, 2), 1);
        Placement settled = Placement.of(0, new int[][] {{0, 1, 0, 0, 2, 3}});

        List<Move> moves = Sources.of(
                settled, topology, List.of(new Arrival(0, 1, 0), new Arrival(0, 4, 0), new Arrival(0, 5, 0)));

        assertThat(moves.stream().map(move -> move.source().index())).containsExactly(0, 2, 3);
    }

    @Test
    void anExpertThatNobodyHoldsCannotCome() {
        Topology topology = Topology.even(2, 1, 1);
        Placement settled = Placement.of(0, new int[][] {{0, 1}});

        assertThatThrownBy(() -> Sources.of(settled, topology, List.of(new Arrival(0, 0, 7))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nobody holds expert 7 of layer 0");
    }
}
