package dev.plimsoll.wire;

import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Outcome;
import java.util.Optional;
import java.util.OptionalDouble;

/** {@link Outcome}. */
final class OutcomeCodec implements Codec<Outcome> {
    @Override
    public void write(Outcome outcome, Fields to) {
        Shared.identity(to.put("summary", outcome.summary()), outcome.deployment(), outcome.incarnation())
                .put("version", outcome.version())
                .put("windowIndex", outcome.windowIndex())
                .put("moves", outcome.moves())
                .put("before", outcome.before())
                .put("predicted", outcome.predicted());
        Shared.balance(to.putFields("realised"), outcome.realised());
        outcome.promisedGain().ifPresent(gain -> to.put("promisedGain", gain));
        outcome.step().ifPresent(step -> Shared.promise(to.putFields("step"), step));
        outcome.measured().ifPresent(measured -> write(measured, to.putFields("measured")));
        outcome.policy().ifPresent(policy -> to.put("policy", policy));
    }

    private static void write(MeasuredGain measured, Fields to) {
        to.put("windows", measured.windows())
                .put("firstWindow", measured.firstWindow())
                .put("lastWindow", measured.lastWindow())
                .put("last", measured.last())
                .put("gain", measured.gain())
                .put("spread", measured.spread())
                .put("lasted", measured.lasted())
                .put("halved", measured.halved())
                .put("balancednessWith", measured.balancednessWith())
                .put("balancednessWithout", measured.balancednessWithout());
        measured.expertMicrosWith().ifPresent(micros -> to.put("expertMicrosWith", micros));
        measured.expertMicrosWithout().ifPresent(micros -> to.put("expertMicrosWithout", micros));
        measured.stepMicros().ifPresent(micros -> to.put("stepMicros", micros));
    }

    @Override
    public Outcome read(Fields from) {
        return new Outcome(
                Shared.deployment(from),
                from.number("incarnation"),
                from.integer("version"),
                from.number("windowIndex"),
                from.integer("moves"),
                from.real("before"),
                from.real("predicted"),
                Shared.balance(from.fields("realised")),
                optional(from, "promisedGain"),
                from.has("step") ? Optional.of(Shared.promise(from.fields("step"))) : Optional.empty(),
                from.has("measured") ? Optional.of(measured(from.fields("measured"))) : Optional.empty(),
                from.has("policy") ? Optional.of(from.text("policy")) : Optional.empty());
    }

    private static MeasuredGain measured(Fields from) {
        return new MeasuredGain(
                from.integer("windows"),
                from.number("firstWindow"),
                from.number("lastWindow"),
                from.flag("last"),
                from.real("gain"),
                from.real("spread"),
                from.integer("lasted"),
                from.flag("halved"),
                from.real("balancednessWith"),
                from.real("balancednessWithout"),
                optional(from, "expertMicrosWith"),
                optional(from, "expertMicrosWithout"),
                optional(from, "stepMicros"));
    }

    private static OptionalDouble optional(Fields from, String name) {
        return from.has(name) ? OptionalDouble.of(from.real(name)) : OptionalDouble.empty();
    }

    @Override
    public String line(Outcome outcome) {
        return "OUTCOME " + outcome.deployment() + " " + outcome.summary();
    }
}
