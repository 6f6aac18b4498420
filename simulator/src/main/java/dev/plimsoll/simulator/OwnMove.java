package dev.plimsoll.simulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A move that the engine makes by itself: before a step it brings one layer of all ranks to the target, weights and maps, so that
 * meanwhile steps run under maps that nobody has decided on, and every token still meets its expert.
 *
 * <p>The dispatch thread drives it between two steps; what touches weights and maps are kernels on the ranks' own streams.
 */
final class OwnMove implements AutoCloseable {
    private record Copy(int localSlot, int sourceRank, int sourceLocalSlot) {}

    private final EngineSettings settings;
    private final SimulatedRank[] ranks;
    /** {@code [layer][slot]} flattened. */
    private final int[] target;

    private final RankWeights[] rooms;
    private int next;

    /** @param ranks all of the deployment */
    OwnMove(Hardware hardware, EngineSettings settings, SimulatedRank[] ranks, int[] target) {
        this.settings = settings;
        this.ranks = ranks;
        this.target = target;
        rooms = new RankWeights[ranks.length];
        for (int rank = 0; rank < ranks.length; rank++) {
            rooms[rank] = new RankWeights(hardware, 1, settings.topology().slotsPerRank(), settings.wordsPerExpert());
        }
    }

    /**
     * Enqueues what brings the next layer to the target.
     *
     * @param synchronize waits for all streams: before it nothing runs on them, and sources are only read up to it
     */
    void layer(Runnable synchronize) {
        int layer = next++;
        List<List<Copy>> copies = new ArrayList<>();
        for (SimulatedRank rank : ranks) {
            copies.add(copies(layer, rank));
        }
        // A slot may be a source and a target: first everything into rooms of their own, then from there.
        for (int rank = 0; rank < ranks.length; rank++) {
            RankWeights room = rooms[rank];
            for (Copy copy : copies.get(rank)) {
                SimulatedRank source = ranks[copy.sourceRank()];
                int from = source.cell(layer, copy.sourceLocalSlot());
                ranks[rank].compute().launch(() -> room.copy(copy.localSlot(), source.memory(), from));
            }
        }
        synchronize.run();
        int slots = settings.topology().slots();
        int[] after = Arrays.copyOfRange(target, layer * slots, (layer + 1) * slots);
        for (int rank = 0; rank < ranks.length; rank++) {
            SimulatedRank to = ranks[rank];
            RankWeights room = rooms[rank];
            for (Copy copy : copies.get(rank)) {
                to.compute().launch(() -> to.memory().copy(to.cell(layer, copy.localSlot()), room, copy.localSlot()));
            }
            to.compute().launch(() -> to.flip(layer, after));
        }
    }

    /** Whether nothing is left but to run what was enqueued. */
    boolean over() {
        return next == settings.model().layers();
    }

    /** What a rank's slots of a layer need: from the rank itself where it has it, else from the first that does. */
    private List<Copy> copies(int layer, SimulatedRank rank) {
        int perRank = settings.topology().slotsPerRank();
        List<Copy> copies = new ArrayList<>();
        for (int local = 0; local < perRank; local++) {
            int slot = rank.rank() * perRank + local;
            int expert = target[layer * settings.topology().slots() + slot];
            if (rank.expertOf(layer, slot) != expert) {
                int source = holder(layer, rank, expert);
                copies.add(new Copy(local, source / perRank, source % perRank));
            }
        }
        return copies;
    }

    private int holder(int layer, SimulatedRank rank, int expert) {
        int perRank = settings.topology().slotsPerRank();
        int first = -1;
        for (int slot = 0; slot < settings.topology().slots(); slot++) {
            if (rank.expertOf(layer, slot) == expert) {
                if (slot / perRank == rank.rank()) {
                    return slot;
                }
                first = first < 0 ? slot : first;
            }
        }
        if (first < 0) {
            throw new IllegalStateException(
                    "layer " + layer + " has no slot with expert " + expert + " to copy it from");
        }
        return first;
    }

    @Override
    public void close() {
        for (RankWeights room : rooms) {
            room.close();
        }
    }
}
