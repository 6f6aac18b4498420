package dev.plimsoll.app.bench;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.LocalLoop;
import dev.plimsoll.app.LocalRanks;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.chaos.DecisionTimes;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.simulator.Traffic;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;
import reactor.core.Disposable;
import reactor.core.Disposables;

/**
 * Measures decisions on simulated ranks, the whole loop and a broker in this process: how long each takes, and what ranks pay for it
 * meanwhile. Every window is decided on, whether or not that pays.
 */
public final class DecisionBench {
    private static final String MODEL = "qwen3-30b";
    private static final int TOKENS = 64;
    private static final Duration STEP_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration KAFKA_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration LOOK = Duration.ofMillis(100);
    private static final long HIGHEST_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int STAGED_EXPERTS = 64;

    /**
     * What is measured.
     *
     * @param ranks sizes of deployments, one after the other
     * @param decisions that settle, of each
     * @param layers of {@code qwen3-30b}
     * @param stepsPerSecond of the ranks, 0 for as fast as it goes
     * @param transferBytesPerSecond what a rank sends at most, 0 for no limit
     * @param longest that one size may take
     */
    public record Settings(
            List<Integer> ranks,
            int decisions,
            int layers,
            long expertBytes,
            double stepsPerSecond,
            int boundarySteps,
            int windowSteps,
            long transferBytesPerSecond,
            Duration longest) {
        public Settings {
            ranks = ranks.stream().distinct().sorted().toList();
        }
    }

    /**
     * Of one size.
     *
     * @param flipNanos what a rank's dispatch thread spent on the flip of a batch, as ranks say
     * @param stepsPerSecond that the ranks came to
     */
    public record OfRanks(
            int slotsPerRank,
            DecisionTimes times,
            BoundaryTimes boundaries,
            Histogram flipNanos,
            double stepsPerSecond,
            long misrouted) {}

    /** @param boundary what a boundary costs without a decision */
    public record Result(BoundaryCost.Result boundary, SortedMap<Integer, OfRanks> byRanks) {}

    private final Lifecycle lifecycle;
    private final Settings settings;
    private final Consumer<String> lines;

    private DecisionBench(Lifecycle lifecycle, Settings settings, Consumer<String> lines) {
        this.lifecycle = lifecycle;
        this.settings = settings;
        this.lines = lines;
    }

    /** @param lines told how far it is, and of problems */
    public static Result run(Lifecycle lifecycle, Settings settings, Consumer<String> lines) throws Exception {
        return new DecisionBench(lifecycle, settings, lines).run();
    }

    private Result run() throws Exception {
        SharedDirectory shared = lifecycle.started("shared memory", SharedDirectory.planned());
        shared.make();
        BoundaryCost.Result boundary =
                BoundaryCost.measure(Files.createDirectory(shared.path().resolve("boundary")), 58, 9);
        SharedDirectory data = lifecycle.started("data", EmbeddedBroker.temporaryData());
        data.make();
        EmbeddedBroker broker = lifecycle.start("broker", () -> EmbeddedBroker.start(data.path(), 0));
        KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
        lifecycle.ask("topics", () -> topics(kafka));
        SortedMap<Integer, OfRanks> byRanks = new TreeMap<>();
        for (int ranks : settings.ranks()) {
            byRanks.put(
                    ranks,
                    measure(kafka, ranks, Files.createDirectory(shared.path().resolve("ranks-" + ranks))));
        }
        return new Result(boundary, byRanks);
    }

    private static int topics(KafkaSettings kafka) {
        try (TopicAdmin admin = new TopicAdmin(kafka, KAFKA_TIMEOUT)) {
            return admin.create(1, 1).size();
        }
    }

