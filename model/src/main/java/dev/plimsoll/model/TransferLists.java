package dev.plimsoll.model;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * What every rank sends and receives in one batch: derived by every rank from the batch alone, so that the lists fit each other
 * without a word between ranks.
 *
 * <p>The sender of a move is the rank of its source slot. A rank may send to itself: a copy. Lists are in the order of the
 * batch's moves.
 *
 * @param sends {@code [rank]}
 * @param receives {@code [rank]}; the tag of a transfer is its index in the receiver's list, and its place in staging memory
 */
public record TransferLists(List<List<Transfer>> sends, List<List<Transfer>> receives) {

    /**
     * The weights of one expert of one layer on their way between two ranks.
     *
     * @param tag counts the transfers of the batch to the receiver, from 0
     */
    public record Transfer(Move move, RankId from, RankId to, int tag) {}

    public TransferLists {
        sends = sends.stream().map(List::copyOf).toList();
        receives = receives.stream().map(List::copyOf).toList();
    }

    /** @throws IllegalArgumentException where a slot is outside of the topology */
    public static TransferLists of(Batch batch, Topology topology) {
        List<List<Transfer>> sends = new ArrayList<>();
        List<List<Transfer>> receives = new ArrayList<>();
        for (int rank = 0; rank < topology.ranks(); rank++) {
            sends.add(new ArrayList<>());
            receives.add(new ArrayList<>());
        }
        for (Move move : batch.moves()) {
            RankId from = topology.rankOf(move.source());
            RankId to = topology.rankOf(move.slot());
            List<Transfer> received = receives.get(to.index());
            Transfer transfer = new Transfer(move, from, to, received.size());
            received.add(transfer);
            sends.get(from.index()).add(transfer);
        }
        return new TransferLists(sends, receives);
    }

    /** Most transfers that one rank sends or receives: what the time of the batch goes with. */
    public int busiest() {
        int busiest = 0;
        for (int rank = 0; rank < sends.size(); rank++) {
            busiest = Math.max(busiest, busiest(rank));
        }
        return busiest;
    }

    private int busiest(int rank) {
        return Math.max(sends.get(rank).size(), receives.get(rank).size());
    }

    /**
     * Transfers that are sound but slower than they need be: a nearer rank holds the expert, or one as near does that sends at
     * least two fewer. A planner should know; no rank refuses because of it.
     *
     * @param settled the placement that the moves start from
     */
    public List<String> detours(Placement settled, Topology topology) {
        List<String> found = new ArrayList<>();
        for (List<Transfer> sent : sends) {
            for (Transfer transfer : sent) {
                Move move = transfer.move();
                int distance = distance(transfer.from(), transfer.to(), topology);
                int[] expertOfSlot = settled.layer(move.layer().index());
                for (int slot = 0; slot < expertOfSlot.length; slot++) {
                    if (expertOfSlot[slot] != move.expert().index()) {
                        continue;
                    }
                    RankId other = topology.rankOf(new SlotId(slot));
                    int otherDistance = distance(other, transfer.to(), topology);
                    int otherSends = sends.get(other.index()).size();
                    if (otherDistance < distance) {
                        found.add(other + " is nearer: " + transfer);
                    } else if (otherDistance == distance && otherSends <= sent.size() - 2) {
                        found.add(
                                other + " sends only " + otherSends + ", the sender " + sent.size() + ": " + transfer);
                    }
                }
            }
        }
        return found;
    }

    private static int distance(RankId from, RankId to, Topology topology) {
        if (from.equals(to)) {
            return 0;
        }
        return topology.sameNode(from, to) ? 1 : 2;
    }

    /**
     * Where the lists do not fit each other: a transfer without its other half, sent in another order than its receiver waits
     * for it, or with a tag that two share; empty when every rank gets what it waits for.
     */
    public List<String> problems() {
        List<String> found = new ArrayList<>();
        List<BitSet> sent = new ArrayList<>();
        for (int rank = 0; rank < receives.size(); rank++) {
            sent.add(new BitSet());
        }
        for (int from = 0; from < sends.size(); from++) {
            int[] next = new int[receives.size()];
            for (Transfer transfer : sends.get(from)) {
                int to = transfer.to().index();
                int tag = transfer.tag();
                boolean awaited = transfer.from().index() == from
                        && to < receives.size()
                        && tag < receives.get(to).size()
                        && transfer.equals(receives.get(to).get(tag));
                if (!awaited) {
                    found.add("rank " + from + " sends what its receiver does not wait for: " + transfer);
                } else if (tag < next[to] || sent.get(to).get(tag)) {
                    found.add("rank " + from + " sends out of order: " + transfer);
                } else {
                    next[to] = tag + 1;
                    sent.get(to).set(tag);
                }
            }
        }
        for (int to = 0; to < receives.size(); to++) {
            int waiting = receives.get(to).size();
            if (sent.get(to).cardinality() < waiting) {
                Transfer missing = receives.get(to).get(sent.get(to).nextClearBit(0));
                found.add("rank " + to + " waits for what is never sent: " + missing);
            }
        }
        return found;
    }
}
