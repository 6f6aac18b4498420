package dev.plimsoll.replay.verify;

import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Term;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.SettingsText;
import dev.plimsoll.planner.WindowHistory;
import dev.plimsoll.planner.WindowPlan;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.replay.source.LiveWindow;
import dev.plimsoll.replay.source.PastDecision;
import dev.plimsoll.replay.source.PastPlan;
import dev.plimsoll.replay.verify.Finding.Different;
import dev.plimsoll.replay.verify.Finding.Expired;
import dev.plimsoll.replay.verify.Finding.Explanation;
import dev.plimsoll.replay.verify.Finding.Input;
import dev.plimsoll.replay.verify.Finding.Reproduced;
import dev.plimsoll.replay.verify.Finding.Unchecked;
import dev.plimsoll.replay.verify.Finding.Undecided;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Decides again what a live planner decided, with the settings of its terms, over the windows that it had, by the planner's own code; and
 * looks for windows on which it might have decided and did not. Window by window, so memory is flat. Pure but for where the windows come
 * from; for one thread. The methods that tests override are each a comparison that must not be left out.
 */
public class Verification {
    /** More than any planner looks back on. */
    private static final int MOST_WINDOWS = 64;

    /** Decisions that wait for their window, which may follow behind a jump of the fold. */
    private static final int MOST_WAITING = 16;

    /**
     * What is wanted.
     *
     * @param insisted settings by name that are used whatever the terms say
     * @param onlyDecisions leaves out the windows without a decision
     * @param fromMillis decisions on windows before it are not told of
     * @param toMillis nor are those from it on
     */
    public record Wanted(
            Map<String, String> insisted, boolean onlyDecisions, OptionalLong fromMillis, OptionalLong toMillis) {
        public Wanted {
            insisted = Map.copyOf(insisted);
        }

        private boolean of(long millis) {
            return millis >= fromMillis.orElse(Long.MIN_VALUE) && millis < toMillis.orElse(Long.MAX_VALUE);
        }
    }

    private final Membership members;
    private final PastPlan plan;
    private final Supplier<Optional<LiveWindow>> windows;
    private final Wanted wanted;
    private final PlanComparison comparison;
    private final WindowHistory history = new WindowHistory(MOST_WINDOWS);
    private final Deque<Finding> found = new ArrayDeque<>();
    private final List<PastDecision> waiting = new ArrayList<>();
    private final Map<String, Policy> policies = new HashMap<>();
    private final Map<String, Objective> objectives = new HashMap<>();
    private final Tally tally = new Tally();
    private Optional<PastDecision> last = Optional.empty();
    private Optional<Expired> expired = Optional.empty();
    /** Of the decisions that were passed; empty until there was one that settled. */
    private OptionalInt settledVersion = OptionalInt.empty();

    private Setbacks setbacks = Setbacks.NONE;
    private long setbacksOf;
    private Consumer<PastDecision> decided = decision -> {};
    private boolean sawBeginning;
    private boolean sawAny;
    private boolean ended;

    /** @param windows of one incarnation, in order, read along with the plan log */
    public Verification(Membership members, PastPlan plan, Supplier<Optional<LiveWindow>> windows, Wanted wanted) {
        this(members, plan, windows, wanted, new PlanComparison());
    }

    Verification(
            Membership members,
            PastPlan plan,
            Supplier<Optional<LiveWindow>> windows,
            Wanted wanted,
            PlanComparison comparison) {
        this.members = members;
        this.plan = plan;
        this.windows = windows;
        this.wanted = wanted;
        this.comparison = comparison;
    }

    /** Whoever is told of every decision once, in the order of the log, whether or not it can be checked. */
    public void onDecision(Consumer<PastDecision> listener) {
        decided = listener;
    }

    /** The next finding; empty at the end. */
    public Optional<Finding> next() {
        plan.onPassedOver(this::passedOver);
        while (found.isEmpty() && !ended) {
            Optional<LiveWindow> window = windows.get();
            if (window.isPresent()) {
                window(window.orElseThrow());
            } else {
                end();
            }
        }
        return Optional.ofNullable(found.poll());
    }

    /** Windows without a decision so far. */
    public Tally tally() {
        return tally;
    }

