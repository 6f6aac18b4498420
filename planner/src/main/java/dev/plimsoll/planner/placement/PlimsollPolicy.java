package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Gain;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Descent from the settled placement against what the next window may bring, for a price per move; layer by layer.
 *
 * <p>{@link LoadForecast} says what to expect and in which ways that is usually wrong, as {@link Scenarios}; {@link Descent} makes
 * the moves that pay. Where single steps leave a layer well below what is possible, a placement from scratch competes:
 * {@link ScenarioPacking}, its rows matched to the ranks that hold most of them, moves that do not pay taken back, and descent
 * from there. It wins when it gains more balancedness than its additional moves cost. An engine's initial placement
 * (version 0) has been made for no load at all: moves away from it are cheap, as what they gain lasts.
 *
 * <p>It keeps no state: the same windows and settled placement give the same plan, whoever asked before.
 */
final class PlimsollPolicy implements Policy {
    /**
     * How much moves must bring. One setting serves all models and shapes.
     *
     * @param price fall of the potential that a move must bring, in units of mean² ÷ slots per rank ÷ √slots: a move is worth less where a
     *     slot carries less of a rank's load, and weighs less where there are more of them
     * @param noisePrice what it must bring besides, in units of the variance of one slot's load that has no pattern: what is within
     *     the noise is not worth a move
     * @param goodEnough expected balancedness, relative to the bound, from which on no placement from scratch is tried
     * @param priceOfLayer balancedness that moving all slots of a layer must bring to replace what descent has found
     * @param initialPart part of all these prices that counts when the settled placement is the initial one
     */
    record Settings(double price, double noisePrice, double goodEnough, double priceOfLayer, double initialPart) {
        static final Settings DEFAULTS = new Settings(0.0125, 1, 0.95, 0.05, 0.4);
    }

    /** Falls of the potential below this are rounding. */
    private static final double ROUNDING = 1e-12;

    /** Slots of a layer up to which starts nearby are tried too, and how many. */
    private static final int MOST_SLOTS_TO_KICK = 64;

    private static final int KICKS_PER_ROUND = 4;
    private static final int MOST_ROUNDS = 5;

    private final Settings settings;

    PlimsollPolicy(Settings settings) {
        this.settings = settings;
    }

    @Override
    public String name() {
        return "plimsoll";
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        LoadForecast forecast = LoadForecast.of(request.windows(), layer);
        int[] settled = request.settled().layer(layer);
        if (!forecast.known()) {
            return new LayerPlan(settled, Optional.of(new LayerReason(1, 1, 1, List.of(), Stop.UNLOADED, 0)));
        }
        Topology topology = request.topology();
        Scenarios scenarios = forecast.scenarios(topology.ranks());
        boolean initial = request.settled().version() == 0;
        double part = initial ? settings.initialPart() : 1;
        double price = part * settings.price() / (topology.slotsPerRank() * Math.sqrt(settled.length));
        double noise = part * settings.noisePrice() * scenarios.noise() / topology.slotsPerRank();
        Search search = new Search(request, settled, scenarios, price + noise);

        LayerState state = new LayerState(scenarios, settled);
        double before = state.balancedness();
        double bound = bound(state);
        Descent found = search.descent(state);
        if (!initial) {
            found.descend();
        }
        if (initial || found.state().balancedness() < settings.goodEnough() * bound) {
            Descent packed = search.fromScratch();
            double priceOfLayer = part * settings.priceOfLayer();
            if (worth(packed, priceOfLayer) > worth(found, priceOfLayer) && search.affordable(packed)) {
                found = packed;
            } else if (initial) {
                found.descend();
            }
            if (settled.length <= MOST_SLOTS_TO_KICK) {
                found = search.kicked(found, priceOfLayer);
            }
        }
        if (found.state().balancedness() < before) {
            // The sum of potentials fell while the maximum rose: nothing that an operator would want.
            found = search.descent(new LayerState(scenarios, settled));
        }
        int[] placed = KeptSlots.arrange(settled, found.state().expertOf, topology.slotsPerRank());
        return new LayerPlan(placed, Optional.of(reason(settled, placed, before, bound, found, price)));
    }

