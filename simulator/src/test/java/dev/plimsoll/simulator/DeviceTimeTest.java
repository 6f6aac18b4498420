package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.plimsoll.device.BoundaryHook;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Topology;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class DeviceTimeTest {
    /** Reading takes longest up to 2 tokens; every received token costs something. */
    private static final DeviceProfile PROFILE =
            new DeviceProfile("p", List.of(new Point(1, 5), new Point(2, 5), new Point(4, 9)), 0.25);

    private static final Duration OTHER = Duration.ofNanos(7_000);

    @Test
    void stepsTakeWhatTheProfileSaysOfTheExactTokensOfEverySlot() {
        try (Engine engine = engine(new SimulatedDevice(PROFILE, OTHER, 0, 1))) {
            long[][] before = new long[4][9];
            long elapsed = 0;
            for (int step = 1; step <= 60; step++) {
                engine.run(step);
                long expected = OTHER.toNanos();
                for (int layer = 0; layer < 3; layer++) {
                    double slowest = 0;
                    for (int rank = 0; rank < 4; rank++) {
                        double micros = 0;
                        for (int slot = 0; slot < 3; slot++) {
                            long now = Engines.rank(engine, rank).load(layer, slot);
                            long tokens = now - before[rank][layer * 3 + slot];
                            before[rank][layer * 3 + slot] = now;
                            micros += PROFILE.expertMicros(tokens) + 0.25 * tokens;
                        }
                        slowest = Math.max(slowest, micros);
                    }
                    expected += Math.round(slowest * 1000);
                }
                long now = nanos(engine);
                assertThat(now - elapsed).as("step %d", step).isEqualTo(expected);
                elapsed = now;
            }
            assertThat(engine.totals().misrouted()).isZero();
        }
    }

    @Test
    void everyRankTellsTheGroupsTimeAtItsBoundaries() {
        try (Engine engine = engine(new SimulatedDevice(PROFILE, OTHER, 0, 1))) {
            engine.run(20);

            for (int rank = 0; rank < 4; rank++) {
                assertThat(Engines.rank(engine, rank).stepClock()).hasValue(new StepClock(nanos(engine), 0));
            }
        }
        try (Engine untimed = Engines.engine(new FakeHardware())) {
            assertThat(Engines.rank(untimed, 0).stepClock()).isEmpty();
        }
    }

    @Test
    void moreTokensThanAreTabulatedTakeWhatTheProfileSays() {
        DeviceTime time = new DeviceTime(new SimulatedDevice(PROFILE, Duration.ZERO, 0, 1), 1, 1);
        for (int i = 0; i < 5000; i++) {
            time.token(0);
        }
        time.endOfRank();
        time.endOfStep(0, time.slowest());

        assertThat(time.elapsedNanos()).isEqualTo(Math.round(1e3 * (PROFILE.expertMicros(5000) + 0.25 * 5000)));
    }

    @Test
    void processesThatShareTheRanksTakeTheTimeOfOneThatHasThemAllOneStepLater() {
        SimulatedDevice device = new SimulatedDevice(PROFILE, OTHER, 0.05, 3);
        FakeGroup group = new FakeGroup(2);
        try (Engine whole = engine(device);
                Engine first = member(group.member(0), 0, 1, 0, device);
                Engine second = member(group.member(1), 1, 3, 1, device)) {
            whole.run(49);
            CompletableFuture<Ending> ending = first.start(50);
            assertThat(Engines.join(second.start(50)).reason()).isEqualTo(Ending.Reason.REACHED);
            Engines.join(ending);

            assertThat(nanos(first))
                    .isEqualTo(nanos(whole))
                    .isEqualTo(nanos(second))
                    .isPositive();
        }
    }

    @Test
    void noiseScattersStepsAroundTheirTimeAndIsAFunctionOfTheSeed() {
        assertThat(nanosOfSteps(0.05, 1)).containsExactly(nanosOfSteps(0.05, 1));
        assertThat(nanosOfSteps(0.05, 2)).isNotEqualTo(nanosOfSteps(0.05, 1));

        long[] nanos = nanosOfSteps(0.05, 1);
        double mean = 0;
        double squares = 0;
        for (long step : nanos) {
            mean += step / 1e6 / nanos.length;
            squares += step / 1e6 * (step / 1e6) / nanos.length;
        }
        assertThat(mean).isCloseTo(1, within(0.005));
        assertThat(Math.sqrt(squares - mean * mean)).isCloseTo(0.05, within(0.005));
        assertThat(nanosOfSteps(0, 1)).containsOnly(1_000_000);
    }

    @Test
    void otherDevicesInOtherProcessesAreNoticed() {
        FakeGroup group = new FakeGroup(2);
        try (Engine first = member(group.member(0), 0, 1, 0, new SimulatedDevice(PROFILE, OTHER, 0, 3));
                Engine second = member(group.member(1), 1, 3, 1, new SimulatedDevice(PROFILE, OTHER, 0, 4))) {
            CompletableFuture<Ending> ending = first.start(100);

            assertThat(Engines.join(second.start(100)).detail()).contains("an engine of other settings");
            Engines.join(ending);
        }
    }

    @Test
    void hadNothingBeenMovedTheSameTokensWouldTakeWhatTheyTakeAtFirst() {
        SimulatedDevice device = new SimulatedDevice(PROFILE, OTHER, 0.05, 3);
        EngineSettings settings = new EngineSettings(
                        Engines.TINY.shape(),
                        Topology.even(4, 2, 2),
                        0,
                        4,
                        Engines.TOKENS,
                        0,
                        Engines.BYTES,
                        Engines.K,
                        Duration.ofSeconds(5))
                .on(device);
        try (Engine engine = new Engine(
                new FakeHardware(),
                settings,
                Placement.initial(settings.model(), settings.topology()),
                Engines.traffic(),
                EngineListener.NONE,
                AssignmentExchange.alone(settings))) {
            engine.run(20);
            long atFirst = unmoved(engine);
            assertThat(atFirst).as("every expert has one slot").isEqualTo(nanos(engine));

            // Three experts change places; only maps, so their tokens meet other weights, which is not what is asked
            // here.
            engine.hook(new RankId(0), step -> {
                for (int rank = 0; rank < 4; rank++) {
                    Engines.rank(engine, rank)
                            .flipMap(0, new int[] {2, 7, 0}, new int[] {0, 2, 7}, new boolean[] {true, true, true});
                }
                return BoundaryHook.Order.GO_ON;
            });
            assertThat(engine.run(40).reason()).isEqualTo(Ending.Reason.REACHED);
            assertThat(unmoved(engine)).isNotEqualTo(nanos(engine));
        }
        try (Engine engine = engine(new SimulatedDevice(PROFILE, OTHER, 0, 1))) {
            engine.run(200);
            assertThat((double) unmoved(engine))
                    .as("replicas take turns from where each source began, give or take a token")
                    .isCloseTo(nanos(engine), withinPercentage(3));
        }
    }

    @Test
    void tokensOfAnExpertAreDividedOverItsReplicas() {
        // Expert 0 in slots 0 and 2, expert 1 in slot 1; one layer, a rank for each slot.
        UnmovedTime time = new UnmovedTime(
                new SimulatedDevice(PROFILE, Duration.ZERO, 0, 1),
                ModelShape.of("m", 2, 1, 0, 1),
                Topology.even(3, 1, 1),
                Placement.of(0, new int[][] {{0, 1, 0}}));

        time.step(0, new short[] {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}, 5);
        assertThat(time.elapsedNanos()).as("3 and 2 of the five").isEqualTo(Math.round(1e3 * (7 + 3 * 0.25)));
        time.step(1, new short[] {0, 1, 1, 1, 1, 1, 1}, 7);
        assertThat(time.elapsedNanos() - Math.round(1e3 * (7 + 3 * 0.25)))
                .as("six of expert 1")
                .isEqualTo(Math.round(1e3 * (PROFILE.expertMicros(6) + 6 * 0.25)));
    }

    @Test
    void stepsAreNotTimedUnlessSomebodyAsks() {
        try (Engine engine = Engines.engine(new FakeHardware())) {
            engine.run(3);
            assertThat(engine.deviceTotals()).isEmpty();
        }
    }

    @Test
    void noiseThatCannotBeIsRefused() {
        assertThatThrownBy(() -> new SimulatedDevice(PROFILE, OTHER, 0.6, 0)).hasMessageContaining("noise=0.6");
        assertThatThrownBy(() -> new SimulatedDevice(PROFILE, OTHER, Double.NaN, 0))
                .hasMessageContaining("noise");
        assertThatThrownBy(() -> new SimulatedDevice(PROFILE, Duration.ofNanos(-1), 0, 0))
                .hasMessageContaining("no less than its experts");
    }

    private static long nanos(Engine engine) {
        return engine.deviceTotals().orElseThrow().nanos();
    }

    private static long unmoved(Engine engine) {
        return engine.deviceTotals().orElseThrow().unmovedNanos();
    }

    private static long[] nanosOfSteps(double noise, long seed) {
        DeviceTime time = new DeviceTime(new SimulatedDevice(PROFILE, Duration.ofMillis(1), noise, seed), 1, 1);
        long[] nanos = new long[4000];
        long before = 0;
        for (int step = 0; step < nanos.length; step++) {
            time.endOfStep(step, time.slowest());
            nanos[step] = time.elapsedNanos() - before;
            before = time.elapsedNanos();
        }
        return nanos;
    }

    private static Engine engine(SimulatedDevice device) {
        EngineSettings settings = Engines.settings().on(device);
        return new Engine(
                new FakeHardware(),
                settings,
                Engines.INITIAL,
                Engines.traffic(),
                EngineListener.NONE,
                AssignmentExchange.alone(settings));
    }

    private static Engine member(Exchange exchange, int firstRank, int ranks, int process, SimulatedDevice device) {
        EngineSettings settings = Engines.settings().withRanks(firstRank, ranks).on(device);
        return new Engine(
                new FakeHardware(),
                settings,
                Engines.INITIAL,
                Engines.traffic(),
                EngineListener.NONE,
                AssignmentExchange.among(exchange, settings, 2, process, false));
    }
}
