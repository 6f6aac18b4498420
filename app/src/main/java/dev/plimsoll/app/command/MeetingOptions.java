package dev.plimsoll.app.command;

import dev.plimsoll.simulator.Meeting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the processes of a deployment meet that are on different machines. */
public final class MeetingOptions {
    private static final Pattern ADDRESS = Pattern.compile("(?:\\[([0-9a-fA-F:.]+)]|([^:\\[\\]]+)):(\\d{1,5})");
    private static final int LEAST_SECRET_BYTES = 16;
    private static final int MOST_SECRET_BYTES = 4096;

    @Option(
            names = "--meet",
            paramLabel = "HOST:PORT",
            description =
                    "The processes are on different machines, each with a --ring-dir of its own: process 0 listens at PORT,"
                            + " for the engine's lock step, and at PORT+1, for gathers and weights between nodes. The same in all"
                            + " processes; needs --secret-file.")
    @Nullable
    private String meet;

    @Option(
            names = "--secret-file",
            paramLabel = "FILE",
            description =
                    "File of 16 to 4096 bytes, the same in all processes, by which they know each other at --meet. What"
                            + " passes is authenticated, not encrypted.")
    @Nullable
    private Path secretFile;

    void check(Problems problems, String process, int blocks, int nodes) {
        if (meet == null) {
            problems.require(secretFile == null, "--secret-file is for processes that --meet");
            return;
        }
        problems.require(
                blocks > 1,
                "--meet " + meet + " with --process " + process + ": there is nobody to meet; use I/N with N > 1");
        problems.require(
                blocks < 1 || nodes % blocks == 0,
                "--meet " + meet + ": each process is a machine, so it holds whole nodes: --nodes " + nodes
                        + " do not divide over the " + blocks + " processes of --process " + process);
        try {
            at(Path.of(""));
        } catch (IllegalArgumentException e) {
            problems.add("--meet: ", e);
        }
        if (secretFile == null) {
            problems.add("--meet " + meet + " needs --secret-file, the same in all processes");
            return;
        }
        try {
            long bytes = Files.size(secretFile);
            problems.require(
                    bytes >= LEAST_SECRET_BYTES && bytes <= MOST_SECRET_BYTES,
                    "--secret-file " + secretFile + " has " + bytes
                            + " bytes: it has to have 16 to 4096, such as from head -c 32" + " /dev/urandom");
        } catch (IOException e) {
            problems.add("--secret-file " + secretFile + " cannot be read: " + e.getMessage());
        }
    }

    /** Elsewhere, where that was asked for, else in a file of the processes' common directory. */
    Meeting at(Path segment) {
        if (meet == null) {
            return new Meeting.OnOneMachine(segment);
        }
        Matcher matcher = ADDRESS.matcher(meet);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'" + meet + "' is not HOST:PORT, such as 10.0.0.1:7600 or [fd00::1]:7600");
        }
        String host = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
        return new Meeting.ByAddress(
                host, Integer.parseInt(matcher.group(3)), secretFile == null ? Path.of("") : secretFile);
    }
}
