package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState.Sequence;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import java.util.BitSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The windows of one incarnation that samples may still be added to, and how far its ranks have come: what a close is decided by.
 *
 * <p>All of it follows from the samples that open windows hold, from which window is the first, and from who has lapsed; so a replay of
 * those samples comes to the same.
 */
final class OpenWindows {
    private static final long BEFORE_FIRST_SAMPLE = -1;
    private static final Fate[] NONE = {};

    private final Membership members;
    private final OpenWindow.Memory memory;
    private final WindowSettings settings;
    private final FoldRules rules;
    private final Published published;
    private final Lapsed lapsed;
    private final TreeMap<Long, OpenWindow> open = new TreeMap<>();
    /** Append time at which a quorum passed the end of an open window. */
    private final TreeMap<Long, Long> quorumAt = new TreeMap<>();

    private RankProgress progress;
    private long first;

    /** Those of an incarnation that begins. */
    OpenWindows(Membership members, WindowSettings settings, FoldRules rules) {
        this(members, BEFORE_FIRST_SAMPLE, LongVector.empty(), LongVector.empty(), settings, rules);
    }

    /** Those that a state knows of, all still empty. */
    OpenWindows(Sequence state, WindowSettings settings, FoldRules rules) {
        this(state.members(), state.firstOpen(), state.published(), state.lapsed(), settings, rules);
    }

    private OpenWindows(
            Membership members,
            long first,
            LongVector published,
            LongVector lapsed,
            WindowSettings settings,
            FoldRules rules) {
        this.members = members;
        this.memory = OpenWindow.Memory.of(members);
        this.settings = settings;
        this.rules = rules;
        this.published = new Published(published);
        this.lapsed = new Lapsed(lapsed, members.topology().ranks());
        this.progress = progress();
        this.first = first;
    }

    private RankProgress progress() {
        return new RankProgress(members.topology().ranks(), members.shape().layers());
    }

    Membership members() {
        return members;
    }

    /** Index of the first open window, -1 before the first sample. */
    long first() {
        return first;
    }

    boolean begun() {
        return first != BEFORE_FIRST_SAMPLE;
    }

    void beginAt(long window) {
        first = window;
    }

    Published published() {
        return published;
    }

    LongVector lapsed() {
        return lapsed.ranks();
    }

    boolean isEmpty() {
        return open.isEmpty();
    }

    /** Index of the last one that holds anything, -1 when none does. */
    long last() {
        return open.isEmpty() ? -1 : open.lastKey();
    }

    Optional<OpenWindow> get(long window) {
        return Optional.ofNullable(open.get(window));
    }

    /** Offset of the oldest record that one of them holds anything of. */
    OptionalLong oldestOffset() {
        return open.values().stream().mapToLong(OpenWindow::firstOffset).min();
    }

    long indexOf(long step) {
        return (step - 1) / members.windowSteps();
    }

    private long endOf(long window) {
        return (window + 1) * members.windowSteps();
    }

    private long mostAhead() {
        return first + settings.windowsAhead();
    }

    /** Whether a sample that ends in this window may be added. */
    boolean reaches(long window) {
        return window >= first && window <= mostAhead() && !published.contains(window);
    }

    /** Far ahead, or in windows that a jump has left out. Windows that were published are gone for good. */
    boolean elsewhere(long window) {
        return !published.contains(window) && (window > mostAhead() || (rules.returns() && window < first));
    }

    /** Why a sample of a window that is not closed cannot be taken; empty when it can. */
    Optional<Fate> noRoom(LoadSample sample) {
        long index = indexOf(sample.steps().to());
        if (index > mostAhead()) {
            return Optional.of(Fate.TOO_FAR);
        }
        OpenWindow window = open.get(index);
        long bytes = window == null ? OpenWindow.bytesFor(members, sample) : window.bytesFor(sample);
        for (long i = firstSpanned(sample); i < index; i++) {
            bytes += open.containsKey(i) ? 0 : OpenWindow.bytesOfEmpty(members);
        }
        for (OpenWindow other : open.values()) {
            bytes += other.bytes();
        }
        return bytes > settings.openBytes() ? Optional.of(Fate.NO_MEMORY) : Optional.empty();
    }

    /** The first window, of those that are not closed, that a sample has steps of. */
    private long firstSpanned(LoadSample sample) {
        return Math.max(first, indexOf(sample.steps().from() + 1));
    }

    /** Whether the window that a sample ends in is made of another kind of load. */
    boolean ofAnotherKind(LoadSample sample) {
        OpenWindow window = open.get(indexOf(sample.steps().to()));
        return window != null && !window.isOf(sample.kind());
    }

