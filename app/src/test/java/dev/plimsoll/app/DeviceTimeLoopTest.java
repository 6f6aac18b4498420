package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.app.watch.DecisionTime;
import dev.plimsoll.app.watch.LiveView;
import dev.plimsoll.app.watch.LoopReport;
import dev.plimsoll.app.watch.LoopWatch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.SimulatedDevice;
import dev.plimsoll.simulator.Traffic;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;

/** The whole loop on ranks whose steps are timed as on a device. */
class DeviceTimeLoopTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final ModelShape SHAPE = ModelShape.of("made-up", 16, 2, 0, 3);
    private static final int BOUNDARY_STEPS = 8;
    private static final int WINDOW_STEPS = 64;
    private static final int LANES = 48;
    private static final Duration OTHER = Duration.ofNanos(20_000);
    /** Reading takes longest up to 4 tokens. */
    private static final DeviceProfile PROFILE =
            new DeviceProfile("made-up", List.of(new Point(1, 6), new Point(4, 6), new Point(8, 12)), 0.125);

    @TempDir
    private static Path directory;

    private static EmbeddedBroker broker;
    private static KafkaSettings kafka;

    @BeforeAll
    static void start() {
        broker = EmbeddedBroker.start(directory, 0);
        kafka = KafkaSettings.of(broker.bootstrapServers());
        try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
            admin.create(1, 1);
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void windowsTellTheStepTimesThatTheProfileSaysOfTheExactTokens() {
        List<WindowSummary> windows = new CopyOnWriteArrayList<>();
        Membership members = members("exact/decode-0", Topology.even(4, 2, 4));
        Disposable following = TopicReader.records(
                        kafka, Topic.WINDOW_SUMMARIES, new TopicReader.Start.Beginning(), unreadable -> {})
                .filter(received -> received.value().deployment().equals(members.deployment()))
                .filter(received -> received.value().complete())
                .subscribe(received -> windows.add(received.value()));
        try (SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters();
                LocalLoop loop = loop(members, new Skewed(true), "static", shared, meters)) {
            loop.start();
            // A machine that is busy leaves windows incomplete; those of large and small steps come in turn.
            await("windows")
                    .atMost(SOON)
                    .until(() -> windows.stream()
                                    .map(window -> window.steps().from() / WINDOW_STEPS % 4 < 2)
                                    .distinct()
                                    .count()
                            == 2);
            await("more of them").atMost(SOON).until(() -> windows.size() >= 4);
            loop.stopStepping();
        } finally {
            following.dispose();
        }

        for (WindowSummary window : windows) {
            if (window.index() == 0) {
                // The ranks' clocks have begun with its first boundary.
                continue;
            }
            long expected = 0;
            for (long step = window.steps().from(); step < window.steps().to(); step++) {
                expected += nanos(step);
            }
            long exact = expected;
            assertThat(window.stepTime()).as("%s", window.summary()).hasValueSatisfying(time -> {
                for (int rank = 0; rank < 4; rank++) {
                    assertThat(time.elapsedNanos().at(rank)).isEqualTo(exact);
                    assertThat(time.idleNanos().at(rank)).isZero();
                }
                assertThat(time.stepMicros(BOUNDARY_STEPS)).isCloseTo(exact / 1e3 / WINDOW_STEPS, within(1e-6));
            });
        }
    }

    @Test
    void decisionsSayWhatAStepIsToTakeAndWhatItTook() {
        Membership members = members("promise/decode-0", Topology.even(4, 2, 5));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LiveView view = new LiveView(new PrintStream(out, true, StandardCharsets.UTF_8), false, false, 1_000);
        try (SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters();
                LoopWatch watch = new LoopWatch(kafka, members, view, () -> 0);
                LocalLoop loop = loop(members, new Skewed(false), "plimsoll", shared, meters)) {
            watch.start();
            loop.start();
            await("a decision that was measured")
                    .atMost(SOON)
                    .until(() -> !watch.ask(LoopReport::stepTimes).decisions().isEmpty());
            loop.stopStepping();

            LoopReport.StepTimes times = watch.ask(LoopReport::stepTimes);
            DecisionTime first = times.decisions().get(0);
            // The traffic is as it was; what is left between them is chance.
            assertThat(first.measured()).isCloseTo(first.promised(), within(0.1 * first.promised()));
            assertThat(first.measured()).isLessThan(0.95 * times.initialMicros().orElseThrow());
            assertThat(first.gain()).isPositive();
            assertThat(out.toString(StandardCharsets.UTF_8))
                    .containsPattern("window .*  step 0\\.\\d{3} ms  ")
                    .containsPattern("proposed  #\\d+ +step 0\\.\\d{3} → 0\\.\\d{3} ms promised \\(−\\d+\\.\\d %\\)")
                    .containsPattern("measured  #\\d+ +step 0\\.\\d{3} → 0\\.\\d{3} ms promised, 0\\.\\d{3} measured,"
                            + " 0\\.\\d{3} without it");
        }
    }

    @Test
    void anEngineThatMovesWeightsByItselfGetsToWhatWasDecidedAndMisroutesNothing() {
        Topology topology = Topology.even(4, 2, 5);
        Membership members = members("own-moves/decode-0", topology)
                .withTraits(EngineTraits.USUAL.withMovesWeights(true))
                .startingWith(backwards(topology));
        List<PlanCommand> log = new CopyOnWriteArrayList<>();
        Disposable following = TopicReader.records(
                        kafka, Topic.PLAN, new TopicReader.Start.Beginning(), unreadable -> {})
                .filter(received -> received.value().header().deployment().equals(members.deployment()))
                .subscribe(received -> log.add(received.value()));
        List<String> problems = new CopyOnWriteArrayList<>();
        try (SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters();
                LocalLoop loop = loop(members, new Skewed(false), "plimsoll", shared, meters, problems::add)) {
            loop.start();
            await("a settled decision")
                    .atMost(SOON)
                    .until(() -> log.stream().anyMatch(PlanCommand.Settled.class::isInstance));
            long settledAt = loop.totals().steps();
            await("steps under it").atMost(SOON).until(() -> loop.totals().steps() > settledAt + WINDOW_STEPS);
            loop.stopStepping();

            assertThat(loop.totals().misrouted()).isZero();
            assertThat(problems).isEmpty();
        } finally {
            following.dispose();
        }
        PlanCommand.Propose first = log.stream()
                .filter(PlanCommand.Propose.class::isInstance)
                .map(PlanCommand.Propose.class::cast)
                .findFirst()
                .orElseThrow();
        assertThat(first.batches()).as("one map").hasSize(1);
        assertThat(first.moves()).as("more than would be staged at once").hasSizeGreaterThan(3);
        assertThat(log.stream()
                        .filter(PlanCommand.Settled.class::isInstance)
                        .map(PlanCommand.Settled.class::cast)
                        .findFirst()
                        .orElseThrow()
                        .placementHash())
                .isEqualTo(backwards(topology)
                        .withBatches(first.epoch(), first.batches())
                        .hash());
    }

    /** A life that starts in order, and one whose engine has changed its map since, so that a rank holds an expert twice. */
    @Test
    void anEngineThatHasChangedItsMapBeginsAnewAndIsMendedByItsFirstDecision() {
        Topology topology = Topology.even(4, 2, 5);
        Membership before = members("changed/decode-0", topology);
        int[][] changed = backwards(topology).toArray();
        changed[1][1] = changed[1][0];
        Membership after = new Membership(
                        before.deployment(),
                        before.incarnation() + 1,
                        SHAPE,
                        topology,
                        "test",
                        Phase.DECODE,
                        GatherMode.HOST,
                        BOUNDARY_STEPS,
                        WINDOW_STEPS,
                        4096,
                        64L * 4096)
                .startingWith(Placement.of(0, changed));
        List<PlanCommand> log = new CopyOnWriteArrayList<>();
        Disposable following = TopicReader.records(
                        kafka, Topic.PLAN, new TopicReader.Start.Beginning(), unreadable -> {})
                .filter(received -> received.value().header().deployment().equals(before.deployment()))
                .subscribe(received -> log.add(received.value()));
        List<String> problems = new CopyOnWriteArrayList<>();
        try {
            for (Membership life : List.of(before, after)) {
                try (SharedDirectory shared = SharedDirectory.temporary();
                        Meters meters = new Meters();
                        LocalLoop loop = loop(life, new Skewed(false), "plimsoll", shared, meters, problems::add)) {
                    loop.start();
                    await("settled decisions of " + life.incarnation())
                            .atMost(SOON)
                            .until(() -> log.stream()
                                            .filter(PlanCommand.Settled.class::isInstance)
                                            .filter(end -> end.header().incarnation() == life.incarnation())
                                            .count()
                                    >= (life == before ? 1 : 2));
                    long settledAt = loop.totals().steps();
                    await("steps under it")
                            .atMost(SOON)
                            .until(() -> loop.totals().steps() > settledAt + WINDOW_STEPS);
                    loop.stopStepping();
                    assertThat(loop.totals().misrouted()).isZero();
                }
            }
        } finally {
            following.dispose();
        }
        assertThat(problems).isEmpty();
        List<PlanCommand.Propose> decisions = log.stream()
                .filter(PlanCommand.Propose.class::isInstance)
                .map(PlanCommand.Propose.class::cast)
                .filter(decision -> decision.header().incarnation() == after.incarnation())
                .toList();
        assertThat(decisions.get(0).reason())
                .isEqualTo("mends what the engine began with: layer 1 rank 0 holds expert 3 twice");
        assertThat(decisions.get(0).moves()).hasSize(1);
        assertThat(decisions.get(0).basedOn()).isZero();
        assertThat(decisions.get(0).epoch()).as("epochs go on").isGreaterThan(1);
        assertThat(decisions.get(1).basedOn()).isEqualTo(decisions.get(0).epoch());
    }

    /** Expert e in slot 19 - e. */
    private static Placement backwards(Topology topology) {
        int[][] experts = new int[SHAPE.layers()][topology.slots()];
        for (int[] layer : experts) {
            Arrays.setAll(layer, slot -> (topology.slots() - 1 - slot) % SHAPE.experts());
        }
        return Placement.of(0, experts);
    }

    /** By hand: in each layer the slowest rank's four slots, expert e in slot e, as there are as many slots as experts. */
    private static long nanos(long step) {
        Skewed traffic = new Skewed(true);
        short[] picks = new short[traffic.picksPerStep()];
        traffic.step(step, picks);
        long nanos = OTHER.toNanos();
        for (int layer = 0; layer < SHAPE.layers(); layer++) {
            int[] tokens = new int[SHAPE.experts()];
            for (int lane = 0; lane < traffic.lanes(step); lane++) {
                for (int k = 0; k < SHAPE.topK(); k++) {
                    tokens[picks[(lane * SHAPE.layers() + layer) * SHAPE.topK() + k]]++;
                }
            }
            double slowest = 0;
            for (int rank = 0; rank < 4; rank++) {
                double micros = 0;
                for (int slot = 4 * rank; slot < 4 * rank + 4; slot++) {
                    micros += PROFILE.expertMicros(tokens[slot]) + 0.125 * tokens[slot];
                }
                slowest = Math.max(slowest, micros);
            }
            nanos += Math.round(1e3 * slowest);
        }
        return nanos;
    }

    private static LocalLoop loop(
            Membership members, Traffic traffic, String policy, SharedDirectory shared, Meters meters) {
        return loop(members, traffic, policy, shared, meters, problem -> {});
    }

    private static LocalLoop loop(
            Membership members,
            Traffic traffic,
            String policy,
            SharedDirectory shared,
            Meters meters,
            Consumer<String> problems) {
        return new LocalLoop(
                kafka,
                members,
                new EngineSettings(
                                SHAPE,
                                members.topology(),
                                0,
                                4,
                                LANES,
                                400,
                                4096,
                                BOUNDARY_STEPS,
                                Duration.ofSeconds(10))
                        .on(new SimulatedDevice(PROFILE, OTHER, 0, 1)),
                traffic,
                PlannerSettings.DEFAULTS
                        .withPolicy(policy)
                        .withObjective(ObjectiveChoice.AUTO, Optional.of(new ProfileChoice.Table(PROFILE))),
                shared.path(),
                meters,
                problems);
    }

    private static Membership members(String deployment, Topology topology) {
        return new Membership(
                new Deployment(deployment),
                System.currentTimeMillis(),
                SHAPE,
                topology,
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                BOUNDARY_STEPS,
                WINDOW_STEPS,
                4096,
                64L * 4096);
    }

    /** Picks that are a function of the step: low experts are the likelier, in each layer others. */
    private static final class Skewed implements Traffic {
        private final boolean swinging;

        /** @param swinging whether two windows of large steps and two of small ones follow each other */
        Skewed(boolean swinging) {
            this.swinging = swinging;
        }

        @Override
        public int lanes() {
            return LANES;
        }

        @Override
        public int lanes(long step) {
            return swinging && step / WINDOW_STEPS % 4 >= 2 ? LANES / 6 : LANES;
        }

        @Override
        public int layers() {
            return SHAPE.layers();
        }

        @Override
        public int experts() {
            return SHAPE.experts();
        }

        @Override
        public int topK() {
            return SHAPE.topK();
        }

        @Override
        public void step(long step, short[] picks) {
            SplittableRandom random = new SplittableRandom(step);
            for (int at = 0; at < picks.length; at += 2) {
                int layer = at / 2 % layers();
                int first = skewed(random);
                int second = skewed(random);
                picks[at] = (short) ((first + 5 * layer) % experts());
                picks[at + 1] = (short) ((second == first ? first + 1 + 5 * layer : second + 5 * layer) % experts());
            }
        }

        private int skewed(SplittableRandom random) {
            double uniform = random.nextDouble();
            return (int) (experts() * uniform * uniform);
        }
    }
}
