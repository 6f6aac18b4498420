package dev.plimsoll.planner.control;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.Constraints.Pin;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.planner.protocol.WayOut;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What commands come to: stale where they rest on what is no more, refused where a rule forbids them, else done.
 *
 * <p>A command that wants what is so already is done: who says it twice, or two who want the same, are right. What an operator asks for by
 * name needs nobody's approval and no gate, and goes through while decisions are paused; the rules for placements and what people ask of
 * every placement hold for it as for any other.
 */
public final class Rulings {
    private Rulings() {}

    /** @param control the oldest unanswered command of {@code state} */
    public static Ruling of(Control control, ControlState state, Situation situation) {
        int settled = situation.decisions().settled().version();
        if (control.basedOn().isPresent() && control.basedOn().getAsInt() != settled) {
            return Ruling.stale("it rests on v" + control.basedOn().getAsInt() + ", and v" + settled
                    + " is settled: look at it anew");
        }
        ControlAction action = control.action();
        if (action instanceof ControlAction.Pause) {
            return Ruling.done("no decision is made until it is resumed" + goingOn(situation.decisions()));
        }
        if (action instanceof ControlAction.Resume) {
            return Ruling.done(
                    state.paused().map(said -> "ends the pause " + said).orElse("it was not paused"));
        }
        if (action instanceof ControlAction.Approve approve) {
            return approve(approve.epoch(), state, situation.decisions());
        }
        if (action instanceof ControlAction.Reject reject) {
            return reject(reject.epoch(), control, state, situation.decisions());
        }
        if (action instanceof ControlAction.Abort abort) {
            return abort(abort.epoch(), control, situation.decisions());
        }
        if (action instanceof ControlAction.Void) {
            return end(control, situation);
        }
        if (action instanceof ControlAction.Rollback) {
            return back(control, state.paused().isPresent(), situation);
        }
        return constrain(control, state, situation.decisions());
    }

    private static String who(Control control) {
        return control.by() + ": " + control.reason();
    }

    private static String goingOn(PlannerState decisions) {
        return decisions.stage() instanceof Stage.Proposed || decisions.stage() instanceof Stage.Running
                ? "; decision " + decisions.stage().inFlight().orElseThrow().epoch() + ", which is in flight, goes on"
                : "";
    }

    private static Ruling notInFlight(int epoch, PlannerState decisions) {
        return Ruling.stale("decision " + epoch + " is not in flight"
                + decisions
                        .stage()
                        .inFlight()
                        .map(decision -> ", decision " + decision.epoch() + " is")
                        .orElse(", and v" + decisions.settled().version() + " is settled"));
    }

    private static boolean inFlight(int epoch, PlannerState decisions) {
        return decisions
                .stage()
                .inFlight()
                .map(Propose::epoch)
                .filter(found -> found == epoch)
                .isPresent();
    }

    private static Ruling approve(int epoch, ControlState state, PlannerState decisions) {
        if (!inFlight(epoch, decisions)) {
            return notInFlight(epoch, decisions);
        }
        if (!(decisions.stage() instanceof Stage.Proposed proposed)
                || !proposed.approval().awaited()) {
            return Ruling.refused(notAwaited(epoch, state, decisions.stage()));
        }
        int missing = proposed.evidence().ranks() - proposed.evidence().acceptedCount();
        return Ruling.done(
                missing == 0
                        ? "ranks have leave to move"
                        : "ranks have leave to move when all have accepted; " + missing + " of "
                                + proposed.evidence().ranks() + " have not yet",
                OptionalInt.of(epoch),
                new Event.Approved(epoch));
    }

    private static Ruling reject(int epoch, Control control, ControlState state, PlannerState decisions) {
        if (!inFlight(epoch, decisions)) {
            return notInFlight(epoch, decisions);
        }
        if (!(decisions.stage() instanceof Stage.Proposed proposed)
                || !proposed.approval().awaited()) {
            return Ruling.refused(notAwaited(epoch, state, decisions.stage()) + "; abort it to stop it");
        }
        return Ruling.done("it is aborted", OptionalInt.of(epoch), new Event.Rejected(epoch, who(control)));
    }

    private static String notAwaited(int epoch, ControlState state, Stage stage) {
        if (!(stage instanceof Stage.Proposed)) {
            return "decision " + epoch + " waits for nobody any more: "
                    + (stage instanceof Stage.Running ? "ranks have leave to move" : "it is being stopped");
        }
        return Optional.ofNullable(state.approved().get(epoch))
                .map(said -> "decision " + epoch + " was approved already " + said)
                .orElse("decision " + epoch + " needs nobody's approval");
    }

    private static Ruling abort(int epoch, Control control, PlannerState decisions) {
        if (!inFlight(epoch, decisions)) {
            return notInFlight(epoch, decisions);
        }
        if (decisions.stage() instanceof Stage.Aborting aborting) {
            return Ruling.refused("it is being stopped already: " + aborting.reason()
                    + "; void the deployment where it does not end");
        }
        if (decisions.stage() instanceof Stage.Quarantined quarantined) {
            return Ruling.refused("it is stopped, and the deployment is quarantined: " + quarantined.reason()
                    + "; void the deployment to bring it back");
        }
        return Ruling.done(
                "it stops; what ranks have flipped of it stays",
                OptionalInt.of(epoch),
                new Event.OperatorAbort(who(control)));
    }

