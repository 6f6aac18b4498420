package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A past in windows that are so many times as long: those of the indices {@code [i·n, (i+1)·n)} as one. It can be used where all of them
 * can be.
 */
final class MergedHistory extends HistoryOver {
    private static final int MOST_PARTS = 8;

    private final int times;
    private Optional<HistoryWindow> ahead = Optional.empty();

    private MergedHistory(History history, int times) {
        super(history);
        this.times = times;
    }

    /**
     * @param steps of a window
     * @throws IllegalArgumentException when these are no multiple of a window's steps
     */
    static History of(History history, int steps) {
        int now = history.members().windowSteps();
        if (steps < now || steps % now != 0) {
            throw new IllegalArgumentException("--window " + steps + " must be a multiple of the " + now
                    + " steps of the windows that are there: whole windows are put together, none is cut; with --from-samples"
                    + " those of a deployment are made again, of any length");
        }
        return steps == now ? history : new MergedHistory(history, steps / now);
    }

    @Override
    public Membership members() {
        Membership of = history.members();
        return of.withWindowSteps(Math.multiplyExact(of.windowSteps(), times));
    }

    @Override
    public Optional<HistoryWindow> next() throws IOException {
        Optional<HistoryWindow> first = ahead.isPresent() ? ahead : history.next();
        ahead = Optional.empty();
        if (first.isEmpty()) {
            return first;
        }
        long index = Math.floorDiv(first.orElseThrow().facts().index(), times);
        List<HistoryWindow> group = new ArrayList<>();
        Optional<HistoryWindow> next = first;
        long before = Long.MIN_VALUE;
        while (next.isPresent()
                && Math.floorDiv(next.orElseThrow().facts().index(), times) == index
                && next.orElseThrow().facts().index() > before) {
            before = next.orElseThrow().facts().index();
            group.add(next.orElseThrow());
            next = history.next();
        }
        ahead = next;
        return Optional.of(merged(index, group));
    }

    private HistoryWindow merged(long index, List<HistoryWindow> group) {
        List<PastWindow> facts = group.stream().map(HistoryWindow::facts).toList();
        PastWindow first = facts.get(0);
        PastWindow last = facts.get(facts.size() - 1);
        Optional<String> why = facts.stream()
                .filter(window -> !window.usable())
                .map(window -> "window " + window.index() + ": " + window.why())
                .findFirst()
                .or(() -> group.size() < times
                        ? Optional.of(group.size() + " of " + times + " windows are there")
                        : Optional.empty());
        PastWindow whole = new PastWindow(
                index,
                first.firstStep(),
                last.lastStep(),
                last.closedAtMillis(),
                facts.stream().mapToLong(PastWindow::load).sum(),
                facts.stream().mapToDouble(PastWindow::completeness).sum() / times,
                why.isEmpty(),
                why.orElse(""));
        return why.isPresent()
                ? HistoryWindow.unusable(whole)
                : HistoryWindow.of(
                        whole,
                        sum(
                                index,
                                group.stream()
                                        .map(of -> of.load().orElseThrow())
                                        .toList()));
    }

    private static ExpertLoad sum(long index, List<ExpertLoad> loads) {
        int of = loads.get(0).samples();
        boolean equal = loads.stream().allMatch(load -> load.samples() == of);
        int each = equal ? of : 1;
        int all = each * loads.size();
        int parts = Math.min(MOST_PARTS, all);
        while (all % parts != 0) {
            parts--;
        }
        int layers = loads.get(0).layers();
        int experts = loads.get(0).experts();
        long[][][] samples = new long[layers][parts][experts];
        for (int i = 0; i < all; i++) {
            ExpertLoad load = loads.get(i / each);
            for (int layer = 0; layer < layers; layer++) {
                long[] into = samples[layer][i * parts / all];
                for (int expert = 0; expert < experts; expert++) {
                    into[expert] += equal ? load.at(layer, i % each, expert) : load.at(layer, expert);
                }
            }
        }
        return ExpertLoad.ofSamples(index, samples);
    }

    @Override
    public OptionalInt windows() {
        OptionalInt of = history.windows();
        return of.isPresent() ? OptionalInt.of((of.getAsInt() + times - 1) / times) : of;
    }

    /** Its decisions, in the windows that theirs are part of. What was served is known of the single ones only. */
    @Override
    public Optional<PolicyRun> live() {
        return history.live()
                .map(run -> run.withoutServed()
                        .withDecisions(run.decisions().stream()
                                .map(decision -> decision.ofWindow(Math.floorDiv(decision.windowIndex(), times)))
                                .toList()));
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>(history.notes());
        notes.add(
                times
                        + " windows are put together as one; how the live run served them is not told, as it was measured in the single"
                        + " ones; its decisions stand in the windows put together, with balancedness and reasons of the single ones");
        return notes;
    }
}
