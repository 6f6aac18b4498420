package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.EmbeddedBroker;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(90)
class TopicsCommandTest {
    @TempDir
    Path directory;

    @Test
    void topicsThatAreThereDecideThePartitionsOfLaterOnes() {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            String kafka = broker.bootstrapServers();
            assertThat(Plimsoll.run("topics", "create", "--bootstrap-servers", kafka, "--partitions", "3"))
                    .isZero();
            Awaitility.await().until(() -> Plimsoll.run("topics", "list", "--bootstrap-servers", kafka) == 0);

            assertThat(Plimsoll.run("topics", "create", "--bootstrap-servers", kafka, "--partitions", "4"))
                    .as("a contradiction")
                    .isEqualTo(2);
            assertThat(Plimsoll.run("topics", "create", "--bootstrap-servers", kafka))
                    .as("without the option")
                    .isZero();
        }
    }

    @Test
    void aClusterThatIsAwayHasAnExitCodeOfItsOwn() {
        for (String command : new String[] {"list", "tail"}) {
            assertThat(Plimsoll.run("topics", command, "--bootstrap-servers", "127.0.0.1:1"))
                    .as(command)
                    .isEqualTo(Plimsoll.UNREACHABLE);
        }
        assertThat(Plimsoll.run("topics", "create", "--bootstrap-servers", "no-such-host.invalid:1"))
                .as("a name that nobody knows")
                .isEqualTo(Plimsoll.UNREACHABLE);
    }
}
