package dev.plimsoll.bench.load;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import reactor.core.Disposable;

/**
 * Plays the collectors of a large deployment against a broker and an aggregator in JVMs of their own, on loopback, and tells what
 * the aggregator costs, whether its heap stays flat, how far it is behind, and whether every window is complete and exact.
 *
 * <p>What is played is what stands in the topic: one writer per node, each with the samples of its own ranks. Run it with
 * {@code java -Xmx2g -cp "bench/target/plimsoll-bench.jar:bench/target/lib/*" dev.plimsoll.bench.load.StreamLoad --for 5m}.
 */
@Command(
        name = "StreamLoad",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        showDefaultValues = true,
        description = "Play the collectors of a large deployment against a real broker and a real aggregator.")
public final class StreamLoad implements Callable<Integer> {
    private static final Duration EVERY = Duration.ofSeconds(10);
    private static final Duration DELIVERY = Duration.ofSeconds(10);
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration DRAIN = Duration.ofSeconds(30);
    private static final int IN_FLIGHT = 32;

    @Option(names = "--ranks", defaultValue = "1000")
    private int ranks;

    @Option(names = "--nodes", defaultValue = "16")
    private int nodes;

    @Option(names = "--layers", defaultValue = "94")
    private int layers;

    @Option(names = "--slots", defaultValue = "8", description = "Slots per rank.")
    private int slots;

    @Option(names = "--boundary", defaultValue = "10", description = "Steps per sample.")
    private int boundary;

    @Option(names = "--boundaries", defaultValue = "64", description = "Samples per window and node.")
    private int boundaries;

    @Option(names = "--steps-per-second", defaultValue = "50")
    private double stepsPerSecond;

    @Option(names = "--for", defaultValue = "60", description = "Seconds.")
    private long seconds;

    @Option(names = "--heap", defaultValue = "1g", description = "Most heap of the aggregator.")
    private String heap = "1g";

