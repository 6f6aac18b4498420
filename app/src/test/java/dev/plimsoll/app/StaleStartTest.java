package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A deployment whose incarnation was burnt by one start with too high a number. */
class StaleStartTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void upRefusesToStartBelowTheIncarnationThatTheTopicsKnow() throws Exception {
        long burnt = System.currentTimeMillis() + Duration.ofHours(20).toMillis();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0)) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
                admin.create(4, 1);
            }
            Deployment deployment = new Deployment("demo/decode-0");
            TopicWriter.writeTogether(
                    kafka, "test", List.of(Output.of(Topic.MEMBERS, deployment, members(deployment, burnt))), SOON);

            try (RoleProcess up = RoleProcess.start(
                    directory, "up", "--bootstrap-servers", broker.bootstrapServers(), "--for", "60s")) {
                assertThat(up.exitCode(SOON)).isEqualTo(2);
                assertThat(up.out())
                        .contains("of demo/decode-0 is lower than " + burnt + ", which is in plimsoll.members.v1")
                        .contains("Start with " + (burnt + 1) + " or higher")
                        .contains("--deployment");
            }
        }
    }

    private static Membership members(Deployment deployment, long incarnation) {
        return new Membership(
                deployment,
                incarnation,
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
