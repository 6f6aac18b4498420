package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalLong;

/**
 * A window that samples may still be added to: a set of cells and their sums.
 *
 * <p>A rank's part of a sample is taken whole or not at all. If any of its boundary intervals is there already in any of its layers, it
 * is left out: as a duplicate if the same steps and layers came before with the same content, else as a conflict. So emitters that cut
 * steps or layers differently never count anything twice; at worst something stays out, and is counted as such.
 *
 * <p>A sample over several sub-windows cannot be split; it counts in the one that its last step is in.
 */
final class OpenWindow {
    private static final long ODD = 0x9E3779B97F4A7C15L;
    private static final long OBJECTS = 1024;

    private final Membership members;
    private final StepRange steps;
    private final long firstOffset;
    private final int boundaries;
    private final int ranks;
    private final int layers;
    private final int subWindows;
    /** Every cell with its content. */
    private final Fingerprints cells = new Fingerprints();
    /** The cells that belong to no window, without their content. */
    private final Fingerprints unattributed = new Fingerprints();
    /** {@code (boundary · ranks + rank) · layers + layer}; by boundary first, as later ones are mostly empty. */
    private final BitSet taken = new BitSet();
    /** {@code [boundary · ranks + rank]} layers taken. */
    private final int[] layersTaken;
    /** {@code [rank]} boundary intervals of which all layers are there. */
    private final long[] present;

    private final List<Segment> segments = new ArrayList<>();
    private final Routed routed;
    /** Sub-windows of segments that have memory. */
    private int sums;

    private int presentOfAll;
    private long accepted;
    private boolean spanned;
    private OptionalLong firstGrownAt = OptionalLong.empty();
    private OptionalLong grownAt = OptionalLong.empty();

    OpenWindow(Membership members, long index, int subWindows, long firstOffset) {
        this.members = members;
        this.steps = steps(members, index);
        this.firstOffset = firstOffset;
        this.boundaries = members.boundariesPerWindow();
        this.ranks = members.topology().ranks();
        this.layers = members.shape().layers();
        this.subWindows = subWindows;
        this.layersTaken = new int[boundaries * ranks];
        this.present = new long[ranks];
        this.routed = new Routed(ranks, layers);
    }

    static StepRange steps(Membership members, long index) {
        return new StepRange(index * members.windowSteps(), (index + 1) * members.windowSteps());
    }

    /** Whether a further state would be more than one per boundary, which no protocol produces. */
    boolean admits(PlacementState state) {
        return segments.size() < boundaries
                || segments.stream().anyMatch(segment -> segment.state().equals(state));
    }

    /** Adds a rank's part of a sample inside of this window, unless it overlaps what is there. */
    Fate offer(LoadSample sample, Cell cell) {
        if (overlaps(sample, cell.rank())) {
            return compare(sample, cell);
        }
        cells.add(key(sample, cell.rank()) ^ cell.hash());
        for (int boundary = boundary(sample.steps().from());
                boundary < boundary(sample.steps().to());
                boundary++) {
            int at = boundary * ranks + cell.rank();
            taken.set(at * layers + sample.firstLayer(), at * layers + sample.firstLayer() + sample.layers());
            layersTaken[at] += sample.layers();
            if (layersTaken[at] == layers) {
                present[cell.rank()]++;
                presentOfAll++;
            }
        }
        add(sample, cell.rank(), 1);
        return Fate.ACCEPTED;
    }

    /** Adds to the sums only, or takes away. */
    void add(LoadSample sample, int rank, int sign) {
        int subWindow = subWindow(sample);
        Segment segment = segment(sample.state());
        sums += segment.touches(subWindow) ? 0 : 1;
        long[] loadOfLayer = segment.add(sample, rank, subWindow, sign);
        for (long load : loadOfLayer) {
            accepted += sign * load;
        }
        routed.add(sample, rank, loadOfLayer, sign);
    }

    private int subWindow(LoadSample sample) {
        return (int) ((sample.steps().to() - steps.from() - 1) * subWindows / steps.length());
    }

    /** Remembers a rank's part of a sample that ends in this window but belongs to none. */
    Fate offerUnattributed(LoadSample sample, Cell cell) {
        spanned = true;
        if (steps.contains(sample.steps()) && overlaps(sample, cell.rank())) {
            return compare(sample, cell);
        }
        if (!unattributed.add(key(sample, cell.rank()))) {
            return compare(sample, cell);
        }
        cells.add(key(sample, cell.rank()) ^ cell.hash());
        return Fate.UNATTRIBUTED;
    }

