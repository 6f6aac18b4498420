package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The windows of one deployment: which are open, what is in them, and when they close.
 *
 * <p>A window closes when every rank is done with its end ({@code COMPLETE}, or {@code GAP} or {@code SPANNING} when cells are
 * missing), when a quorum is past its end by the grace in steps ({@code STEPS}) or for the grace in append time, or when it has not grown
 * for the silent time although some are past its end (both {@code TIME}; then the ranks that are not are {@link Lapsed}), when the
 * incarnation ends ({@code INCARNATION}), when a quorum turns out to be elsewhere ({@code RESYNC}), or when nothing has come for the idle
 * time ({@code IDLE}). Whatever closes it, a window that has all its cells is {@code COMPLETE}.
 *
 * <p>The first sample of an incarnation decides which window is the first. Windows close in order, none is left out but by a RESYNC, and
 * a closed one never changes. A RESYNC goes ahead, or back to windows that were jumped over; what was published is never opened again.
 *
 * <p>{@link #replay} rebuilds the open windows after a restart: it takes the same samples as before and decides nothing.
 */
final class WindowFold {
    private static final long BEFORE_FIRST_SAMPLE = -1;

    private final int partition;
    private final WindowSettings settings;
    private final FoldRules rules;
    private final FoldListener listener;
    private final Ledger ledger;
    private final TreeMap<Long, OpenWindow> open = new TreeMap<>();
    /** Append time at which a quorum passed the end of an open window. */
    private final TreeMap<Long, Long> quorumAt = new TreeMap<>();

    private Membership members;
    private RankProgress progress;
    private Published published;
    private Stray stray;
    private Lapsed lapsed;
    private final Excluded excluded;
    private long firstOpen;
    private long asOf;
    private long closedBy;
    private OptionalLong endedBy;
    private boolean truncated;
    private OptionalLong grownAt;
    private OptionalLong heardAt;
    /** Records before it are of no use in replay. */
    private final long replayFrom;
    /** The first record whose effect no state that was handed out has. */
    private OptionalLong changedFrom = OptionalLong.empty();

    /** The first incarnation of a deployment, which a record at this offset began. */
    WindowFold(
            Membership members,
            long offset,
            int partition,
            WindowSettings settings,
            FoldRules rules,
            FoldListener listener) {
        this(
                new AggregatorState.Sequence(
                        members,
                        offset,
                        BEFORE_FIRST_SAMPLE,
                        -1,
                        LongVector.empty(),
                        OptionalLong.empty(),
                        false,
                        OptionalLong.empty(),
                        OptionalLong.empty(),
                        OptionalLong.empty(),
                        LongVector.empty(),
                        List.of(),
                        LongVector.empty(),
                        AggregatorState.Counts.NONE),
                partition,
                settings,
                rules,
                listener);
    }

    /** As a state says, with all open windows still empty. */
    WindowFold(
            AggregatorState.Sequence state,
            int partition,
            WindowSettings settings,
            FoldRules rules,
            FoldListener listener) {
        this.partition = partition;
        this.settings = settings;
        this.rules = rules;
        this.listener = listener;
        this.ledger = new Ledger(state.deployment(), listener, state.counts());
        this.members = state.members();
        this.progress = progressOf(members);
        this.published = new Published(state.published());
        this.stray = strayOf(members, state.astray());
        this.lapsed = new Lapsed(state.lapsed(), members.topology().ranks());
        this.excluded = new Excluded(state.excluded());
        this.firstOpen = state.firstOpen();
        this.asOf = state.asOf();
        this.closedBy = state.closedBy();
        this.endedBy = state.endedBy();
        this.truncated = state.truncated();
        this.grownAt = state.grownAt();
        this.heardAt = state.heardAt();
        this.replayFrom = state.oldestNeeded().orElse(Long.MAX_VALUE);
    }

    private static RankProgress progressOf(Membership members) {
        return new RankProgress(members.topology().ranks(), members.shape().layers());
    }

    private Stray strayOf(Membership members, List<AggregatorState.Astray> known) {
        return new Stray(known, (long) members.windowSteps() * settings.windowsAhead());
    }

    AggregatorState.Sequence state() {
        return new AggregatorState.Sequence(
                members,
                asOf,
                firstOpen,
                closedBy,
                published.ranges(),
                endedBy,
                truncated,
                oldestOpen(),
                grownAt,
                heardAt,
                excluded.offsets(),
                stray.ranks(),
                lapsed.ranks(),
                ledger.sinceClose());
    }

    /** The state, to be kept: it has the effect of all records so far. */
    AggregatorState.Sequence takeState() {
        changedFrom = OptionalLong.empty();
        return state();
    }

    private OptionalLong oldestOpen() {
        return open.values().stream().mapToLong(OpenWindow::firstOffset).min();
    }

    /** The first record that is needed to have this state again from what was handed out. */
    OptionalLong oldestNeeded() {
        return LongStream.concat(oldestOpen().stream(), changedFrom.stream()).min();
    }

    /** Whether the state has changed since it was handed out. */
    boolean changed() {
        return changedFrom.isPresent();
    }

    Membership members() {
        return members;
    }

    /** Offset of the newest record of this deployment. */
    long asOf() {
        return asOf;
    }

    OptionalLong endedBy() {
        return endedBy;
    }

    /** Whether nothing is open, and has not been for long. */
    boolean abandoned(long appendTime, Duration silence) {
        return open.isEmpty() && grownAt.isPresent() && appendTime - grownAt.getAsLong() >= silence.toMillis();
    }

    OptionalLong grownAt() {
        return grownAt;
    }

    /** The silence that makes append time worth knowing, as it may close a window; empty when none is open. */
    Optional<Duration> awaitsTime() {
        if (quorumAt.containsKey(firstOpen)) {
            return Optional.of(Duration.ZERO);
        }
        return open.isEmpty()
                ? Optional.empty()
                : Optional.of(settings.idleTime().dividedBy(2));
    }

    /** Input was lost: windows that are not complete may lack more than their ranks know, until one is complete again. */
    void truncate() {
        truncated = true;
    }

    /** Folds a sample that was folded before, by a predecessor whose state this one was made of. */
    void replay(long offset, long appendTime, LoadSample sample) {
        if (offset < replayFrom || excluded.contains(offset) || refusal(sample).isPresent()) {
            return;
        }
        long index = indexOf(sample.steps().to());
        if (index >= firstOpen && index <= mostAhead() && !published.contains(index)) {
            cells(sample).ifPresent(cells -> place(offset, appendTime, sample, index, cells));
        }
    }

    /** Folds a record and returns the windows that it closed, in order. */
    List<ClosedWindow> fold(long offset, long appendTime, SampleRecord record) {
        asOf = offset;
        if (changedFrom.isEmpty()) {
            changedFrom = OptionalLong.of(offset);
        }
        if (grownAt.isEmpty() && !open.isEmpty()) {
            grownAt = OptionalLong.of(appendTime); // the first release kept no such time
        }
        Closing closing = new Closing(offset, appendTime);
        if (record instanceof LoadSample sample) {
            onSample(sample, closing);
        } else if (record instanceof Membership membership) {
            onMembers(membership, closing);
        } else if (record instanceof End end) {
            onEnd(end, closing);
        } else if (!(record instanceof Tick)) {
            throw new IllegalStateException("a kind of record that the fold does not know: " + record);
        }
        closing.closeDue();
        heardAt = OptionalLong.of(appendTime);
        return closing.closed;
    }

    private void onMembers(Membership record, Closing closing) {
        if (record.incarnation() < members.incarnation()) {
            ledger.count(Fate.STALE_INCARNATION, 0, 0);
        } else if (record.incarnation() > members.incarnation()) {
            closing.closeAllOpen(CloseReason.INCARNATION);
            members = record;
            progress = progressOf(record);
            published = new Published(LongVector.empty());
            stray = strayOf(record, List.of());
            lapsed = new Lapsed(LongVector.empty(), record.topology().ranks());
            excluded.forgetBefore(closing.offset);
            quorumAt.clear();
            firstOpen = BEFORE_FIRST_SAMPLE;
            endedBy = OptionalLong.empty();
            grownAt = OptionalLong.empty();
            truncated = false;
        } else if (!record.equals(members)) {
            ledger.count(Fate.MEMBERS_CONFLICT, 0, 0);
        }
    }

    private void onEnd(End record, Closing closing) {
        if (record.incarnation() != members.incarnation()) {
            ledger.count(
                    record.incarnation() < members.incarnation() ? Fate.STALE_INCARNATION : Fate.PREMATURE_INCARNATION,
                    0,
                    0);
        } else if (endedBy.isEmpty()) {
            closing.closeAllOpen(CloseReason.INCARNATION);
            endedBy = OptionalLong.of(closing.offset);
        }
    }

    private void onSample(LoadSample sample, Closing closing) {
        Optional<Fate> refusal = refusal(sample);
        Optional<List<Cell>> cells = cells(sample);
        if (refusal.isPresent() || cells.isEmpty()) {
            Fate fate = refusal.orElse(Fate.TOO_LARGE);
            ledger.count(fate, sample.ranks(), cells.map(WindowFold::load).orElse(0L));
            return;
        }
        long index = indexOf(sample.steps().to());
        if (firstOpen == BEFORE_FIRST_SAMPLE) {
            firstOpen = rules.begins(index);
        }
        if (elsewhere(index)) {
            stray.note(sample.firstRank(), sample.ranks(), sample.steps().to(), closing.appendTime);
            closing.resync();
        }
        if (index < firstOpen || published.contains(index)) {
            ledger.count(Fate.LATE, sample.ranks(), load(cells.get()));
            return;
        }
        Optional<Fate> noRoom = noRoom(sample, index);
        if (noRoom.isPresent()) {
            ledger.count(noRoom.get(), sample.ranks(), load(cells.get()));
            excluded.add(closing.offset);
            closing.boundExcluded();
            return;
        }
        List<Fate> fates = place(closing.offset, closing.appendTime, sample, index, cells.get());
        if (fates.isEmpty()) {
            ledger.count(Fate.TOO_MANY_STATES, sample.ranks(), load(cells.get()));
            return;
        }
        for (int i = 0; i < fates.size(); i++) {
            Cell cell = cells.get().get(i);
            ledger.count(fates.get(i), 1, cell.load());
            stray.clear(cell.rank());
        }
        if (fates.contains(Fate.ACCEPTED) || fates.contains(Fate.UNATTRIBUTED)) {
            grownAt = OptionalLong.of(closing.appendTime);
        }
    }

    /** Far ahead, or in windows that a jump has left out. Windows that were published are gone for good. */
    private boolean elsewhere(long index) {
        return !published.contains(index) && (index > mostAhead() || (rules.returns() && index < firstOpen));
    }

    private Optional<Fate> noRoom(LoadSample sample, long index) {
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
        return Math.max(firstOpen, indexOf(sample.steps().from() + 1));
    }

    private Optional<Fate> refusal(LoadSample sample) {
        if (sample.incarnation() > members.incarnation()) {
            return Optional.of(Fate.PREMATURE_INCARNATION);
        }
        if (sample.incarnation() < members.incarnation() || endedBy.isPresent()) {
            return Optional.of(Fate.STALE_INCARNATION);
        }
        return Shapes.refusal(members, sample);
    }

    /** Empty when a counter is too large. */
    private static Optional<List<Cell>> cells(LoadSample sample) {
        List<Cell> cells = new ArrayList<>(sample.ranks());
        for (int block = 0; block < sample.ranks(); block++) {
            Cell cell = Cell.of(sample, block);
            if (!cell.countable()) {
                return Optional.empty();
            }
            cells.add(cell);
        }
        return Optional.of(cells);
    }

    private static long load(List<Cell> cells) {
        return cells.stream().mapToLong(Cell::load).sum();
    }

    /** Puts a sample where it belongs and returns the fate of each of its cells, none when it has one state too many. */
    private List<Fate> place(long offset, long appendTime, LoadSample sample, long index, List<Cell> cells) {
        boolean inside = indexOf(sample.steps().from() + 1) == index;
        OpenWindow window = open.get(index);
        boolean attributable = inside && rules.attributable(sample);
        if (attributable && window != null && !window.admits(sample.state())) {
            return List.of();
        }
        if (window == null) {
            window = openWindow(index, offset);
        }
        if (!inside) {
            for (long i = firstSpanned(sample); i < index; i = published.nextOpen(i + 1)) {
                openWindow(i, offset).markSpanned();
            }
        }
        List<Fate> fates = new ArrayList<>(cells.size());
        for (Cell cell : cells) {
            Fate fate = attributable ? window.offer(sample, cell) : window.offerUnattributed(sample, cell);
            fates.add(fate);
            if (fate == Fate.ACCEPTED || fate == Fate.UNATTRIBUTED) {
                window.grew(appendTime);
                if (rules.waitsAgain()) {
                    lapsed.heardOf(cell.rank());
                }
                progress.report(
                        cell.rank(),
                        sample.firstLayer(),
                        sample.layers(),
                        sample.steps().to());
            } else if (fate == Fate.CONFLICT) {
                rules.onConflict(window, sample, cell.rank());
            }
        }
        startTimers(appendTime);
        return fates;
    }

    private OpenWindow openWindow(long index, long offset) {
        return open.computeIfAbsent(
                index, i -> new OpenWindow(members, i, settings.subWindows(members.boundariesPerWindow()), offset));
    }

    private void startTimers(long appendTime) {
        long next = quorumAt.isEmpty() ? firstOpen : Math.max(firstOpen, quorumAt.lastKey() + 1);
        while (progress.ranksPast(endOf(next)) >= quorum() && rules.startsTimer(next, firstOpen)) {
            quorumAt.put(next, appendTime);
            next++;
        }
    }

    /** Of all ranks: timers must start at the same record in replay, when it is known already who will lapse. */
    private int quorum() {
        return settings.quorum(members.topology().ranks());
    }

    private long indexOf(long step) {
        return (step - 1) / members.windowSteps();
    }

    private long endOf(long index) {
        return (index + 1) * members.windowSteps();
    }

    private long mostAhead() {
        return firstOpen + settings.windowsAhead();
    }

    /** What one record closes. */
    private final class Closing {
        final long offset;
        final long appendTime;
        final List<ClosedWindow> closed = new ArrayList<>();
        private final long now;

        Closing(long offset, long appendTime) {
            this.offset = offset;
            this.appendTime = appendTime;
            this.now = rules.clock(appendTime);
        }

        void closeDue() {
            Optional<CloseReason> due = due();
            while (due.isPresent()) {
                close(due.get());
                advance(rules.next(firstOpen, open.navigableKeySet()));
                due = due();
            }
            if (grownAt.isPresent() && heardAt.isPresent()) {
                long since = grownAt.getAsLong();
                if (rules.idle(now - since, heardAt.getAsLong() - since, settings)) {
                    closeAllOpen(CloseReason.IDLE);
                }
            }
        }

        private Optional<CloseReason> due() {
            if (firstOpen == BEFORE_FIRST_SAMPLE) {
                return Optional.empty();
            }
            OpenWindow window = open.get(firstOpen);
            long end = endOf(firstOpen);
            if ((window != null && window.complete()) || progress.allDoneWith(end, lapsed)) {
                return Optional.of(CloseReason.GAP);
            }
            if (progress.ranksPast(end + settings.graceSteps(members.windowSteps()))
                    >= settings.quorum(lapsed.others())) {
                return Optional.of(CloseReason.STEPS);
            }
            Long since = quorumAt.get(firstOpen);
            boolean waited =
                    since != null && now - since >= settings.graceTime().toMillis();
            return waited || lapse(end) ? Optional.of(CloseReason.TIME) : Optional.empty();
        }

        /** Whether some are past the end of the first open window and the others have let it wait for too long: then they lapse. */
        private boolean lapse(long end) {
            OptionalLong lastGrown = lastGrown();
            if (progress.ranksPast(end) < settings.enough(lapsed.others())
                    || lastGrown.isEmpty()
                    || heardAt.isEmpty()) {
                return false;
            }
            long since = lastGrown.getAsLong();
            // Where nobody goes on, nobody is behind.
            long others = Math.min(heardAt.getAsLong(), grownAt.orElse(since));
            if (!rules.lapses(now - since, others - since, settings)) {
                return false;
            }
            List<Integer> silent = IntStream.range(0, members.topology().ranks())
                    .filter(rank -> !progress.isPast(rank, end) && !lapsed.contains(rank))
                    .boxed()
                    .toList();
            silent.forEach(lapsed::add);
            listener.lapsed(members.deployment(), firstOpen, silent);
            return true;
        }

        /** When the first open window grew last; when nothing has come for it, since when something has for a later one. */
        private OptionalLong lastGrown() {
            OpenWindow window = open.get(firstOpen);
            return window != null && window.grownAt().isPresent()
                    ? window.grownAt()
                    : open.values().stream()
                            .flatMapToLong(later -> later.firstGrownAt().stream())
                            .min();
        }

        /**
         * Goes where a quorum is, if there is such a place. At least the first open window is closed, so that the jump stands in the
         * log of windows. What a rank has reported so far says nothing about its windows there.
         */
        void resync() {
            OptionalLong step =
                    stray.place(settings.quorum(lapsed.others()), rank -> rules.believes(rank, now, settings));
            if (step.isEmpty()) {
                return;
            }
            long from = firstOpen;
            closeThrough(Math.max(firstOpen, lastOpen()), CloseReason.RESYNC);
            firstOpen = published.nextOpen(indexOf(step.getAsLong()));
            progress = progressOf(members);
            quorumAt.clear();
            stray.clear();
            lapsed.clear();
            excluded.forgetBefore(offset);
            listener.jumped(members.deployment(), from, firstOpen);
        }

        /** Rejects that are too many to remember: gives up the open windows, so that nothing is left to confuse them with. */
        void boundExcluded() {
            forgetExcluded();
            if (excluded.size() > settings.rememberedRejects()) {
                closeAllOpen(CloseReason.TRUNCATED);
            }
        }

        private void forgetExcluded() {
            excluded.forgetBefore(oldestOpen().orElse(offset + 1));
        }

        void closeAllOpen(CloseReason reason) {
            if (!open.isEmpty()) {
                closeThrough(lastOpen(), reason);
            }
        }

        private long lastOpen() {
            return open.isEmpty() ? -1 : open.lastKey();
        }

        private void closeThrough(long last, CloseReason reason) {
            while (firstOpen <= last) {
                close(reason);
                advance(published.nextOpen(firstOpen + 1));
            }
        }

        private void close(CloseReason cause) {
            Optional<OpenWindow> window = Optional.ofNullable(open.get(firstOpen));
            CloseReason reason = reason(cause, window);
            ClosingReport report =
                    new ClosingReport(members, firstOpen, reason, published.before(firstOpen), window, ledger.take());
            closed.add(report.closedWindow(
                    partition, offset, appendTime, settings.subWindows(members.boundariesPerWindow())));
            truncated = truncated && reason != CloseReason.COMPLETE;
            published.add(firstOpen);
            closedBy = offset;
        }

        private CloseReason reason(CloseReason cause, Optional<OpenWindow> window) {
            if (window.isPresent() && window.get().complete()) {
                return CloseReason.COMPLETE;
            }
            if (truncated) {
                return CloseReason.TRUNCATED;
            }
            return cause == CloseReason.GAP
                            && window.isPresent()
                            && window.get().spanned()
                    ? CloseReason.SPANNING
                    : cause;
        }

        private void advance(long next) {
            firstOpen = published.nextOpen(next);
            open.headMap(firstOpen).clear();
            quorumAt.headMap(firstOpen).clear();
            stray.retain(step -> elsewhere(indexOf(step)));
            forgetExcluded();
        }
    }
}
