package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.Plimsoll;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class DevicesCommandTest {
    private final StringWriter err = new StringWriter();
    private final StringWriter out = new StringWriter();

    @TempDir
    private Path empty;

    @Test
    void everyBackEndIsListedAndOneThatIsNotHereSaysWhyAndWhereItLooked() {
        assertThat(run("--library-dir", empty.toString())).as(err.toString()).isZero();
        assertThat(out.toString().lines().filter(line -> !line.startsWith(" ")))
                .satisfiesExactly(
                        host -> assertThat(host).isEqualTo("host     available"),
                        ascend -> assertThat(ascend)
                                .startsWith("ascend   not available: ")
                                .contains("libascendcl.so")
                                .contains(empty.toString()),
                        cuda -> assertThat(cuda)
                                .startsWith("cuda     not available: ")
                                .contains("libcudart.so")
                                .contains(empty.toString()));
        assertThat(out.toString()).contains("priority  streams of Plimsoll ask for 5");
    }

    @Test
    void jsonSaysTheSame() throws Exception {
        assertThat(run("--library-dir", empty.toString(), "--output", "json")).isZero();

        JsonNode backends = new ObjectMapper().readTree(out.toString()).path("backends");
        assertThat(backends.findValuesAsText("backend")).containsExactly("host", "ascend", "cuda");
        assertThat(backends.findValuesAsText("available")).containsExactly("true", "false", "false");
        assertThat(backends.path(0).path("priority").path("honoured").isBoolean())
                .isTrue();
        assertThat(backends.path(1).path("reason").asText()).contains(empty.toString());
        assertThat(backends.path(1).path("priority").isNull()).isTrue();
    }

    @Test
    void aDirectoryThatIsNotThereIsRefused() {
        assertThat(run("--library-dir", "/no/such/directory")).isEqualTo(2);
        assertThat(err.toString()).contains("--library-dir /no/such/directory is not a directory");
    }

    private int run(String... options) {
        String[] arguments = new String[options.length + 1];
        arguments[0] = "devices";
        System.arraycopy(options, 0, arguments, 1, options.length);
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        line.setOut(new PrintWriter(out, true));
        return line.execute(arguments);
    }
}
