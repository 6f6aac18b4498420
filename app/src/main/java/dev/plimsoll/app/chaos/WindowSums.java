package dev.plimsoll.app.chaos;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The numbers of one window: how many boundary intervals of each rank it has, and the load per placement state, sub-window, layer and
 * slot. Two of them are compared: what was published, and what the ranks computed in the steps of the samples that were to be used.
 */
final class WindowSums {
    private final Membership members;
    private final int subWindows;
    private final long[] present;
    /** Per state {@code [subWindow][layer][slot of all ranks]}. */
    private final Map<PlacementState, long[]> loads = new HashMap<>();

    private WindowSums(Membership members, int subWindows) {
        this.members = members;
        this.subWindows = subWindows;
        this.present = new long[members.topology().ranks()];
    }

    /** What was published. */
    static WindowSums published(Membership members, long[] present, int subWindows, Collection<LoadWindow> records) {
        WindowSums sums = new WindowSums(members, subWindows);
        System.arraycopy(present, 0, sums.present, 0, present.length);
        for (LoadWindow record : records) {
            long[] load = sums.of(record.state());
            for (int part = 0; part < record.subWindows(); part++) {
                for (int slot = 0; slot < record.load().size(); slot++) {
                    int at = part * record.load().size() + slot;
                    load[sums.at(part, record.layer(), record.firstSlot() + slot)] +=
                            record.subLoad().at(at);
                }
            }
        }
        return sums;
    }

    /**
     * What was computed in the steps of these parts: of each rank's, in their order, those that overlap none before.
     *
     * @param used told of the parts that count
     */
    static WindowSums computed(
            Membership members, StepRange window, int subWindows, List<Part> parts, Truth truth, Consumer<Part> used) {
        WindowSums sums = new WindowSums(members, subWindows);
        BitSet[] taken = new BitSet[members.topology().ranks()];
        Arrays.setAll(taken, rank -> new BitSet());
        for (Part part : parts) {
            int from = (int) ((part.steps().from() - window.from()) / members.boundarySteps());
            int to = (int) ((part.steps().to() - window.from()) / members.boundarySteps());
            int next = taken[part.rank()].nextSetBit(from);
            if (next >= 0 && next < to) {
                continue;
            }
            taken[part.rank()].set(from, to);
            sums.present[part.rank()] += to - from;
            int subWindow = (int) ((part.steps().to() - window.from() - 1) * subWindows / window.length());
            sums.add(part, subWindow, truth.load(part.rank(), part.steps()));
            used.accept(part);
        }
        return sums;
    }

    private void add(Part part, int subWindow, long[] load) {
        long[] sum = of(part.state());
        int slots = members.topology().slotsPerRank();
        for (int cell = 0; cell < load.length; cell++) {
            sum[at(subWindow, cell / slots, part.rank() * slots + cell % slots)] += load[cell];
        }
    }

    private long[] of(PlacementState state) {
        return loads.computeIfAbsent(
                state,
                unseen -> new long
                        [subWindows
                                * members.shape().layers()
                                * members.topology().slots()]);
    }

    private int at(int subWindow, int layer, int slot) {
        return (subWindow * members.shape().layers() + layer)
                        * members.topology().slots()
                + slot;
    }

    boolean samePresence(WindowSums other) {
        return Arrays.equals(present, other.present);
    }

    boolean sameLoads(WindowSums other) {
        return loads.keySet().equals(other.loads.keySet())
                && loads.entrySet().stream()
                        .allMatch(load -> Arrays.equals(load.getValue(), other.loads.get(load.getKey())));
    }

    long total() {
        return loads.values().stream().flatMapToLong(Arrays::stream).sum();
    }

    @Override
    public String toString() {
        return "intervals " + Arrays.toString(present) + ", load " + total() + " in states " + loads.keySet();
    }
}
