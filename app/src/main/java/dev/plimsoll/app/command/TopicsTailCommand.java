package dev.plimsoll.app.command;

import dev.plimsoll.app.Failures;
import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;

/** Reads them. */
@Command(
        name = "tail",
        mixinStandardHelpOptions = true,
        description = "Print the records of topics as readable lines, or as JSON.")
public final class TopicsTailCommand implements Callable<Integer>, Validated {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    private static final Duration LOOK = Duration.ofMillis(20);
    private static final Logger LOG = LoggerFactory.getLogger(TopicsTailCommand.class);

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Parameters(
            arity = "0..*",
            paramLabel = "TOPIC",
            description = "Topics, such as 'plan' or 'plimsoll.plan.v1' (default: all but samples).")
    private List<String> names = new ArrayList<>();

    @Option(names = "--from-beginning", description = "Start with the oldest record instead of the next.")
    private boolean fromBeginning;

    @Option(names = "--since", paramLabel = "DURATION", description = "Start with records this old, such as 10m.")
    @Nullable
    private Duration since;

    @Option(names = "--deployment", description = "Only records of this deployment (by key).")
    @Nullable
    private String deployment;

    @Option(names = "--max-records", paramLabel = "N", description = "Stop after this many records.")
    @Nullable
    private Long most;

    @Option(names = "--for", paramLabel = "DURATION", description = "Stop after reading for this time.")
    @Nullable
    private Duration duration;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    private final List<Topic<?>> topics = new ArrayList<>();
    private final Set<Topic<?>> connected = ConcurrentHashMap.newKeySet();

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        for (String name : names) {
            Topic.all().stream()
                    .filter(topic ->
                            topic.name().equals(name) || shortName(topic).equals(name))
                    .findFirst()
                    .ifPresentOrElse(
                            topics::add,
                            () -> problems.add("no topic '" + name + "'; there are: "
                                    + String.join(
                                            ", ",
                                            Topic.all().stream()
                                                    .map(TopicsTailCommand::shortName)
                                                    .toList())));
        }
        if (names.isEmpty()) {
            Topic.all().stream().filter(topic -> topic != Topic.SAMPLES).forEach(topics::add);
        }
        problems.require(!(fromBeginning && since != null), "--from-beginning and --since contradict each other");
        problems.require(most == null || most > 0, "--max-records must be above 0");
        if (deployment != null) {
            try {
                new Deployment(deployment);
            } catch (IllegalArgumentException e) {
                problems.add("--deployment: " + e.getMessage());
            }
        }
    }

    private static String shortName(Topic<?> topic) {
        return topic.name().replace("plimsoll.", "").replaceAll("\\.v\\d+$", "");
    }

    @Override
    public Integer call() throws InterruptedException {
        KafkaSettings settings = kafka.settings();
        // Reading waits for a cluster for ever; whoever asks wants to know that there is none.
        try (TopicAdmin admin = new TopicAdmin(settings, TIMEOUT)) {
            List<String> missing = admin.missing();
            topics.stream()
                    .map(topic -> topic.name())
                    .filter(missing::contains)
                    .forEach(name -> System.err.println("plimsoll: " + name + " is not there yet; waiting for it"));
        }
        TopicReader.Start start = fromBeginning
                ? new TopicReader.Start.Beginning()
                : since != null
                        ? new TopicReader.Start.Since(System.currentTimeMillis() - since.toMillis())
                        : new TopicReader.Start.End();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch ended = new CountDownLatch(1);
        Flux<String> lines = Flux.merge(
                topics.stream().map(topic -> lines(settings, topic, start)).toList());
        if (most != null) {
            lines = lines.take(most);
        }
        PrintStream out = System.out;
        try (Lifecycle lifecycle = new Lifecycle()) {
            lifecycle.stopOnSignal();
            Disposable subscription = lines.subscribe(
                    line -> {
                        out.println(line);
                        if (out.checkError()) {
                            lifecycle.requestStop();
                        }
                    },
                    error -> {
                        failure.set(error);
                        ended.countDown();
                        lifecycle.requestStop();
                    },
                    () -> {
                        ended.countDown();
                        lifecycle.requestStop();
                    });
            lifecycle.started("reader", subscription::dispose);
            if (duration != null) {
                awaitConnected(lifecycle);
                lifecycle.await(duration);
            } else {
                lifecycle.await();
            }
        }
        Throwable cause = failure.get();
        if (cause != null) {
            Failures told = Failures.of(cause);
            System.err.println("plimsoll: cannot read on: " + told.line());
            return told.exitCode();
        }
        return 0;
    }

    /** The time that was asked for is one of reading. A topic that is not there is not waited for. */
    private void awaitConnected(Lifecycle lifecycle) throws InterruptedException {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (connected.size() < topics.size() && System.nanoTime() < deadline && !lifecycle.await(LOOK)) {
            LOG.debug("connected to {} of {} topics", connected.size(), topics.size());
        }
    }

    private <T> Flux<String> lines(KafkaSettings settings, Topic<T> topic, TopicReader.Start start) {
        return TopicReader.partitions(settings, topic, start, this::unreadable)
                .doOnNext(partition -> connected.add(topic))
                .flatMap(
                        partition -> partition.batches().concatMapIterable(TopicReader.PartitionBatch::records, 1),
                        Integer.MAX_VALUE,
                        64)
                .filter(received -> matches(topic, received))
                .map(received -> line(topic, received));
    }

    private <T> boolean matches(Topic<T> topic, Received<T> received) {
        if (deployment == null) {
            return true;
        }
        String key = topic.key(received.value());
        return key.equals(deployment) || key.startsWith(deployment + "/");
    }

    private void unreadable(Quarantined record) {
        System.err.println("unreadable: " + record.summary());
    }

    private <T> String line(Topic<T> topic, Received<T> received) {
        if (output == OutputForm.JSON) {
            return "{\"topic\":\"" + topic.name() + "\",\"partition\":" + received.partition() + ",\"offset\":"
                    + received.offset() + ",\"timestamp\":" + received.timestampMillis() + ",\"key\":\""
                    + topic.key(received.value()) + "\",\"value\":" + topic.json(received.value()) + "}";
        }
        return Instant.ofEpochMilli(received.timestampMillis()) + " " + String.format("%-17s", shortName(topic)) + " "
                + topic.line(received.value());
    }
}
