package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.protocol.Effect.IgnoreReason;
import java.util.ArrayList;
import java.util.List;

/** A transition in the making: the state as it changes and the effects so far. */
final class Steps {
    private final List<Effect> effects = new ArrayList<>();
    private PlannerState state;

    Steps(PlannerState state) {
        this.state = state;
    }

    PlannerState state() {
        return state;
    }

    /** The header of the next command; command numbers are dense, so it must be written. */
    PlanHeader nextHeader(long incarnation) {
        return new PlanHeader(state.members().deployment(), incarnation, state.term(), state.number() + 1);
    }

    void beginTerm(String planner, String settings) {
        with(state.members(), state.settled(), state.term() + 1, state.lastEpoch(), state.stage());
        write(new PlanCommand.Term(nextHeader(state.members().incarnation()), planner, settings));
    }

    void write(PlanCommand command) {
        effects.add(new Effect.Write(command));
        state = new PlannerState(
                state.members(),
                state.settled(),
                state.term(),
                command.header().number(),
                state.lastEpoch(),
                state.stage());
    }

    void writeVoid(Propose decision, String reason) {
        // Under the decision's incarnation, not the one in force: to the ranks of a later one it is nothing.
        write(new PlanCommand.Void(nextHeader(decision.header().incarnation()), decision.epoch(), reason));
    }

    void epochUsed(int epoch) {
        with(state.members(), state.settled(), state.term(), Math.max(epoch, state.lastEpoch()), state.stage());
    }

    /** All layers, not only those that changed: records of one version belong together. */
    void settle(Placement placement) {
        with(state.members(), placement, state.term(), state.lastEpoch(), state.stage());
        long hash = placement.hash();
        for (int layer = 0; layer < placement.layers(); layer++) {
            effects.add(new Effect.Settle(SettledPlacement.of(
                    state.members().deployment(), state.members().incarnation(), placement, layer, hash)));
        }
    }

    void members(Membership members) {
        with(members, state.settled(), state.term(), state.lastEpoch(), state.stage());
    }

    Steps stage(Stage stage) {
        with(state.members(), state.settled(), state.term(), state.lastEpoch(), stage);
        return this;
    }

    void alarm(String text) {
        effects.add(new Effect.Alarm(text));
    }

    Transition quarantine(Stage.Quarantined quarantined) {
        alarm(quarantined.reason());
        return stage(quarantined).done();
    }

    /** Takes another placement for the settled one, which is to be kept by whoever calls. */
    void base(Placement placement) {
        with(state.members(), placement, state.term(), state.lastEpoch(), state.stage());
    }

    Transition ignored(IgnoreReason reason) {
        effects.add(new Effect.Ignored(reason));
        return done();
    }

    Transition done() {
        return new Transition(state, effects);
    }

    private void with(Membership members, Placement settled, long term, int lastEpoch, Stage stage) {
        state = new PlannerState(members, settled, term, state.number(), lastEpoch, stage);
    }
}
