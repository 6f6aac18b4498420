package dev.plimsoll.app.chaos;

import dev.plimsoll.app.broker.FreePorts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The ranks of one deployment, in processes that know of each other by address only, as on so many machines. They live and die together:
 * when one process is gone the others end, and all begin the next incarnation.
 *
 * <p>Each rank checks every token against the weights of the slot that computes it, and says so at once where they are another expert's.
 */
final class RankProcesses implements AutoCloseable {
    static final String DEPLOYMENT = "chaos/decode-0";
    static final int RANKS = 16;
    static final int PROCESSES = 4;
    static final int BOUNDARY_STEPS = 8;
    /** Short, as the next decision waits for a window or two. */
    static final int WINDOW_STEPS = 16;

    private static final int STEPS_PER_SECOND = 100;
    private static final int MEGABYTES = 192;
    private static final int SECRET_BYTES = 32;
    /** Longer than a step, or a gather, waits for those that are gone. */
    private static final Duration OTHERS_END = Duration.ofSeconds(25);

    private static final Duration STOPPING = Duration.ofSeconds(10);
    private static final Duration CLOSING = Duration.ofSeconds(3);
    private static final Pattern MISROUTED = Pattern.compile("\"misrouted\":(\\d+)");

    private final List<Member> members;
    private long incarnation;
    private int lives;
    private int port;

    /** @param machines a directory each */
    RankProcesses(Path logs, List<Path> machines, Path secret, FaultLibrary faults) {
        members = IntStream.range(0, PROCESSES)
                .mapToObj(process -> new Member(
                        "ranks-" + process,
                        MEGABYTES,
                        logs,
                        () -> new Member.Life(
                                arguments(process, machines.get(process), secret), faults.connections(port, port + 1))))
                .toList();
    }

    private List<String> arguments(int process, Path machine, Path secret) {
        return List.of(
                "ranks",
                "--deployment",
                DEPLOYMENT,
                "--model",
                "qwen3-30b",
                "--layers",
                "12", // of 9 slots, of which staging holds 64: two batches
                "--ranks",
                Integer.toString(RANKS),
                "--nodes",
                Integer.toString(PROCESSES),
                "--process",
                process + "/" + PROCESSES,
                "--meet",
                "127.0.0.1:" + port,
                "--secret-file",
                secret.toString(),
                "--incarnation",
                Long.toString(incarnation),
                "--ring-dir",
                machine.toString(),
                "--steps-per-second",
                Integer.toString(STEPS_PER_SECOND),
                "--tokens-per-step",
                "32",
                "--boundary",
                Integer.toString(BOUNDARY_STEPS),
                "--window",
                Integer.toString(WINDOW_STEPS),
                "--transfer-bytes-per-second",
                "1MiB"); // so that a batch is on its way for some boundaries
    }

    static Path secret(Path directory) {
        byte[] bytes = new byte[SECRET_BYTES];
        new java.security.SecureRandom().nextBytes(bytes);
        try {
            return Files.write(directory.resolve("secret"), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write a secret into " + directory, e);
        }
    }

    /** Begins the next incarnation; all processes must have ended. */
    void begin() {
        incarnation = Math.max(incarnation + 1, System.currentTimeMillis());
        port = FreePorts.pair();
        lives++;
        members.forEach(Member::start);
    }

    /** Waits for those whom others have left alone, and stops who has not noticed. */
    void end() {
        List<Thread> waiting = new ArrayList<>();
        for (Member member : members) {
            Thread thread = new Thread(
                    () -> {
                        if (!member.awaitEnd(OTHERS_END)) {
                            member.stop(STOPPING);
                        }
                    },
                    "plimsoll-chaos-end");
            thread.setDaemon(true);
            thread.start();
            waiting.add(thread);
        }
        try {
            for (Thread thread : waiting) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        members.forEach(Member::kill); // which marks them as down; none runs any more
    }

    /** Ends all in order, side by side. */
    void stop() {
        members.forEach(Member::askToStop);
        members.forEach(member -> member.stop(STOPPING));
    }

    List<Member> members() {
        return members;
    }

    long incarnation() {
        return incarnation;
    }

    int lives() {
        return lives;
    }

    /** Whether a process has ended that nobody here has killed. */
    boolean endedByThemselves() {
        return members.stream().anyMatch(member -> member.endedByItself().isPresent());
    }

    /** Tokens that met the weights of another expert: what processes that ended in order have counted, or all have told one by one. */
    long misrouted() {
        return members.stream().mapToLong(RankProcesses::misrouted).sum();
    }

    private static long misrouted(Member member) {
        long counted = member.printed()
                .map(MISROUTED::matcher)
                .filter(Matcher::find)
                .mapToLong(found -> Long.parseLong(found.group(1)))
                .sum();
        return Math.max(counted, member.lines("misrouted token"));
    }

    /** Within three seconds, as a whole run has ten to stop in. */
    @Override
    public void close() {
        members.forEach(Member::askToStop);
        long deadline = System.nanoTime() + CLOSING.toNanos();
        for (Member member : members) {
            member.stop(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        }
    }
}