    private final AtomicLong written = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new StreamLoad()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        LoadShape shape = new LoadShape(ranks, nodes, layers, slots, boundary, boundaries, stepsPerSecond);
        Path directory = Files.createTempDirectory("plimsoll-load-");
        int brokerPort = freePort();
        int metricsPort = freePort();
        KafkaSettings settings = new KafkaSettings("127.0.0.1:" + brokerPort, Map.of());
        try (Child broker = new Child(
                        "broker",
                        "1g",
                        directory.resolve("broker.log"),
                        "broker",
                        "--port",
                        Integer.toString(brokerPort),
                        "--data",
                        directory.resolve("data").toString());
                Child aggregator = aggregator(settings, directory, metricsPort)) {
            Membership members = shape.members(new Deployment("load/decode-0"), System.currentTimeMillis());
            TopicWriter.writeTogether(
                    settings,
                    "load-members",
                    List.of(
                            Output.of(Topic.SAMPLES, members.deployment(), members),
                            Output.of(Topic.MEMBERS, members.deployment(), members)),
                    DELIVERY.multipliedBy(3));
            if (!broker.alive() || !aggregator.alive()) {
                throw new IllegalStateException("broker or aggregator did not start: see " + directory);
            }
            return play(shape, members, settings, aggregator, metricsPort);
        } finally {
            System.out.println("logs in " + directory + " (remove it when you have read them)");
            removeData(directory.resolve("data"));
        }
    }

    private Child aggregator(KafkaSettings settings, Path directory, int metricsPort) throws IOException {
        createTopics(settings);
        return new Child(
                "aggregator",
                heap,
                directory.resolve("aggregator.log"),
                "aggregator",
                "--bootstrap-servers",
                settings.bootstrapServers(),
                "--metrics-port",
                Integer.toString(metricsPort));
    }

    private static void createTopics(KafkaSettings settings) {
        long deadline = System.nanoTime() + START.toNanos();
        while (true) {
            try (TopicAdmin admin = new TopicAdmin(settings, Duration.ofSeconds(5))) {
                admin.create(4, 1);
                return;
            } catch (RuntimeException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
            }
        }
    }

    private int play(LoadShape shape, Membership members, KafkaSettings settings, Child aggregator, int metricsPort) {
        WindowCheck check = new WindowCheck();
        List<NodeSamples> samples = IntStream.range(0, nodes)
                .mapToObj(node -> new NodeSamples(shape, members, node, 7))
                .toList();
        List<TopicWriter> writers = IntStream.range(0, nodes)
                .mapToObj(node -> new TopicWriter(settings, "load-node-" + node, IN_FLIGHT, DELIVERY))
                .toList();
        Disposable reading = TopicReader.records(
                        settings,
                        Topic.WINDOWS,
                        new TopicReader.Start.Beginning(),
                        unreadable -> lost.incrementAndGet())
                .subscribe(record -> check.read(record.value()), e -> System.err.println("reading windows: " + e));
        Disposable summaries = TopicReader.records(
                        settings,
                        Topic.WINDOW_SUMMARIES,
                        new TopicReader.Start.Beginning(),
                        unreadable -> lost.incrementAndGet())
                .subscribe(
                        record -> check.read(record.value(), System.nanoTime()),
                        e -> System.err.println("reading summaries: " + e));
        try {
            return step(shape, samples, writers, check, aggregator, metricsPort);
        } finally {
            writers.forEach(TopicWriter::close);
            reading.dispose();
            summaries.dispose();
        }
    }

    private int step(
            LoadShape shape,
            List<NodeSamples> samples,
            List<TopicWriter> writers,
            WindowCheck check,
            Child aggregator,
            int metricsPort) {
        System.out.printf(
                Locale.ROOT,
                "%d ranks on %d nodes, %d layers × %d slots, a sample per %d steps at %.0f steps/s, windows of %d steps, %d s%n",
                ranks,
                nodes,
                layers,
                slots,
                boundary,
                stepsPerSecond,
                boundary * boundaries,
                seconds);
        System.out.println(
                "   time   behind  samples  lost  windows   p50 ms   max ms   cpu cores   live MiB   resident MiB");
        long began = System.nanoTime();
        long end = began + TimeUnit.SECONDS.toNanos(seconds);
        double cpuAtStart = aggregator.cpuSeconds();
        double cpuBefore = cpuAtStart;
        long nextLine = began + EVERY.toNanos();
        long step = 0;
        double longestBehindMillis = 0;
        for (; began + step * shape.nanosPerBoundary() < end; step++) {
            long due = began + step * shape.nanosPerBoundary();
            for (long now = System.nanoTime(); now < due; now = System.nanoTime()) {
                LockSupport.parkNanos(due - now);
            }
            longestBehindMillis = Math.max(longestBehindMillis, (System.nanoTime() - due) / 1e6);
            long window = step / shape.boundariesPerWindow();
            for (int node = 0; node < samples.size(); node++) {
                send(writers.get(node), samples.get(node).at(step), window, check);
            }
            long now = System.nanoTime();
            if (now >= nextLine) {
                double cpu = aggregator.cpuSeconds();
                line(
                        now - began,
                        longestBehindMillis,
                        check,
                        (cpu - cpuBefore) / EVERY.toSeconds(),
                        metricsPort,
                        aggregator);
                cpuBefore = cpu;
                nextLine += EVERY.toNanos();
                longestBehindMillis = 0;
            }
        }
        double took = (System.nanoTime() - began) / 1e9;
        double cpu = aggregator.cpuSeconds() - cpuAtStart;
        long whole = step / shape.boundariesPerWindow();
        long deadline = System.nanoTime() + DRAIN.toNanos();
        while (check.windows() < whole && System.nanoTime() < deadline) {
            LockSupport.parkNanos(10_000_000);
        }
        // The last window's records may come behind its summary, which is in another topic.
        LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(2));
        List<String> faults = new ArrayList<>(check.faults(whole));
        if (lost.get() > 0) {
            faults.add(lost + " samples were not written or windows not read");
        }
        System.out.printf(
                Locale.ROOT,
                "%d samples in %.0f s, %d windows; from a window's last sample to its summary p50 %.0f, p99 %.0f, max %.0f ms; aggregator"
                        + " %.3f cores%n",
                written.get(),
                took,
                whole,
                check.lagMillis(0.5),
                check.lagMillis(0.99),
                check.lagMillis(1),
                cpu / took);
        faults.forEach(fault -> System.out.println("FAULT " + fault));
        return faults.isEmpty() ? 0 : 1;
    }

    private void send(TopicWriter writer, LoadSample sample, long window, WindowCheck check) {
        long load = sample.load().sum();
        writer.write(Output.of(Topic.SAMPLES, sample.deployment(), sample))
                .subscribe(
                        offset -> {
                            written.incrementAndGet();
                            check.sent(window, load, System.nanoTime());
                        },
                        e -> {
                            if (lost.incrementAndGet() == 1) {
                                System.err.println("a sample was not written: " + e);
                            }
                        });
    }

    private void line(
            long nanos, double behindMillis, WindowCheck check, double cores, int metricsPort, Child aggregator) {
        System.out.printf(
                Locale.ROOT,
                "%5d s %5.0f ms %8d %5d %8d %8.0f %8.0f %11.3f %10.0f %14d%n",
                TimeUnit.NANOSECONDS.toSeconds(nanos),
                behindMillis,
                written.get(),
                lost.get(),
                check.windows(),
                check.lagMillis(0.5),
                check.lagMillis(1),
                cores,
                Child.metric(metricsPort, "jvm_gc_live_data_size_bytes") / (1 << 20),
                aggregator.residentMebibytes());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void removeData(Path data) throws IOException {
        if (Files.isDirectory(data)) {
            try (var files = Files.walk(data)) {
                files.sorted(java.util.Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        }
    }
}
