package dev.plimsoll.planner.placement;

import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which slots send the weights of a batch: for every move the nearest holder, and among the nearest ones such that the busiest
 * sender sends as little as it can. Idle slots hold weights like any other.
 *
 * <p>A holder on the same rank comes first (a copy), then one on the same node, then any. Each move, those with the fewest
 * holders first, takes the rank that sends the least so far. Then, as long as one can be found, a chain of ranks hands moves on
 * from one rank to another that sends at least two fewer; when there is none, no other choice has a less busy sender, nor one
 * that sends less with the rest as it is. Ties go to the lowest rank. This is the optimal semi-matching of Harvey, Ladner, Lovász
 * and Tamir, Semi-Matchings for Bipartite Graphs and Load Balancing, 2006.
 */
final class Sources {
    /** An expert that comes to a slot. */
    record Arrival(int layer, int slot, int expert) {}

    private final int slotsPerRank;
    /** {@code [arrival][holder]}: the nearest slots that hold the expert, one for each rank, ascending. */
    private final int[][] holders;
    /** {@code [arrival]}: the slot that sends. */
    private final int[] source;
    /** {@code [rank]}: the arrivals that it sends. */
    private final List<List<Integer>> sentBy = new ArrayList<>();

    private Sources(int slotsPerRank, int ranks, int[][] holders) {
        this.slotsPerRank = slotsPerRank;
        this.holders = holders;
        this.source = new int[holders.length];
        for (int rank = 0; rank < ranks; rank++) {
            sentBy.add(new ArrayList<>());
        }
    }

    /**
     * The moves of a batch, in the order of the arrivals.
     *
     * @throws IllegalArgumentException where nobody holds an expert that is to come
     */
    static List<Move> of(Placement settled, Topology topology, List<Arrival> arrivals) {
        int[][] holders = new int[arrivals.size()][];
        for (int i = 0; i < holders.length; i++) {
            Arrival arrival = arrivals.get(i);
            holders[i] = nearest(settled.layer(arrival.layer()), arrival, topology);
        }
        Sources sources = new Sources(topology.slotsPerRank(), topology.ranks(), holders);
        sources.assign();
        List<Move> moves = new ArrayList<>();
        for (int i = 0; i < holders.length; i++) {
            Arrival arrival = arrivals.get(i);
            moves.add(new Move(
                    new LayerId(arrival.layer()),
                    new SlotId(arrival.slot()),
                    new ExpertId(arrival.expert()),
                    new SlotId(sources.source[i])));
        }
        return moves;
    }

    private static int[] nearest(int[] expertOfSlot, Arrival arrival, Topology topology) {
        int[] held = IntStream.range(0, expertOfSlot.length)
                .filter(slot -> expertOfSlot[slot] == arrival.expert())
                .toArray();
        int least = Arrays.stream(held)
                .map(slot -> distance(slot, arrival.slot(), topology))
                .min()
                .orElseThrow(() -> new IllegalArgumentException("nobody holds expert " + arrival.expert() + " of layer "
                        + arrival.layer() + ", so it cannot come to slot " + arrival.slot()));
        return Arrays.stream(held)
                .filter(slot -> distance(slot, arrival.slot(), topology) == least)
                .toArray();
    }

    private static int distance(int from, int to, Topology topology) {
        int a = from / topology.slotsPerRank();
        int b = to / topology.slotsPerRank();
        if (a == b) {
            return 0;
        }
        return topology.nodeOfRank().get(a).equals(topology.nodeOfRank().get(b)) ? 1 : 2;
    }

    private void assign() {
        List<Integer> fewestFirst =
                new ArrayList<>(IntStream.range(0, holders.length).boxed().toList());
        fewestFirst.sort(Comparator.comparingInt(arrival -> holders[arrival].length));
        for (int arrival : fewestFirst) {
            int best = holders[arrival][0];
            for (int holder : holders[arrival]) {
                if (sends(rank(holder)) < sends(rank(best))) {
                    best = holder;
                }
            }
            send(arrival, best);
        }
        boolean relieved = true;
        while (relieved) {
            relieved = false;
            for (int rank : busiestFirst()) {
                while (relieve(rank)) {
                    relieved = true;
                }
            }
        }
    }

    private List<Integer> busiestFirst() {
        List<Integer> ranks =
                new ArrayList<>(IntStream.range(0, sentBy.size()).boxed().toList());
        ranks.sort(Comparator.comparingInt(rank -> -sends(rank)));
        return ranks;
    }

    /** Takes one move from a rank along the shortest chain to one that sends at least two fewer; false where there is none. */
    private boolean relieve(int relieved) {
        if (sends(relieved) < 2) {
            return false;
        }
        // For each rank reached: the holder's slot through which, and what it would take over from the rank before.
        int[] holderAt = new int[sentBy.size()];
        int[] takesOver = new int[sentBy.size()];
        Arrays.fill(takesOver, -1);
        Deque<Integer> reached = new ArrayDeque<>(List.of(relieved));
        while (!reached.isEmpty()) {
            for (int arrival : sentBy.get(reached.removeFirst())) {
                for (int holder : holders[arrival]) {
                    int next = rank(holder);
                    if (next == relieved || takesOver[next] >= 0) {
                        continue;
                    }
                    holderAt[next] = holder;
                    takesOver[next] = arrival;
                    if (sends(next) <= sends(relieved) - 2) {
                        handOver(relieved, next, holderAt, takesOver);
                        return true;
                    }
                    reached.addLast(next);
                }
            }
        }
        return false;
    }

    private void handOver(int relieved, int last, int[] holderAt, int[] takesOver) {
        int rank = last;
        while (rank != relieved) {
            int arrival = takesOver[rank];
            int before = rank(source[arrival]);
            sentBy.get(before).remove(Integer.valueOf(arrival));
            send(arrival, holderAt[rank]);
            rank = before;
        }
    }

    private void send(int arrival, int holder) {
        source[arrival] = holder;
        sentBy.get(rank(holder)).add(arrival);
    }

    private int sends(int rank) {
        return sentBy.get(rank).size();
    }

    private int rank(int slot) {
        return slot / slotsPerRank;
    }
}
