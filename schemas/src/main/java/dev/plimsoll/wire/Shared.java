package dev.plimsoll.wire;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.StepRange;
import java.util.List;

/** Parts that several records have in common. */
final class Shared {
    /** The symbols of the enum Phase, in the order of the schemas. */
    static final List<String> PHASES = List.of("UNKNOWN", "PREFILL", "DECODE", "ALL");

    private Shared() {}

    /** @param symbol index of one of {@link #PHASES} */
    static Phase phase(int symbol) {
        if (symbol == 0) {
            throw new IllegalArgumentException("phase is UNKNOWN, which this release does not know");
        }
        return Phase.valueOf(PHASES.get(symbol));
    }

    static Deployment deployment(Fields from) {
        return new Deployment(from.text("deployment"));
    }

    static Fields identity(Fields to, Deployment deployment, long incarnation) {
        return to.put("deployment", deployment.id()).put("incarnation", incarnation);
    }

    static StepRange steps(Fields from) {
        return new StepRange(from.number("stepFrom"), from.number("stepTo"));
    }

    static void steps(Fields to, StepRange steps) {
        to.put("stepFrom", steps.from()).put("stepTo", steps.to());
    }

    static PlacementState state(Fields from) {
        return new PlacementState(
                from.integer("settledVersion"), from.integer("epoch"), from.integer("batchesFlipped"));
    }

    static void state(Fields to, PlacementState state) {
        to.put("settledVersion", state.settledVersion())
                .put("epoch", state.epoch())
                .put("batchesFlipped", state.batchesFlipped());
    }

    static Balance balance(Fields from) {
        return new Balance(from.real("mean"), from.real("min"), from.integer("worstLayer"), from.integer("layers"));
    }

    static void balance(Fields to, Balance balance) {
        to.put("mean", balance.mean())
                .put("min", balance.min())
                .put("worstLayer", balance.worstLayer())
                .put("layers", balance.layers());
    }

    static void promise(Fields to, StepPromise promise) {
        to.put("expertMicrosBefore", promise.expertMicrosBefore())
                .put("expertMicrosPromised", promise.expertMicrosPromised())
                .put("stepMicrosBefore", promise.stepMicrosBefore())
                .put("stepMicrosPromised", promise.stepMicrosPromised())
                .put("assumed", promise.assumed());
    }

    static StepPromise promise(Fields from) {
        return new StepPromise(
                from.real("expertMicrosBefore"),
                from.real("expertMicrosPromised"),
                from.real("stepMicrosBefore"),
                from.real("stepMicrosPromised"),
                from.flag("assumed"));
    }
}
