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
 * Follows a workload with contenders, for each of some numbers of tokens per slot and step: each plans from the windows up to t and is
 * scored on window t + 1 by the time that its placement is expected to take, and goes on from there.
 *
 * <p>A window is read as so many steps that a slot gets that number of tokens in each on average. Where these are fewer than
 * {@value #LEAST_STEPS}, it is read as a window with a multiple of its tokens: the same mix, seen for longer.
 *
 * @param tokensPerSlot at least one, each at least 1
 * @param history most windows that a plan is made from
 */
public record WorkloadTimeBench(
        Workload workload,
        EpConfiguration configuration,
        DeviceProfile profile,
        List<Contender> contenders,
        List<Integer> tokensPerSlot,
        int history) {
    private static final int LEAST_STEPS = 32;

    public WorkloadTimeBench {
        contenders = List.copyOf(contenders);
        tokensPerSlot = List.copyOf(tokensPerSlot);
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
        tokensPerSlot.forEach(tokens -> lines.add(new ArrayList<>()));
        int done = 0;
        for (Contender contender : contenders) {
            Chain chain = new Chain(contender, workload.shape(), topology, history);
            List<Placement> served = List.of();
            for (int i = 0; i < tokensPerSlot.size(); i++) {
                int tokens = tokensPerSlot.get(i);
                // By tokens a plan is the same for all of them: it knows nothing of steps.
                if (i == 0 || contender.objective() instanceof Objective.Time) {
                    chain = new Chain(contender, workload.shape(), topology, history);
                    served = follow(chain, tokens, topology);
                }
                ExpectedServing serving = new ExpectedServing(topology, expected);
                for (int window = 1; window < workload.windows().size(); window++) {
                    serving.serve(
                            served.get(window - 1), perStep(workload.windows().get(window), tokens, topology.slots()));
                }
                lines.get(i).add(chain.scores(serving.micros(), serving.balancedness(), serving.activeOnSlowest()));
                progress.accept(++done);
            }
        }
        List<TimeReport> reports = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            int tokens = tokensPerSlot.get(i);
            reports.add(new TimeReport(
                    new TimeReport.Subject("workload", workload.name(), tokens, tokens),
                    configuration,
                    profile.name(),
                    workload.windows().size() - 1,
                    lines.get(i),
                    bound(tokens, topology, expected)));
        }
        return reports;
    }

    /** What is served in every window but the first. */
    private List<Placement> follow(Chain chain, int tokens, Topology topology) {
        List<ExpertLoad> windows = workload.windows().stream()
                .map(window -> inSteps(window, tokens, topology.slots()))
                .toList();
        List<Placement> served = new ArrayList<>();
        for (int past = 1; past < windows.size(); past++) {
            served.add(chain.after(windows.subList(0, past)));
        }
        return served;
    }

    private double bound(int tokens, Topology topology, ExpectedTime expected) {
        double sum = 0;
        List<ExpertLoad> scored =
                workload.windows().subList(1, workload.windows().size());
        for (ExpertLoad window : scored) {
            sum += ExpectedServing.bound(perStep(window, tokens, topology.slots()), topology, expected);
        }
        return sum / scored.size();
    }

    /** A window in steps, with a multiple of its tokens where it has few. */
    static ExpertLoad inSteps(ExpertLoad window, int tokensPerSlot, int slots) {
        double steps = total(window) / window.layers() / ((double) tokensPerSlot * slots);
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

    /** Tokens of a step, {@code [layer][expert]}, as many as there are slots times so many, on average over layers. */
    static double[][] perStep(ExpertLoad window, int tokensPerSlot, int slots) {
        double[][] load = window.toDoubles();
        double scale = (double) tokensPerSlot * slots * window.layers() / Math.max(1, total(window));
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
