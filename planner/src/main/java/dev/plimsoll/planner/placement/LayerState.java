package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * A layer's placement while it is being changed, with what every rank would carry in every {@linkplain Scenarios scenario}.
 *
 * <p>The potential of a rank is the mean over scenarios of its squared load above the level: the level is the mean rank load, or
 * what the heaviest replica weighs at least, where that is more (in whatever {@link Weighing} counts). Unlike the maximum, the sum of potentials falls with every useful
 * move. Arrays are flat, with {@link Scenarios#COUNT} values side by side, and open to the package: the search reads
 * them in its innermost loops. Loads of ranks that a change touches are added up anew in the order of slots, so no
 * rounding piles up.
 */
final class LayerState {
    static final int K = Scenarios.COUNT;

    final int ranks;
    final int slotsPerRank;
    /** With {@link #nothing} where slots may be idle. */
    final int experts;
    /** What idle slots hold, as far as the search goes: an expert without load, which a rank may hold any number of times. */
    final int nothing;
    /** {@code [slot]}. */
    final int[] expertOf;
    /** {@code [expert]}. */
    final int[] replicas;
    /** {@code [rank · experts + expert]}. */
    final boolean[] holds;
    /** {@code [expert · K + k]}: what one replica weighs. */
    final double[] unit;
    /** The same once there is one more. */
    final double[] comes;
    /** By how much each of the present replicas changes then. */
    final double[] less;
    /** By how much each that stays changes when one leaves. */
    final double[] more;
    /** {@code [rank · K + k]}. */
    final double[] loadOf;
    /** {@code [k]}; shared by all states of a layer. */
    final double[] level;
    /** {@code [rank]}. */
    final double[] potential;

    private final Scenarios scenarios;
    private final Weighing weighing;
    /** Slots of an expert as a list: the first of each, and the next after each slot; -1 ends it. */
    private final int[] firstSlot;

    private final int[] nextSlot;
    private final int[] touched;
    private final boolean[] isTouched;
    private int touchedCount;

    /** A placement that is weighed in tokens. */
    LayerState(Scenarios scenarios, int[] expertOfSlot) {
        this(scenarios, new TokenWeighing(scenarios), expertOfSlot);
    }

    /** @param expertOfSlot {@code [slot]}, valid, copied */
    LayerState(Scenarios scenarios, Weighing weighing, int[] expertOfSlot) {
        this(scenarios, weighing, expertOfSlot, weighing.levels(expertOfSlot.length));
    }

    private LayerState(Scenarios scenarios, Weighing weighing, int[] expertOfSlot, double[] level) {
        this.scenarios = scenarios;
        this.weighing = weighing;
        this.ranks = scenarios.ranks();
        this.nothing = scenarios.experts();
        this.experts = weighing.idles() ? nothing + 1 : nothing;
        this.expertOf = expertOfSlot.clone();
        this.slotsPerRank = expertOf.length / ranks;
        this.replicas = new int[experts];
        this.holds = new boolean[ranks * experts];
        this.unit = new double[experts * K];
        this.comes = new double[experts * K];
        this.less = new double[experts * K];
        this.more = new double[experts * K];
        this.loadOf = new double[ranks * K];
        this.level = level;
        this.potential = new double[ranks];
        this.touched = new int[ranks];
        this.isTouched = new boolean[ranks];
        this.firstSlot = new int[experts];
        this.nextSlot = new int[expertOf.length];
        Arrays.fill(firstSlot, -1);
        for (int slot = expertOf.length - 1; slot >= 0; slot--) {
            replicas[expertOf[slot]]++;
            link(slot, expertOf[slot]);
        }
        if (weighing.idles()) {
            // One more than there are: nobody has to have the last of it.
            replicas[nothing]++;
        }
        for (int expert = 0; expert < experts; expert++) {
            weigh(expert);
        }
        for (int rank = 0; rank < ranks; rank++) {
            add(rank);
        }
    }

    /** Another placement of the same layer under the same scenarios; its levels are not worked out again. */
    LayerState at(int[] expertOfSlot) {
        return new LayerState(scenarios, weighing, expertOfSlot, level);
    }

    int slots() {
        return expertOf.length;
    }

    int rankOf(int slot) {
        return slot / slotsPerRank;
    }

    boolean holds(int rank, int expert) {
        return holds[rank * experts + expert];
    }

    /** The first slot that holds the expert; go on with {@link #nextSlot} until -1. Slots that hold nothing are in no list. */
    int firstSlot(int expert) {
        return firstSlot[expert];
    }

    int nextSlot(int slot) {
        return nextSlot[slot];
    }

    private void weigh(int expert) {
        weighing.weigh(expert, replicas[expert], unit, comes, less, more);
    }

    private void add(int rank) {
        touch(rank);
        int at = rank * K;
        Arrays.fill(loadOf, at, at + K, 0);
        for (int slot = rank * slotsPerRank; slot < (rank + 1) * slotsPerRank; slot++) {
            int from = expertOf[slot] * K;
            for (int k = 0; k < K; k++) {
                loadOf[at + k] += unit[from + k];
            }
        }
        double sum = 0;
        for (int k = 0; k < K; k++) {
            double above = Math.max(0, loadOf[at + k] - level[k]);
            sum += above * above;
        }
        potential[rank] = sum / K;
    }

    /** Exchanges the experts of two slots of different ranks. */
    void swap(int slot, int other) {
        int expert = expertOf[slot];
        int incoming = expertOf[other];
        unlink(slot);
        unlink(other);
        link(slot, incoming);
        link(other, expert);
        add(rankOf(slot));
        add(rankOf(other));
    }

    /** Puts another expert into a slot whose expert has more replicas. */
    void replace(int slot, int incoming) {
        int outgoing = expertOf[slot];
        unlink(slot);
        link(slot, incoming);
        replicas[outgoing]--;
        replicas[incoming]++;
        weigh(outgoing);
        weigh(incoming);
        add(rankOf(slot));
        for (int other = firstSlot[incoming]; other >= 0; other = nextSlot[other]) {
            if (other != slot) {
                add(rankOf(other));
            }
        }
        for (int other = firstSlot[outgoing]; other >= 0; other = nextSlot[other]) {
            if (!holds(rankOf(other), incoming)) {
                add(rankOf(other));
            }
        }
    }

    private void unlink(int slot) {
        int expert = expertOf[slot];
        if (expert == nothing) {
            return;
        }
        holds[rankOf(slot) * experts + expert] = false;
        if (firstSlot[expert] == slot) {
            firstSlot[expert] = nextSlot[slot];
            return;
        }
        int before = firstSlot[expert];
        while (nextSlot[before] != slot) {
            before = nextSlot[before];
        }
        nextSlot[before] = nextSlot[slot];
    }

    private void link(int slot, int expert) {
        expertOf[slot] = expert;
        if (expert != nothing) {
            holds[rankOf(slot) * experts + expert] = true;
            nextSlot[slot] = firstSlot[expert];
            firstSlot[expert] = slot;
        }
    }

    /** The rank's potential if its load changed by the expert's part of these, {@code [expert · K + k]}. */
    double potential(int rank, int expert, double[] change) {
        double sum = 0;
        for (int k = 0; k < K; k++) {
            double above = Math.max(0, loadOf[rank * K + k] + change[expert * K + k] - level[k]);
            sum += above * above;
        }
        return sum / K;
    }

    /** The same for the changes of two experts. */
    double potential(int rank, int expert, double[] change, int other, double[] changeOfOther) {
        double sum = 0;
        for (int k = 0; k < K; k++) {
            double load = loadOf[rank * K + k] + change[expert * K + k] + changeOfOther[other * K + k];
            double above = Math.max(0, load - level[k]);
            sum += above * above;
        }
        return sum / K;
    }

    /** The rank's potential if it held one more replica of an expert in place of another expert's. */
    double potentialReplacing(int rank, int incoming, int outgoing) {
        double sum = 0;
        for (int k = 0; k < K; k++) {
            double load = loadOf[rank * K + k] + comes[incoming * K + k] - unit[outgoing * K + k];
            double above = Math.max(0, load - level[k]);
            sum += above * above;
        }
        return sum / K;
    }

    /** Ranks whose loads have changed since {@link #forgetTouched}. */
    int touchedCount() {
        return touchedCount;
    }

    int touched(int i) {
        return touched[i];
    }

    void forgetTouched() {
        for (int i = 0; i < touchedCount; i++) {
            isTouched[touched[i]] = false;
        }
        touchedCount = 0;
    }

    void touchAll() {
        for (int rank = 0; rank < ranks; rank++) {
            touch(rank);
        }
    }

    private void touch(int rank) {
        if (!isTouched[rank]) {
            isTouched[rank] = true;
            touched[touchedCount++] = rank;
        }
    }

    /** Sum of the ranks' potentials. */
    double potential() {
        double sum = 0;
        for (double value : potential) {
            sum += value;
        }
        return sum;
    }

    /** What the heaviest rank weighs, {@code [k]}. */
    double[] heaviest() {
        double[] heaviest = new double[K];
        for (int k = 0; k < K; k++) {
            for (int rank = 0; rank < ranks; rank++) {
                heaviest[k] = Math.max(heaviest[k], loadOf[rank * K + k]);
            }
        }
        return heaviest;
    }

    /** Balancedness that is expected, or what an objective has in its place: {@link Weighing#worth}. */
    double balancedness() {
        return weighing.worth(heaviest());
    }
}
