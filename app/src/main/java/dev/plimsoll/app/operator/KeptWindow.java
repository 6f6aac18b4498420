package dev.plimsoll.app.operator;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.SettingsText;
import dev.plimsoll.replay.source.Dated;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Why a window led to no decision, as far as the topics tell. A planner writes no record of a window after which it keeps the placement,
 * so what cannot be told is said.
 */
public final class KeptWindow {
    private final DeploymentStory story;
    private final WindowSummary window;

    private KeptWindow(DeploymentStory story, WindowSummary window) {
        this.story = story;
        this.window = window;
    }

    /** The decision that a window led to. */
    public static Optional<DecisionStory> decision(DeploymentStory story, WindowSummary window) {
        return new KeptWindow(story, window)
                .decisions().stream()
                        .filter(decision -> decision.proposed().value().windowIndex() == window.index())
                        .findFirst();
    }

    /** Lines for people. */
    public static List<String> explain(DeploymentStory story, WindowSummary window) {
        return new KeptWindow(story, window).lines();
    }

    /** The rules that kept the placement for certain, each with its word as {@code plimsoll_proposals_refused_total} has it. */
    public static List<String> rules(DeploymentStory story, WindowSummary window) {
        return new KeptWindow(story, window).rules();
    }

    private List<DecisionStory> decisions() {
        return story.decisions().values().stream()
                .filter(decision -> decision.proposed().value().header().incarnation() == window.incarnation())
                .toList();
    }

