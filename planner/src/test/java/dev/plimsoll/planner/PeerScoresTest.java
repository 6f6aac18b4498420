package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The peers' policies as they are written here against what the peers' own code scored on the same windows: planned from the windows
 * up to t, applied to window t + 1. Skipped, saying so, where the data is not beside the repository.
 */
class PeerScoresTest {
    /** Windows that a request looks back on, as in {@link PlannerSettings}. */
    private static final int HISTORY = 8;

    /**
     * @param next balancedness of the next window, mean over layers, then over windows
     * @param movedShare of slots, per plan after the first
     */
    private record Score(double next, double movedShare) {}

    @ParameterizedTest
    @CsvSource({
        "dsv3_drift,           8, 256, 32, 32, 4, deepseek,              vllm_global, -0.01,  0.01",
        "dsv3_drift,           8, 256, 32, 32, 4, deepseek,              trtllm,      -0.01,  0.01",
        "gpt-oss-20b_mixed,   24,  32,  8,  8, 1, deepseek,              vllm_global, -0.01,  0.01",
        "qwen3_drift,          8, 128, 16, 16, 2, deepseek,              vllm_global, -0.01,  0.01",
        "dsv3_drift,           8, 256, 32, 32, 4, deepseek-hierarchical, deepseek,    -0.01,  0.01",
        "dsv3_shift,           8, 256, 32, 32, 4, deepseek-hierarchical, deepseek,    -0.01,  0.01",
        "dsv3_drift,           8, 256, 64, 64, 8, deepseek-hierarchical, deepseek,    -0.01,  0.01",
        "dsv3_drift,           8, 256, 32, 32, 4, swift,                 asc_swift,   -0.01,  1",
        "gpt-oss-20b_mixed,   24,  32, 16, 16, 2, swift,                 asc_swift,   -0.01,  1",
        "qwen3_drift,          8, 128, 16, 16, 2, swift,                 asc_swift,   -0.01,  1",
        "dsv3_drift,           8, 256, 32, 32, 4, flashlb,               asc_flashlb, -0.02,  0.02",
        "gpt-oss-20b_mixed,   24,  32, 16, 16, 2, flashlb,               asc_flashlb, -0.02,  0.02",
        "qwen3_drift,          8, 128, 16, 16, 2, flashlb,               asc_flashlb, -0.02,  0.02",
    })
    void nextBalancednessIsThatOfThePeer(
            String workload,
            int layers,
            int experts,
            int ranks,
            int redundant,
            int nodes,
            String policy,
            String peer,
            double least,
            double most) {
        Path root = root();
        List<ExpertLoad> windows = SharedLoads.workload(root, workload, 16, layers, experts);
        Topology topology = Topology.even(ranks, nodes, (experts + redundant) / ranks);
        Score published = published(root, workload, ranks, redundant, peer);

        Score ours = score(Policy.named(policy), windows, experts, topology);

        System.out.printf(
                Locale.ROOT,
                "%-18s %3d + %-3d %-22s %.4f, moves %4.1f %%; %-12s %.4f, moves %4.1f %%%n",
                workload,
                ranks,
                redundant,
                policy,
                ours.next(),
                100 * ours.movedShare(),
                peer,
                published.next(),
                100 * published.movedShare());
        assertThat(ours.next() - published.next()).isBetween(least, most);
    }

    private static Score score(Policy policy, List<ExpertLoad> windows, int experts, Topology topology) {
        ModelShape shape = ModelShape.of("scored", experts, 4, 0, windows.get(0).layers());
        Placement settled = Placement.initial(shape, topology);
        double next = 0;
        long moved = 0;
        for (int t = 0; t + 1 < windows.size(); t++) {
            List<ExpertLoad> history = windows.subList(Math.max(0, t + 1 - HISTORY), t + 1);
            Placement target = policy.plan(PlanRequest.of(history, settled, shape, topology))
                    .target();
            if (t > 0) {
                moved += moves(settled, target);
            }
            settled = target.withVersion(t + 1);
            next += EvenSplit.balance(settled, windows.get(t + 1).toDoubles(), topology)
                    .mean();
        }
        int plans = windows.size() - 1;
        return new Score(next / plans, (double) moved / (plans - 1) / shape.layers() / topology.slots());
    }

    private static long moves(Placement before, Placement after) {
        long moves = 0;
        for (int layer = 0; layer < before.layers(); layer++) {
            int[] old = before.layer(layer);
            int[] now = after.layer(layer);
            for (int slot = 0; slot < old.length; slot++) {
                moves += old[slot] == now[slot] ? 0 : 1;
            }
        }
        return moves;
    }

    private static Score published(Path root, String workload, int ranks, int redundant, String peer) {
        String head = "\"workload\":\\s*\"" + Pattern.quote(workload + ".npy.gz") + "\",\\s*\"ranks\":\\s*" + ranks
                + ",\\s*\"redundant\":\\s*" + redundant + ",[^}]*\"policy\":\\s*\"" + peer + "\"";
        String tail = ",[^}]*\"next\":\\s*([0-9.]+)[^}]*\"movedShare\":\\s*([0-9.]+)";
        try {
            MatchResult found = Pattern.compile(head + tail)
                    .matcher(Files.readString(root.resolve("workloads/peer-scores.json")))
                    .results()
                    .findFirst()
                    .orElseThrow();
            return new Score(Double.parseDouble(found.group(1)), Double.parseDouble(found.group(2)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path root() {
        var root = SharedLoads.root();
        if (root.isEmpty()) {
            System.out.println("PeerScoresTest is skipped: no workloads at ../shared; set -Dplimsoll.shared=DIR");
        }
        Assumptions.assumeTrue(root.isPresent(), "no shared workloads");
        return root.orElseThrow();
    }
}
