package dev.plimsoll.replay;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;

/** A past in memory. */
final class MadeUpPast implements History {
    static final long BYTES_PER_EXPERT = 10;
    private static final long WINDOW_MILLIS = 1_000;

    private final Membership members;
    private final Placement placement;
    private final List<HistoryWindow> windows;
    private Optional<PolicyRun> live = Optional.empty();
    private int at;

    private MadeUpPast(Membership members, Placement placement, List<HistoryWindow> windows) {
        this.members = members;
        this.placement = placement;
        this.windows = List.copyOf(windows);
    }

    static Membership members(int layers, int experts, Topology topology, int stagedExperts) {
        return new Membership(
                new Deployment("made-up"),
                1,
                ModelShape.of("made up", experts, 1, 0, layers),
                topology,
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                1,
                8,
                BYTES_PER_EXPERT,
                stagedExperts * BYTES_PER_EXPERT);
    }

    static MadeUpPast of(Membership members, Placement placement, List<HistoryWindow> windows) {
        return new MadeUpPast(members, placement, windows);
    }

    static MadeUpPast of(Membership members, List<HistoryWindow> windows) {
        return of(members, Placement.initial(members.shape(), members.topology()), windows);
    }

    /** A window that can be planned from. @param samples {@code [layer][part][expert]} */
    static HistoryWindow window(long index, long[][][] samples) {
        ExpertLoad load = ExpertLoad.ofSamples(index, samples);
        long total = 0;
        for (int layer = 0; layer < load.layers(); layer++) {
            for (int expert = 0; expert < load.experts(); expert++) {
                total += load.at(layer, expert);
            }
        }
        return HistoryWindow.of(facts(index, total, true, ""), load);
    }

    static HistoryWindow missing(long index, String why) {
        return HistoryWindow.unusable(facts(index, 0, false, why));
    }

    private static PastWindow facts(long index, long load, boolean usable, String why) {
        return new PastWindow(
                index, index * 8 + 1, index * 8 + 8, (index + 1) * WINDOW_MILLIS, load, usable ? 1 : 0.5, usable, why);
    }

    /** Skewed load that drifts: every layer has hot experts, and they change slowly. */
    static List<HistoryWindow> drifting(int windows, int layers, int parts, int experts, long seed) {
        Random random = new Random(seed);
        double[][] popularity = new double[layers][experts];
        for (double[] layer : popularity) {
            for (int expert = 0; expert < experts; expert++) {
                layer[expert] = Math.exp(1.2 * random.nextGaussian());
            }
        }
        List<HistoryWindow> made = new ArrayList<>();
        for (int window = 0; window < windows; window++) {
            long[][][] samples = new long[layers][parts][experts];
            for (int layer = 0; layer < layers; layer++) {
                for (int expert = 0; expert < experts; expert++) {
                    popularity[layer][expert] *= Math.exp(0.1 * random.nextGaussian());
                    for (int part = 0; part < parts; part++) {
                        samples[layer][part][expert] =
                                (long) (200 * popularity[layer][expert] * (0.8 + 0.4 * random.nextDouble()));
                    }
                }
            }
            made.add(window(window, samples));
        }
        return made;
    }

    /** The same past from its beginning. */
    MadeUpPast again() {
        return new MadeUpPast(members, placement, windows);
    }

    List<HistoryWindow> all() {
        return windows;
    }

    @Override
    public Membership members() {
        return members;
    }

    @Override
    public boolean expertBytesKnown() {
        return true;
    }

    @Override
    public Placement placement() {
        return placement;
    }

    @Override
    public OptionalInt windows() {
        return OptionalInt.of(windows.size());
    }

    @Override
    public Optional<HistoryWindow> next() {
        return at < windows.size() ? Optional.of(windows.get(at++)) : Optional.empty();
    }

    /** Says that this is what happened. */
    MadeUpPast with(PolicyRun happened) {
        live = Optional.of(happened);
        return this;
    }

    @Override
    public Optional<PolicyRun> live() {
        return live;
    }

    @Override
    public String source() {
        return "made up";
    }

    @Override
    public Map<String, String> inputs() {
        return Map.of("made-up", "1");
    }

    @Override
    public List<String> notes() {
        return List.of();
    }

    @Override
    public void close() {
        // nothing is open
    }
}