    /** Something came for it. */
    void grew(long appendTime) {
        firstGrownAt = OptionalLong.of(Math.min(firstGrownAt.orElse(appendTime), appendTime));
        grownAt = OptionalLong.of(Math.max(grownAt.orElse(appendTime), appendTime));
    }

    /** Append time of the first sample that it took, as those times go; empty before it. */
    OptionalLong firstGrownAt() {
        return firstGrownAt;
    }

    /** Append time of the newest sample that it took. */
    OptionalLong grownAt() {
        return grownAt;
    }

    /** A sample that spans into this window could not be attributed. */
    void markSpanned() {
        spanned = true;
    }

    private Fate compare(LoadSample sample, Cell cell) {
        return cells.contains(key(sample, cell.rank()) ^ cell.hash()) ? Fate.DUPLICATE : Fate.CONFLICT;
    }

    private boolean overlaps(LoadSample sample, int rank) {
        for (int boundary = boundary(sample.steps().from());
                boundary < boundary(sample.steps().to());
                boundary++) {
            int at = boundary * ranks + rank;
            if (layersTaken[at] == 0) {
                continue;
            }
            int from = at * layers + sample.firstLayer();
            int next = taken.nextSetBit(from);
            if (next >= 0 && next < from + sample.layers()) {
                return true;
            }
        }
        return false;
    }

    private Segment segment(PlacementState state) {
        for (Segment segment : segments) {
            if (segment.state().equals(state)) {
                return segment;
            }
        }
        Segment segment =
                new Segment(state, subWindows, layers, members.topology().slots());
        segments.add(segment);
        return segment;
    }

    private int boundary(long step) {
        return (int) ((step - steps.from()) / members.boundarySteps());
    }

    /** A hash of where a cell is. It decides between two ways of being left out, never whether load is counted. */
    private static long key(LoadSample sample, int rank) {
        long key = rank;
        key = (key + sample.steps().from()) * ODD;
        key = ((key ^ (key >>> 29)) + sample.steps().to()) * ODD;
        key = ((key ^ (key >>> 29)) + sample.firstLayer()) * ODD;
        key = ((key ^ (key >>> 29)) + sample.layers()) * ODD;
        return key ^ (key >>> 31);
    }

    /** What a window takes that nothing has fallen into. */
    static long bytesOfEmpty(Membership members) {
        long cells = (long) members.boundariesPerWindow() * members.topology().ranks();
        return OBJECTS
                + cells * members.shape().layers() / 8
                + 4 * cells
                + 8L * members.topology().ranks();
    }

    /** What a window takes that is full, under one placement state. */
    static long bytesOfWhole(Membership members, WindowSettings settings) {
        return bytesOfEmpty(members)
                + settings.subWindows(members.boundariesPerWindow()) * bytesOfSums(members)
                + 32L * members.boundariesPerWindow() * members.topology().ranks();
    }

    private static long bytesOfSums(Membership members) {
        return 8L * members.shape().layers() * members.topology().slots();
    }

    /** What this window takes, about; follows from what is in it. */
    long bytes() {
        return bytesOfEmpty(members)
                + sums * bytesOfSums(members)
                + cells.bytes()
                + unattributed.bytes()
                + routed.bytes();
    }

    /** What a sample of this window could add to that. */
    long bytesFor(LoadSample sample) {
        boolean there = segments.stream()
                .anyMatch(segment -> segment.state().equals(sample.state()) && segment.touches(subWindow(sample)));
        return (there ? 0 : bytesOfSums(members)) + bytesOfCells(sample);
    }

    /** The same for a window that is not open yet. */
    static long bytesFor(Membership members, LoadSample sample) {
        return bytesOfEmpty(members) + bytesOfSums(members) + bytesOfCells(sample);
    }

    private static long bytesOfCells(LoadSample sample) {
        return 64L * sample.ranks() + Routed.blockBytes(sample.layers());
    }

    boolean complete() {
        return presentOfAll == boundaries * ranks;
    }

    boolean spanned() {
        return spanned;
    }

    /** Offset of the first record that this window holds anything of. */
    long firstOffset() {
        return firstOffset;
    }

    LongVector present() {
        return LongVector.of(present);
    }

    long accepted() {
        return accepted;
    }

    /** In the order in which their states were seen first. */
    List<Segment> segments() {
        return segments;
    }

    BitSet violations() {
        return routed.violations();
    }

    /** Tokens per layer, on average over layers. */
    long tokens() {
        return routed.assignments() / ((long) members.shape().topK() * layers);
    }
}
