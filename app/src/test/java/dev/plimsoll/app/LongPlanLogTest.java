package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanRestart;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.Planner;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.KeptPlacements;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A planner takes over a plan log that it could not read to its beginning: there stands a record that nobody can read. */
class LongPlanLogTest {
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final Deployment SILENT = new Deployment("long/silent");
    private static final Deployment OTHER = new Deployment("long/other");
    private static final int COMMANDS = 1_200;

    @TempDir
    Path directory;

    @Test
    void successorReadsTheLastDecisionsAndNotTheLog() throws Exception {
        List<Throwable> quarantined = new CopyOnWriteArrayList<>();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0)) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin topics = new TopicAdmin(kafka, SOON)) {
                topics.create(1, 1);
            }
            TopicWriter.writeTogether(kafka, "test", List.of(Output.of(Topic.MEMBERS, SILENT, members())), SOON);
            try (Planner planner = planner(kafka, quarantined)) {
                planner.start();
                await("version 0").atMost(SOON).until(() -> restart(kafka).isPresent());
                // given a record that is read by nobody, and the commands of a year
                long garbage = garbage(broker);
                assertThat(restart(kafka).orElseThrow().from()).isLessThanOrEqualTo(garbage);
                TopicWriter.writeTogether(kafka, "test", commands(), SOON);
                await("that a deployment which is silent is noted again")
                        .atMost(SOON)
                        .until(() -> restart(kafka).orElseThrow().from() > garbage);
            }

            // when another takes over
            try (Planner planner = planner(kafka, quarantined)) {
                planner.start();
                await("work on the partition").atMost(SOON).until(() -> terms(kafka) == 2);
            }
        }

        assertThat(quarantined).isEmpty();
    }

    private static Planner planner(KafkaSettings kafka, List<Throwable> quarantined) {
        return new Planner(kafka, PlannerSettings.DEFAULTS, "test", PlannerListener.NONE, new PartitionLoop.Listener() {
            @Override
            public void onQuarantined(int partition, Throwable cause) {
                quarantined.add(cause);
            }
        });
    }

    private static Optional<PlanRestart> restart(KafkaSettings kafka) {
        return KeptPlacements.of(kafka, SILENT, unreadable -> {})
                .block(SOON)
                .placement()
                .restart();
    }

    /** Terms of the silent deployment: what its planner has written at each take-over, and nothing else. */
    private static long terms(KafkaSettings kafka) {
        List<PlanCommand> log = new ArrayList<>();
        try (PastRecords past = new PastRecords(kafka, SILENT, Duration.ofSeconds(10));
                PastRecords.Reading<PlanCommand> reading =
                        past.read(Topic.PLAN, past.whole(Topic.PLAN), unreadable -> {})) {
            for (var next = reading.next(); next.isPresent(); next = reading.next()) {
                log.add(next.orElseThrow().value());
            }
        }
        assertThat(log).allSatisfy(command -> assertThat(command).isInstanceOf(PlanCommand.Term.class));
        return log.stream().mapToLong(command -> command.header().term()).max().orElse(0);
    }

    private static long garbage(EmbeddedBroker broker) throws Exception {
        try (KafkaProducer<byte[], byte[]> raw = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            return raw.send(new ProducerRecord<>(Topic.PLAN.name(), 0, new byte[0], new byte[] {7, 7}))
                    .get(30, TimeUnit.SECONDS)
                    .offset();
        }
    }

    private static List<Output<?>> commands() {
        List<Output<?>> outputs = new ArrayList<>();
        for (int number = 1; number <= COMMANDS; number++) {
            outputs.add(Output.of(
                    Topic.PLAN, OTHER, new PlanCommand.Void(new PlanHeader(OTHER, 1, 1, number), number, "test")));
        }
        return outputs;
    }

    private static Membership members() {
        return new Membership(
                SILENT,
                1,
                ModelShape.of("m", 6, 2, 0, 1),
                Topology.even(4, 1, 2),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                16,
                64,
                100,
                200);
    }
}
