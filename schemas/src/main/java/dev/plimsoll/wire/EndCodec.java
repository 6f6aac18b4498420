package dev.plimsoll.wire;

import dev.plimsoll.model.End;

/** {@link End}. */
final class EndCodec implements Codec<End> {
    @Override
    public void write(End end, Fields to) {
        Shared.identity(to.put("summary", line(end)), end.deployment(), end.incarnation());
    }

    @Override
    public End read(Fields from) {
        return new End(Shared.deployment(from), from.number("incarnation"));
    }

    @Override
    public String line(End end) {
        return "END " + end.deployment() + " incarnation " + end.incarnation();
    }
}
