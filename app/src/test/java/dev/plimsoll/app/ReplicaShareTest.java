package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.device.Device;
import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.ReplicaShare;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.WindowPlan;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.simulator.Engine;
import dev.plimsoll.simulator.EngineListener;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.simulator.Traffic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Engines whose routers share an expert's tokens among its replicas in their own ways: what is promised is what is measured. */
class ReplicaShareTest {
    private static final ModelShape SHAPE = ModelShape.of("toy", 16, 2, 0, 8);
    private static final Topology TOPOLOGY = Topology.even(4, 1, 5);
    private static final int WINDOW = 256;
    private static final int WINDOWS = 6;
    private static final int TOKENS = 256;
    /** Popularity that does not move: what is told apart is how replicas share, not how well the load is foretold. */
    private static final GeneratedTraffic.Calibration STEADY =
            new GeneratedTraffic.Calibration(1, 1, 1, 4, 0.1, 2, 0, 0, 64, 128);

    @ParameterizedTest
    @EnumSource(names = {"EVEN", "BY_SOURCE", "LOCAL_FIRST"})
    void promisedBalancednessIsMeasured(ReplicaShare share) {
        Run run = Run.of(share, share);

        assertThat(run.measured().mean())
                .as("%s", share)
                .isCloseTo(run.promised(), within(0.02))
                .isGreaterThan(run.before().mean());
    }

    /** What three replicas of an expert get is known once an expert has had three. */
    @ParameterizedTest
    @CsvSource({"HASHED_ROW, HASHED_ROW", "BY_SOURCE, FITTED"})
    void promisesThatAreFittedAreMeasuredFromTheSecondDecisionOn(ReplicaShare engine, ReplicaShare said) {
        Run run = Run.of(engine, said).next();

        assertThat(run.measured().mean()).as("%s, said to be %s", engine, said).isCloseTo(run.promised(), within(0.02));
    }

    /** Four source ranks and three replicas: one of these gets half. */
    @Test
    void anEngineThatIsTakenToShareEvenlyDoesNotKeepThePromise() {
        Run run = Run.of(ReplicaShare.BY_SOURCE, ReplicaShare.EVEN);

        assertThat(run.promised() - run.measured().mean()).isGreaterThan(0.02);
        assertThat(run.measured().mean())
                .isLessThan(Run.of(ReplicaShare.BY_SOURCE, ReplicaShare.BY_SOURCE)
                        .measured()
                        .mean());
    }

    /**
     * Steps under a placement, a decision, and steps of the same traffic under that.
     *
     * @param promised of the placement that was kept where none paid
     */
    private record Run(
            ReplicaShare engine,
            Membership members,
            Balance before,
            double promised,
            Placement target,
            List<long[][]> after) {
        static Run of(ReplicaShare engine, ReplicaShare said) {
            Membership members = new Membership(
                            new Deployment("test/share"),
                            1,
                            SHAPE,
                            TOPOLOGY,
                            "test",
                            Phase.ALL,
                            GatherMode.HOST,
                            16,
                            WINDOW,
                            256,
                            256 * 64)
                    .withTraits(EngineTraits.USUAL.withShare(said));
            return decide(engine, members, members.start(), run(engine, members.start()));
        }

        Run next() {
            return decide(engine, members, target, after);
        }

        Balance measured() {
            return balance(after);
        }

        private static Run decide(ReplicaShare engine, Membership members, Placement served, List<long[][]> counted) {
            List<ExpertLoad> windows = new ArrayList<>();
            for (int window = 0; window < counted.size(); window++) {
                long[][][] slotLoad = Arrays.stream(counted.get(window))
                        .map(layer -> new long[][] {layer})
                        .toArray(long[][][]::new);
                windows.add(ExpertLoad.none(window, SHAPE.layers(), 1, SHAPE.experts())
                        .over(WINDOW)
                        .plus(served, slotLoad));
            }
            Verdict verdict = WindowPlan.judge(
                    PlannerSettings.DEFAULTS,
                    Policy.named("plimsoll")::plan,
                    Objective.TOKENS,
                    members,
                    served,
                    windows,
                    Duration.ofMinutes(10));
            if (verdict instanceof Verdict.Change change) {
                Placement target = change.candidate().target();
                return new Run(
                        engine,
                        members,
                        balance(counted),
                        verdict.numbers().predictedBalancedness(),
                        target,
                        run(engine, target));
            }
            double current = ReplicaParts.of(members, windows)
                    .balance(served, windows.get(windows.size() - 1).toDoubles(), TOPOLOGY)
                    .mean();
            return new Run(engine, members, balance(counted), current, served, run(engine, served));
        }

        private static Balance balance(List<long[][]> windows) {
            long[][] ofRank = new long[SHAPE.layers()][TOPOLOGY.ranks()];
            for (long[][] window : windows) {
                for (int layer = 0; layer < ofRank.length; layer++) {
                    for (int slot = 0; slot < TOPOLOGY.slots(); slot++) {
                        ofRank[layer][slot / TOPOLOGY.slotsPerRank()] += window[layer][slot];
                    }
                }
            }
            return Balance.of(ofRank);
        }

        /** {@code [window][layer][slot]}. */
        private static List<long[][]> run(ReplicaShare share, Placement placement) {
            EngineSettings settings =
                    EngineSettings.of(SHAPE, TOPOLOGY, TOKENS, 0).withShare(share);
            Traffic traffic = new GeneratedTraffic(new ModelPreset(SHAPE, 0.7, 1.1, 1), STEADY, TOKENS, 5);
            List<long[][]> windows = new ArrayList<>();
            try (Device device = Device.open("host");
                    Engine engine = Engine.open(device, settings, placement, traffic, EngineListener.NONE)) {
                long[][] last = new long[SHAPE.layers()][TOPOLOGY.slots()];
                for (int window = 1; window <= WINDOWS; window++) {
                    engine.run((long) window * WINDOW);
                    long[][] now = counted(engine);
                    long[][] difference = new long[SHAPE.layers()][TOPOLOGY.slots()];
                    for (int layer = 0; layer < now.length; layer++) {
                        for (int slot = 0; slot < now[layer].length; slot++) {
                            difference[layer][slot] = now[layer][slot] - last[layer][slot];
                        }
                    }
                    windows.add(difference);
                    last = now;
                }
            }
            return windows;
        }

        private static long[][] counted(Engine engine) {
            long[][] all = new long[SHAPE.layers()][TOPOLOGY.slots()];
            int slotsPerRank = TOPOLOGY.slotsPerRank();
            long[] own = new long[SHAPE.layers() * slotsPerRank];
            for (int rank = 0; rank < TOPOLOGY.ranks(); rank++) {
                engine.rank(new RankId(rank)).copyLoad(own);
                for (int layer = 0; layer < all.length; layer++) {
                    System.arraycopy(own, layer * slotsPerRank, all[layer], rank * slotsPerRank, slotsPerRank);
                }
            }
            return all;
        }
    }
}
