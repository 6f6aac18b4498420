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
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
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
    private final int partition;
    private final WindowSettings settings;
    private final FoldRules rules;
    private final FoldListener listener;
    private final Ledger ledger;
    private final Excluded excluded;
    private OpenWindows open;
    private Stray stray;
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
                        -1,
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
        this.open = new OpenWindows(state, settings, rules);
        this.stray = strayOf(state.members(), state.astray());
        this.excluded = new Excluded(state.excluded());
        this.asOf = state.asOf();
        this.closedBy = state.closedBy();
        this.endedBy = state.endedBy();
        this.truncated = state.truncated();
        this.grownAt = state.grownAt();
        this.heardAt = state.heardAt();
        this.replayFrom = state.oldestNeeded().orElse(Long.MAX_VALUE);
    }

    private Stray strayOf(Membership members, List<AggregatorState.Astray> known) {
        return new Stray(known, (long) members.windowSteps() * settings.windowsAhead());
    }

    AggregatorState.Sequence state() {
        return new AggregatorState.Sequence(
                open.members(),
                asOf,
                open.first(),
                closedBy,
                open.published().ranges(),
                endedBy,
                truncated,
                open.oldestOffset(),
                grownAt,
                heardAt,
                excluded.offsets(),
                stray.ranks(),
                open.lapsed(),
                ledger.sinceClose());
    }

    /** The state, to be kept: it has the effect of all records so far. */
    AggregatorState.Sequence takeState() {
        changedFrom = OptionalLong.empty();
        return state();
    }

    /** The first record that is needed to have this state again from what was handed out. */
    OptionalLong oldestNeeded() {
        return LongStream.concat(open.oldestOffset().stream(), changedFrom.stream())
                .min();
    }

    /** Whether the state has changed since it was handed out. */
    boolean changed() {
        return changedFrom.isPresent();
    }

    Membership members() {
        return open.members();
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
        if (open.awaitsGrace()) {
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
        if (open.reaches(open.indexOf(sample.steps().to()))) {
            open.place(offset, appendTime, sample);
        }
    }

    /** Whether a record at this offset is not to be used, whatever is in it. */
    boolean excludes(long offset) {
        return excluded.contains(offset);
    }

    /** A record that might be this deployment's could not be read. */
    void skip(long offset) {
        asOf = offset;
        if (changedFrom.isEmpty()) {
            changedFrom = OptionalLong.of(offset);
        }
        if (!open.isEmpty()) {
            excluded.add(offset);
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
        if (record.incarnation() < members().incarnation()) {
            ledger.count(Fate.STALE_INCARNATION, 0, 0);
        } else if (record.incarnation() > members().incarnation()) {
            closing.closeAllOpen(CloseReason.INCARNATION);
            open = new OpenWindows(record, settings, rules);
            stray = strayOf(record, List.of());
            excluded.forgetBefore(closing.offset);
            endedBy = OptionalLong.empty();
            grownAt = OptionalLong.empty();
            truncated = false;
        } else if (!record.equals(members())) {
            ledger.count(Fate.MEMBERS_CONFLICT, 0, 0);
        }
    }

    private void onEnd(End record, Closing closing) {
        if (record.incarnation() != members().incarnation()) {
            ledger.count(
                    record.incarnation() < members().incarnation()
                            ? Fate.STALE_INCARNATION
                            : Fate.PREMATURE_INCARNATION,
                    0,
                    0);
        } else if (endedBy.isEmpty()) {
            closing.closeAllOpen(CloseReason.INCARNATION);
            endedBy = OptionalLong.of(closing.offset);
        }
    }

    private void onSample(LoadSample sample, Closing closing) {
        Optional<Fate> refusal = refusal(sample);
        if (refusal.isPresent()) {
            refuse(refusal.get(), sample);
            return;
        }
        long index = open.indexOf(sample.steps().to());
        if (!open.begun()) {
            open.beginAt(rules.begins(index));
        }
        if (open.elsewhere(index)) {
            stray.note(sample.firstRank(), sample.ranks(), sample.steps().to(), closing.appendTime);
            closing.resync();
        }
        if (index < open.first() || open.published().contains(index)) {
            if (index == open.first() - 1) {
                open.heardOf(sample.firstRank(), sample.ranks());
            }
            refuse(Fate.LATE, sample);
            return;
        }
        Optional<Fate> noRoom = open.noRoom(sample);
        if (noRoom.isPresent()) {
            refuse(noRoom.get(), sample);
            excluded.add(closing.offset);
            closing.boundExcluded();
            return;
        }
        Fate[] fates = open.place(closing.offset, closing.appendTime, sample);
        if (fates.length == 0) {
            refuse(open.ofAnotherKind(sample) ? Fate.KIND : Fate.TOO_MANY_STATES, sample);
            return;
        }
        stray.clear(sample.firstRank(), sample.ranks());
        if (count(sample, fates)) {
            grownAt = OptionalLong.of(closing.appendTime);
        }
    }

    /** Too large a counter makes no load that could be told. */
    private void refuse(Fate fate, LoadSample sample) {
        ledger.count(fate, sample.ranks(), countable(sample) ? sample.load().sum() : 0);
    }

    /** Counts the cells of a sample, those of the same fate in a row together, and returns whether any is new. */
    private boolean count(LoadSample sample, Fate[] fates) {
        boolean anyNew = false;
        int counters = sample.layers() * sample.slotsPerRank();
        for (int from = 0; from < fates.length; ) {
            int to = from + 1;
            while (to < fates.length && fates[to] == fates[from]) {
                to++;
            }
            ledger.count(fates[from], to - from, sample.load().sum(from * counters, (to - from) * counters));
            anyNew |= fates[from] == Fate.ACCEPTED || fates[from] == Fate.UNATTRIBUTED;
            from = to;
        }
        return anyNew;
    }

    private Optional<Fate> refusal(LoadSample sample) {
        if (sample.incarnation() > members().incarnation()) {
            return Optional.of(Fate.PREMATURE_INCARNATION);
        }
        if (sample.incarnation() < members().incarnation() || endedBy.isPresent()) {
            return Optional.of(Fate.STALE_INCARNATION);
        }
        Optional<Fate> refusal = Shapes.refusal(members(), sample);
        return refusal.isPresent() || countable(sample) ? refusal : Optional.of(Fate.TOO_LARGE);
    }

    /** Whether every counter is below the limit. */
    private static boolean countable(LoadSample sample) {
        return sample.load().bits() < Cell.COUNTER_LIMIT;
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
                close(due.get(), rules.next(open.first(), open.indices()));
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
            Optional<CloseReason> due = open.due(now);
            return due.isPresent() ? due : withoutTheSilent().map(silent -> CloseReason.TIME);
        }

        private Optional<List<Integer>> withoutTheSilent() {
            if (heardAt.isEmpty()) {
                return Optional.empty();
            }
            // Where nobody goes on, nobody is behind.
            long othersAt = Math.min(heardAt.getAsLong(), grownAt.orElse(Long.MAX_VALUE));
            Optional<List<Integer>> silent = open.lapse(now, othersAt);
            silent.ifPresent(ranks -> listener.lapsed(members().deployment(), open.first(), ranks));
            return silent;
        }

        /** Goes where a quorum is, if there is such a place. At least the first open window is closed, so that the jump stands in the log. */
        void resync() {
            OptionalLong step = stray.place(open.quorum(), rank -> rules.believes(rank, now, settings));
            BitSet silent = new BitSet();
            if (step.isEmpty() && grownAt.isPresent() && rules.followsTheRest(now - grownAt.getAsLong(), settings)) {
                // Nobody else is heard of: those who are must not wait for ever for a quorum with the others.
                Predicate<AggregatorState.Astray> longSince =
                        rank -> rules.followsTheRest(now - rank.sinceMillis(), settings) && rank.records() >= 2;
                // Of a small deployment one rank may be enough: where more are together, it is they who are followed.
                int enough = rules.together(settings.enough(open.waitedFor()), stray.mostTogether());
                step = stray.place(enough, longSince);
                silent.set(0, members().topology().ranks());
                step.ifPresent(place -> stray.near(place).forEach(silent::clear));
            }
            if (step.isEmpty()) {
                return;
            }
            long from = open.first();
            closeThrough(Math.max(from, open.last()), CloseReason.RESYNC);
            open.jumpTo(step.getAsLong(), silent);
            stray.clear();
            excluded.forgetBefore(offset);
            listener.jumped(members().deployment(), from, open.first());
        }

        /** Rejects that are too many to remember: gives up the open windows, so that nothing is left to confuse them with. */
        void boundExcluded() {
            forgetExcluded();
            if (excluded.size() > settings.rememberedRejects()) {
                closeAllOpen(CloseReason.TRUNCATED);
            }
        }

        private void forgetExcluded() {
            excluded.forgetBefore(open.oldestOffset().orElse(offset + 1));
        }

        void closeAllOpen(CloseReason reason) {
            if (!open.isEmpty()) {
                closeThrough(open.last(), reason);
            }
        }

        private void closeThrough(long last, CloseReason reason) {
            while (open.first() <= last) {
                close(reason, open.first() + 1);
            }
        }

        private void close(CloseReason cause, long next) {
            long index = open.first();
            Optional<OpenWindow> window = open.get(index);
            CloseReason reason = reason(cause, window);
            ClosingReport report =
                    new ClosingReport(members(), index, reason, open.published().before(index), window, ledger.take());
            closed.add(report.closedWindow(
                    partition, offset, appendTime, settings.subWindows(members().boundariesPerWindow())));
            truncated = truncated && reason != CloseReason.COMPLETE;
            closedBy = offset;
            open.closed(next);
            stray.retain(step -> open.elsewhere(open.indexOf(step)));
            forgetExcluded();
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
    }
}
