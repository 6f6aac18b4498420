package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * What the policy makes of loads that stay, shift and drift, planned after every window and measured on the next one. Skipped,
 * saying so, where the data is not beside the repository.
 */
class WorkloadBehaviourTest {
    private static final List<String> PEERS = List.of("deepseek", "flashlb", "swift");
    private static final int HISTORY = 24;
    /** A change of shares this many times the usual one is a shift. */
    private static final double SHIFT = 1.8;

    private record Workload(String name, List<ExpertLoad> windows, Topology topology) {
        static Workload dsv3(String kind) {
            return new Workload(
                    "dsv3_" + kind, SharedLoads.workload(root(), "dsv3_" + kind, 16, 8, 256), Topology.even(32, 4, 9));
        }

        static Workload gptOss(String kind) {
            return new Workload(
                    "gpt-oss-20b_" + kind,
                    SharedLoads.workload(root(), "gpt-oss-20b_" + kind, 16, 24, 32),
                    Topology.even(8, 1, 5));
        }

        /** Windows whose shares differ from the window's before more than usual; the last one of each run of them. */
        List<Integer> shifts() {
            double[] change = new double[windows.size()];
            for (int t = 1; t < change.length; t++) {
                for (int layer = 0; layer < windows.get(t).layers(); layer++) {
                    double[] now = windows.get(t).layer(layer);
                    double[] before = windows.get(t - 1).layer(layer);
                    double sum = Arrays.stream(now).sum();
                    double sumBefore = Arrays.stream(before).sum();
                    for (int expert = 0; expert < now.length; expert++) {
                        change[t] += Math.abs(now[expert] / sum - before[expert] / sumBefore);
                    }
                }
            }
            double[] sorted = change.clone();
            Arrays.sort(sorted);
            double much = SHIFT * sorted[sorted.length / 2];
            return IntStream.range(1, change.length - 1)
                    .filter(t -> change[t] > much && change[t + 1] <= much)
                    .boxed()
                    .toList();
        }
    }

    /**
     * @param balance {@code [window]}, measured under what was planned after the window before
     * @param moved {@code [window]}, slots that the plan after the window changes, as a part of all
     */
    private record Run(double[] balance, double[] moved) {
        static Run of(Workload workload, String name) {
            List<ExpertLoad> windows = workload.windows();
            ModelShape shape = ModelShape.of(
                    "workload", windows.get(0).experts(), 1, 0, windows.get(0).layers());
            Placement settled = Placement.initial(shape, workload.topology());
            double[] balance = new double[windows.size()];
            double[] moved = new double[windows.size()];
            for (int t = 0; t < windows.size(); t++) {
                balance[t] = EvenSplit.balance(settled, windows.get(t).toDoubles(), workload.topology())
                        .mean();
                Placement target = Policy.named(name)
                        .plan(PlanRequest.of(
                                windows.subList(Math.max(0, t + 1 - HISTORY), t + 1),
                                settled,
                                shape,
                                workload.topology()))
                        .target();
                moved[t] = moved(settled, target);
                settled = target.withVersion(settled.version() + 1);
            }
            return new Run(balance, moved);
        }

        private static double moved(Placement settled, Placement target) {
            int moves = 0;
            for (int layer = 0; layer < settled.layers(); layer++) {
                int[] before = settled.layer(layer);
                int[] after = target.layer(layer);
                for (int slot = 0; slot < after.length; slot++) {
                    moves += before[slot] == after[slot] ? 0 : 1;
                }
            }
            return (double) moves / settled.layers() / settled.slots();
        }

        double balanceFrom(int window) {
            return Arrays.stream(balance, window, balance.length).average().orElseThrow();
        }

        double movedFrom(int window) {
            return Arrays.stream(moved, window, moved.length).average().orElseThrow();
        }
    }

    @Test
    void stationaryLoadIsLeftAloneAfterTenWindows() {
        Run run = Run.of(Workload.dsv3("stationary"), "plimsoll");
        System.out.printf(
                Locale.ROOT,
                "dsv3_stationary 32 + 32: after ten windows %.3f %% moved per plan, balancedness %.4f%n",
                100 * run.movedFrom(10),
                run.balanceFrom(10));

        assertThat(run.movedFrom(10)).isLessThan(0.002);
    }

    @Test
    void shiftOfLargeModelIsMadeUpForByTheNextPlan() {
        assertShiftsAreMadeUpFor(Workload.dsv3("shift"));
    }

    @Test
    void shiftOfRealRoutingIsMadeUpForByTheNextPlan() {
        assertShiftsAreMadeUpFor(Workload.gptOss("shift"));
    }

    private static void assertShiftsAreMadeUpFor(Workload workload) {
        List<Integer> shifts = workload.shifts();
        Run run = Run.of(workload, "plimsoll");
        List<Run> peers = PEERS.stream().map(name -> Run.of(workload, name)).toList();
        List<String> after = new ArrayList<>();
        for (int shift : shifts) {
            double best = peers.stream()
                    .mapToDouble(peer -> peer.balance()[shift + 1])
                    .max()
                    .orElseThrow();
            after.add(String.format(
                    Locale.ROOT,
                    "window %d %.4f then %.4f (%.4f)",
                    shift,
                    run.balance()[shift],
                    run.balance()[shift + 1],
                    best));
            assertThat(run.balance()[shift + 1])
                    .as("%s, the window after window %d", workload.name(), shift)
                    .isGreaterThan(best - 0.01);
        }
        System.out.printf(
                Locale.ROOT,
                "%s: last window of each shift, then the next (the best of %s): %s; %.2f %% moved per plan%n",
                workload.name(),
                PEERS,
                String.join(", ", after),
                100 * run.movedFrom(1));
        assertThat(shifts).hasSizeGreaterThan(3);
    }

    @Test
    void driftIsFollowedWithFarFewerMovesThanFromScratch() {
        for (Workload workload : List.of(Workload.dsv3("drift"), Workload.gptOss("drift"))) {
            Run run = Run.of(workload, "plimsoll");
            Run scratch = Run.of(workload, "deepseek");
            System.out.printf(
                    Locale.ROOT,
                    "%s: %.2f %% moved per plan, balancedness %.4f (deepseek %.1f %%, %.4f)%n",
                    workload.name(),
                    100 * run.movedFrom(1),
                    run.balanceFrom(1),
                    100 * scratch.movedFrom(1),
                    scratch.balanceFrom(1));

            assertThat(run.movedFrom(1)).isLessThan(scratch.movedFrom(1) / 8);
            assertThat(run.balanceFrom(1)).isGreaterThan(scratch.balanceFrom(1));
        }
    }

    private static Path root() {
        var root = SharedLoads.root();
        if (root.isEmpty()) {
            System.out.println(
                    "WorkloadBehaviourTest is skipped: no workloads at ../shared; set -Dplimsoll.shared=DIR");
        }
        Assumptions.assumeTrue(root.isPresent(), "no shared workloads");
        return root.orElseThrow();
    }
}
