package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpectedTime;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Follows a workload with contenders, for each of some numbers of tokens per step: each plans from the windows up to t and is
 * scored on window t + 1 by the time that its placement is expected to take, and goes on from there.
 *
 * <p>A window is read as so many steps that a slot, or an expert, gets that number of tokens in each on average. Where these are fewer than
 * {@value #LEAST_STEPS}, it is read as a window with a multiple of its tokens: the same mix, seen for longer.
 *
 * @param per {@link Batch#SLOT} or {@link Batch#EXPERT}
 * @param batches numbers of tokens, at least one, each at least 1
 * @param history most windows that a plan is made from
 */
public record WorkloadTimeBench(
        Workload workload,
        EpConfiguration configuration,
        DeviceProfile profile,
        List<Contender> contenders,
        Batch per,
        List<Integer> batches,
        int history) {
    private static final int LEAST_STEPS = 32;

    public WorkloadTimeBench {
        contenders = List.copyOf(contenders);
        batches = List.copyOf(batches);
    }

    /**
     * One report for each number of tokens, in their order.
     *
     * @param progress told how often a contender has been followed to the end, after each time; they are as many as contenders times
     *     numbers of tokens
     */
    public List<TimeReport> run(IntConsumer progress) {
        Topology topology = configuration.topology(workload.shape().experts());
        ExpectedTime expected = new ExpectedTime(profile);
        List<List<TimeScores>> lines = new ArrayList<>();
        batches.forEach(tokens -> lines.add(new ArrayList<>()));
        int done = 0;
        for (Contender contender : contenders) {
            Chain chain = new Chain(contender, workload.shape(), topology, history);
            List<Placement> served = List.of();
            for (int i = 0; i < batches.size(); i++) {
                double tokens = tokensPerStep(batches.get(i), topology);
                // By tokens a plan is the same for all of them: it knows nothing of steps.
                if (i == 0 || contender.objective() instanceof Objective.Time) {
                    chain = new Chain(contender, workload.shape(), topology, history);
                    served = follow(chain, tokens);
                }
                ExpectedServing serving = new ExpectedServing(topology, expected);
                for (int window = 1; window < workload.windows().size(); window++) {
                    serving.serve(
                            served.get(window - 1), perStep(workload.windows().get(window), tokens));
                }
                lines.get(i).add(chain.scores(serving.micros(), serving.balancedness(), serving.activeOnSlowest()));
                progress.accept(++done);
            }
        }
        List<TimeReport> reports = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            double tokens = tokensPerStep(batches.get(i), topology);
            reports.add(new TimeReport(
                    new TimeReport.Subject("workload", workload.name(), per, batches.get(i), tokens / topology.slots()),
                    configuration,
                    profile.name(),
                    workload.windows().size() - 1,
                    lines.get(i),
                    bound(tokens, topology, expected)));
        }
        return reports;
    }

    private double tokensPerStep(int batch, Topology topology) {
        return (double) batch * (per == Batch.EXPERT ? workload.shape().experts() : topology.slots());
    }

    /** What is served in every window but the first. */
    private List<Placement> follow(Chain chain, double tokens) {
        List<ExpertLoad> windows = workload.windows().stream()
                .map(window -> inSteps(window, tokens))
                .toList();
        List<Placement> served = new ArrayList<>();
        for (int past = 1; past < windows.size(); past++) {
            served.add(chain.after(windows.subList(0, past)));
        }
        return served;
    }

    private double bound(double tokens, Topology topology, ExpectedTime expected) {
        double sum = 0;
        List<ExpertLoad> scored =
                workload.windows().subList(1, workload.windows().size());
        for (ExpertLoad window : scored) {
            sum += ExpectedServing.bound(perStep(window, tokens), topology, expected);
        }
        return sum / scored.size();
    }

    /** A window in steps, with a multiple of its tokens where it has few. */
    static ExpertLoad inSteps(ExpertLoad window, double tokensPerStep) {
        double steps = total(window) / window.layers() / tokensPerStep;
        if (steps == 0) {
            return window;
        }
        long times = Math.max(1, (long) Math.ceil(LEAST_STEPS / steps));
        long[][][] load = new long[window.layers()][window.samples()][window.experts()];
        for (int layer = 0; layer < load.length; layer++) {
            for (int sample = 0; sample < load[layer].length; sample++) {
                for (int expert = 0; expert < load[layer][sample].length; expert++) {
                    load[layer][sample][expert] = Math.multiplyExact(times, window.at(layer, sample, expert));
                }
            }
        }
        return ExpertLoad.ofSamples(window.windowIndex(), load).over(Math.round(times * steps));
    }

    /** Tokens of a step, {@code [layer][expert]}, so many on average over layers. */
    static double[][] perStep(ExpertLoad window, double tokensPerStep) {
        double[][] load = window.toDoubles();
        double scale = tokensPerStep * window.layers() / Math.max(1, total(window));
        for (double[] ofLayer : load) {
            for (int expert = 0; expert < ofLayer.length; expert++) {
                ofLayer[expert] *= scale;
            }
        }
        return load;
    }

    private static double total(ExpertLoad window) {
        double sum = 0;
        for (double[] ofLayer : window.toDoubles()) {
            for (double tokens : ofLayer) {
                sum += tokens;
            }
        }
        return sum;
    }
}
