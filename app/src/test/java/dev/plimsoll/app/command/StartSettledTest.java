package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks that stop and start again, and what they start with. */
@Timeout(180)
class StartSettledTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Deployment DEPLOYMENT = new Deployment("again/decode-0");

    @TempDir
    Path directory;

    @Test
    void ranksStartWithWhatTheirLastLifeHadSettled() throws Exception {
        Path rings = directory.resolve("rings");
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0)) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
                admin.create(4, 1);
            }
            // given a first life, which nothing came before
            assertThat(ranks(broker, rings, "1")).isZero();
            Membership first = members(rings);
            assertThat(first.start()).isEqualTo(Placement.initial(first.shape(), first.topology()));

            // that has settled on something else
            Placement settled = first.start()
                    .with(9, List.of(new Move(new LayerId(2), new SlotId(8), new ExpertId(5), new SlotId(5))));
            keep(kafka, first, settled);

            // when its ranks start again, each token is computed by the expert that it is routed to
            assertThat(ranks(broker, rings, "2")).isZero();

            // then they start there, as version 0 of their incarnation
            assertThat(members(rings).incarnation()).isEqualTo(2);
            assertThat(members(rings).start()).isEqualTo(settled.withVersion(0));

            // and ranks of another shape are refused
            assertThat(run(broker, rings, "3", "--redundant", "8")).isNotZero();
        }
    }

    private static int ranks(EmbeddedBroker broker, Path rings, String incarnation) {
        return run(broker, rings, incarnation, "--redundant", "4");
    }

    private static int run(EmbeddedBroker broker, Path rings, String incarnation, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "ranks",
                "--model",
                "mixtral-8x7b",
                "--ranks",
                "4",
                "--nodes",
                "2",
                "--tokens-per-step",
                "16",
                "--deployment",
                DEPLOYMENT.id(),
                "--incarnation",
                incarnation,
                "--ring-dir",
                rings.toString(),
                "--start",
                "settled",
                "--bootstrap-servers",
                broker.bootstrapServers(),
                "--for",
                "1s"));
        arguments.addAll(List.of(more));
        return Plimsoll.run(arguments.toArray(String[]::new));
    }

    private static Membership members(Path rings) {
        return new MembershipFile(rings).read().orElseThrow();
    }

    private static void keep(KafkaSettings kafka, Membership members, Placement settled) {
        List<Output<?>> outputs = new ArrayList<>();
        outputs.add(Output.of(Topic.MEMBERS, DEPLOYMENT, members));
        for (int layer = 0; layer < settled.layers(); layer++) {
            outputs.add(Output.of(
                    Topic.PLACEMENTS,
                    DEPLOYMENT,
                    SettledPlacement.of(DEPLOYMENT, members.incarnation(), settled, layer, settled.hash())));
        }
        TopicWriter.writeTogether(kafka, "test", outputs, SOON);
    }
}
