package dev.plimsoll.worker;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.planner.DriverEffect;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.worker.Seen.What;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What people may rely on, held against what is committed: each command is answered once, in their order, and what is answered DONE is done
 * in the same step; what is paused, pinned, drained or not approved stays so, whoever is the planner.
 */
final class ControlRules {
    private static final Map<Class<? extends ControlAction>, What> DONE = Map.of(
            ControlAction.Pause.class, What.PAUSED,
            ControlAction.Resume.class, What.RESUMED,
            ControlAction.Pin.class, What.PINNED,
            ControlAction.Drain.class, What.DRAINED,
            ControlAction.Approve.class, What.APPROVED,
            ControlAction.Rollback.class, What.WENT_BACK,
            ControlAction.Reject.class, What.REJECTED,
            ControlAction.Abort.class, What.STOPPED);

    private final Seen seen;
    private ControlState state = ControlState.NONE;

    ControlRules(Seen seen) {
        this.seen = seen;
    }

    ControlState state() {
        return state;
    }

    void said(Control command) {
        state = state.plus(command);
    }

    /**
     * @param step of a driver, all of it
     * @param before the plan log before it
     */
    void requireRight(List<DriverEffect> step, PlanLog before, Membership members) {
        List<PlanCommand> written = new ArrayList<>();
        Optional<ControlAnswer> given = Optional.empty();
        for (DriverEffect effect : step) {
            if (effect instanceof DriverEffect.Write write) {
                written.add(write.command());
            } else if (effect instanceof DriverEffect.Answer answer) {
                given = Optional.of(answer.answer());
                answered(answer.answer(), step);
            }
        }
        for (PlanCommand command : written) {
            if (command instanceof Propose propose) {
                proposed(propose, given, before, members);
            } else if (command instanceof PlanCommand.Permit permit) {
                require(
                        !before.proposal(permit.epoch()).orElseThrow().origin().needsApproval()
                                || state.approved().containsKey(permit.epoch()),
                        () -> permit.summary() + ": somebody has approved it");
            }
        }
    }

    private void proposed(Propose propose, Optional<ControlAnswer> given, PlanLog before, Membership members) {
        Optional<String> asked = propose.origin().control();
        require(
                asked.isPresent() || state.paused().isEmpty(),
                () -> propose.summary() + ": nothing is decided in a pause but what somebody asks for");
        require(
                asked.equals(given.map(ControlAnswer::id)),
                () -> propose.summary() + ": what is proposed for somebody is answered with it");
        seen.saw(What.TOOK_BACK, asked.isEmpty() && propose.policy().equals(Rollback.POLICY) ? 1 : 0);
        Constraints wanted = state.constraints(members);
        if (wanted.isEmpty() || propose.header().incarnation() != members.incarnation()) {
            return;
        }
        Placement base = Objects.requireNonNull(before.placements(members).get(propose.basedOn()));
        seen.saw(What.CONSTRAINED);
        List<String> broken = wanted.violations(
                base.withBatches(propose.epoch(), propose.batches()),
                members.shape(),
                members.topology(),
                members.idleSlots());
        require(broken.isEmpty(), () -> propose.summary() + ": it keeps pins and drains: " + broken);
    }

    private void answered(ControlAnswer answer, List<DriverEffect> step) {
        require(
                !state.unanswered().isEmpty() && state.unanswered().get(0).id().equals(answer.id()),
                () -> "answer to " + answer.id() + ": each command is answered once, in their order");
        ControlAction action = state.unanswered().get(0).action();
        boolean approved = action instanceof ControlAction.Approve approve
                && state.approved().containsKey(approve.epoch());
        state = state.plus(answer);
        switch (answer.verdict()) {
            case STALE -> seen.saw(What.STALE);
            case REFUSED -> seen.saw(action instanceof ControlAction.Void ? What.NO_WAY_OUT : What.REFUSED);
            case DONE -> {
                require(!approved, () -> answer.summary() + ": a decision is approved once");
                done(action, answer, step);
            }
        }
    }

    private void done(ControlAction action, ControlAnswer answer, List<DriverEffect> step) {
        if (action instanceof ControlAction.Void) {
            seen.saw(answer.text().contains("all ranks serve") ? What.ENDED_BY_SIGHT : What.ENDED_UNPERMITTED);
        } else if (DONE.containsKey(action.getClass())) {
            seen.saw(DONE.get(action.getClass()));
        }
        boolean happens = step.stream()
                .anyMatch(effect ->
                        effect instanceof DriverEffect.Write write && isDone(action, answer, write.command()));
        boolean writes = action instanceof ControlAction.Rollback
                || action instanceof ControlAction.Reject
                || action instanceof ControlAction.Abort
                || action instanceof ControlAction.Void;
        require(
                happens || !writes,
                () -> answer.summary() + ", to " + action + ": what is done is done in the same transaction");
    }

    /** Whether a command of the plan log is what an operator asked for. */
    private static boolean isDone(ControlAction action, ControlAnswer answer, PlanCommand command) {
        int epoch = answer.epoch().orElse(0);
        if (action instanceof ControlAction.Rollback) {
            return command instanceof Propose propose
                    && propose.epoch() == epoch
                    && propose.origin().control().filter(answer.id()::equals).isPresent();
        }
        if (action instanceof ControlAction.Void) {
            return (command instanceof PlanCommand.Void end && end.epoch() == epoch)
                    || (command instanceof PlanCommand.Settled settled && settled.epoch() == epoch);
        }
        return command instanceof PlanCommand.Abort abort && abort.epoch() == epoch;
    }

    private static void require(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            throw new AssertionError("people: " + otherwise.get());
        }
    }
}