    private OfRanks measure(KafkaSettings kafka, int ranks, Path directory) throws Exception {
        Membership members = members(ranks);
        ModelPreset model = ModelPreset.named(MODEL).withLayers(settings.layers());
        EngineSettings engine = new EngineSettings(
                members.shape(),
                members.topology(),
                0,
                ranks,
                TOKENS,
                settings.stepsPerSecond(),
                settings.expertBytes(),
                settings.boundarySteps(),
                STEP_TIMEOUT);
        Traffic traffic = new GeneratedTraffic(model, GeneratedTraffic.Calibration.DEFAULT, TOKENS, 7);
        BoundaryTimes boundaries = new BoundaryTimes(settings.boundarySteps());
        DecisionTimes times = new DecisionTimes();
        Histogram flips = new Histogram(HIGHEST_NANOS, 3);
        try (Meters meters = new Meters();
                LocalLoop loop = new LocalLoop(
                        lifecycle,
                        kafka,
                        members,
                        engine,
                        traffic,
                        new LocalRanks.Transfers(settings.transferBytesPerSecond()),
                        PlannerSettings.DEFAULTS.withPolicy("rotation"),
                        directory,
                        meters,
                        boundaries,
                        boundaries.steps(),
                        lines)) {
            Disposable reading = follow(kafka, members.deployment(), times, flips);
            long began = System.nanoTime();
            loop.start();
            while (count(times) < settings.decisions()
                    && System.nanoTime() - began < settings.longest().toNanos()) {
                if (lifecycle.await(LOOK)) {
                    lifecycle.proceed();
                }
            }
            double seconds = (System.nanoTime() - began) / 1e9;
            loop.stopStepping();
            reading.dispose();
            lines.accept(ranks + " ranks: " + count(times) + " decisions in " + Math.round(seconds) + " s");
            return new OfRanks(
                    members.topology().slotsPerRank(),
                    times,
                    boundaries,
                    flips,
                    loop.totals().steps() / seconds,
                    loop.totals().misrouted());
        }
    }

    private static int count(DecisionTimes times) {
        synchronized (times) {
            return times.count();
        }
    }

    private Disposable follow(KafkaSettings kafka, Deployment deployment, DecisionTimes times, Histogram flips) {
        Disposable.Composite all = Disposables.composite();
        all.add(follow(kafka, deployment, Topic.WINDOW_SUMMARIES, window -> {
            synchronized (times) {
                times.window(window, System.nanoTime());
            }
        }));
        all.add(follow(kafka, deployment, Topic.PLAN, command -> {
            synchronized (times) {
                times.command(command, System.nanoTime());
            }
        }));
        all.add(follow(kafka, deployment, Topic.ACKS, ack -> {
            synchronized (times) {
                times.ack(ack, System.nanoTime());
                flip(ack).ifPresent(cost -> flips.recordValue(Math.min(HIGHEST_NANOS, cost.flipNanos())));
            }
        }));
        return all;
    }

    private static Optional<FlipCost> flip(RankAck ack) {
        return ack.cost();
    }

    private <T> Disposable follow(KafkaSettings kafka, Deployment deployment, Topic<T> topic, Consumer<T> each) {
        return TopicReader.records(
                        kafka,
                        topic,
                        deployment,
                        new TopicReader.Start.Beginning(),
                        unreadable -> lines.accept("unreadable: " + unreadable.summary()))
                .subscribe(
                        received -> each.accept(received.value()),
                        failure -> lines.accept("the reader of " + topic + " has ended: " + failure));
    }

    private Membership members(int ranks) {
        ModelPreset model = ModelPreset.named(MODEL).withLayers(settings.layers());
        int experts = model.shape().experts();
        // At least one redundant slot: as 'plimsoll ranks' has it without --redundant.
        int filling = Math.floorMod(-experts, ranks);
        int slotsPerRank = (experts + (filling == 0 ? ranks : filling)) / ranks;
        return new Membership(
                        new Deployment("bench/decisions-" + ranks),
                        System.currentTimeMillis(),
                        model.shape(),
                        Topology.even(ranks, Math.max(1, ranks / 8), slotsPerRank),
                        "plimsoll-simulator",
                        Phase.DECODE,
                        GatherMode.HOST,
                        settings.boundarySteps(),
                        settings.windowSteps(),
                        settings.expertBytes(),
                        STAGED_EXPERTS * settings.expertBytes())
                .startable();
    }
}