    private List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("window " + window.index() + " of " + window.deployment() + ", incarnation " + window.incarnation()
                + ", closed " + DeploymentText.time(window.closedAtMillis()) + ": the placement was kept");
        lines.add("  " + WindowText.completeness(window));
        lines.add("  " + WindowText.load(window));
        lines.add("why");
        List<String> rules = rules();
        rules.forEach(rule -> lines.add("  " + rule));
        if (rules.isEmpty()) {
            lines.add(
                    "  none of the rules that topics tell of: it was complete, nothing was in flight, and no cooldown,"
                            + " back-off or pause");
            lines.add("  held. So the policy wanted no change (BALANCED), or its change did not pass the gate (GAIN,"
                    + " HELD_OUT, COST,");
            lines.add("  BUDGET), or too few windows were there (COLD), or the plan failed (TIMEOUT, ERROR, INVALID)");
        }
        lines.add("what the topics do not tell");
        lines.add("  a planner writes no record where it keeps the placement: which of these it was, and with which"
                + " numbers, is in its");
        lines.add("  log (PLIMSOLL_LOG=DEBUG) and counted in plimsoll_proposals_refused_total; 'plimsoll replay run'"
                + " judges the");
        lines.add("  window again, with the numbers of the gate");
        return lines;
    }

    private List<String> rules() {
        List<String> rules = new ArrayList<>();
        if (window.conservation().violated()) {
            rules.add("NOT_CONSERVED: " + window.conservation());
        }
        if (!window.complete()) {
            rules.add("INCOMPLETE: closed by " + window.reason()
                    + ", so it does not say what the load was; the planner decides on complete windows only");
        }
        inFlight()
                .ifPresent(decision ->
                        rules.add("IN_FLIGHT: decision " + decision.epoch() + " was (" + decision.state() + " now)"));
        if (story.members().gather() == GatherMode.NONE && ofThisLife()) {
            rules.add("OBSERVE_ONLY: gather mode none, so the ranks have nothing to vote by");
        }
        cooldown().ifPresent(rules::add);
        backOff().ifPresent(pause -> rules.add("BACK_OFF: " + pause.summary()));
        pause().ifPresent(request -> rules.add("PAUSED: by " + request.by() + ": " + request.reason()));
        passedOver()
                .ifPresent(decision -> rules.add("passed over: decision " + decision.epoch()
                        + " says that this window was not judged, as a later one was there already or time was up"));
        return rules;
    }

    private boolean ofThisLife() {
        return window.incarnation() == story.members().incarnation();
    }

    private Optional<DecisionStory> inFlight() {
        return decisions().stream()
                .filter(decision -> decision.proposed().value().windowIndex() < window.index())
                .filter(decision -> lastWindow(decision)
                        .map(last -> window.index() <= last)
                        .orElseGet(() -> decision.proposed().atMillis() <= window.closedAtMillis()
                                && decision.ended()
                                        .filter(end -> end.atMillis() < window.closedAtMillis())
                                        .isEmpty()))
                .findFirst();
    }

    /** The newest window that the planner had seen when the decision ended; empty where it has not, or nobody says. */
    private static Optional<Long> lastWindow(DecisionStory decision) {
        PlanCommand end = decision.ended().map(record -> record.value()).orElse(null);
        OptionalLong last = end instanceof Settled settled
                ? settled.lastWindow()
                : end instanceof PlanCommand.Void voided ? voided.lastWindow() : OptionalLong.empty();
        return last.isPresent() ? Optional.of(last.getAsLong()) : Optional.empty();
    }

    private Optional<String> cooldown() {
        Optional<Long> windows =
                story.term().flatMap(term -> cooldownWindows(term.value().settings()));
        Optional<Long> ended = decisions().stream()
                .flatMap(decision -> lastWindow(decision).stream())
                .filter(last -> last < window.index())
                .reduce(Math::max);
        if (windows.isEmpty() || ended.isEmpty()) {
            return Optional.empty();
        }
        long from = ended.orElseThrow() + 1 + windows.orElseThrow();
        return window.index() < from
                ? Optional.of("COOLDOWN: after a decision ended in window " + ended.orElseThrow()
                        + ", the next is made on window " + from + " at the earliest")
                : Optional.empty();
    }

    /** The pause after decisions that came to nothing, as the log had it when the window closed. */
    private Optional<Setbacks.Pause> backOff() {
        Setbacks setbacks = Setbacks.NONE;
        for (PlanCommand command : commands()) {
            setbacks = setbacks.after(command);
        }
        return setbacks.incarnation() == window.incarnation()
                ? setbacks.pause().filter(pause -> pause.covers(window.index()))
                : Optional.empty();
    }

    /** Beginnings and ends of decisions that were there when the window closed. */
    private List<PlanCommand> commands() {
        List<Dated<? extends PlanCommand>> commands = new ArrayList<>();
        for (DecisionStory decision : decisions()) {
            commands.add(decision.proposed());
            decision.aborted().ifPresent(commands::add);
            decision.ended().ifPresent(commands::add);
        }
        return commands.stream()
                .filter(record -> record.atMillis() <= window.closedAtMillis())
                .<PlanCommand>map(Dated::value)
                .toList();
    }

    private static Optional<Long> cooldownWindows(String settings) {
        String value = SettingsText.named(settings).get("cooldown");
        return value != null && value.matches("\\d{1,9}") ? Optional.of(Long.parseLong(value)) : Optional.empty();
    }

    /** Who had paused the deployment when the window closed. */
    private Optional<Request> pause() {
        Optional<Request> pause = Optional.empty();
        for (Request request : story.requests()) {
            if (!request.done() || request.answer().orElseThrow().atMillis() > window.closedAtMillis()) {
                continue;
            }
            ControlAction action = request.control().value().action();
            if (action instanceof ControlAction.Pause) {
                pause = pause.or(() -> Optional.of(request));
            } else if (action instanceof ControlAction.Resume) {
                pause = Optional.empty();
            }
        }
        return pause;
    }

    private Optional<DecisionStory> passedOver() {
        return decisions().stream()
                .filter(decision -> Optional.of(decision.proposed().value())
                        .flatMap(Propose::inputs)
                        .map(PlanInputs::unjudged)
                        .filter(unjudged -> unjudged.contains(window.index()))
                        .isPresent())
                .findFirst();
    }
}
