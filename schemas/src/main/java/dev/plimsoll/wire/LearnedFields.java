package dev.plimsoll.wire;

import dev.plimsoll.model.Learned;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.TransferCosts;
import java.util.Optional;
import java.util.OptionalInt;

/** {@link Learned}, a part of a decision. */
final class LearnedFields {
    private LearnedFields() {}

    static void write(Learned learned, Fields to) {
        learned.step().ifPresent(step -> write(step, to.putFields("step")));
        to.put("bytesPerSecond", learned.transfers().bytesPerSecond())
                .put("flipNanos", learned.transfers().flipNanos())
                .put("batches", learned.transfers().batches())
                .put("delivered", learned.delivered())
                .put("noise", learned.noise())
                .put("decisions", learned.decisions());
        learned.lastingWindows().ifPresent(windows -> to.put("lastingWindows", windows));
    }

    private static void write(StepCalibration step, Fields to) {
        to.put("scale", step.scale())
                .put("scaleLow", step.scaleLow())
                .put("scaleHigh", step.scaleHigh())
                .put("otherMicros", step.otherMicros())
                .put("windows", step.windows())
                .put("flips", step.flips())
                .put("leastExpertMicros", step.leastExpertMicros())
                .put("mostExpertMicros", step.mostExpertMicros())
                .put("assumed", step.assumed());
    }

    /** None where it makes no sense: it is for whoever decides again, and no reason to refuse a decision. */
    static Optional<Learned> read(Fields from) {
        try {
            return Optional.of(new Learned(
                    from.has("step") ? Optional.of(step(from.fields("step"))) : Optional.empty(),
                    new TransferCosts(from.real("bytesPerSecond"), from.real("flipNanos"), from.integer("batches")),
                    from.real("delivered"),
                    from.real("noise"),
                    from.has("lastingWindows") ? OptionalInt.of(from.integer("lastingWindows")) : OptionalInt.empty(),
                    from.integer("decisions")));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static StepCalibration step(Fields from) {
        return new StepCalibration(
                from.real("scale"),
                from.real("scaleLow"),
                from.real("scaleHigh"),
                from.real("otherMicros"),
                from.integer("windows"),
                from.integer("flips"),
                from.real("leastExpertMicros"),
                from.real("mostExpertMicros"),
                from.flag("assumed"));
    }
}