    private void window(LiveWindow window) {
        if (!sawAny) {
            sawAny = true;
            sawBeginning = window.summary().previousIndex() < 0;
        }
        long closedAt = window.summary().closedAtMillis();
        OptionalLong newest = history.newestAtMillis();
        if (newest.isPresent()
                && closedAt - newest.getAsLong() > lookBack(closedAt).toMillis()) {
            history.clear();
        }
        window.load().ifPresent(load -> history.add(load.load(), window.firstOffset(), closedAt));

        boolean decided = false;
        List<PastDecision> told = new ArrayList<>(waiting);
        told.addAll(plan.takeTold());
        waiting.clear();
        for (PastDecision decision : told) {
            if (decision.windowIndex() == window.index()) {
                decided = true;
                if (wanted.of(closedAt)) {
                    found.add(check(decision, window));
                }
            } else {
                waiting.add(decision);
            }
            passed(decision);
        }
        while (waiting.size() > MOST_WAITING) {
            missing(waiting.remove(0));
        }
        if (!decided && wanted.of(closedAt)) {
            undecided(window);
        }
    }

    private void end() {
        ended = true;
        plan.advanceToEnd();
        waiting.addAll(plan.takeTold());
        waiting.forEach(this::passed);
        waiting.forEach(this::missing);
        waiting.clear();
        expired.ifPresent(found::add);
    }

    private void passedOver(PastDecision decision) {
        passed(decision);
        if (wanted.of(decision.proposedAtMillis())) {
            expired = Optional.of(new Expired(
                    expired.map(Expired::decisions).orElse(0) + 1,
                    expired.map(Expired::firstEpoch).orElse(decision.epoch()),
                    decision.epoch(),
                    decision.windowIndex()));
        }
    }

    private void passed(PastDecision decision) {
        // One that waits for its window is passed again and again.
        if (decision.propose().header().number() > setbacksOf) {
            setbacksOf = decision.propose().header().number();
            decided.accept(decision);
            setbacks = setbacks.after(decision.propose());
            if (decision.end().isPresent()) {
                setbacks = setbacks.after(decision.end().orElseThrow());
            }
        }
        if (last.isEmpty()
                || decision.propose().header().number()
                        > last.orElseThrow().propose().header().number()) {
            last = Optional.of(decision);
        }
        if (decision.batchesFlipped() > 0) {
            settledVersion = OptionalInt.of(Math.max(settledVersion.orElse(0), decision.epoch()));
        }
    }

    /** The version that is settled; empty where the log has lost the settlement before its beginning. */
    private OptionalInt settledVersion() {
        return settledVersion.isPresent() || plan.lostItsBeginning() ? settledVersion : OptionalInt.of(0);
    }

    private void missing(PastDecision decision) {
        if (wanted.of(decision.proposedAtMillis())) {
            found.add(new Unchecked(
                    decision,
                    "window " + decision.windowIndex() + " is not among those read: it has expired, or is outside of"
                            + " what was asked for"));
        }
    }

    private Duration lookBack(long atMillis) {
        try {
            return termAt(atMillis)
                    .map(term -> TermSettings.of(term.value().settings(), wanted.insisted()))
                    .map(known -> known.settings().lookBack())
                    .orElse(PlannerSettings.DEFAULTS.lookBack());
        } catch (IllegalArgumentException e) {
            return PlannerSettings.DEFAULTS.lookBack();
        }
    }

    /** The term in force at a time, as far as the clocks of planner and broker agree. */
    private Optional<Dated<Term>> termAt(long atMillis) {
        return plan.terms().values().stream()
                .filter(term -> term.atMillis() <= atMillis)
                .reduce((earlier, later) -> later);
    }

    private boolean takenOver(long sinceMillis, long untilMillis) {
        return plan.terms().values().stream()
                .anyMatch(term -> term.atMillis() > sinceMillis && term.atMillis() <= untilMillis);
    }

