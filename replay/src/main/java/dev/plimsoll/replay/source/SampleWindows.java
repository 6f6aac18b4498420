package dev.plimsoll.replay.source;

import dev.plimsoll.aggregator.window.Checkpoint;
import dev.plimsoll.aggregator.window.ClosedWindow;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.aggregator.window.Fold;
import dev.plimsoll.aggregator.window.FoldListener;
import dev.plimsoll.aggregator.window.WindowSettings;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.function.Supplier;

/**
 * Windows made again from samples by the aggregator's own fold, of other lengths if wanted: what the windows' topics would have had. With
 * the length that the windows had, and from the incarnation's beginning, they are the windows that they were. Pure but for where the
 * samples come from; for one thread.
 */
final class SampleWindows {
    private final Supplier<Optional<Dated<SampleRecord>>> samples;
    private final Membership members;
    private final Fold fold;
    private final PriorityQueue<Long> unreadable = new PriorityQueue<>();
    private final Deque<Dated<LoadWindow>> rows = new ArrayDeque<>();
    private final Deque<Dated<WindowSummary>> summaries = new ArrayDeque<>();
    private final Map<Fate, Long> fates = new EnumMap<>(Fate.class);
    private long rowsMade;
    private boolean begun;

    /**
     * @param members of the incarnation that is wanted, with the window's length that is wanted
     * @param partition of the samples topic
     */
    SampleWindows(Membership members, int partition, Supplier<Optional<Dated<SampleRecord>>> samples) {
        this.members = members;
        this.samples = samples;
        this.fold = Fold.empty(partition, WindowSettings.DEFAULT, new FoldListener() {
            @Override
            public void fate(Deployment deployment, Fate fate, long cells, long load) {
                if (fate != Fate.ACCEPTED) {
                    fates.merge(fate, Math.max(1, cells), Long::sum);
                }
            }
        });
    }

    /** A record at this offset, which is still to come, cannot be read. */
    void unreadable(long offset) {
        unreadable.add(offset);
    }

    Optional<Dated<LoadWindow>> nextRow() {
        while (rows.isEmpty() && foldNext()) {}
        return Optional.ofNullable(rows.poll());
    }

    Optional<Dated<WindowSummary>> nextSummary() {
        while (summaries.isEmpty() && foldNext()) {}
        return Optional.ofNullable(summaries.poll());
    }

    private boolean foldNext() {
        Optional<Dated<SampleRecord>> next = samples.get();
        if (next.isEmpty()) {
            return false;
        }
        Dated<SampleRecord> record = next.orElseThrow();
        begin(record);
        while (!unreadable.isEmpty() && unreadable.element() < record.offset()) {
            fold.skip(unreadable.remove());
        }
        take(fold.fold(record.offset(), record.atMillis(), reshaped(record.value())));
        return true;
    }

    /** What the log has lost, or was not asked for, is the membership that everything begins with. */
    private void begin(Dated<SampleRecord> first) {
        if (!begun && first.offset() > 0 && !(first.value() instanceof Membership)) {
            take(fold.fold(first.offset() - 1, first.atMillis(), members));
        }
        begun = true;
    }

    private SampleRecord reshaped(SampleRecord record) {
        return record instanceof Membership found && found.incarnation() == members.incarnation() ? members : record;
    }

    private void take(Optional<Checkpoint> checkpoint) {
        for (ClosedWindow window : checkpoint.map(Checkpoint::windows).orElse(List.of())) {
            WindowSummary summary = window.summary();
            window.loads().forEach(row -> rows.addLast(new Dated<>(row, rowsMade++, summary.closedAtMillis())));
            summaries.addLast(new Dated<>(summary, summary.closingOffset(), summary.closedAtMillis()));
        }
    }

    /** What became of samples that are in no window, one line each. */
    List<String> notes() {
        List<String> notes = new ArrayList<>();
        fates.forEach((fate, cells) -> notes.add(cells + " cells of samples are in no window: " + fate));
        return notes;
    }
}
