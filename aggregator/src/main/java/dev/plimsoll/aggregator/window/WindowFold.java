package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The windows of one deployment: which are open, what is in them, and when they close.
 *
 * <p>A window closes when every rank is done with its end ({@code COMPLETE}, or {@code GAP} or {@code SPANNING} when cells are
 * missing), when a quorum is past its end by the grace in steps ({@code STEPS}) or for the grace in append time ({@code TIME}), when the
 * incarnation ends ({@code INCARNATION}), or when a quorum turns out to be beyond what the fold can hold ({@code RESYNC}). Whatever
 * closes it, a window that has all its cells is {@code COMPLETE}. Windows close in order, none is left out but by a RESYNC, and a closed
 * one never changes.
 *
 * <p>{@link #replay} rebuilds the open windows after a restart: it takes the same samples as before and decides nothing.
 */
final class WindowFold {
    private final int partition;
    private final WindowSettings settings;
    private final FoldRules rules;
    private final Ledger ledger;
    private final TreeMap<Long, OpenWindow> open = new TreeMap<>();
    /** Append time at which a quorum passed the end of an open window. */
    private final TreeMap<Long, Long> quorumAt = new TreeMap<>();

    private Membership members;
    private RankProgress progress;
    private FarAhead far;
    private long firstOpen;
    private long previousIndex = -1;
    private long closedBy = -1;
    private boolean ended;
    private boolean truncated;
    /** Records before it are of no use in replay. */
    private long replayFrom;

    /** The first incarnation of a deployment. */
    WindowFold(Membership members, int partition, WindowSettings settings, FoldRules rules, FoldListener listener) {
        this(
                new AggregatorState.Sequence(
                        members,
                        0,
                        -1,
                        -1,
                        false,
                        false,
                        0,
                        new FarAhead(0).excludedOffsets(),
                        new FarAhead(members.topology().ranks()).farthestOfRanks(),
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
        this.ledger = new Ledger(state.members().deployment(), listener, state.counts());
        this.members = state.members();
        this.progress = progressOf(members);
        this.far = new FarAhead(state.farthest(), state.excluded());
        this.firstOpen = state.firstOpen();
        this.previousIndex = state.previousIndex();
        this.closedBy = state.closedBy();
        this.ended = state.ended();
        this.truncated = state.truncated();
        this.replayFrom = state.oldestNeeded();
    }

    private static RankProgress progressOf(Membership members) {
        return new RankProgress(members.topology().ranks(), members.shape().layers());
    }

    AggregatorState.Sequence state(long asOf) {
        return new AggregatorState.Sequence(
                members,
                firstOpen,
                closedBy,
                previousIndex,
                ended,
                truncated,
                oldestNeeded(asOf),
                far.excludedOffsets(),
                far.farthestOfRanks(),
                ledger.sinceClose());
    }

    private long oldestNeeded(long asOf) {
        return open.values().stream().mapToLong(OpenWindow::firstOffset).reduce(asOf + 1, Math::min);
    }

    Membership members() {
        return members;
    }

    /** Whether a window waits for nothing but append time to go on. */
    boolean awaitsTime() {
        return quorumAt.containsKey(firstOpen);
    }

    /** Input was lost: windows that are not complete may lack more than their ranks know, until one is complete again. */
    void truncate() {
        truncated = true;
    }

    /** Folds a sample that was folded before, by a predecessor whose state this one was made of. */
    void replay(long offset, long appendTime, LoadSample sample) {
        if (offset < replayFrom || far.excludes(offset) || refusal(sample).isPresent()) {
            return;
        }
        long index = indexOf(sample.steps().to());
        if (index >= firstOpen && index <= mostAhead()) {
            cells(sample).ifPresent(cells -> place(offset, appendTime, sample, index, cells));
        }
    }

    /** Folds a record and returns the windows that it closed, in order. */
    List<ClosedWindow> fold(long offset, long appendTime, SampleRecord record) {
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
        return closing.closed;
    }

    private void onMembers(Membership record, Closing closing) {
        if (record.incarnation() < members.incarnation()) {
            ledger.count(Fate.STALE_INCARNATION, 0, 0);
        } else if (record.incarnation() > members.incarnation()) {
            closing.closeAllOpen(CloseReason.INCARNATION);
            members = record;
            progress = progressOf(record);
            far = new FarAhead(record.topology().ranks());
            quorumAt.clear();
            firstOpen = 0;
            previousIndex = -1;
            ended = false;
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
        } else if (!ended) {
            closing.closeAllOpen(CloseReason.INCARNATION);
            ended = true;
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
        if (index < firstOpen) {
            ledger.count(Fate.LATE, sample.ranks(), load(cells.get()));
            return;
        }
        if (index > mostAhead()) {
            far.note(sample.firstRank(), sample.ranks(), index);
            if (rules.resyncs(far.ranks(), quorum())) {
                closing.resync();
            }
        }
        if (index > mostAhead()) {
            ledger.count(Fate.TOO_FAR, sample.ranks(), load(cells.get()));
            far.exclude(closing.offset);
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
            far.clear(cell.rank());
        }
    }

    private Optional<Fate> refusal(LoadSample sample) {
        if (sample.incarnation() > members.incarnation()) {
            return Optional.of(Fate.PREMATURE_INCARNATION);
        }
        if (sample.incarnation() < members.incarnation() || ended) {
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
            for (long i = Math.max(firstOpen, indexOf(sample.steps().from() + 1)); i < index; i++) {
                openWindow(i, offset).markSpanned();
            }
        }
        List<Fate> fates = new ArrayList<>(cells.size());
        for (Cell cell : cells) {
            Fate fate = attributable ? window.offer(sample, cell) : window.offerUnattributed(sample, cell);
            fates.add(fate);
            if (fate == Fate.ACCEPTED || fate == Fate.UNATTRIBUTED) {
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
        }

        private Optional<CloseReason> due() {
            OpenWindow window = open.get(firstOpen);
            long end = endOf(firstOpen);
            if ((window != null && window.complete()) || progress.allDoneWith(end)) {
                return Optional.of(CloseReason.GAP);
            }
            if (progress.ranksPast(end + settings.graceSteps(members.windowSteps())) >= quorum()) {
                return Optional.of(CloseReason.STEPS);
            }
            Long since = quorumAt.get(firstOpen);
            return since != null && now - since >= settings.graceTime().toMillis()
                    ? Optional.of(CloseReason.TIME)
                    : Optional.empty();
        }

        /** At least the first open window is closed, so that the jump stands in the chain. */
        void resync() {
            long reached = far.reachedBy(quorum());
            closeThrough(Math.max(firstOpen, lastOpen()), CloseReason.RESYNC);
            firstOpen = Math.max(firstOpen, reached);
            quorumAt.clear();
            far.clearRanks();
        }

        /** Rejects that are too many to remember: gives up the open windows, so that nothing is left to confuse them with. */
        void boundExcluded() {
            far.forgetBefore(oldestNeeded(offset));
            if (far.excluded() > settings.rememberedRejects()) {
                closeAllOpen(CloseReason.TRUNCATED);
            }
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
                advance(firstOpen + 1);
            }
        }

        private void close(CloseReason cause) {
            Optional<OpenWindow> window = Optional.ofNullable(open.get(firstOpen));
            CloseReason reason = reason(cause, window);
            ClosingReport report = new ClosingReport(members, firstOpen, reason, previousIndex, window, ledger.take());
            closed.add(report.closedWindow(
                    partition, offset, appendTime, settings.subWindows(members.boundariesPerWindow())));
            truncated = truncated && reason != CloseReason.COMPLETE;
            previousIndex = firstOpen;
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
            firstOpen = next;
            open.headMap(next).clear();
            quorumAt.headMap(next).clear();
            far.reach(mostAhead());
            far.forgetBefore(oldestNeeded(offset));
        }
    }
}
