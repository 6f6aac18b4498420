package dev.plimsoll.replay.export;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.planner.placement.Repair;
import java.util.List;
import java.util.Optional;

/**
 * The load of every expert in a window, added up over its replicas and over the segments of the window, each under the placement that was
 * served.
 *
 * @param subWindows of how many equal parts it is, 1 when the parts are not stated
 * @param load {@code [part][layer][expert]} tokens
 */
record ExpertLoads(int subWindows, long[][][] load) {

    /** Empty where who took part or a placement that was served is not known any more. */
    static Optional<ExpertLoads> of(WholeWindow window, ServedPlacements placements) {
        Membership members = window.members().orElseThrow();
        int parts = parts(window.rows());
        long[][][] load =
                new long[parts][members.shape().layers()][members.shape().experts()];
        for (LoadWindow row : window.rows()) {
            Optional<Placement> served = placements.of(row.state());
            if (served.isEmpty()) {
                return Optional.empty();
            }
            // Where an engine began with weights of no expert in a slot, no router sends to it.
            int[] expertOfSlot = Repair.asServed(served.orElseThrow(), members).layer(row.layer());
            int slots = row.load().size();
            long[] sums = parts == 1 ? row.load().toArray() : row.subLoad().toArray();
            for (int part = 0; part < parts; part++) {
                for (int slot = 0; slot < slots; slot++) {
                    load[part][row.layer()][expertOfSlot[row.firstSlot() + slot]] += sums[part * slots + slot];
                }
            }
        }
        return Optional.of(new ExpertLoads(parts, load));
    }

    /** Of how many parts it is known what they add up to: one where some row states them otherwise or not. */
    private static int parts(List<LoadWindow> rows) {
        int parts = rows.isEmpty() ? 1 : rows.get(0).subWindows();
        for (LoadWindow row : rows) {
            if (row.subWindows() != parts || row.subLoad().sum() != row.load().sum()) {
                return 1;
            }
        }
        return parts;
    }

    /** Tokens of an expert over the whole window. */
    long sum(int layer, int expert) {
        long sum = 0;
        for (long[][] part : load) {
            sum += part[layer][expert];
        }
        return sum;
    }
}
