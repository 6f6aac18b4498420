package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.TransferLists;
import dev.plimsoll.worker.Fixture;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Maps, weights and staging memory as arrays: by layer and slot the expert, in maps its complement where the slot is idle, in weights
 * with the generation that it is of.
 */
public final class Weights {
    public static final int GARBAGE = -1;
    /** Bits of an expert. */
    private static final int GENERATION = 8;

    private static final int SLOTS = Fixture.INITIAL.slots();
    private static final int ROOM = Fixture.MEMBERS.stagedExpertsPerRank();

    private final Map<Batch, TransferLists> transfers = new HashMap<>();

    public static int[] map(Placement placement) {
        return Arrays.stream(placement.marked()).flatMapToInt(Arrays::stream).toArray();
    }

    public static int[] nothingStaged() {
        int[] staging = new int[ROOM];
        Arrays.fill(staging, GARBAGE);
        return staging;
    }

    private List<TransferLists.Transfer> receives(Batch batch, int rank) {
        return transfers
                .computeIfAbsent(batch, one -> TransferLists.of(one, Fixture.MEMBERS.topology()))
                .receives()
                .get(rank);
    }

    /** Staging memory of a rank once a batch has come, from what the sources hold now. */
    public int[] received(Batch batch, int rank, int[] weights) {
        int[] staging = nothingStaged();
        int tag = 0;
        for (TransferLists.Transfer transfer : receives(batch, rank)) {
            Move move = transfer.move();
            staging[tag++] = weights[at(move.layer().index(), move.source().index())];
        }
        return staging;
    }

    /** All weights once a rank has put what was staged in place. */
    public int[] flipped(Batch batch, int rank, int[] weights, int[] staging) {
        int[] after = weights.clone();
        int tag = 0;
        for (TransferLists.Transfer transfer : receives(batch, rank)) {
            Move move = transfer.move();
            after[at(move.layer().index(), move.slot().index())] = staging[tag++];
        }
        return after;
    }

    /** A rank's map with a batch in it. */
    public static int[] flipped(Batch batch, int[] map) {
        int[] after = map.clone();
        for (Move move : batch.moves()) {
            after[at(move.layer().index(), move.slot().index())] = move.expert().index();
        }
        for (Switch change : batch.switches()) {
            int at = at(change.layer().index(), change.slot().index());
            after[at] = change.inUse() ? held(after[at]) : ~held(after[at]);
        }
        return after;
    }

    /** Whose slot a place of an array is. */
    public static int rankOf(int at) {
        return at % SLOTS / (SLOTS / World.RANKS);
    }

    static int at(int layer, int slot) {
        return layer * SLOTS + slot;
    }

    /** What a slot holds that a map says is an expert's, of weights of a generation. */
    static int of(int mapped, int generation) {
        return held(mapped) | generation << GENERATION;
    }

    /** The weights of all slots once those of a rank hold what its map says, of a generation. */
    static int[] reloaded(int[] weights, int[] map, int rank, int generation) {
        int[] after = weights.clone();
        for (int i = 0; i < after.length; i++) {
            if (rankOf(i) == rank) {
                after[i] = of(map[i], generation);
            }
        }
        return after;
    }

    /** The expert that weights are of, or that a map says is in a slot in use. */
    static int expert(int value) {
        return value & (1 << GENERATION) - 1;
    }

    /** Whether a rank sends weights to another in a batch. */
    boolean sends(Batch batch, int from, int to) {
        return receives(batch, to).stream()
                .anyMatch(transfer -> rankOf(transfer.move().source().index()) == from);
    }

    /** The expert of a slot of a map. */
    public static int held(int mapped) {
        return mapped < 0 ? ~mapped : mapped;
    }
}
