package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.MemberProcess.Death;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Members in processes of their own that die in the midst of a commit, or stand still until they have been given up. */
final class ProcessDeathTest {
    private static final int PARTITIONS = 1;

    @TempDir
    static Path directory;

    private static TestBroker broker;

    @BeforeAll
    static void start() throws Exception {
        // The newer protocol's members have the broker's session, 45 s by default.
        broker = new TestBroker(
                directory,
                Map.of(
                        "group.consumer.min.session.timeout.ms", "3000",
                        "group.consumer.session.timeout.ms", "3000",
                        "group.min.session.timeout.ms", "3000"));
        try (TopicAdmin admin = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
            admin.create(PARTITIONS, 1);
            Chain.await(() -> admin.missing().isEmpty());
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @ParameterizedTest
    @EnumSource(value = Death.class, names = "NEVER", mode = EnumSource.Mode.EXCLUDE)
    void aKillInsideACommitLosesNothingAndWritesNothingTwice(Death death) throws Exception {
        String role = death.name().toLowerCase(Locale.ROOT);
        Deployment deployment = Chain.deploymentOf(role, 0, PARTITIONS);
        // Static membership: the successor need not wait for the session of the dead.
        KafkaSettings settings =
                new KafkaSettings(broker.client().bootstrapServers(), Map.of("group.instance.id", "one"));
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                MemberProcess dying = new MemberProcess(settings, role, death)) {
            int written = 0;
            while (dying.alive()) {
                written++;
                Chain.write(broker.client(), deployment, written, 1);
                int expected = written;
                Chain.await(() -> Chain.permits(plan, deployment).size() >= expected || !dying.alive());
            }
            assertThat(written).as("it has died in its third commit").isGreaterThanOrEqualTo(3);
            int seen = Chain.permits(plan, deployment).size();
            assertThat(seen).isLessThanOrEqualTo(written);

            // when
            try (PartitionLoop<SampleRecord> successor = loop(settings, role)) {
                successor.start();
                Chain.write(broker.client(), deployment, written + 1, 1);
                int all = written + 1;
                Chain.await(() -> Chain.permits(plan, deployment).size() >= all);
            }
            Chain.assertChain(broker.client(), deployment, written + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aProcessThatStandsStillAndComesBackIsAZombieThatHarmsNobody(String protocol) throws Exception {
        String role = "stopped-" + protocol;
        Deployment deployment = Chain.deploymentOf(role, 0, PARTITIONS);
        KafkaSettings settings = new KafkaSettings(
                broker.client().bootstrapServers(),
                protocol.equals("classic")
                        ? Map.of("session.timeout.ms", "3000", "heartbeat.interval.ms", "500")
                        : Map.of("group.protocol", protocol));
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                MemberProcess zombie = new MemberProcess(settings, role, Death.NEVER);
                PartitionLoop<SampleRecord> successor = loop(settings, role)) {
            // given: records on their way into a member when it stands still
            Chain.write(broker.client(), deployment, 1, 5);
            Chain.await(() -> Chain.permits(plan, deployment).size() == 5);
            Thread writing = new Thread(() -> Chain.write(broker.client(), deployment, 6, 200));
            writing.start();
            Chain.await(() -> Chain.permits(plan, deployment).size() > 5);
            zombie.suspend();

            // when another has taken over, and it comes back
            successor.start();
            writing.join();
            Chain.await(() -> Chain.permits(plan, deployment).size() >= 205);
            zombie.goOn();
            Chain.write(broker.client(), deployment, 206, 20);

            // then each record was worked on once
            Chain.await(() -> Chain.permits(plan, deployment).size() >= 225);
            assertThat(zombie.alive()).isTrue();
        }
        Chain.assertChain(broker.client(), deployment, 225);
    }

    private static PartitionLoop<SampleRecord> loop(KafkaSettings settings, String role) {
        return new PartitionLoop<>(
                settings, role, Topic.SAMPLES, partition -> new ChainTask(() -> {}), PartitionLoop.Listener.NONE);
    }
}
