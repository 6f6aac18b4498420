package dev.plimsoll.wire;

import dev.plimsoll.model.SettledPlacement;

/** {@link SettledPlacement}. */
final class SettledPlacementCodec implements Codec<SettledPlacement> {
    @Override
    public void write(SettledPlacement placement, Fields to) {
        Shared.identity(to.put("summary", placement.summary()), placement.deployment(), placement.incarnation())
                .put("version", placement.version())
                .put("layer", placement.layer())
                .put("layers", placement.layers())
                .putHash("placementHash", placement.placementHash())
                .put("experts", placement.experts())
                .put("idle", placement.idle());
    }

    @Override
    public SettledPlacement read(Fields from) {
        return new SettledPlacement(
                Shared.deployment(from),
                from.number("incarnation"),
                from.integer("version"),
                from.integer("layer"),
                from.integer("layers"),
                from.hash("placementHash"),
                from.longs("experts"),
                from.integers("idle"));
    }

    @Override
    public String line(SettledPlacement placement) {
        return "PLACEMENT " + placement.deployment() + " " + placement.summary();
    }
}
