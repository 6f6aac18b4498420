package dev.plimsoll.replay.score.time;

import dev.plimsoll.planner.placement.ExpertLoad;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A trace as a deployment would see it that computes so many tokens in each step: {@link ContinuousBatch}, cut into windows of steps.
 *
 * @param tokensPerStep requests that run side by side
 * @param windows oldest first, at least two: one to plan from and one to serve
 */
public record TraceWindows(TokenTrace trace, int tokensPerStep, List<Window> windows) {
    private static final int SAMPLES = 16;

    /**
     * Some steps and what they count.
     *
     * @param steps {@code [step]} tokens of the trace, one for each row
     * @param load with sub-samples where the steps can be divided into as many
     */
    record Window(List<int[]> steps, ExpertLoad load) {
        Window {
            steps = Collections.unmodifiableList(steps);
        }
    }

    /**
     * How a trace is cut.
     *
     * @param windows at least 2
     * @param steps of a window, at least 1
     */
    public record Cut(int windows, int steps) {
        public Cut {
            if (windows < 2 || steps < 1) {
                throw new IllegalArgumentException(
                        "needs at least 2 windows of at least 1 step: " + windows + " windows of " + steps + " steps");
            }
        }
    }

    public TraceWindows {
        windows = List.copyOf(windows);
    }

    /** The windows of a trace that is served so, from its beginning. */
    public static TraceWindows of(TokenTrace trace, int tokensPerStep, Cut cut) {
        ContinuousBatch batch = new ContinuousBatch(trace.requests(), tokensPerStep);
        List<Window> windows = new ArrayList<>();
        for (int window = 0; window < cut.windows(); window++) {
            List<int[]> steps = new ArrayList<>();
            for (int step = 0; step < cut.steps(); step++) {
                steps.add(batch.step());
            }
            windows.add(new Window(steps, load(trace, window, steps)));
        }
        return new TraceWindows(trace, tokensPerStep, windows);
    }

    private static ExpertLoad load(TokenTrace trace, int window, List<int[]> steps) {
        int samples = steps.size() % SAMPLES == 0 ? SAMPLES : 1;
        int layers = trace.model().layers();
        long[][][] load = new long[layers][samples][trace.model().experts()];
        for (int step = 0; step < steps.size(); step++) {
            int sample = step * samples / steps.size();
            for (int token : steps.get(step)) {
                for (int layer = 0; layer < layers; layer++) {
                    for (int k = 0; k < trace.model().topK(); k++) {
                        load[layer][sample][trace.expert(token, layer, k)]++;
                    }
                }
            }
        }
        return ExpertLoad.ofSamples(window, load).over(steps.size());
    }
}
