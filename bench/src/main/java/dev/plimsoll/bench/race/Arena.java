package dev.plimsoll.bench.race;

import dev.plimsoll.bench.load.Child;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;

/** A broker in a process of its own with a samples topic that keeps everything. Threads: one at a time. */
final class Arena implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(180);
    private static final Duration CALL = Duration.ofSeconds(20);
    private static final String LARGEST_RECORD = Integer.toString(16 << 20);

    private final Path data;
    private final int partitions;
    private final String bootstrapServers;
    private final Child broker;
    private final Admin admin;

    /** @param directory where its data and its output go */
    Arena(Path directory, int partitions) throws IOException {
        this.data = directory.resolve("broker");
        this.partitions = partitions;
        int port = freePort();
        this.bootstrapServers = "127.0.0.1:" + port;
        this.broker = new Child(
                "broker",
                new ProcessBuilder(Child.command(
                                List.of("-Xmx1g", "-XX:+UseG1GC"),
                                Child.PLIMSOLL,
                                List.of("broker", "--port", Integer.toString(port), "--data", data.toString())))
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("broker.log").toFile()));
        this.admin = Admin.create(Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "default.api.timeout.ms",
                (int) CALL.toMillis(),
                "request.timeout.ms",
                (int) CALL.toMillis()));
        long deadline = System.nanoTime() + START.toNanos();
        while (true) {
            try {
                get(() -> admin.listTopics().names().get());
                break;
            } catch (KafkaException e) {
                if (!broker.alive() || System.nanoTime() > deadline) {
                    close();
                    throw new IOException("the broker did not start: see " + directory.resolve("broker.log"), e);
                }
            }
        }
        renewInput();
        renewOutputs();
    }

    String bootstrapServers() {
        return bootstrapServers;
    }

    KafkaSettings settings() {
        return KafkaSettings.of(bootstrapServers);
    }

    double brokerCpuSeconds() {
        return broker.cpuSeconds();
    }

    /** Begins a new, empty samples topic. */
    void renewInput() {
        delete(Topic.SAMPLES.name()::equals);
        Map<String, String> settings = new HashMap<>(Topic.SAMPLES.settings());
        settings.put("retention.bytes", "-1");
        create(Topic.SAMPLES.name(), settings);
    }

    /** Forgets all that contestants have written, and how far they were. */
    void renewOutputs() {
        delete(name -> !name.equals(Topic.SAMPLES.name()));
        List<String> groups = new ArrayList<>();
        get(() -> admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get())
                .forEach(group -> groups.add(group.groupId()));
        long deadline = System.nanoTime() + START.toNanos();
        while (true) {
            try {
                get(() -> admin.deleteConsumerGroups(groups).all().get());
                break;
            } catch (KafkaException e) {
                // A member that was killed is a member until its session ends.
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
            }
        }
        for (Contestant contestant : List.of(Contestant.PLIMSOLL, Contestant.STREAMS)) {
            create(contestant.windows(), large(Topic.WINDOWS.settings()));
            create(contestant.summaries(), Topic.WINDOW_SUMMARIES.settings());
        }
        try (TopicAdmin ours = new TopicAdmin(settings(), CALL)) {
            ours.create(partitions, 1);
        }
    }

    private static Map<String, String> large(Map<String, String> settings) {
        Map<String, String> large = new HashMap<>(settings);
        large.put("retention.bytes", "-1");
        large.put("max.message.bytes", LARGEST_RECORD);
        return large;
    }

    private void create(String name, Map<String, String> settings) {
        get(() -> admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(settings)))
                .all()
                .get());
    }

    private void delete(Predicate<String> which) {
        List<String> names = get(() -> admin.listTopics().names().get()).stream()
                .filter(which)
                .toList();
        get(() -> admin.deleteTopics(names).all().get());
    }

    /** Bytes on disk of the topics whose names are accepted. */
    long bytes(Predicate<String> which) {
        return get(() -> admin.describeLogDirs(List.of(1)).allDescriptions().get()).values().stream()
                .flatMap(directories -> directories.values().stream())
                .flatMap(directory -> directory.replicaInfos().entrySet().stream())
                .filter(replica -> which.test(replica.getKey().topic()))
                .mapToLong(replica -> replica.getValue().size())
                .sum();
    }

    private interface Call<T> {
        T make() throws ExecutionException, InterruptedException;
    }

    private static <T> T get(Call<T> call) {
        try {
            return call.make();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException kafka ? kafka : new KafkaException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException(e);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
        broker.close();
        remove(data);
    }

    static void remove(Path directory) {
        if (Files.isDirectory(directory)) {
            try (var files = Files.walk(directory)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            } catch (IOException e) {
                System.err.println("left behind: " + directory + " (" + e + ")");
            }
        }
    }
}
