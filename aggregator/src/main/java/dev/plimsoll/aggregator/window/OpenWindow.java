package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

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
    private static final long OBJECTS = 1024;

    private final Membership members;
    private final Memory memory;
    private final StepRange steps;
    private final long firstOffset;
    private final int boundaries;
    private final int ranks;
    private final int layers;
    private final int slotsPerRank;
    private final int subWindows;
    private final Coverage coverage;
    /** The cells that belong to no window: where they are. */
    private final Fingerprints unattributed = new Fingerprints();
    /** The same with what they say. */
    private final Fingerprints unattributedContents = new Fingerprints();

    private final List<Segment> segments = new ArrayList<>();
    /** Of all that was added; none before the first. */
    private @Nullable LoadKind kind;

    private final Routed routed;
    private final Times times;

    private boolean spanned;
    private OptionalLong firstGrownAt = OptionalLong.empty();
    private OptionalLong grownAt = OptionalLong.empty();

    OpenWindow(Membership members, long index, int subWindows, long firstOffset, Memory memory) {
        this.memory = memory;
        this.members = members;
        this.steps = steps(members, index);
        this.firstOffset = firstOffset;
        this.boundaries = members.boundariesPerWindow();
        this.ranks = members.topology().ranks();
        this.layers = members.shape().layers();
        this.slotsPerRank = members.topology().slotsPerRank();
        this.subWindows = subWindows;
        this.coverage = new Coverage(boundaries, ranks, layers);
        this.times = new Times(boundaries, ranks);
        this.routed = new Routed(ranks, layers, slotsPerRank, memory.blocks());
    }

    /** What closed windows leave to those that open: rows of all ranks, of tokens sent to all, and of one rank. */
    record Memory(Spares sums, Spares sent, Spares blocks) {
        static Memory of(Membership members) {
            int ranks = members.topology().ranks();
            int row = members.shape().layers() * members.topology().slotsPerRank();
            return new Memory(new Spares(ranks, row), new Spares(1, ranks * row), new Spares(1, row));
        }

        Spares of(LoadKind kind) {
            return kind == LoadKind.ROUTED_TO ? sent : sums;
        }
    }

    /** Gives its memory back; it must not be used any more. */
    void release() {
        segments.forEach(Segment::release);
        routed.release();
    }

    static StepRange steps(Membership members, long index) {
        return new StepRange(index * members.windowSteps(), (index + 1) * members.windowSteps());
    }

    /** Whether a further state would be more than one per boundary, which no protocol produces. */
    boolean admits(PlacementState state) {
        return segments.size() < boundaries
                || segments.stream().anyMatch(segment -> segment.state().equals(state));
    }

    /** Whether what was added is of the kind that a sample is of: sums never mix kinds. */
    boolean isOf(LoadKind other) {
        return kind == null || kind == other;
    }

    /** Adds a rank's part of a sample inside of this window, unless it overlaps what is there. */
    Fate offer(LoadSample sample, int rank) {
        if (overlaps(sample, rank)) {
            return compare(sample, rank);
        }
        coverage.take(
                rank,
                boundary(sample.steps().from()),
                boundary(sample.steps().to()),
                sample.firstLayer(),
                sample.layers(),
                Cell.fingerprint(sample, rank));
        times.take(
                sample,
                rank,
                boundary(sample.steps().from()),
                boundary(sample.steps().to()));
        add(sample, rank);
        return Fate.ACCEPTED;
    }

    /** Adds to the sums only. */
    void add(LoadSample sample, int rank) {
        kind = sample.kind();
        segment(sample).add(sample, rank, subWindow(sample));
        routed.add(sample, rank);
    }

    /** Takes away from the sums only. */
    void subtract(LoadSample sample, int rank) {
        segment(sample).subtract(sample, rank, subWindow(sample));
        routed.subtract(sample, rank);
    }

    private int subWindow(LoadSample sample) {
        return (int) ((sample.steps().to() - steps.from() - 1) * subWindows / steps.length());
    }

    /** Remembers a rank's part of a sample that ends in this window but belongs to none. */
    Fate offerUnattributed(LoadSample sample, int rank) {
        spanned = true;
        boolean there = steps.contains(sample.steps()) && overlaps(sample, rank);
        if (there || !unattributed.add(Cell.key(sample, rank))) {
            return compare(sample, rank);
        }
        unattributedContents.add(Cell.fingerprint(sample, rank));
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

    private Fate compare(LoadSample sample, int rank) {
        long fingerprint = Cell.fingerprint(sample, rank);
        boolean same = coverage.has(rank, boundary(sample.steps().to()), sample.layers(), fingerprint)
                || unattributedContents.contains(fingerprint);
        return same ? Fate.DUPLICATE : Fate.CONFLICT;
    }

    private boolean overlaps(LoadSample sample, int rank) {
        return coverage.overlaps(
                rank,
                boundary(sample.steps().from()),
                boundary(sample.steps().to()),
                sample.firstLayer(),
                sample.layers());
    }

    private Segment segment(LoadSample sample) {
        PlacementState state = sample.state();
        for (int i = segments.size() - 1; i >= 0; i--) { // the newest, most often
            if (segments.get(i).state().equals(state)) {
                return segments.get(i);
            }
        }
        Segment segment =
                new Segment(state, sample.kind(), subWindows, layers, sample.slotsPerRank(), memory.of(sample.kind()));
        segments.add(segment);
        return segment;
    }

    private int boundary(long step) {
        return (int) ((step - steps.from()) / members.boundarySteps());
    }

    /** What a window takes that nothing has fallen into. */
    static long bytesOfEmpty(Membership members) {
        int ranks = members.topology().ranks();
        return OBJECTS + Coverage.bytesOfEmpty((long) members.boundariesPerWindow() * ranks, ranks);
    }

    /** What a window takes that is full, under one placement state. */
    static long bytesOfWhole(Membership members, WindowSettings settings) {
        int layers = members.shape().layers();
        int width = members.topology().slotsPerRank();
        return bytesOfEmpty(members)
                + Times.bytesOfTimed(members)
                + settings.subWindows(members.boundariesPerWindow())
                        * Sums.bytes(members.topology().ranks(), layers * width, Counters.INT)
                + members.boundariesPerWindow() * Routed.blockBytes(layers, width);
    }

    /** What this window takes, about; follows from what is in it. */
    long bytes() {
        long bytes = OBJECTS
                + coverage.bytes()
                + unattributed.bytes()
                + unattributedContents.bytes()
                + routed.bytes()
                + times.bytes();
        for (Segment segment : segments) {
            bytes += segment.bytes();
        }
        return bytes;
    }

    /** What a sample of this window could add to that. */
    long bytesFor(LoadSample sample) {
        return times.bytesFor(sample) + bytesOfLoad(sample);
    }

    private long bytesOfLoad(LoadSample sample) {
        for (Segment segment : segments) {
            if (segment.state().equals(sample.state())) {
                return segment.bytesFor(sample, subWindow(sample)) + bytesOfCells(members, sample);
            }
        }
        return bytesOfFirst(members, sample);
    }

    /** The same for a window that is not open yet. */
    static long bytesFor(Membership members, LoadSample sample) {
        return bytesOfEmpty(members)
                + bytesOfFirst(members, sample)
                + (sample.timed() ? Times.bytesOfTimed(members) : 0);
    }

    private static long bytesOfFirst(Membership members, LoadSample sample) {
        int slots = members.shape().layers() * members.topology().slots();
        return (sample.kind() == LoadKind.ROUTED_TO
                        ? Sums.bytes(1, slots, sample.load().width())
                        : Sums.bytes(
                                members.topology().ranks(),
                                slots / members.topology().ranks(),
                                sample.load().width()))
                + bytesOfCells(members, sample);
    }

    private static long bytesOfCells(Membership members, LoadSample sample) {
        int layers = members.shape().layers();
        long cells = (long) members.boundariesPerWindow() * members.topology().ranks();
        return Coverage.bytesFor(cells, layers, sample.ranks(), sample.layers())
                + (sample.mixed() ? 128L * sample.ranks() : 0)
                + Routed.blockBytes(layers, members.topology().slotsPerRank());
    }

    boolean complete() {
        return coverage.complete();
    }

    boolean spanned() {
        return spanned;
    }

    /** Offset of the first record that this window holds anything of. */
    long firstOffset() {
        return firstOffset;
    }

    LongVector present() {
        return coverage.present();
    }

    /** In the order in which their states were seen first. */
    List<Segment> segments() {
        return segments;
    }

    /** How long its steps took; empty where not all ranks that are in it say. */
    Optional<StepTime> stepTime() {
        return times.sum(present());
    }

    /** Whether its slots computed what its routers sent. */
    Conservation conservation() {
        return routed.conservation(steps.length());
    }

    /** Tokens per layer, on average over layers. */
    long tokens() {
        return routed.assignments() / ((long) members.shape().topK() * layers);
    }
}
