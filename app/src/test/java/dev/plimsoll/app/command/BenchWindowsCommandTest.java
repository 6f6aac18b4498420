package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.plimsoll.app.Plimsoll;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The race itself is tested in bench, where Kafka Streams is. */
class BenchWindowsCommandTest {
    private final StringWriter err = new StringWriter();

    @Test
    void withoutKafkaStreamsItSaysWhereToRunIt() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).contains("run './plimsoll bench windows' in a source tree");
    }

    @Test
    void kafkaStreamsIsNotShipped() {
        assertThatExceptionOfType(ClassNotFoundException.class)
                .isThrownBy(() -> Class.forName("org.apache.kafka.streams.KafkaStreams"));
    }

    @Test
    void allThatIsWrongIsReportedAtOnce() {
        assertThat(run(
                        "--ranks",
                        "64,1000",
                        "--nodes",
                        "2",
                        "--partitions",
                        "0",
                        "--boundaries",
                        "65",
                        "--late",
                        "21",
                        "--mebibytes",
                        "0",
                        "--contestants",
                        "streams"))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains("--nodes must have a number for each of --ranks: 1 for 2")
                .contains("--partitions must be 1 to 64, not 0")
                .contains("--boundaries must be 1 to 64, not 65")
                .contains("--late must be 0 to 20, not 21.0")
                .contains("--mebibytes must be at least 1, not 0")
                .contains("--contestants must name plimsoll");
    }

    @Test
    void samplesThatCollectorsWouldCutAreRefused() {
        assertThat(run("--ranks", "1000", "--nodes", "4")).isEqualTo(2);
        assertThat(err.toString()).contains("--ranks 1000 on 4 nodes make samples of 522000 bytes, more than 262144");
    }

    private int run(String... options) {
        String[] arguments = new String[options.length + 2];
        arguments[0] = "bench";
        arguments[1] = "windows";
        System.arraycopy(options, 0, arguments, 2, options.length);
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }
}
