package dev.plimsoll.wire;

import dev.plimsoll.model.Quarantined;

/** {@link Quarantined}. */
final class QuarantinedCodec implements Codec<Quarantined> {
    @Override
    public void write(Quarantined record, Fields to) {
        to.put("summary", record.summary())
                .put("topic", record.topic())
                .put("partition", record.partition())
                .put("offset", record.offset())
                .put("reason", record.reason())
                .put("detail", record.detail())
                .put("bytes", record.bytes())
                .put("originalBytes", record.originalBytes());
    }

    @Override
    public Quarantined read(Fields from) {
        return new Quarantined(
                from.text("topic"),
                from.integer("partition"),
                from.number("offset"),
                from.text("reason"),
                from.text("detail"),
                from.text("bytes"),
                from.integer("originalBytes"));
    }

    @Override
    public String line(Quarantined record) {
        return "QUARANTINED " + record.summary();
    }
}
