package dev.plimsoll.wire;

import dev.plimsoll.model.ControlAnswer;
import java.util.OptionalInt;

/** {@link ControlAnswer}. */
final class ControlAnswerCodec implements Codec<ControlAnswer> {
    @Override
    public void write(ControlAnswer answer, Fields to) {
        Shared.identity(to.put("summary", answer.summary()), answer.deployment(), answer.incarnation())
                .put("id", answer.id())
                .putSymbol("verdict", answer.verdict())
                .put("text", answer.text())
                .put("version", answer.version());
        answer.epoch().ifPresent(epoch -> to.put("epoch", epoch));
    }

    @Override
    public ControlAnswer read(Fields from) {
        return new ControlAnswer(
                Shared.deployment(from),
                from.number("incarnation"),
                from.text("id"),
                from.symbol("verdict", ControlAnswer.Verdict.class),
                from.text("text"),
                from.has("epoch") ? OptionalInt.of(from.integer("epoch")) : OptionalInt.empty(),
                from.integer("version"));
    }

    @Override
    public String line(ControlAnswer answer) {
        return "ANSWER " + answer.deployment() + " " + answer.id() + " " + answer.summary();
    }
}
