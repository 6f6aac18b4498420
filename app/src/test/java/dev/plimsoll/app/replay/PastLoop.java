package dev.plimsoll.app.replay;

import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.LocalLoop;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicReader;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import reactor.core.Disposable;

/** A short run of the whole loop on a broker, with a planner that is easily moved, which leaves decisions to look back on. */
final class PastLoop {
    static final Deployment DEPLOYMENT = new Deployment("demo/decode-0");
    static final int WINDOW_STEPS = 64;

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final int BOUNDARY_STEPS = 16;
    private static final int EXPERT_BYTES = 4096;

    private PastLoop() {}

    /** Small gains are taken, so that decisions come one after the other. */
    static PlannerSettings eager() {
        PlannerSettings settings = PlannerSettings.DEFAULTS;
        return new PlannerSettings(
                settings.policy(),
                6,
                1,
                settings.budget(),
                settings.prices(),
                new Gate.Settings(0.0005, 0, 1000, 0.5, 10e9, Duration.ofMillis(1)),
                settings.acceptWithin(),
                settings.progressWithin(),
                settings.abortWithin(),
                settings.lookBack(),
                settings.planThreads(),
                settings.planWithin(),
                settings.seed());
    }

    static Membership members(long incarnation) {
        return new Membership(
                DEPLOYMENT,
                incarnation,
                ModelPreset.named("deepseek-v2-lite").shape(),
                Topology.even(4, 2, 17),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                BOUNDARY_STEPS,
                WINDOW_STEPS,
                EXPERT_BYTES,
                64L * EXPERT_BYTES);
    }

    /** Runs an incarnation until so many decisions have outcomes, and ends it. */
    static void run(KafkaSettings kafka, long incarnation, int decisions, PlannerSettings settings) {
        List<Outcome> outcomes = new CopyOnWriteArrayList<>();
        Disposable following = TopicReader.records(
                        kafka, Topic.OUTCOMES, new TopicReader.Start.Beginning(), unreadable -> {})
                .filter(record -> record.value().incarnation() == incarnation)
                .subscribe(record -> outcomes.add(record.value()));
        ModelPreset model = ModelPreset.named("deepseek-v2-lite");
        Membership members = members(incarnation);
        try (SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters();
                LocalLoop loop = new LocalLoop(
                        kafka,
                        members,
                        EngineSettings.of(model.shape(), members.topology(), 32, 400),
                        new GeneratedTraffic(model, 32, 7),
                        settings,
                        shared.path(),
                        meters,
                        problem -> {})) {
            loop.start();
            // A decision has an outcome after its first window and another when its last one is known.
            await(decisions + " decisions that were measured")
                    .atMost(SOON)
                    .until(() ->
                            outcomes.stream().map(Outcome::version).distinct().count() >= decisions);
            loop.stopStepping();
            loop.drain(Duration.ofSeconds(2));
        } finally {
            following.dispose();
        }
    }
}
