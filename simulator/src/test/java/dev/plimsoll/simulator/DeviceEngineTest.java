package dev.plimsoll.simulator;

import static dev.plimsoll.simulator.Engines.rank;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.BoundaryHook;
import dev.plimsoll.device.Device;
import dev.plimsoll.device.WeightTensor;
import dev.plimsoll.model.RankId;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine on the device package's host back end. */
class DeviceEngineTest {
    private static final int LAYER = 1;

    @TempDir
    Path directory;

    @Test
    void aFlipWithWeightsMisroutesNothingAndOneWithoutIsSeen() {
        try (Device device = Device.open("host")) {
            assertThat(misrouted(device, true)).isZero();
            assertThat(misrouted(device, false)).isPositive();
        }
    }

    @Test
    void twoProcessesOverSharedMemoryComputeExactlyWhatOneDoes() {
        try (Device device = Device.open("host");
                Engine whole = engine(device);
                Engine first = member(device, 0, 1, 0);
                Engine second = member(device, 1, 3, 1)) {
            whole.run(200);
            CompletableFuture<Ending> ending = first.start(200);
            assertThat(Engines.join(second.start(200)).reason()).isEqualTo(Ending.Reason.REACHED);
            assertThat(Engines.join(ending).reason()).isEqualTo(Ending.Reason.REACHED);

            assertThat(first.totals().computed() + second.totals().computed())
                    .isEqualTo(whole.totals().computed());
            for (int r = 0; r < 4; r++) {
                for (int slot = 0; slot < 3; slot++) {
                    assertThat(rank(r < 1 ? first : second, r).load(LAYER, slot))
                            .isEqualTo(rank(whole, r).load(LAYER, slot));
                }
            }
        }
    }

    /** Turns slot 8, a replica of expert 0 on rank 2, into one of expert 4, whose weights are in rank 1's slot 4. */
    private static long misrouted(Device device, boolean withWeights) {
        try (Engine engine = engine(device)) {
            engine.hook(new RankId(2), step -> {
                if (step == Engines.K) {
                    SimulatedRank source = rank(engine, 1);
                    SimulatedRank target = rank(engine, 2);
                    if (withWeights) {
                        for (int i = 0; i < RankWeights.TENSORS; i++) {
                            WeightTensor to = target.weights().get(LAYER * RankWeights.TENSORS + i);
                            WeightTensor from = source.weights().get(LAYER * RankWeights.TENSORS + i);
                            target.computeStream().copy(to.address(2), from.address(1), to.bytes());
                        }
                    }
                    for (int r = 0; r < 4; r++) {
                        rank(engine, r).flipMap(LAYER, new int[] {8}, new int[] {4}, new boolean[] {true});
                    }
                }
                return BoundaryHook.Order.GO_ON;
            });
            assertThat(engine.run(300).reason()).isEqualTo(Ending.Reason.REACHED);
            assertThat(engine.totals().computed()).isEqualTo(300 * Engines.TOKENS * 6);
            return engine.totals().misrouted();
        }
    }

    private static Engine engine(Device device) {
        return Engine.open(device, Engines.settings(), Engines.INITIAL, Engines.traffic(), EngineListener.NONE);
    }

    private Engine member(Device device, int firstRank, int ranks, int process) {
        return Engine.open(
                device,
                Engines.settings().withRanks(firstRank, ranks),
                Engines.INITIAL,
                Engines.traffic(),
                EngineListener.NONE,
                new ProcessGroup(new Meeting.OnOneMachine(directory.resolve("group")), 7, 2, process));
    }
}
