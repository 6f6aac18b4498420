package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.kafka.clients.producer.Producer;

/** A member in a JVM of its own, which can be killed and stopped as processes are. */
final class MemberProcess implements AutoCloseable {
    /** Where it kills itself, as {@code kill -9} would: nothing is flushed, closed or told. */
    enum Death {
        NEVER,
        /** All records are sent, and the commit is not asked for. */
        BETWEEN_SEND_AND_COMMIT,
        /** The commit is asked for, and nobody waits for the answer. */
        WHILE_COMMITTING,
        /** The commit is done, and the loop has not heard of it. */
        BETWEEN_COMMIT_AND_ANSWER
    }

    /** In which of its commits it dies. */
    private static final int LAST_COMMIT = 3;

    private static final int KILLED = 137;

    private final Process process;

    MemberProcess(KafkaSettings settings, String role, Death death) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                MemberProcess.class.getName(),
                settings.bootstrapServers(),
                role,
                death.name()));
        settings.properties().forEach((key, value) -> command.add(key + "=" + value));
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Works until it is killed. */
    public static void main(String[] args) throws InterruptedException {
        Death death = Death.valueOf(args[2]);
        Map<String, String> properties = new HashMap<>();
        for (String property : List.of(args).subList(3, args.length)) {
            properties.put(property.substring(0, property.indexOf('=')), property.substring(property.indexOf('=') + 1));
        }
        PartitionLoop<SampleRecord> loop = new PartitionLoop<>(
                new KafkaSettings(args[0], properties),
                args[1],
                Topic.SAMPLES,
                partition -> new ChainTask(() -> {}),
                PartitionLoop.Listener.NONE,
                Pace.USUAL,
                dying(death));
        loop.start();
        Thread.currentThread().join();
    }

    private static Function<Map<String, Object>, Producer<byte[], byte[]>> dying(Death death) {
        AtomicInteger commits = new AtomicInteger();
        return settings -> new HookedProducer(settings) {
            @Override
            void beforeCommit(String id) {
                if (commits.incrementAndGet() < LAST_COMMIT) {
                    return;
                }
                if (death == Death.BETWEEN_SEND_AND_COMMIT) {
                    Runtime.getRuntime().halt(KILLED);
                } else if (death == Death.WHILE_COMMITTING) {
                    // The request goes out on another thread; how far it comes is left to chance.
                    Thread committing = new Thread(this::commitWithoutHooks);
                    committing.setDaemon(true);
                    committing.start();
                    while (committing.getState() != Thread.State.WAITING
                            && committing.getState() != Thread.State.TIMED_WAITING
                            && committing.isAlive()) {
                        Thread.onSpinWait();
                    }
                    Runtime.getRuntime().halt(KILLED);
                }
            }

            @Override
            void afterCommit(String id) {
                if (death == Death.BETWEEN_COMMIT_AND_ANSWER && commits.get() >= LAST_COMMIT) {
                    Runtime.getRuntime().halt(KILLED);
                }
            }
        };
    }

    boolean alive() {
        return process.isAlive();
    }

    /** Stops it as a debugger, a hypervisor or a full swap does: it does not notice. */
    void suspend() throws IOException, InterruptedException {
        signal("STOP");
    }

    void goOn() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        if (!kill.waitFor(10, TimeUnit.SECONDS) || kill.exitValue() != 0) {
            throw new IOException(
                    "kill -" + name + ": " + new String(kill.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(Duration.ofSeconds(10).toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("process " + process.pid() + " does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
