package dev.plimsoll.wire;

import dev.plimsoll.model.Tick;

/** {@link Tick}. */
final class TickCodec implements Codec<Tick> {
    @Override
    public void write(Tick tick, Fields to) {
        to.put("summary", line(tick)).put("deployment", tick.deployment().id());
    }

    @Override
    public Tick read(Fields from) {
        return new Tick(Shared.deployment(from));
    }

    @Override
    public String line(Tick tick) {
        return "TICK " + tick.deployment();
    }
}
