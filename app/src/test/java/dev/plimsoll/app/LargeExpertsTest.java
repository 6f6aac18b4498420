package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;

/** Experts as large as DeepSeek-V3's, the whole loop: one layer on two ranks, which is what a small machine has memory for. */
class LargeExpertsTest {
    private static final Duration SOON = Duration.ofMinutes(4);
    private static final long EXPERT_BYTES = 44L << 20;
    private static final ModelPreset MODEL = ModelPreset.named("mixtral-8x7b").withLayers(1);
    private static final int TOKENS = 16;
    private static final int SLOTS = 5;
    private static final Membership MEMBERS = new Membership(
            new Deployment("large/decode-0"),
            1,
            MODEL.shape(),
            Topology.even(2, 1, SLOTS),
            "test",
            Phase.DECODE,
            GatherMode.HOST,
            8,
            32,
            EXPERT_BYTES,
            SLOTS * EXPERT_BYTES);

    @TempDir
    Path directory;

    @Test
    void expertsOf44MebibytesAreMovedAndServed() throws Exception {
        List<PlanCommand.Settled> settled = new CopyOnWriteArrayList<>();
        List<RankAck> flips = new CopyOnWriteArrayList<>();
        List<String> problems = new CopyOnWriteArrayList<>();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0);
                SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters()) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
                admin.create(1, 1);
            }
            Disposable plan = TopicReader.records(
                            kafka, Topic.PLAN, new TopicReader.Start.Beginning(), unreadable -> {})
                    .subscribe(received -> {
                        if (received.value() instanceof PlanCommand.Settled end) {
                            settled.add(end);
                        }
                    });
            Disposable acks = TopicReader.records(
                            kafka, Topic.ACKS, new TopicReader.Start.Beginning(), unreadable -> {})
                    .filter(received -> received.value().kind() == RankAck.Kind.FLIPPED)
                    .subscribe(received -> flips.add(received.value()));
            try (LocalLoop loop = new LocalLoop(
                    kafka,
                    MEMBERS,
                    new EngineSettings(
                            MEMBERS.shape(),
                            MEMBERS.topology(),
                            0,
                            2,
                            TOKENS,
                            100,
                            EXPERT_BYTES,
                            MEMBERS.boundarySteps(),
                            SOON),
                    new GeneratedTraffic(MODEL, GeneratedTraffic.Calibration.DEFAULT, TOKENS, 7),
                    PlannerSettings.DEFAULTS.withPolicy("rotation"),
                    shared.path(),
                    meters,
                    problems::add)) {
                loop.start();
                await("a decision that settled whole")
                        .atMost(SOON)
                        .until(() -> settled.stream().anyMatch(PlanCommand.Settled::complete));
                long enough = loop.totals().steps() + 4L * MEMBERS.boundarySteps();
                await("steps after it").atMost(SOON).until(() -> loop.totals().steps() >= enough);
                loop.stopStepping();

                assertThat(loop.totals().misrouted()).isZero();
                assertThat(loop.totals().tokens()).isPositive();
            } finally {
                plan.dispose();
                acks.dispose();
            }
        }
        assertThat(problems).isEmpty();
        assertThat(flips.get(0).cost())
                .as("what came to a rank")
                .hasValueSatisfying(cost -> assertThat(cost.receivedBytes()).isGreaterThanOrEqualTo(EXPERT_BYTES));
    }
}
