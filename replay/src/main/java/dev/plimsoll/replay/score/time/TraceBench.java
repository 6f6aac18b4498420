package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.time.TraceWindows.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Follows a trace with contenders: each plans from the windows up to t, serves window t + 1 under its plan, token by token, and goes on
 * from there; all serve the same tokens. The results depend on nothing but the arguments.
 *
 * @param history most windows that a plan is made from
 */
public record TraceBench(
        TraceWindows windows,
        EpConfiguration configuration,
        DeviceProfile profile,
        List<Contender> contenders,
        int history) {
    public TraceBench {
        contenders = List.copyOf(contenders);
    }

    private record Line(Chain chain, Serving serving) {}

    /** @param progress told the number of windows served, after each */
    public TimeReport run(IntConsumer progress) {
        ModelShape model = windows.trace().model();
        Topology topology = configuration.topology(model.experts());
        // A router picks an expert once at most for each token.
        SlotTimes times = new SlotTimes(profile, windows.tokensPerStep());
        List<Line> lines = contenders.stream()
                .map(contender -> new Line(
                        new Chain(contender, model, topology, history),
                        new Serving(model.layers(), model.experts(), topology, times)))
                .toList();
        StepBound bound = new StepBound(topology, model.experts(), times);
        StepTokens tokens = new StepTokens(windows.trace(), topology.ranks());
        List<ExpertLoad> past = new ArrayList<>();
        double bounds = 0;
        int steps = 0;
        List<Window> all = windows.windows();
        for (int window = 1; window < all.size(); window++) {
            past.add(all.get(window - 1).load());
            lines.forEach(line -> line.serving.begin(line.chain.after(past)));
            for (int[] step : all.get(window).steps()) {
                tokens.count(step);
                lines.forEach(line -> line.serving.step(tokens));
                bounds += bound.ofStep(tokens);
                steps++;
            }
            lines.forEach(line -> line.serving.end());
            progress.accept(window);
        }
        return new TimeReport(
                new TimeReport.Subject(
                        "trace",
                        model.name(),
                        Batch.STEP,
                        windows.tokensPerStep(),
                        (double) windows.tokensPerStep() * model.topK() / topology.slots()),
                configuration,
                profile.name(),
                all.size() - 1,
                lines.stream()
                        .map(line -> line.chain.scores(
                                line.serving.micros(), line.serving.balancedness(), line.serving.activeOnSlowest()))
                        .toList(),
                bounds / steps);
    }
}
