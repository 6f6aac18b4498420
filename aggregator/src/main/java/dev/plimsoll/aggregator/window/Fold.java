package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState.Sequence;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The fold over one partition of the samples topic: the windows of every deployment in it.
 *
 * <p>Windows depend on the sequence of records alone. To go on after a restart, make a fold from the states that were committed last and
 * feed it the records from the offset on that was committed with them. Each deployment's state has an offset of its own: records up to it
 * are replayed, that is, they rebuild what is open and neither close nor count anything a second time; later ones are folded.
 *
 * <p>What concerns more than one deployment (who begins, who is forgotten) is decided at records whose effect is committed at once.
 */
public final class Fold {
    /** Most deployments in one partition, a bound on what their membership records may cost. */
    public static final int MOST_DEPLOYMENTS = 256;

    /** After such a silence a deployment without END may be forgotten in favour of a new one. */
    private static final Duration ABANDONED = Duration.ofDays(1);

    private final int partition;
    private final WindowSettings settings;
    private final FoldListener listener;
    private final Supplier<FoldRules> rules;
    private final TreeMap<Deployment, WindowFold> folds = new TreeMap<>();
    private final int mostDeployments;
    private final long replayedThrough;
    private long position;
    /** Whether states have changed otherwise than by records, which nobody would learn by reading. */
    private boolean allChanged;

    /**
     * A fold that goes on.
     *
     * @param asOf offset of the newest record that was read, -1 for none
     * @param sequences what was kept of every deployment
     */
    public Fold(
            int partition, long asOf, Collection<Sequence> sequences, WindowSettings settings, FoldListener listener) {
        this(partition, asOf, sequences, settings, listener, FoldRules::new, MOST_DEPLOYMENTS);
    }

    Fold(
            int partition,
            long asOf,
            Collection<Sequence> sequences,
            WindowSettings settings,
            FoldListener listener,
            Supplier<FoldRules> rules,
            int mostDeployments) {
        this.mostDeployments = mostDeployments;
        this.partition = partition;
        this.settings = settings;
        this.listener = listener;
        this.rules = rules;
        this.replayedThrough = asOf;
        this.position = asOf;
        for (Sequence sequence : sequences) {
            folds.put(sequence.deployment(), new WindowFold(sequence, partition, settings, rules.get(), listener));
        }
    }

    /** A fold of a partition of which nothing was ever committed. */
    public static Fold empty(int partition, WindowSettings settings, FoldListener listener) {
        return new Fold(partition, -1, List.of(), settings, listener);
    }

    /**
     * Folds the next record; offsets ascend, with gaps.
     *
     * @return the windows that it closed with what to commit with them, empty when there is nothing that must be committed
     */
    public Optional<Checkpoint> fold(long offset, long appendTimeMillis, SampleRecord record) {
        Optional<WindowFold> known = Optional.ofNullable(folds.get(record.deployment()));
        if (offset <= known.map(WindowFold::asOf).orElse(replayedThrough)) {
            if (record instanceof LoadSample sample) {
                known.ifPresent(fold -> fold.replay(offset, appendTimeMillis, sample));
            }
            return Optional.empty();
        }
        if (known.isPresent() && known.get().excludes(offset)) {
            return Optional.empty(); // a predecessor could not read it
        }
        if (offset > replayedThrough) {
            pass(offset);
        }
        if (record instanceof Membership members) {
            Optional<Fate> refusal = Shapes.refusal(members, appendTimeMillis, settings);
            if (refusal.isPresent()) {
                listener.fate(record.deployment(), refusal.get(), 0, 0);
                return Optional.empty();
            }
        }
        if (known.isEmpty()) {
            return begin(offset, appendTimeMillis, record);
        }
        WindowFold fold = known.get();
        long incarnation = fold.members().incarnation();
        OptionalLong endedBy = fold.endedBy();
        List<ClosedWindow> closed = fold.fold(offset, appendTimeMillis, record);
        boolean turns =
                fold.members().incarnation() != incarnation || !fold.endedBy().equals(endedBy);
        return closed.isEmpty() && !turns
                ? Optional.empty()
                : Optional.of(checkpoint(closed, List.of(fold), List.of()));
    }

