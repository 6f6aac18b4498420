package dev.plimsoll.wire;

import dev.plimsoll.model.PlanRestart;
import dev.plimsoll.model.SettledPlacement;
import java.util.Optional;

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
        placement
                .restart()
                .ifPresent(restart -> to.putFields("restart")
                        .put("stretches", restart.stretches())
                        .put("from", restart.from())
                        .put("version", restart.version())
                        .put("term", restart.term())
                        .put("number", restart.number())
                        .put("lastEpoch", restart.lastEpoch())
                        .put("earlier", restart.earlier())
                        .put("outcomes", restart.outcomes()));
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
                from.integers("idle"),
                from.has("restart") ? Optional.of(restart(from.fields("restart"))) : Optional.empty());
    }

    private static PlanRestart restart(Fields from) {
        return new PlanRestart(
                from.longs("stretches"),
                from.number("from"),
                from.integer("version"),
                from.number("term"),
                from.number("number"),
                from.integer("lastEpoch"),
                from.longs("earlier"),
                from.longs("outcomes"));
    }

    @Override
    public String line(SettledPlacement placement) {
        return "PLACEMENT " + placement.deployment() + " " + placement.summary();
    }
}
