package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Gain;
import dev.plimsoll.model.LayerReason.Stop;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Why a search has moved what it moved, and nothing else. */
final class Reasons {
    private Reasons() {}

    /**
     * @param settled {@code [slot]}
     * @param placed {@code [slot]}, what was found, with who stays on a rank in its slot
     * @param before balancedness expected of the settled placement
     * @param bound of balancedness
     * @param overBudget whether something better was left because of the budget
     * @param price of a move, without what it costs for the noise
     * @param redundancyCosts whether further replicas help nobody; asked only where it is to be said
     */
    static LayerReason of(
            int[] settled,
            int[] placed,
            double before,
            double bound,
            Descent found,
            boolean overBudget,
            double price,
            BooleanSupplier redundancyCosts) {
        double predicted = found.state().balancedness();
        return new LayerReason(
                before,
                predicted,
                Math.max(predicted, bound),
                gains(settled, placed, predicted - before, found),
                overBudget ? Stop.BUDGET : stop(found, price, redundancyCosts),
                found.refused());
    }

    private static List<Gain> gains(int[] settled, int[] placed, double gain, Descent found) {
        List<Integer> slots = new ArrayList<>();
        double falls = 0;
        // A placement from scratch puts no fall down to single moves: they share alike.
        boolean stepByStep = true;
        for (int slot = 0; slot < placed.length; slot++) {
            if (placed[slot] != settled[slot]) {
                double fall = fall(found, slot, placed[slot]);
                stepByStep &= fall > 0;
                falls += fall;
                slots.add(slot);
            }
        }
        List<Gain> gains = new ArrayList<>();
        for (int slot : slots) {
            double part = stepByStep ? fall(found, slot, placed[slot]) / falls : 1.0 / slots.size();
            gains.add(new Gain(slot, gain * part));
        }
        return gains;
    }

    private static double fall(Descent found, int slot, int expert) {
        return found.arrivals().fallOf(found.state().rankOf(slot), expert);
    }

    private static Stop stop(Descent found, double price, BooleanSupplier redundancyCosts) {
        if (found.overBudget()) {
            return Stop.BUDGET;
        }
        if (found.state().potential() == 0) {
            return Stop.OPTIMUM;
        }
        if (redundancyCosts.getAsBoolean()) {
            return Stop.REDUNDANCY;
        }
        return found.price() > 2 * price ? Stop.NOISE : Stop.PRICE;
    }
}