    /**
     * Puts a sample where it belongs and returns the fate of each of its cells, none when it has one state too many, or is
     * {@link #ofAnotherKind}.
     */
    Fate[] place(long offset, long appendTime, LoadSample sample) {
        long index = indexOf(sample.steps().to());
        boolean inside = indexOf(sample.steps().from() + 1) == index;
        OpenWindow window = open.get(index);
        boolean attributable = inside && rules.attributable(sample);
        if (attributable && window != null && (!window.isOf(sample.kind()) || !window.admits(sample.state()))) {
            return NONE;
        }
        if (window == null) {
            window = openWindow(index, offset);
        }
        if (!inside) {
            for (long i = firstSpanned(sample); i < index; i = published.nextOpen(i + 1)) {
                openWindow(i, offset).markSpanned();
            }
        }
        Fate[] fates = new Fate[sample.ranks()];
        boolean grew = false;
        for (int i = 0; i < fates.length; i++) {
            int rank = sample.firstRank() + i;
            Fate fate = attributable ? window.offer(sample, rank) : window.offerUnattributed(sample, rank);
            fates[i] = fate;
            if (fate == Fate.ACCEPTED || fate == Fate.UNATTRIBUTED) {
                grew = true;
                if (rules.waitsAgain()) {
                    lapsed.heardOf(rank);
                }
                progress.report(
                        rank,
                        sample.firstLayer(),
                        sample.layers(),
                        sample.steps().to());
            } else if (fate == Fate.CONFLICT) {
                rules.onConflict(window, sample, rank);
            }
        }
        if (grew) {
            window.grew(appendTime);
        }
        startTimers(appendTime);
        return fates;
    }

    private OpenWindow openWindow(long index, long offset) {
        return open.computeIfAbsent(
                index,
                i -> new OpenWindow(members, i, settings.subWindows(members.boundariesPerWindow()), offset, memory));
    }

    /**
     * At a quorum of all ranks, whoever has lapsed: in replay it is known from the beginning who will lapse, and timers would start
     * earlier.
     */
    private void startTimers(long appendTime) {
        int quorum = settings.quorum(members.topology().ranks());
        long next = quorumAt.isEmpty() ? first : Math.max(first, quorumAt.lastKey() + 1);
        while (progress.ranksPast(endOf(next)) >= quorum && rules.startsTimer(next, first)) {
            quorumAt.put(next, appendTime);
            next++;
        }
    }

    /** Whether the first open window waits for nothing but the grace in time. */
    boolean awaitsGrace() {
        return quorumAt.containsKey(first);
    }

    /** They are in time but for the window that was closed last, as nobody waited for them: they are waited for again. */
    void heardOf(int firstRank, int ranks) {
        for (int rank = firstRank; rank < firstRank + ranks && rules.waitsAgain(); rank++) {
            lapsed.heardOf(rank);
        }
    }

    /** How many ranks are waited for. */
    int waitedFor() {
        return lapsed.others();
    }

    /** Ranks that decide for all that are waited for. */
    int quorum() {
        return settings.quorum(lapsed.others());
    }

    /** Why the first open window is to close without waiting for time; empty when it is not. */
    Optional<CloseReason> due(long now) {
        if (!begun()) {
            return Optional.empty();
        }
        OpenWindow window = open.get(first);
        long end = endOf(first);
        if ((window != null && window.complete()) || progress.allDoneWith(end, lapsed)) {
            return Optional.of(CloseReason.GAP);
        }
        if (progress.ranksPast(end + settings.graceSteps(members.windowSteps())) >= quorum()) {
            return Optional.of(CloseReason.STEPS);
        }
        Long since = quorumAt.get(first);
        return since != null && now - since >= settings.graceTime().toMillis()
                ? Optional.of(CloseReason.TIME)
                : Optional.empty();
    }

    /**
     * The ranks that have let the first open window wait for too long, while some that are past its end went on; they are not waited
     * for from now on. Empty when it goes on waiting.
     *
     * @param othersAt append time of the newest sample, as of the record before
     */
    Optional<List<Integer>> lapse(long now, long othersAt) {
        OptionalLong lastGrown = lastGrown();
        long end = endOf(first);
        if (!begun() || lastGrown.isEmpty() || progress.ranksPast(end) < settings.enough(lapsed.others())) {
            return Optional.empty();
        }
        long since = lastGrown.getAsLong();
        if (!rules.lapses(now - since, othersAt - since, settings)) {
            return Optional.empty();
        }
        List<Integer> silent = IntStream.range(0, members.topology().ranks())
                .filter(rank -> !progress.isPast(rank, end) && !lapsed.contains(rank))
                .boxed()
                .toList();
        silent.forEach(lapsed::add);
        return Optional.of(silent);
    }

    /** When the first open window grew last; when nothing has come for it, since when something has for a later one. */
    private OptionalLong lastGrown() {
        OpenWindow window = open.get(first);
        return window != null && window.grownAt().isPresent()
                ? window.grownAt()
                : open.values().stream()
                        .flatMapToLong(later -> later.firstGrownAt().stream())
                        .min();
    }

    /** The first open window is published; the next may be this one, or the one behind what was published before. */
    void closed(long next) {
        published.add(first);
        first = published.nextOpen(next);
        NavigableMap<Long, OpenWindow> closed = open.headMap(first, false);
        closed.values().forEach(OpenWindow::release);
        closed.clear();
        quorumAt.headMap(first).clear();
    }

    /**
     * Goes to where a quorum is. What a rank has reported so far says nothing about its windows there.
     *
     * @param silent the ranks that are not waited for there
     */
    void jumpTo(long step, BitSet silent) {
        first = published.nextOpen(indexOf(step));
        progress = progress();
        quorumAt.clear();
        lapsed.clear();
        silent.stream().forEach(lapsed::add);
    }

    /** Of those that hold anything. */
    NavigableSet<Long> indices() {
        return open.navigableKeySet();
    }
}
