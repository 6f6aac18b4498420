package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.plimsoll.aggregator.Aggregator;
import dev.plimsoll.aggregator.AggregatorSettings;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.simulator.Totals;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import io.micrometer.core.instrument.Counter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;

/** A broker that is away for half a minute costs samples and nothing else. */
@Tag("alone") // compares percentiles of times: nothing of ours runs beside it
class BrokerOutageTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration WITH_BROKER = Duration.ofSeconds(12);
    private static final Duration WITHOUT_BROKER = Duration.ofSeconds(30);
    private static final double STEPS_PER_SECOND = 200;
    /** Noise of a p99 over about 600 boundaries on two shared cores: what neighbouring runs with a broker differ by. */
    private static final double NOISE_FACTOR = 2;

    private static final long NOISE_NANOS = 300_000;

    private static final int BOUNDARY_STEPS = 16;
    private static final Logger OURS = (Logger) LoggerFactory.getLogger("dev.plimsoll");

    @TempDir
    Path directory;

    private final List<WindowSummary> windows = new CopyOnWriteArrayList<>();
    /** What people are told, be it by a role or by a logger. */
    private final List<String> told = new CopyOnWriteArrayList<>();

    private final AppenderBase<ILoggingEvent> logged = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            told.add(event.getFormattedMessage());
        }
    };

    @BeforeEach
    void listen() {
        logged.start();
        OURS.addAppender(logged);
    }

    @AfterEach
    void listenNoMore() {
        OURS.detachAppender(logged);
    }

    @Test
    void boundariesTakeNoLongerWhileTheBrokerIsAwayAndTheLoopGoesOnAfterwards() {
        EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0);
        int port = broker.port();
        KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
        try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
            admin.create(4, 1);
        }
        Disposable following = TopicReader.records(
                        kafka, Topic.WINDOW_SUMMARIES, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(received -> windows.add(received.value()));
        ModelPreset model = ModelPreset.named("deepseek-v2-lite");
        Membership members = members(model.shape());
        try (SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters()) {
            Totals totals;
            try (LocalLoop loop = new LocalLoop(
                    kafka,
                    members,
                    EngineSettings.of(model.shape(), members.topology(), 32, STEPS_PER_SECOND),
                    new GeneratedTraffic(model, 32, 7),
                    PlannerSettings.DEFAULTS,
                    shared.path(),
                    meters,
                    told::add)) {
                loop.start();
                await("the first windows").atMost(SOON).until(() -> windows.size() >= 4);
                Stretch before = stretch(loop, WITH_BROKER);
                assertThat(meters.dropped())
                        .as("nothing is dropped while the broker is there")
                        .isZero();

                broker.close();
                Stretch away = stretch(loop, WITHOUT_BROKER);
                long droppedAway = meters.dropped();
                long lastBefore = windows.get(windows.size() - 1).index();

                broker = EmbeddedBroker.start(directory.resolve("kafka"), port);
                await("complete windows after the outage")
                        .atMost(SOON)
                        .until(() -> windows.stream()
                                        .filter(window -> window.index() > lastBefore && window.complete())
                                        .count()
                                >= 3);
                Stretch after = stretch(loop, WITH_BROKER);

                System.out.printf(
                        "boundary p50/p99/max in µs: with broker %s, 30 s without %s, with broker again %s; %d samples dropped%n",
                        before, away, after, droppedAway);
                long calm = Math.max(before.p99(), after.p99());
                assertThat(away.p99())
                        .as("p99 without a broker against %d ns with one", calm)
                        .isLessThanOrEqualTo((long) (calm * NOISE_FACTOR) + NOISE_NANOS);
                assertThat(away.steps()).as("steps go on at their rate").isGreaterThan((long)
                        (0.9 * STEPS_PER_SECOND * WITHOUT_BROKER.toSeconds()));
                assertThat(droppedAway).as("what was lost is counted").isPositive();
                assertThat(loop.totals().misrouted()).isZero();
                loop.stopStepping();
                loop.drain(SOON);
                assertThat(meters.captured())
                        .as(
                                "every sample that was made is published or dropped: %d and %d",
                                meters.published(), meters.dropped())
                        .isEqualTo(meters.published() + meters.dropped());
                assertThat(told.stream().filter(line -> line.contains("away since")))
                        .as("told once that Kafka is away: %s", told)
                        .hasSize(1);
                assertThat(told.stream().filter(line -> line.contains("is back")))
                        .as("told once that Kafka is back: %s", told)
                        .hasSize(1);
                totals = loop.totals();
            }
            assertEveryTokenIsInAWindowOrCounted(
                    kafka, meters, toldLoad(totals), totals.routed() / totals.steps() * BOUNDARY_STEPS);
        } finally {
            following.dispose();
            broker.close();
        }
    }

    /** Load that snapshots can tell: that of the steps behind the last boundary is in none. */
    private static long toldLoad(Totals totals) {
        long boundary = totals.steps() - totals.steps() % BOUNDARY_STEPS;
        return totals.routed() / totals.steps() * boundary;
    }

    /**
     * END was written; an aggregator folds what the loop's has left. Never too much; too little by less than a boundary: in one of
     * four runs half of one was in no window and in no count, after a stop in the midst of a flip. Its cause is not known.
     */
    private void assertEveryTokenIsInAWindowOrCounted(KafkaSettings kafka, Meters meters, long engine, long boundary) {
        try (Aggregator rest = new Aggregator(kafka, AggregatorSettings.DEFAULT, meters.aggregator())) {
            rest.start();
            await("windows and counted losses are the engine's load")
                    .atMost(SOON)
                    .untilAsserted(() -> assertThat(known(meters))
                            .as(
                                    "in windows or unused %d, dropped %d; not complete: %s",
                                    known(meters) - meters.droppedLoad(),
                                    meters.droppedLoad(),
                                    windows.stream()
                                            .filter(window -> !window.complete())
                                            .toList())
                            .isBetween(engine - boundary + 1, engine));
        }
        System.out.printf("load that is in no window and in no count: %d of %d%n", engine - known(meters), engine);
    }

    /** Load that is in windows, or counted beside them. */
    private long known(Meters meters) {
        return windows.stream()
                        .mapToLong(window -> window.accepted() + window.unattributed())
                        .sum()
                + counted(meters, "plimsoll.load.unused")
                + meters.droppedLoad();
    }

    private static long counted(Meters meters, String name) {
        return (long) meters.registry().find(name).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    /** What a stretch of the run has shown. */
    private record Stretch(long steps, long p50, long p99, long max) {
        @Override
        public String toString() {
            return p50 / 1000 + "/" + p99 / 1000 + "/" + max / 1000;
        }
    }

    private static Stretch stretch(LocalLoop loop, Duration length) {
        Histogram start = loop.boundaryNanos().copy();
        long steps = loop.totals().steps();
        long end = System.nanoTime() + length.toNanos();
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(Math.min(100_000_000, end - System.nanoTime()));
        }
        Histogram times = loop.boundaryNanos().copy();
        times.subtract(start);
        return new Stretch(
                loop.totals().steps() - steps,
                times.getValueAtPercentile(50),
                times.getValueAtPercentile(99),
                times.getMaxValue());
    }

    private static Membership members(ModelShape shape) {
        return new Membership(
                new Deployment("outage/decode-0"),
                1,
                shape,
                Topology.even(4, 2, 17),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                BOUNDARY_STEPS,
                128,
                EngineSettings.DEFAULT_BYTES_PER_EXPERT,
                64L * EngineSettings.DEFAULT_BYTES_PER_EXPERT);
    }
}
