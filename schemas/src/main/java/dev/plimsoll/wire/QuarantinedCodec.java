package dev.plimsoll.wire;

import dev.plimsoll.model.Quarantined;

/** {@link Quarantined}. */
final class QuarantinedCodec implements Codec<Quarantined> {
    @Override
    public void write(Quarantined record, Fields to) {
        to.put("summary", record.summary())
                .putSymbol("kind", record.kind())
                .put("topic", record.topic())
                .put("partition", record.partition())
                .put("offset", record.offset())
                .put("timestamp", record.timestampMillis())
                .put("key", record.key())
                .put("reason", record.reason())
                .put("detail", record.detail())
                .put("bytes", record.bytes())
                .put("originalBytes", record.originalBytes())
                .put("records", record.records())
                .put("lastOffset", record.lastOffset());
    }

    @Override
    public Quarantined read(Fields from) {
        long offset = from.number("offset");
        return new Quarantined(
                from.symbol("kind", Quarantined.Kind.class),
                from.text("topic"),
                from.integer("partition"),
                offset,
                from.number("timestamp"),
                from.text("key"),
                from.text("reason"),
                from.text("detail"),
                from.text("bytes"),
                from.integer("originalBytes"),
                from.number("records"),
                // The first version says nothing of it.
                Math.max(offset, from.number("lastOffset")));
    }

    @Override
    public String line(Quarantined record) {
        return "QUARANTINED " + record.summary();
    }
}
