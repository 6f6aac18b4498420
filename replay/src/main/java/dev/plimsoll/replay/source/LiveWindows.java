package dev.plimsoll.replay.source;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.WindowJoin;
import dev.plimsoll.planner.WindowLoad;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * One incarnation's windows, put together from their two topics and looked at with what the plan log says was served. Both topics date
 * their records by when the window was closed, so they are read side by side, and no more than a few windows are held. Pure but for where
 * the records come from.
 */
public final class LiveWindows {
    private final Membership members;
    private final Supplier<Optional<Dated<LoadWindow>>> rows;
    private final Supplier<Optional<Dated<WindowSummary>>> summaries;
    private final PastPlan plan;
    private final ToLongFunction<WindowSummary> reached;
    private final WindowJoin join = new WindowJoin();
    /** Announced, and neither whole nor given up. */
    private final Deque<WindowSummary> announced = new ArrayDeque<>();

    private final Deque<LiveWindow> ready = new ArrayDeque<>();
    private Optional<Dated<LoadWindow>> row = Optional.empty();
    private Optional<Dated<WindowSummary>> summary = Optional.empty();
    private boolean begun;
    private long foreign;

    public LiveWindows(
            Membership members,
            Supplier<Optional<Dated<LoadWindow>>> rows,
            Supplier<Optional<Dated<WindowSummary>>> summaries,
            PastPlan plan) {
        this(members, rows, summaries, plan, WindowSummary::index);
    }

    /** @param reached the newest window of the plan log's own length that has ended with a window of these */
    LiveWindows(
            Membership members,
            Supplier<Optional<Dated<LoadWindow>>> rows,
            Supplier<Optional<Dated<WindowSummary>>> summaries,
            PastPlan plan,
            ToLongFunction<WindowSummary> reached) {
        this.members = members;
        this.rows = rows;
        this.summaries = summaries;
        this.plan = plan;
        this.reached = reached;
    }

    /** The next window, in the order in which they were closed; empty at the end. */
    public Optional<LiveWindow> next() {
        if (!begun) {
            begun = true;
            row = rows.get();
            summary = summaries.get();
        }
        while (ready.isEmpty() && (row.isPresent() || summary.isPresent())) {
            take();
            for (Optional<WindowJoin.Whole> whole = join.takeWhole(members);
                    whole.isPresent();
                    whole = join.takeWhole(members)) {
                whole(whole.orElseThrow());
            }
        }
        if (ready.isEmpty()) {
            announced.forEach(this::giveUp);
            announced.clear();
        }
        return Optional.ofNullable(ready.poll());
    }

    /** Windows of other incarnations that were passed over. */
    public long foreignWindows() {
        return foreign;
    }

    private void take() {
        // A window's rows have the time of its summary: rows first.
        if (summary.isEmpty()
                || row.isPresent()
                        && row.orElseThrow().atMillis() <= summary.orElseThrow().atMillis()) {
            Dated<LoadWindow> taken = row.orElseThrow();
            if (taken.value().incarnation() == members.incarnation()) {
                join.add(taken.value(), taken.offset());
            }
            row = rows.get();
        } else {
            WindowSummary taken = summary.orElseThrow().value();
            if (taken.incarnation() == members.incarnation()) {
                announced.addLast(taken);
                join.add(taken);
                if (announced.size() > WindowJoin.MOST_OPEN) {
                    giveUp(announced.removeFirst());
                }
            } else {
                foreign++;
            }
            summary = summaries.get();
        }
    }

    private void whole(WindowJoin.Whole whole) {
        if (announced.stream()
                .noneMatch(window -> window.index() == whole.summary().index())) {
            return; // announced twice, and given up
        }
        while (announced.getFirst().index() != whole.summary().index()) {
            giveUp(announced.removeFirst());
        }
        announced.removeFirst();
        ready.addLast(looked(whole));
    }

    /** A later one was whole first, too many are waited for, or nothing comes any more. */
    private void giveUp(WindowSummary window) {
        ready.addLast(new LiveWindow(
                window, 0, Optional.empty(), "its records are not all in the windows topic", Double.NaN));
    }

    private LiveWindow looked(WindowJoin.Whole whole) {
        WindowSummary window = whole.summary();
        plan.advanceThrough(reached.applyAsLong(window));
        double hottest = hottest(whole);
        long firstOffset = whole.rows().isEmpty() ? 0 : whole.firstOffset();
        if (!window.sound()) {
            String why =
                    window.complete() ? window.conservation().toString() : "it is not complete: " + window.reason();
            return new LiveWindow(window, firstOffset, Optional.empty(), why, hottest);
        }
        Optional<PlacementState> unknown = WindowLoad.unknown(whole, plan.known());
        if (unknown.isPresent()) {
            return new LiveWindow(
                    window,
                    firstOffset,
                    Optional.empty(),
                    "the plan log does not say what was served at " + unknown.orElseThrow(),
                    hottest);
        }
        return new LiveWindow(
                window, firstOffset, Optional.of(WindowLoad.of(whole, plan.known(), members)), "", hottest);
    }

    /** Load of the busiest rank as its slots counted it, summed over layers. */
    private double hottest(WindowJoin.Whole whole) {
        int perRank = members.topology().slotsPerRank();
        long[][] ofRank = new long[members.shape().layers()][members.topology().ranks()];
        for (LoadWindow part : whole.rows()) {
            for (int slot = 0; slot < part.load().size(); slot++) {
                ofRank[part.layer()][(part.firstSlot() + slot) / perRank] +=
                        part.load().at(slot);
            }
        }
        double sum = 0;
        for (long[] layer : ofRank) {
            long max = 0;
            for (long load : layer) {
                max = Math.max(max, load);
            }
            sum += max;
        }
        return sum;
    }
}