    /** Expected balancedness less what its moves must bring. */
    private static double worth(Descent found, double priceOfLayer) {
        return found.state().balancedness()
                - priceOfLayer * found.moves() / found.state().slots();
    }

    private static double bound(LayerState state) {
        double sum = 0;
        for (double level : state.level) {
            sum += 1 / level;
        }
        return sum / state.level.length;
    }

    private static LayerReason reason(
            int[] settled, int[] placed, double before, double bound, Descent found, double price) {
        LayerState state = found.state();
        double predicted = state.balancedness();
        double falls = 0;
        int moves = 0;
        // A placement from scratch puts no fall down to single moves: they share alike.
        boolean stepByStep = true;
        for (int slot = 0; slot < placed.length; slot++) {
            if (placed[slot] != settled[slot]) {
                double fall = found.fallOf(state.rankOf(slot), placed[slot]);
                stepByStep &= fall > 0;
                falls += fall;
                moves++;
            }
        }
        List<Gain> gains = new ArrayList<>();
        for (int slot = 0; slot < placed.length; slot++) {
            if (placed[slot] != settled[slot]) {
                double part = stepByStep ? found.fallOf(state.rankOf(slot), placed[slot]) / falls : 1.0 / moves;
                gains.add(new Gain(slot, (predicted - before) * part));
            }
        }
        return new LayerReason(
                before, predicted, Math.max(predicted, bound), gains, stop(found, price), found.refused());
    }

    private static Stop stop(Descent found, double price) {
        if (found.overBudget()) {
            return Stop.BUDGET;
        }
        if (found.state().potential() == 0) {
            return Stop.OPTIMUM;
        }
        return found.price() > 2 * price ? Stop.NOISE : Stop.PRICE;
    }

    /** The two ways to search one layer. */
    private record Search(PlanRequest request, int[] settled, Scenarios scenarios, MoveCosts costs, double price) {
        Search(PlanRequest request, int[] settled, Scenarios scenarios, double price) {
            this(
                    request,
                    settled,
                    scenarios,
                    new MoveCosts(settled, scenarios.experts(), request.topology(), request.prices()),
                    price);
        }

        Descent descent(LayerState state) {
            return new Descent(state, costs, price, ROUNDING, request.budget());
        }

        Descent fromScratch() {
            int[] packed = ScenarioPacking.pack(scenarios, costs, settled.length, price);
            int[] matched = new RankMatching(scenarios.ranks(), scenarios.experts()).rearrange(settled, packed);
            Descent descent = new Descent(new LayerState(scenarios, matched), costs, price, ROUNDING, Budget.UNLIMITED);
            descent.pullBack();
            descent.descend();
            return descent;
        }

        /**
         * The best of descents that start where one replica of the found placement was exchanged for another expert's; with few slots
         * single steps get stuck, and such starts cost little.
         */
        Descent kicked(Descent found, double priceOfLayer) {
            Descent best = found;
            for (int round = 0; round < MOST_ROUNDS; round++) {
                Descent better = betterKick(best, priceOfLayer);
                if (better == best) {
                    return best;
                }
                best = better;
            }
            return best;
        }

        private Descent betterKick(Descent found, double priceOfLayer) {
            LayerState state = found.state();
            int kicks = 0;
            for (int slot = 0; slot < state.slots(); slot++) {
                for (int expert = 0; expert < state.experts && state.replicas[state.expertOf[slot]] > 1; expert++) {
                    if (state.holds(state.rankOf(slot), expert)) {
                        continue;
                    }
                    if (kicks++ == KICKS_PER_ROUND) {
                        return found;
                    }
                    int[] start = state.expertOf.clone();
                    start[slot] = expert;
                    Descent descent = descent(new LayerState(scenarios, start));
                    descent.descend();
                    if (worth(descent, priceOfLayer) > worth(found, priceOfLayer) + ROUNDING && affordable(descent)) {
                        return descent;
                    }
                }
            }
            return found;
        }

        boolean affordable(Descent found) {
            return found.moves() <= request.budget().moves()
                    && found.mostIntoRank() <= request.budget().intoRank();
        }
    }
}
