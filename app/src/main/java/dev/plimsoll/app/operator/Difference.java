package dev.plimsoll.app.operator;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import java.util.Locale;

/**
 * What lies between two placements.
 *
 * @param slots that hold another expert, over all layers
 * @param layers in which any does, or is in use where it was idle or the other way round
 * @param switches slots that come into use or fall idle
 */
record Difference(int slots, int layers, int switches) {

    static Difference of(Placement from, Placement to) {
        int slots = 0;
        int layers = 0;
        int switches = 0;
        for (int layer = 0; layer < from.layers(); layer++) {
            int[] was = from.layer(layer);
            int[] is = to.layer(layer);
            int before = slots + switches;
            for (int slot = 0; slot < was.length; slot++) {
                slots += was[slot] == is[slot] ? 0 : 1;
                switches += from.idle(layer, slot) == to.idle(layer, slot) ? 0 : 1;
            }
            layers += slots + switches > before ? 1 : 0;
        }
        return new Difference(slots, layers, switches);
    }

    String words(Membership members) {
        return String.format(
                Locale.ROOT,
                "a decision is made at once, past the gate: %d slots in %d of %d layers get another expert%s, %s in all",
                slots,
                layers,
                members.shape().layers(),
                switches == 0 ? "" : ", " + switches + " come into use or fall idle",
                bytes((double) slots * members.bytesPerExpert()));
    }

    private static String bytes(double bytes) {
        return bytes < 1e6
                ? String.format(Locale.ROOT, "%.0f kB", bytes / 1e3)
                : bytes < 1e9
                        ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
                        : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