    private Finding check(PastDecision decision, LiveWindow window) {
        Propose propose = decision.propose();
        TermSettings term;
        try {
            term = TermSettings.of(decision.term().map(Term::settings).orElse(""), wanted.insisted());
        } catch (IllegalArgumentException e) {
            return new Unchecked(decision, String.valueOf(e.getMessage()));
        }
        if (propose.policy().equals(Rollback.POLICY)) {
            return goesBack(decision);
        }
        if (propose.reason().contains(Constraints.KEPT)) {
            return new Unchecked(
                    decision,
                    "people asked something of every placement, and what of it was in force at this very window no log tells;"
                            + " that it is kept is checked by the control log");
        }
        PlannerSettings settings = term.settings();
        if (term.others().isEmpty() && !propose.policy().equals(settings.policy())) {
            return new Different(
                    decision,
                    Input.SETTINGS,
                    "it is by policy " + propose.policy() + ", its term says " + settings.policy());
        }
        Optional<String> early = early(decision, settings);
        if (early.isPresent()) {
            return new Different(decision, Input.SETTINGS, early.orElseThrow());
        }
        if (!window.usable()) {
            return window.summary().sound()
                    ? new Unchecked(decision, "window " + window.index() + " cannot be used: " + window.why())
                    : new Different(decision, Input.WINDOWS, "window " + window.index() + ": " + window.why());
        }
        // With other settings, other inputs follow: only what comes of them is compared.
        Optional<PlanInputs> said = term.others().isEmpty() ? propose.inputs() : Optional.empty();
        Looked looked = said.isPresent()
                ? sameWindows(decision, settings, said.orElseThrow())
                : new Looked(history.newest(settings.historyWindows()), "", Optional.empty());
        if (looked.otherwise().isPresent()) {
            return looked.otherwise().orElseThrow();
        }
        return decideAgain(decision, term, looked, said);
    }

    /** No policy makes these; whether the measured windows asked for it is not looked at. */
    private Finding goesBack(PastDecision decision) {
        Propose propose = decision.propose();
        if (decision.base().isEmpty()) {
            return new Unchecked(decision, "what it goes back from, v" + propose.basedOn() + ", is not known");
        }
        Placement target =
                PlanLog.after(propose, propose.batches().size(), decision.base().orElseThrow(), propose.epoch());
        for (int version = propose.basedOn() - 1; version >= 0; version--) {
            if (plan.settled(version).filter(target::servesLike).isPresent()) {
                return new Reproduced(decision, "it goes back to v" + version);
            }
        }
        return new Unchecked(decision, "it goes back to a placement that the log does not have any more");
    }

    /** @param otherwise what is wrong with these windows */
    private record Looked(WindowHistory windows, String note, Optional<Finding> otherwise) {}

    /** Why a decision came too soon after the one before it; only the log of a planner that says where its cooldown began tells. */
    private Optional<String> early(PastDecision decision, PlannerSettings settings) {
        return last.filter(before -> before.lastWindow().isPresent())
                .filter(before -> before.propose().header().term()
                        == decision.propose().header().term())
                .filter(before -> {
                    long from = before.lastWindow().getAsLong() + 1 + settings.cooldownWindows();
                    long left = from - decision.windowIndex();
                    return left > 0 && left <= 2L + settings.cooldownWindows();
                })
                .map(before -> "a cooldown of " + settings.cooldownWindows() + " windows after decision "
                        + before.epoch() + ", whose last window was "
                        + before.lastWindow().getAsLong() + ", had not passed");
    }

    Looked sameWindows(PastDecision decision, PlannerSettings settings, PlanInputs said) {
        int here = Math.min(settings.historyWindows(), history.size());
        if (said.windows() > history.size() && !sawBeginning) {
            return otherwise(new Unchecked(
                    decision,
                    "it was made from " + said.windows() + " windows from " + said.oldestWindow()
                            + " on, and the oldest that is read and can be used is " + history.oldestWindow()
                            + ": the others have expired, or are outside of what was asked for"));
        }
        String note = "";
        if (said.windows() != here) {
            boolean shorter = said.windows() < here
                    && takenOver(history.newest(here).oldestAtMillis(), decision.proposedAtMillis());
            if (!shorter) {
                return otherwise(new Different(
                        decision,
                        Input.WINDOWS,
                        said.windows() + " windows from " + said.oldestWindow() + " on in the log, " + here + " from "
                                + history.newest(here).oldestWindow() + " on here"));
            }
            note = "after a take-over its planner had " + said.windows() + " windows of " + here;
        }
        WindowHistory same = history.newest(said.windows());
        if (same.oldestWindow() != said.oldestWindow()) {
            return otherwise(new Different(
                    decision,
                    Input.WINDOWS,
                    "the oldest of " + said.windows() + " is " + said.oldestWindow() + " in the log, "
                            + same.oldestWindow() + " here"));
        }
        if (same.loadsHash() != said.loadsHash()) {
            return otherwise(new Different(
                    decision,
                    Input.LOADS,
                    "windows " + said.oldestWindow() + " to " + decision.windowIndex() + " have hash "
                            + PlanComparison.hex(said.loadsHash()) + " in the log, "
                            + PlanComparison.hex(same.loadsHash()) + " here"));
        }
        return new Looked(same, note, Optional.empty());
    }

    private static Looked otherwise(Finding finding) {
        return new Looked(new WindowHistory(MOST_WINDOWS), "", Optional.of(finding));
    }