    private static Ruling end(Control control, Situation situation) {
        PlannerState decisions = situation.decisions();
        if (decisions.stage() instanceof Stage.Idle && situation.observes()) {
            return Ruling.refused(
                    "the ranks of incarnation " + decisions.members().incarnation()
                            + " cannot vote, as their group is lost or was never there: they go on serving v"
                            + decisions.settled().version()
                            + ", nothing is in flight, and nothing can be decided; a restart of the ranks, which is a new"
                            + " incarnation, brings votes back");
        }
        WayOut way = WayOut.of(decisions, situation.sight());
        if (way instanceof WayOut.End end) {
            OptionalInt epoch = decisions
                    .stage()
                    .inFlight()
                    .map(decision -> OptionalInt.of(decision.epoch()))
                    .orElse(OptionalInt.empty());
            return Ruling.done(
                    (epoch.isEmpty()
                                    ? "v" + decisions.settled().version() + " is settled"
                                    : end.batches() == 0
                                            ? "decision " + epoch.getAsInt() + " is void"
                                            : "decision " + epoch.getAsInt() + " is settled up to batch "
                                                    + end.batches())
                            + ", as " + end.because(),
                    epoch,
                    new Event.OperatorVoid(situation.sight(), who(control)));
        }
        if (way instanceof WayOut.Refused refused) {
            return Ruling.refused(refused.why());
        }
        String why = ((WayOut.Nothing) way).why();
        return decisions.stage() instanceof Stage.Idle ? Ruling.stale(why) : Ruling.refused(why);
    }

    private static Ruling back(Control control, boolean paused, Situation situation) {
        PlannerState decisions = situation.decisions();
        if (situation.observes()) {
            return Ruling.refused("the ranks of incarnation "
                    + decisions.members().incarnation() + " cannot vote, so nothing can be decided: restart them");
        }
        if (decisions.stage() instanceof Stage.Quarantined quarantined) {
            return Ruling.refused("the deployment is quarantined: " + quarantined.reason() + "; void it first");
        }
        if (!(decisions.stage() instanceof Stage.Idle)) {
            return Ruling.refused(
                    "decision " + decisions.stage().inFlight().orElseThrow().epoch()
                            + " is in flight: wait for its end, or abort it");
        }
        Verdict way = situation.wayBack().orElseThrow();
        if (!(way instanceof Verdict.Change change)) {
            return Ruling.refused(((Verdict.Keep) way).detail());
        }
        return Ruling.done(
                change.reason()
                        // The load that led away from it is still there.
                        + (paused ? "" : "; planning goes on behind it: pause the deployment to stay there"),
                OptionalInt.empty(),
                new Event.Offer(
                        decisions.settled().version(),
                        change.candidate().batches(),
                        situation.newestWindow(),
                        change.numbers().currentBalancedness(),
                        change.numbers().predictedBalancedness(),
                        Rollback.POLICY,
                        change.reason() + "; by " + who(control),
                        change.candidate().reasons(),
                        Optional.empty(),
                        Optional.empty(),
                        // Who asks for it by name has approved of it.
                        new Origin(false, Optional.of(control.id()))));
    }

    private static Ruling constrain(Control control, ControlState state, PlannerState decisions) {
        ControlAction action = control.action();
        Membership members = decisions.members();
        if (action instanceof ControlAction.Unpin unpin) {
            Pin pin = new Pin(unpin.layer(), unpin.expert(), unpin.rank());
            return Ruling.done(
                    state.pins().containsKey(pin)
                            ? "ends the pin " + state.pins().get(pin)
                            : pin + " was not pinned");
        }
        if (action instanceof ControlAction.Undrain undrain) {
            return Ruling.done(
                    state.drained().containsKey(undrain.rank())
                            ? "ends the drain " + state.drained().get(undrain.rank()) + "; plans use " + undrain.rank()
                                    + " again"
                            : undrain.rank() + " was not drained");
        }
        Optional<String> lacking = lacking(action, members);
        if (lacking.isPresent()) {
            return Ruling.refused(lacking.orElseThrow() + " incarnation " + members.incarnation() + ", which has "
                    + members.topology().ranks() + " ranks, " + members.shape().layers() + " layers and "
                    + members.shape().experts() + " experts, counted from 0");
        }
        Constraints wanted = state.with(control).constraints(members);
        List<String> conflicts = wanted.conflicts(members.shape(), members.topology());
        if (!conflicts.isEmpty()) {
            return Ruling.refused(conflicts.get(0) + ": undrain or unpin something first");
        }
        List<String> violations =
                wanted.violations(decisions.settled(), members.shape(), members.topology(), members.idleSlots());
        return Ruling.done(
                violations.isEmpty()
                        ? "v" + decisions.settled().version() + ", which is settled, is so already, and plans keep it"
                        : "a decision is to follow "
                                + (state.paused().isPresent() ? "when it is resumed" : "the next window") + ": "
                                + violations.get(0));
    }

    private static Optional<String> lacking(ControlAction action, Membership members) {
        if (action instanceof ControlAction.Pin wanted) {
            Pin pin = new Pin(wanted.layer(), wanted.expert(), wanted.rank());
            return ControlState.has(members, pin) ? Optional.empty() : Optional.of(pin + " is not of");
        }
        RankId rank = ((ControlAction.Drain) action).rank();
        return ControlState.has(members, rank) ? Optional.empty() : Optional.of(rank + " is not of");
    }
}
