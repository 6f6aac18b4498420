package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import java.util.Arrays;

/** Snapshots of three ranks of two slots and two layers, each slot of which computes rank + 1 tokens per step. */
final class Snapshots {
    static final Membership MEMBERS = members(2);

    private Snapshots() {}

    static Membership members(int layers) {
        return members(layers, 7);
    }

    static Membership members(int layers, long incarnation) {
        return members(layers, 2, incarnation);
    }

    static Membership members(int layers, int slotsPerRank, long incarnation) {
        return new Membership(
                new Deployment("test/decode-0"),
                incarnation,
                ModelShape.of("tiny", 2 * slotsPerRank, 1, 0, layers),
                Topology.even(3, 1, slotsPerRank),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                16,
                64,
                64,
                128);
    }

    static Vote vote(int settled, int epoch, int flipped) {
        return new Vote(7, settled, flipped, epoch, 0, 0, 0);
    }

    static Snapshot at(long sequence, long step) {
        return at(sequence, step, vote(0, 0, 0));
    }

    static Snapshot at(long sequence, long step, Vote vote) {
        long[] load = new long[3 * 2 * 2];
        long[] routed = new long[3 * 2];
        for (int rank = 0; rank < 3; rank++) {
            Arrays.fill(load, rank * 4, rank * 4 + 4, step * (rank + 1));
            // Each rank routes a third of 12 tokens per layer and step.
            Arrays.fill(routed, rank * 2, rank * 2 + 2, step * 4);
        }
        Vote[] votes = {vote, vote, vote};
        return new Snapshot(sequence, step, true, 0, votes, new boolean[] {true, true, true}, load, routed, step);
    }

    /** What a ring of three ranks publishes once it has lost its group: one rank alone, zeros for the others. */
    static Snapshot alone(long sequence, long step, int own) {
        Snapshot all = at(sequence, step);
        for (int rank = 0; rank < 3; rank++) {
            if (rank != own) {
                marker(all, rank);
                all.votes()[rank] = new Vote(0, 0, 0, 0, 0, 0, 0);
            }
        }
        return new Snapshot(sequence, step, false, 0, all.votes(), all.valid(), all.load(), all.routed(), step);
    }

    /** What a ring that never gathers publishes; without routed counters, for its engine does not know them. */
    static Snapshot narrow(long sequence, long step, int own) {
        Snapshot all = at(sequence, step);
        long[] load = Arrays.copyOfRange(all.load(), own * 4, own * 4 + 4);
        return new Snapshot(
                sequence,
                step,
                false,
                own,
                new Vote[] {all.votes()[own]},
                new boolean[] {true},
                load,
                new long[0],
                step);
    }

    static Snapshot marker(Snapshot snapshot, int rank) {
        snapshot.valid()[rank] = false;
        Arrays.fill(snapshot.load(), rank * 4, rank * 4 + 4, 0);
        Arrays.fill(snapshot.routed(), rank * 2, rank * 2 + 2, 0);
        return snapshot;
    }
}