    private Finding decideAgain(PastDecision decision, TermSettings term, Looked looked, Optional<PlanInputs> said) {
        Propose propose = decision.propose();
        // Where nobody knows what was settled, it is what the decision says, if that is known.
        int settled = settledVersion().orElse(propose.basedOn());
        if (propose.basedOn() != settled) {
            return new Different(
                    decision,
                    Input.SETTLED_VERSION,
                    "it is based on v" + propose.basedOn() + ", and v" + settled + " was settled");
        }
        if (decision.base().isEmpty()) {
            return plan.mismatched(propose.basedOn())
                    ? new Different(
                            decision,
                            Input.SETTLED_VERSION,
                            "v" + propose.basedOn() + " settled with another hash than the log's moves lead to")
                    : new Unchecked(
                            decision,
                            "what v" + propose.basedOn()
                                    + " was is not known: the log does not have all that led to it");
        }
        Duration windowTime = looked.windows().windowTime();
        if (said.isPresent() && said.orElseThrow().windowTimeMillis() != windowTime.toMillis()) {
            return new Different(
                    decision,
                    Input.WINDOW_TIME,
                    said.orElseThrow().windowTimeMillis() + " ms in the log, " + windowTime.toMillis() + " ms here");
        }
        Placement base = decision.base().orElseThrow();
        Verdict again = judge(term.settings(), learned(term.settings(), said), base, looked.windows(), windowTime);
        Optional<PlanComparison.Difference> difference = comparison.compare(propose, again, base);
        if (difference.isEmpty()) {
            return new Reproduced(decision, note(term, looked, said));
        }
        String detail = difference.orElseThrow().detail();
        if (!term.others().isEmpty()) {
            return new Different(decision, Input.SETTINGS, term.others() + "; " + detail);
        }
        return said.isPresent()
                ? new Different(decision, difference.orElseThrow().input(), detail)
                : new Unchecked(
                        decision,
                        "the log does not say what it was made from, and from what is here it comes out otherwise: "
                                + detail);
    }

    private static String note(TermSettings term, Looked looked, Optional<PlanInputs> said) {
        if (!term.others().isEmpty()) {
            return "although " + term.others();
        }
        return said.isPresent() ? looked.note() : "from what is here: the log does not say what it was made from";
    }

    /** What the gate knew besides settings and windows, as a decision says; nothing where none does. */
    private static Learned learned(PlannerSettings settings, Optional<PlanInputs> said) {
        return said.flatMap(PlanInputs::learned).orElseGet(() -> Gate.nothing(settings.gate()));
    }

    private Verdict judge(
            PlannerSettings settings, Learned learned, Placement settled, WindowHistory looked, Duration windowTime) {
        Policy policy = policies.computeIfAbsent(settings.policy(), Policy::named);
        return WindowPlan.judge(
                settings,
                policy::plan,
                objectives.computeIfAbsent(SettingsText.of(settings), text -> settings.objectiveFor(members)),
                learned,
                members,
                settled,
                looked.loads(),
                windowTime);
    }

    private void undecided(LiveWindow window) {
        if (wanted.onlyDecisions()) {
            tally.add(Tally.Window.LEFT_OUT);
            return;
        }
        if (!window.usable()) {
            tally.add(Tally.Window.UNUSABLE);
            return;
        }
        if (members.gather() == GatherMode.NONE) {
            tally.add(Tally.Window.OBSERVE_ONLY);
            return;
        }
        Optional<Dated<Term>> reign = termAt(window.summary().closedAtMillis());
        TermSettings term;
        try {
            term = TermSettings.of(reign.map(found -> found.value().settings()).orElse(""), wanted.insisted());
        } catch (IllegalArgumentException e) {
            tally.add(Tally.Window.NO_SETTINGS);
            return;
        }
        if (reign.isEmpty()) {
            tally.add(Tally.Window.NO_SETTINGS);
            return;
        }
        Optional<Tally.Window> busy = busy(window, term.settings());
        if (busy.isPresent()) {
            tally.add(busy.orElseThrow());
            return;
        }
        WindowHistory looked = history.newest(term.settings().historyWindows());
        if (looked.size() < 2) {
            tally.add(Tally.Window.COLD);
            return;
        }
        OptionalInt version = settledVersion();
        Optional<Placement> settled = version.isPresent() ? plan.settled(version.getAsInt()) : Optional.empty();
        if (settled.isEmpty()) {
            tally.add(Tally.Window.UNKNOWN_PLACEMENT);
            return;
        }
        // What the gate had learned by then is between what the decisions before and behind it say.
        Learned before = learned(
                term.settings(), last.flatMap(decided -> decided.propose().inputs()));
        Learned behind = plan.nextDecision()
                .map(next -> learned(term.settings(), next.inputs()))
                .orElse(before);
        Verdict verdict = judge(term.settings(), before, settled.orElseThrow(), looked, looked.windowTime());
        if (verdict instanceof Verdict.Change && !behind.equals(before)) {
            verdict = judge(term.settings(), behind, settled.orElseThrow(), looked, looked.windowTime());
        }
        if (verdict instanceof Verdict.Change change) {
            tally.add(Tally.Window.WOULD_DECIDE);
            found.add(explained(
                    window,
                    reign.orElseThrow(),
                    term,
                    looked,
                    behind.equals(before),
                    change.numbers().line()));
        } else {
            tally.add(Tally.Window.AGREED);
        }
    }

