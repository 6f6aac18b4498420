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
 * {@link ScenarioPacking}, polished by the same descent, its rows matched to the ranks that hold most of them, and moves that
 * do not pay taken back. It wins when it gains more balancedness than its additional moves cost. An engine's initial placement
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
        static final Settings DEFAULTS = new Settings(0.0107, 1, 0.95, 0.05, 0.4);
    }

    /** Falls of the potential below this are rounding. */
    private static final double ROUNDING = 1e-12;

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
        Search search = new Search(request, settled, scenarios, price + noise, (price + noise) / part);

        LayerState state = new LayerState(scenarios, settled);
        double before = state.balancedness();
        Descent found = search.descent(state);
        if (!initial) {
            found.descend();
        }
        if (found.state().balancedness() < settings.goodEnough() * bound(state) || initial) {
            Descent packed = search.fromScratch();
            double gain = packed.state().balancedness() - found.state().balancedness();
            double more = (double) (packed.moves() - found.moves()) / settled.length;
            if (gain > part * settings.priceOfLayer() * more && search.affordable(packed)) {
                found = packed;
            } else if (initial) {
                found.descend();
            }
        }
        int[] placed = KeptSlots.arrange(settled, found.state().expertOf, topology.slotsPerRank());
        return new LayerPlan(placed, Optional.of(reason(settled, placed, before, found, price)));
    }

    private static double bound(LayerState state) {
        double sum = 0;
        for (double level : state.level) {
            sum += 1 / level;
        }
        return sum / state.level.length;
    }

    private static LayerReason reason(int[] settled, int[] placed, double before, Descent found, double price) {
        LayerState state = found.state();
        double predicted = state.balancedness();
        double falls = 0;
        int moves = 0;
        for (int slot = 0; slot < placed.length; slot++) {
            if (placed[slot] != settled[slot]) {
                falls += Math.max(0, found.fallOf(state.rankOf(slot), placed[slot]));
                moves++;
            }
        }
        List<Gain> gains = new ArrayList<>();
        for (int slot = 0; slot < placed.length; slot++) {
            if (placed[slot] != settled[slot]) {
                double fall = Math.max(0, found.fallOf(state.rankOf(slot), placed[slot]));
                gains.add(new Gain(slot, (predicted - before) * (falls > 0 ? fall / falls : 1.0 / moves)));
            }
        }
        return new LayerReason(
                before, predicted, Math.max(predicted, bound(state)), gains, stop(found, price), found.refused());
    }

    private static Stop stop(Descent found, double price) {
        if (found.overBudget()) {
            return Stop.BUDGET;
        }
        if (found.state().potential() == 0) {
            return Stop.OPTIMUM;
        }
        return found.refused() * found.price() > price ? Stop.NOISE : Stop.PRICE;
    }

    /** The two ways to search one layer. */
    private record Search(
            PlanRequest request, int[] settled, Scenarios scenarios, MoveCosts costs, double price, double fullPrice) {
        Search(PlanRequest request, int[] settled, Scenarios scenarios, double price, double fullPrice) {
            this(
                    request,
                    settled,
                    scenarios,
                    new MoveCosts(settled, scenarios.experts(), request.topology(), request.prices()),
                    price,
                    fullPrice);
        }

        Descent descent(LayerState state) {
            return new Descent(state, costs, price, ROUNDING, request.budget());
        }

        Descent fromScratch() {
            int[] packed = ScenarioPacking.pack(scenarios, costs, settled.length, price);
            LayerState state = new LayerState(scenarios, packed);
            // Which rank is which is still open, so moves cost nothing yet; but small falls are not worth the time.
            new Descent(state, costs, 0, fullPrice, Budget.UNLIMITED).descend();
            int[] matched = new RankMatching(scenarios.ranks(), scenarios.experts()).rearrange(settled, state.expertOf);
            Descent descent = new Descent(new LayerState(scenarios, matched), costs, price, ROUNDING, Budget.UNLIMITED);
            descent.pullBack();
            descent.descend();
            descent.pullBack();
            return descent;
        }

        boolean affordable(Descent found) {
            return found.moves() <= request.budget().moves()
                    && found.mostIntoRank() <= request.budget().intoRank();
        }
    }
}