    private Optional<Checkpoint> begin(long offset, long appendTime, SampleRecord record) {
        if (!(record instanceof Membership members)) {
            long cells = record instanceof LoadSample sample ? sample.ranks() : 0;
            listener.fate(record.deployment(), Fate.UNKNOWN_DEPLOYMENT, cells, 0);
            return Optional.empty();
        }
        List<Sequence> forgotten = List.of();
        if (folds.size() >= mostDeployments) {
            Optional<Deployment> forgettable = forgettable(appendTime);
            if (forgettable.isEmpty()) {
                listener.fate(record.deployment(), Fate.TOO_MANY_DEPLOYMENTS, 0, 0);
                return Optional.empty();
            }
            forgotten = Stream.ofNullable(folds.remove(forgettable.get()))
                    .map(WindowFold::state)
                    .toList();
        }
        WindowFold fold = new WindowFold(members, offset, partition, settings, rules.get(), listener);
        folds.put(members.deployment(), fold);
        return Optional.of(checkpoint(List.of(), List.of(fold), forgotten));
    }

    /**
     * Of those that ended the one that ended first, else the one that has been silent for longest, if that is long. Should its
     * membership record be sent again, with the same incarnation, it is taken for a new one.
     */
    private Optional<Deployment> forgettable(long appendTime) {
        return first(fold -> fold.endedBy())
                .or(() -> first(fold -> fold.abandoned(appendTime, ABANDONED) ? fold.grownAt() : OptionalLong.empty()));
    }

    private Optional<Deployment> first(Function<WindowFold, OptionalLong> order) {
        return folds.entrySet().stream()
                .filter(entry -> order.apply(entry.getValue()).isPresent())
                .min(Comparator.comparingLong(
                        entry -> order.apply(entry.getValue()).getAsLong()))
                .map(Map.Entry::getKey);
    }

    private Checkpoint checkpoint(List<ClosedWindow> closed, Collection<WindowFold> changed, List<Sequence> forgotten) {
        Collection<WindowFold> taken = allChanged ? folds.values() : changed;
        allChanged = false;
        List<Sequence> states = taken.stream().map(WindowFold::takeState).toList();
        return new Checkpoint(closed, position, oldestNeeded(), states, forgotten);
    }

    private long oldestNeeded() {
        return folds.values().stream()
                .flatMapToLong(fold -> fold.oldestNeeded().stream())
                .reduce(position + 1, Math::min);
    }

    /** All that has changed since the last checkpoint, to commit progress when nothing closes; only of a fold that is {@link #live}. */
    public Checkpoint checkpoint() {
        return checkpoint(
                List.of(), folds.values().stream().filter(WindowFold::changed).toList(), List.of());
    }

    /** Notes that a record was read which the fold cannot use; nor will a successor use it, even if it can read it. */
    public void skip(long offset) {
        pass(offset);
        folds.values().forEach(fold -> fold.skip(offset));
    }

    private void pass(long offset) {
        if (offset <= position) {
            throw new IllegalArgumentException("offset " + offset + " was read after " + position);
        }
        position = offset;
    }

    /** Whether a record at this offset was read by a predecessor, whose work is committed. */
    public boolean replays(long offset) {
        return offset <= replayedThrough;
    }

    /** Whether records beyond those of the predecessor were read. Before, open windows are not rebuilt and there is nothing to keep. */
    public boolean live() {
        return position > replayedThrough;
    }

    /** Where all deployments are, as of the newest record read. */
    public List<Sequence> sequences() {
        return folds.values().stream().map(WindowFold::state).toList();
    }

    /** The deployments with a window that append time would close, and the silence after which a tick is good for something. */
    public Map<Deployment, Duration> awaitingTime() {
        Map<Deployment, Duration> awaiting = new TreeMap<>();
        folds.forEach((deployment, fold) -> fold.awaitsTime().ifPresent(silence -> awaiting.put(deployment, silence)));
        return awaiting;
    }

    /** Every deployment that has a membership record, in order. */
    public List<Deployment> deployments() {
        return new ArrayList<>(folds.keySet());
    }

    /**
     * Tells that records between the state and the first one to come are lost: windows are TRUNCATED until one is complete, and
     * memberships that may have been among the lost are taken from elsewhere.
     */
    public void truncate(Collection<Membership> memberships) {
        for (Membership members : memberships) {
            WindowFold known = folds.get(members.deployment());
            boolean newer = known == null || known.members().incarnation() < members.incarnation();
            boolean fits =
                    Shapes.refusal(members, members.incarnation(), settings).isEmpty();
            if (newer && fits && (known != null || folds.size() < mostDeployments)) {
                folds.put(
                        members.deployment(),
                        new WindowFold(members, position, partition, settings, rules.get(), listener));
            }
        }
        folds.values().forEach(WindowFold::truncate);
        keepAll();
    }

    /** The next checkpoint has the state of all deployments, not only of those that changed. */
    public void keepAll() {
        allChanged = true;
    }
}