    /** Why nothing could be decided on a window, by the decision before it. */
    private Optional<Tally.Window> busy(LiveWindow window, PlannerSettings settings) {
        if (last.isEmpty()) {
            return Optional.empty();
        }
        PastDecision before = last.orElseThrow();
        if (before.endedAtMillis().isEmpty()) {
            return Optional.of(Tally.Window.IN_FLIGHT);
        }
        OptionalLong lastWindow = before.lastWindow();
        if (lastWindow.isEmpty()) {
            // An older log: the window after the end is as good as in flight, and the cooldown counts from there.
            long ended = before.endedAtMillis().getAsLong();
            if (window.summary().closedAtMillis() <= ended) {
                return Optional.of(Tally.Window.IN_FLIGHT);
            }
            long windows = history.windowTime().toMillis() * (settings.cooldownWindows() + 2L);
            return window.summary().closedAtMillis() <= ended + windows
                    ? Optional.of(Tally.Window.COOLDOWN)
                    : Optional.empty();
        }
        if (window.index() <= lastWindow.getAsLong()) {
            return Optional.of(Tally.Window.IN_FLIGHT);
        }
        if (window.index() <= lastWindow.getAsLong() + settings.cooldownWindows()) {
            return Optional.of(Tally.Window.COOLDOWN);
        }
        if (setbacks.observeOnly().isPresent()) {
            return Optional.of(Tally.Window.OBSERVE_ONLY);
        }
        return setbacks.pause().filter(pause -> pause.covers(window.index())).map(pause -> Tally.Window.BACK_OFF);
    }

    private Undecided explained(
            LiveWindow window,
            Dated<Term> reign,
            TermSettings term,
            WindowHistory looked,
            boolean learnedNothing,
            String numbers) {
        if (!term.others().isEmpty()) {
            return new Undecided(window.index(), Explanation.NONE, term.others() + "; " + numbers);
        }
        Optional<Propose> next = plan.nextDecision();
        Optional<PlanInputs> said = next.flatMap(Propose::inputs);
        if (said.isEmpty()) {
            return new Undecided(
                    window.index(),
                    Explanation.NOT_TOLD,
                    (next.isEmpty() ? "no later decision" : "the next decision does not say")
                            + " which windows were judged; " + numbers);
        }
        List<Long> unjudged = said.orElseThrow().unjudged();
        if (next.orElseThrow().header().term() != reign.value().header().term()
                || takenOver(looked.oldestAtMillis(), window.summary().closedAtMillis())) {
            return new Undecided(
                    window.index(),
                    Explanation.NOT_TOLD,
                    (unjudged.contains(window.index())
                                    ? "the planner that took over found no verdict on it, and the log does not say whether the one"
                                            + " before it had; "
                                    : "planners took over from each other about then, and the log does not say what was judged; ")
                            + numbers);
        }
        if (unjudged.contains(window.index())) {
            return new Undecided(
                    window.index(),
                    Explanation.NOT_JUDGED,
                    "a later window was there already, or time was up; " + numbers);
        }
        if (unjudged.size() >= PlanInputs.MOST_UNJUDGED && window.index() < unjudged.get(0)) {
            return new Undecided(window.index(), Explanation.NOT_TOLD, "too many were not judged; " + numbers);
        }
        return learnedNothing
                ? new Undecided(window.index(), Explanation.NONE, numbers)
                : new Undecided(
                        window.index(),
                        Explanation.NOT_TOLD,
                        "the gate learned between the decisions before and behind it, and the log does not say what it knew;"
                                + " " + numbers);
    }
}
