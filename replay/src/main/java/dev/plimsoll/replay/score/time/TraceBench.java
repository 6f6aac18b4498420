package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.score.time.Serving.Served;
import dev.plimsoll.replay.score.time.TraceWindows.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Follows a trace with a contender: plans from the windows up to t, serves window t + 1 under the plan, token by token, and goes on
 * from there. The results depend on nothing but the arguments.
 */
public final class TraceBench {
    private final TraceWindows windows;
    private final Topology topology;
    private final SlotTimes times;

    /** For any number of contenders on one deployment. */
    public TraceBench(TraceWindows windows, Topology topology, DeviceProfile profile) {
        this.windows = windows;
        this.topology = topology;
        // A router picks an expert once at most for each token.
        this.times = new SlotTimes(profile, windows.tokensPerStep());
    }

    /**
     * Plans and serves all windows but the first.
     *
     * @param history most windows that a plan is made from
     * @param progress told the number of windows served, after each
     */
    public TimeScores run(Contender contender, int history, IntConsumer progress) {
        Chain chain = new Chain(contender, windows.trace().model(), topology, history);
        Serving serving = new Serving(windows.trace(), topology, times);
        List<ExpertLoad> past = new ArrayList<>();
        List<Double> micros = new ArrayList<>();
        double balancedness = 0;
        List<Window> all = windows.windows();
        for (int window = 1; window < all.size(); window++) {
            past.add(all.get(window - 1).load());
            Served served = serving.serve(all.get(window), chain.after(past));
            for (double step : served.micros()) {
                micros.add(step);
            }
            balancedness += mean(served.balancedness());
            progress.accept(window);
        }
        return chain.scores(micros, balancedness / (all.size() - 1), serving.activeOnSlowest());
    }

    /** Mean over all steps that are served of a time that no placement can be below: {@link StepBound}. */
    public double bound() {
        StepBound bound = new StepBound(topology, windows.trace().model().experts(), times);
        double sum = 0;
        for (Window window : served()) {
            sum += mean(bound.micros(windows.trace(), window));
        }
        return sum / served().size();
    }

    private List<Window> served() {
        return windows.windows().subList(1, windows.windows().size());
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }
}
