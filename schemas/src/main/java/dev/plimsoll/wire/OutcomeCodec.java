package dev.plimsoll.wire;

import dev.plimsoll.model.Outcome;

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
                Shared.balance(from.fields("realised")));
    }

    @Override
    public String line(Outcome outcome) {
        return "OUTCOME " + outcome.deployment() + " " + outcome.summary();
    }
}
