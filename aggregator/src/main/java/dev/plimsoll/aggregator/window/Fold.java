package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The fold over one partition of the samples topic: the windows of every deployment in it.
 *
 * <p>Windows depend on the sequence of records alone. To go on after a restart, make a fold from the state that was committed last and
 * feed it the records from {@link AggregatorState#nextInputOffset()} on: those up to {@link AggregatorState#asOf()} are replayed, that
 * is, they rebuild what is open and neither close nor count anything a second time.
 */
public final class Fold {
    /** Most deployments in one partition, a bound on what their membership records may cost. */
    public static final int MOST_DEPLOYMENTS = 256;

    private final int partition;
    private final WindowSettings settings;
    private final FoldListener listener;
    private final Supplier<FoldRules> rules;
    private final TreeMap<Deployment, WindowFold> folds = new TreeMap<>();
    private final long replayedThrough;
    private long position;

    /** A fold that goes on from a state, or begins when the state has no sequences and is as of -1. */
    public Fold(AggregatorState state, WindowSettings settings, FoldListener listener) {
        this(state, settings, listener, FoldRules::new);
    }

    Fold(AggregatorState state, WindowSettings settings, FoldListener listener, Supplier<FoldRules> rules) {
        this.partition = state.partition();
        this.settings = settings;
        this.listener = listener;
        this.rules = rules;
        this.replayedThrough = state.asOf();
        this.position = state.asOf();
        for (AggregatorState.Sequence sequence : state.sequences()) {
            folds.put(
                    sequence.members().deployment(),
                    new WindowFold(sequence, partition, settings, rules.get(), listener));
        }
    }

    /** The state of a partition of which nothing was ever committed. */
    public static AggregatorState nothing(int partition) {
        return new AggregatorState(partition, -1, List.of());
    }

    /**
     * Folds the next record; offsets ascend, with gaps.
     *
     * @return the windows that it closed with what to commit with them, empty when it closed none
     */
    public Optional<Checkpoint> fold(long offset, long appendTimeMillis, SampleRecord record) {
        Optional<WindowFold> known = Optional.ofNullable(folds.get(record.deployment()));
        if (offset <= replayedThrough) {
            if (record instanceof LoadSample sample) {
                known.ifPresent(fold -> fold.replay(offset, appendTimeMillis, sample));
            }
            return Optional.empty();
        }
        skip(offset);
        if (record instanceof Membership members && !Shapes.fits(members)) {
            listener.fate(record.deployment(), Fate.MEMBERS_TOO_LARGE, 0, 0);
            return Optional.empty();
        }
        if (known.isEmpty()) {
            begin(record);
            return Optional.empty();
        }
        List<ClosedWindow> closed = known.get().fold(offset, appendTimeMillis, record);
        return closed.isEmpty() ? Optional.empty() : Optional.of(new Checkpoint(closed, state()));
    }

    private void begin(SampleRecord record) {
        if (!(record instanceof Membership members)) {
            long cells = record instanceof LoadSample sample ? sample.ranks() : 0;
            listener.fate(record.deployment(), Fate.UNKNOWN_DEPLOYMENT, cells, 0);
        } else if (folds.size() >= MOST_DEPLOYMENTS) {
            listener.fate(record.deployment(), Fate.TOO_MANY_DEPLOYMENTS, 0, 0);
        } else {
            folds.put(members.deployment(), new WindowFold(members, partition, settings, rules.get(), listener));
        }
    }

    /** Notes that a record was read which the fold cannot use. */
    public void skip(long offset) {
        if (offset <= position) {
            throw new IllegalArgumentException("offset " + offset + " was read after " + position);
        }
        position = offset;
    }

    /** Whether a record at this offset was read by a predecessor, whose work is committed. */
    public boolean replays(long offset) {
        return offset <= replayedThrough;
    }

    /** Whether records beyond those of the predecessor were read. Before, open windows are not rebuilt and {@link #state} is not one to keep. */
    public boolean live() {
        return position > replayedThrough;
    }

    /** The state as of the newest record read. */
    public AggregatorState state() {
        return new AggregatorState(
                partition,
                position,
                folds.values().stream().map(fold -> fold.state(position)).toList());
    }

    /** The deployments with a window that append time would close: what a tick is good for. */
    public List<Deployment> awaitingTime() {
        List<Deployment> awaiting = new ArrayList<>();
        folds.forEach((deployment, fold) -> {
            if (fold.awaitsTime()) {
                awaiting.add(deployment);
            }
        });
        return awaiting;
    }

    /** Every deployment that has a membership record, in order. */
    public List<Deployment> deployments() {
        return List.copyOf(folds.keySet());
    }

    /**
     * Tells that records between the state and the first one to come are lost: windows are TRUNCATED until one is complete, and
     * memberships that may have been among the lost are taken from elsewhere.
     */
    public void truncate(Collection<Membership> memberships) {
        for (Membership members : memberships) {
            WindowFold known = folds.get(members.deployment());
            boolean newer = known == null || known.members().incarnation() < members.incarnation();
            if (newer && Shapes.fits(members) && (known != null || folds.size() < MOST_DEPLOYMENTS)) {
                folds.put(members.deployment(), new WindowFold(members, partition, settings, rules.get(), listener));
            }
        }
        folds.values().forEach(WindowFold::truncate);
    }
}
