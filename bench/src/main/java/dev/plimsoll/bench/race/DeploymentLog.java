package dev.plimsoll.bench.race;

import dev.plimsoll.bench.load.LoadShape;
import dev.plimsoll.bench.load.NodeSamples;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * The samples of one deployment in the order in which they are appended, some of them late, and what its windows must therefore be.
 * A function of the seed. Threads: any, it does not change.
 */
final class DeploymentLog {
    private final RaceShape shape;
    private final Membership members;
    private final long seed;
    private final List<NodeSamples> nodes;

    DeploymentLog(RaceShape shape, Membership members, long seed) {
        this.shape = shape;
        this.members = members;
        this.seed = seed;
        this.nodes = IntStream.range(0, shape.load().nodes())
                .mapToObj(node -> new NodeSamples(shape.load(), members, node, seed))
                .toList();
    }

    Membership members() {
        return members;
    }

    /** What is appended when this boundary has been reached: every node's own sample, or one of two windows ago that is late. */
    List<LoadSample> at(long boundary) {
        List<LoadSample> samples = new ArrayList<>();
        long before = boundary - 2L * shape.load().boundariesPerWindow();
        for (int node = 0; node < nodes.size(); node++) {
            if (!late(node, boundary)) {
                samples.add(nodes.get(node).at(boundary));
            }
            if (before >= 0 && late(node, before)) {
                samples.add(nodes.get(node).at(before));
            }
        }
        return samples;
    }

    boolean late(int node, long boundary) {
        long last = (shape.windows() - RaceShape.WINDOWS_IN_TIME) * shape.load().boundariesPerWindow();
        return boundary < last
                && new SplittableRandom(seed * 31 + members.deployment().hashCode() + node * 1_000_003L + boundary)
                                .nextDouble(100)
                        < shape.latePercent();
    }

    /** Which node's sample of which boundary makes the last rank pass the end of a window: nothing else can close it. */
    long decidingBoundary(long window, int node) {
        long boundary = (window + 1) * shape.load().boundariesPerWindow() - 1;
        while (late(node, boundary)) {
            boundary++;
        }
        return boundary;
    }

    /** The exact sums of a window. */
    ExactWindow window(long index) {
        LoadShape load = shape.load();
        int boundaries = load.boundariesPerWindow();
        ExactWindow exact = new ExactWindow(load);
        for (int node = 0; node < nodes.size(); node++) {
            for (int boundary = 0; boundary < boundaries; boundary++) {
                if (!late(node, index * boundaries + boundary)) {
                    exact.add(boundary, nodes.get(node).at(index * boundaries + boundary));
                }
            }
        }
        return exact;
    }
}
