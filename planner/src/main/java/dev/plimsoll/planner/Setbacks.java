package dev.plimsoll.planner;

import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.planner.placement.Rollback;
import java.util.Collections;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Decisions of one incarnation that came to nothing: how often since one settled, by reason, and how long none is made because of
 * it. A fold over the plan log, so that a successor knows what the log tells. Pure.
 *
 * @param incarnation of the newest command
 * @param observeOnly the refusal that said that ranks cannot vote any more; nothing can be decided until the next incarnation
 * @param times {@code reason → decisions} since one settled
 * @param pause how long no decision is made
 * @param proposed the newest decision
 * @param rolledBack whether the newest settled decision took back the one before
 */
public record Setbacks(
        long incarnation,
        Optional<String> observeOnly,
        SortedMap<String, Integer> times,
        Optional<Pause> pause,
        Optional<Proposed> proposed,
        boolean rolledBack) {
    /** Of a deployment whose plan log is empty. */
    public static final Setbacks NONE = begin(Long.MIN_VALUE);

    /** What is counted for a decision that took back the one before: whoever plans the same again soon is likely to be as wrong. */
    static final String ROLLED_BACK = "rolled_back";

    /** So that a deployment is looked at now and then, whatever has become of it. */
    private static final int MOST_DOUBLINGS = 8;

    private static final String OPERATOR = "operator";
    private static final String REJECTED = "rejected: ";
    private static final Pattern REFUSED = Pattern.compile("\\bREFUSED \\d+: ([A-Z_]+)\\b");

    /**
     * A time in which no decision is made.
     *
     * @param reason of the decision that ended last
     * @param times decisions that ended for it since one settled
     * @param windows that must pass
     * @param until index of the first window that may be decided on
     */
    public record Pause(String reason, int times, long windows, long until) {
        /** Whether a window is to be left alone. One from farther back stands behind a jump back, and so behind the decision. */
        public boolean covers(long window) {
            return window < until && until - window <= windows + 2;
        }

        /** One line for people. */
        public String summary() {
            return reason + ", " + times + (times == 1 ? " time" : " times") + " since a decision settled: a pause of "
                    + windows + " windows, until window " + until;
        }
    }

    /** What is to be known of a decision until its end. */
    public record Proposed(int epoch, long window, boolean rollback) {}

    public Setbacks {
        times = Collections.unmodifiableSortedMap(new TreeMap<>(times));
    }

    /** Of an incarnation in which nothing was decided. */
    static Setbacks begin(long incarnation) {
        return new Setbacks(incarnation, Optional.empty(), new TreeMap<>(), Optional.empty(), Optional.empty(), false);
    }

    /** These where they are of that incarnation, else none. */
    Setbacks within(long current) {
        return incarnation == current ? this : begin(current);
    }

    /** With the next command of the log. */
    public Setbacks after(PlanCommand command) {
        long of = command.header().incarnation();
        if (of < incarnation) {
            return this;
        }
        Setbacks before = within(of);
        if (command instanceof Propose propose) {
            return before.with(new Proposed(propose.epoch(), propose.windowIndex(), isOwnRollback(propose)));
        }
        if (command instanceof PlanCommand.Abort abort) {
            return before.observing(abort.reason());
        }
        if (command instanceof PlanCommand.Void end) {
            return before.observing(end.reason()).voided(end.reason(), end.lastWindow());
        }
        return command instanceof PlanCommand.Settled end ? before.settled(end.lastWindow()) : before;
    }

    /** Whether the planner itself takes back a decision; what an operator takes back says nothing about policies. */
    static boolean isOwnRollback(Propose propose) {
        return propose.policy().equals(Rollback.POLICY)
                && propose.origin().control().isEmpty();
    }

    private Setbacks with(Proposed next) {
        return new Setbacks(incarnation, observeOnly, times, pause, Optional.of(next), rolledBack);
    }

    private Setbacks observing(String reason) {
        return observeOnly.isEmpty()
                        && refusal(reason)
                                .filter(Refusal.OBSERVE_ONLY.name()::equals)
                                .isPresent()
                ? new Setbacks(incarnation, Optional.of(reason), times, pause, proposed, rolledBack)
                : this;
    }

    private Setbacks voided(String reason, OptionalLong lastWindow) {
        return word(reason).map(word -> counted(word, lastWindow, rolledBack)).orElse(this);
    }

    /** A decision that settles, if only in part, is progress. That decisions are taken back ends when two in a row are not. */
    private Setbacks settled(OptionalLong lastWindow) {
        boolean rollback = proposed.map(Proposed::rollback).orElse(false);
        SortedMap<String, Integer> left = new TreeMap<>(times);
        left.keySet().removeIf(word -> !word.equals(ROLLED_BACK) || !(rollback || rolledBack));
        Setbacks cleared = new Setbacks(incarnation, observeOnly, left, Optional.empty(), proposed, rollback);
        return rollback ? cleared.counted(ROLLED_BACK, lastWindow, true) : cleared;
    }

    private Setbacks counted(String word, OptionalLong lastWindow, boolean rollback) {
        SortedMap<String, Integer> next = new TreeMap<>(times);
        int sinceSettled = next.merge(word, 1, Integer::sum);
        long windows = 1L << Math.min(sinceSettled, MOST_DOUBLINGS);
        // Where the log does not say when it ended: it took a window at least.
        long end = lastWindow.orElseGet(
                () -> proposed.map(made -> made.window() + 1).orElse(0L));
        return new Setbacks(
                incarnation,
                observeOnly,
                next,
                Optional.of(new Pause(word, sinceSettled, windows, end + 1 + windows)),
                proposed,
                rollback);
    }

    /** The reason that is counted for a VOID; empty where nothing is wrong: an operator ended it, or its incarnation is over. */
    static Optional<String> word(String reason) {
        if (reason.startsWith(OPERATOR) || reason.startsWith("incarnation")) {
            return Optional.empty();
        }
        if (reason.startsWith(REJECTED)) {
            return Optional.of("rejected");
        }
        Optional<String> refusal = refusal(reason);
        if (refusal.isPresent()) {
            return refusal.map(word -> word.toLowerCase(Locale.ROOT));
        }
        if (reason.contains(" FATAL ")) {
            return Optional.of("fatal");
        }
        if (reason.contains("accepted in time")) {
            return Optional.of("not_accepted");
        }
        if (reason.startsWith("nobody approved")) {
            return Optional.of("not_approved");
        }
        return Optional.of(reason.startsWith("no flip in time") ? "no_flip" : "other");
    }

    /** What a rank has said; what people write as their reason may be about ranks, and is no rank's word. */
    private static Optional<String> refusal(String reason) {
        Matcher found = REFUSED.matcher(reason);
        boolean person = reason.startsWith(OPERATOR) || reason.startsWith(REJECTED);
        return !person && found.find() ? Optional.of(found.group(1)) : Optional.empty();
    }
}
