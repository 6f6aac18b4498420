package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.simulator.Meeting;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MeetingOptionsTest {
    @TempDir
    Path directory = Path.of("set by JUnit");

    private final StringWriter err = new StringWriter();

    @Test
    void processesThatCannotMeetAreRefusedBeforeAnythingStarts() throws Exception {
        Path secret = Files.writeString(directory.resolve("secret"), "sixteen bytes and more");
        Path shorter = Files.writeString(directory.resolve("shorter"), "short");

        assertThat(refused("--meet", "here:7600", "--secret-file", secret.toString()))
                .contains("--meet here:7600 with --process 0/1: there is nobody to meet");
        assertThat(refused("--process", "0/2", "--incarnation", "1", "--meet", "here:7600"))
                .contains("--meet here:7600 needs --secret-file");
        assertThat(refused(
                        "--process",
                        "0/2",
                        "--incarnation",
                        "1",
                        "--meet",
                        "here",
                        "--secret-file",
                        shorter.toString()))
                .contains("'here' is not HOST:PORT")
                .contains("has 5 bytes: it has to have 16 to 4096");
        assertThat(refused(
                        "--process",
                        "0/2",
                        "--incarnation",
                        "1",
                        "--meet",
                        "here:65535",
                        "--secret-file",
                        secret.toString()))
                .contains("here:65535 is no address with room for two ports");
        assertThat(refused(
                        "--process",
                        "0/4",
                        "--incarnation",
                        "1",
                        "--meet",
                        "here:7600",
                        "--secret-file",
                        secret.toString()))
                .contains("it holds whole nodes: --nodes 2 do not divide over the 4 processes");
        assertThat(refused("--secret-file", secret.toString())).contains("--secret-file is for processes that --meet");
    }

    @Test
    void theEngineMeetsAtThePortAndItsRanksAtTheNext() {
        Meeting.ByAddress names = new Meeting.ByAddress("here", 7600, directory);
        assertThat(names.engine()).isEqualTo("here:7600");
        assertThat(names.ranks()).isEqualTo("here:7601");
        assertThat(new Meeting.ByAddress("fd00::1", 7600, directory).ranks()).isEqualTo("[fd00::1]:7601");
        assertThatThrownBy(() -> new Meeting.ByAddress("", 7600, directory))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private String refused(String... options) {
        err.getBuffer().setLength(0);
        List<String> all = new ArrayList<>(List.of("ranks", "--ring-dir", directory.toString(), "--ranks", "8"));
        all.addAll(List.of(options));
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        assertThat(line.execute(all.toArray(String[]::new))).isEqualTo(CommandLine.ExitCode.USAGE);
        return err.toString();
    }
}
