package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.Topology;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;

/**
 * Descent from the settled placement against what the next window may bring, for a price per move; layer by layer.
 *
 * <p>{@link LoadForecast} says what to expect and in which ways that is usually wrong, as {@link Scenarios}; {@link Descent} makes
 * the moves that pay. Where single steps leave a layer well below what is possible, a placement from scratch competes:
 * {@link ScenarioPacking}, its rows matched to the ranks that hold most of them, moves that do not pay taken back, and descent
 * from there. It wins when it gains more balancedness than its additional moves cost. What an engine starts with
 * has been made for no load at all: moves away from it are cheap, as what they gain lasts.
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

    /** Slots of a layer up to which starts nearby are tried too. */
    private static final int MOST_SLOTS_TO_KICK = 64;

    /** By how much less a packing may be worth than what descent has found for descent from it to be tried. */
    private static final double UNPROMISING = 0.03;

    private final Settings settings;

    PlimsollPolicy(Settings settings) {
        this.settings = settings;
    }

    @Override
    public String name() {
        return "plimsoll";
    }

    /** The newest {@value LoadForecast#WINDOWS} windows, and of every layer the sub-samples of the newest in which it has load. */
    @Override
    public PlanRequest lookedAt(PlanRequest request) {
        ArrayDeque<ExpertLoad> windows = new ArrayDeque<>();
        boolean inside = true;
        for (int i = request.windows().size() - 1; i >= 0 && windows.size() < LoadForecast.WINDOWS; i--) {
            ExpertLoad window = request.windows().get(i);
            windows.addFirst(inside ? window : window.withoutSamples());
            inside &= !window.loadsEveryLayer();
        }
        return request.withWindows(List.copyOf(windows));
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        LoadForecast forecast = LoadForecast.of(request.windows(), layer);
        int[] settled = request.settled().layer(layer);
        if (!forecast.known()) {
            return new LayerPlan(
                    settled,
                    request.settled().idle(layer),
                    Optional.of(new LayerReason(1, 1, 1, List.of(), Stop.UNLOADED, 0)));
        }
        Scenarios scenarios = forecast.scenarios(request.topology().ranks());
        LayerPlan even = plan(request, layer, scenarios, weighing(request, layer, scenarios, settled.length));
        return request.parts().even() ? even : uneven(request, layer, scenarios, even);
    }

    /**
     * The best of three, by what is expected and by how replicas share: as if they shared evenly, as if each got as much as the most loaded
     * one, and as it is. The search itself knows no replica from another.
     */
    private LayerPlan uneven(PlanRequest request, int layer, Scenarios scenarios, LayerPlan even) {
        LayerPlan best = even;
        if (request.objective() instanceof Objective.Tokens) {
            double[] divisors = request.parts().divisors(scenarios.ranks() + 2, scenarios.ranks());
            LayerPlan cautious = plan(request, layer, scenarios, new TokenWeighing(scenarios, divisors));
            best = hottest(request, layer, scenarios, cautious) < hottest(request, layer, scenarios, best)
                    ? cautious
                    : best;
        }
        LayerPlan stays = LayerPlan.settled(request, layer);
        if (hottest(request, layer, scenarios, best) < hottest(request, layer, scenarios, stays)) {
            return best;
        }
        return new LayerPlan(
                stays.expertOfSlot(),
                stays.idle(),
                even.reason()
                        .map(said -> new LayerReason(
                                said.before(), said.before(), said.bound(), List.of(), Stop.PRICE, said.refused())));
    }

    private static double hottest(PlanRequest request, int layer, Scenarios scenarios, LayerPlan plan) {
        int[] inUse = plan.expertOfSlot().clone();
        for (int slot = 0; slot < inUse.length; slot++) {
            inUse[slot] = plan.idle().get(slot) ? -1 : inUse[slot];
        }
        return EvenSplit.max(request.parts().rankLoads(layer, inUse, scenarios.mean(), request.topology()));
    }

    private LayerPlan plan(PlanRequest request, int layer, Scenarios scenarios, Weighing weighing) {
        int[] settled = request.settled().layer(layer);
        Topology topology = request.topology();
        // Decisions may have left layers so, or an incarnation may have started elsewhere: what somebody planned has
        // its price.
        boolean initial = isInitial(settled, scenarios.experts());
        double part = initial ? settings.initialPart() : 1;
        double price = part * settings.price() / (topology.slotsPerRank() * Math.sqrt(settled.length));
        LayerState start = new LayerState(scenarios, weighing, start(request, layer, weighing));
        double slope = weighing.slope(start.replicas);
        double noise = part * settings.noisePrice() * slope * slope * scenarios.noise() / topology.slotsPerRank();
        MoveCosts costs = new MoveCosts(settled, scenarios.experts(), topology, request.prices());
        LayerSearch search = new LayerSearch(request, scenarios, weighing, start, costs, price + noise);

        double before = search.start().balancedness();
        double bound = weighing.bound(settled.length);
        boolean overBudget = false;
        Descent found = search.descent();
        if (!initial) {
            found.descend();
        }
        if (initial || found.state().balancedness() < settings.goodEnough() * bound) {
            double priceOfLayer = part * settings.priceOfLayer();
            // By time several packings compete, so what is packed is near its best already.
            double least = initial || request.objective() instanceof Objective.Tokens
                    ? Double.NEGATIVE_INFINITY
                    : found.worth(priceOfLayer) - UNPROMISING;
            Descent packed = search.fromScratch(priceOfLayer, least).orElse(found);
            boolean better = packed.worth(priceOfLayer) > found.worth(priceOfLayer);
            overBudget = better && !search.affordable(packed);
            if (better && !overBudget) {
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
            found = search.descent();
        }
        int[] target = found.state().expertOf;
        int[] placed = KeptSlots.arrange(settled, target, topology.slotsPerRank(), found.state().nothing);
        return new LayerPlan(
                placed,
                KeptSlots.idle(placed, target, topology.slotsPerRank()),
                Optional.of(Reasons.of(
                        settled,
                        placed,
                        before,
                        bound,
                        found,
                        overBudget,
                        price,
                        () -> weighing.redundancyCosts(settled.length))));
    }

    /** Whether the layer is as engines start with it: {@link dev.plimsoll.model.Placement#initial}. */
    private static boolean isInitial(int[] settled, int experts) {
        for (int slot = 0; slot < settled.length; slot++) {
            if (settled[slot] != slot % experts) {
                return false;
            }
        }
        return true;
    }

    private static Weighing weighing(PlanRequest request, int layer, Scenarios scenarios, int slots) {
        if (request.objective() instanceof Objective.Time time) {
            TokensPerStep tokens = TokensPerStep.of(request.windows(), layer);
            return new TimeWeighing(scenarios, tokens.scenarios(), time.expected(), slots, request.idleSlots());
        }
        return new TokenWeighing(scenarios);
    }

    /** The settled placement as the search sees it: where no slot may be idle, all are in use. */
    private static int[] start(PlanRequest request, int layer, Weighing weighing) {
        if (!weighing.idles()) {
            return request.settled().layer(layer);
        }
        int[] inUse = request.settled().inUse(layer);
        for (int slot = 0; slot < inUse.length; slot++) {
            inUse[slot] = inUse[slot] < 0 ? request.shape().experts() : inUse[slot];
        }
        return inUse;
    }
}
