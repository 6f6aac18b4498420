package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a worker reads of a cluster; here, because the broker is. */
class WorkerTopicsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Deployment OURS = new Deployment("test/decode-0");
    private static final long INCARNATION = System.currentTimeMillis();

    @TempDir
    Path directory;

    @Test
    void workerReadsThePlansOfItsOwnIncarnationAndNotTheYearBefore() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            planLogThatItsWritersDate(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, Duration.ofSeconds(20))) {
                admin.create(1, 1);
            }
            Deployment neighbour = new Deployment("test/decode-1");
            long yesterday = INCARNATION - Duration.ofDays(1).toMillis();
            try (TopicWriter writer = new TopicWriter(kafka, "test", 8, PATIENCE)) {
                write(writer, term(OURS, yesterday, 1), yesterday);
                write(writer, term(neighbour, INCARNATION, 1), INCARNATION);
                write(writer, term(OURS, INCARNATION, 2), INCARNATION + 1);
                write(writer, term(OURS, INCARNATION, 3), INCARNATION + 2);
            }
            List<String> unreadable = new CopyOnWriteArrayList<>();
            try (WorkerTopics topics = new WorkerTopics.OfCluster(kafka, OURS, unreadable::add)) {
                assertThat(offsets(topics, INCARNATION, 2)).containsExactly(2L, 3L);
                // A number that is no time says nothing of where its plans begin.
                assertThat(offsets(topics, 7, 3)).containsExactly(0L, 2L, 3L);
            }
            assertThat(TopicReader.records(kafka, Topic.PLAN, new TopicReader.Start.Beginning(), record -> {})
                            .take(4)
                            .count()
                            .block(PATIENCE))
                    .isEqualTo(4);
            assertThat(unreadable).isEmpty();
        }
    }

    /** As releases before schema 170056 made it: in today's, a year ago cannot be written. */
    private static void planLogThatItsWritersDate(String bootstrapServers) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
            admin.createTopics(List.of(new NewTopic(Topic.PLAN.name(), 1, (short) 1)
                            .configs(Map.of("message.timestamp.type", "CreateTime"))))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    private static List<Long> offsets(WorkerTopics topics, long incarnation, int count) {
        return Objects.requireNonNull(topics.planLog(incarnation)
                .map(Received::offset)
                .take(count)
                .collectList()
                .block(PATIENCE));
    }

    private static void write(TopicWriter writer, PlanCommand command, long timestampMillis) {
        writer.write(Output.at(Topic.PLAN, command.header().deployment(), command, timestampMillis))
                .block(PATIENCE);
    }

    private static PlanCommand term(Deployment deployment, long incarnation, long term) {
        return new PlanCommand.Term(new PlanHeader(deployment, incarnation, term, term), "somebody");
    }
}
