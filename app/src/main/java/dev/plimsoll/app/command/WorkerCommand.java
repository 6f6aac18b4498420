package dev.plimsoll.app.command;

import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.worker.NodeWorker;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Decisions to ranks, acks to Kafka. */
@Command(
        name = "worker",
        mixinStandardHelpOptions = true,
        description = "Hand decisions to this node's ranks and publish their acks.")
public final class WorkerCommand implements Callable<Integer>, Validated {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration BETWEEN_WORDS = Duration.ofMinutes(5);

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Mixin
    private SharedOptions shared = new SharedOptions();

    @Mixin
    private MetricsOptions metrics = new MetricsOptions();

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        shared.check(problems);
        metrics.check(problems);
    }

    @Override
    public Integer call() throws Exception {
        try (RoleRun run = new RoleRun()) {
            KafkaSettings settings = run.kafka("worker", kafka.settings());
            ClusterCheck cluster = new ClusterCheck(settings, System.err::println);
            AtomicReference<@Nullable NodeWorker> serving = new AtomicReference<>();
            run.serve(
                    metrics,
                    Map.of(
                            "worker",
                            run.meters()::membersPublished,
                            "worker-flow",
                            () -> serving.get() == null || serving.get().healthy(),
                            "worker-delivery",
                            () -> serving.get() == null
                                    || serving.get().failingSince().isEmpty(),
                            "kafka",
                            () -> run.near(cluster)));
            System.err.println(
                    "worker runs against " + kafka.settings().bootstrapServers() + " on " + shared.directory());
            MembershipFile file = new MembershipFile(shared.directory());
            Optional<Membership> members = file.read();
            long nextWord = System.nanoTime();
            while (members.isEmpty()) {
                if (System.nanoTime() - nextWord >= 0) {
                    nextWord = System.nanoTime() + BETWEEN_WORDS.toNanos();
                    System.err.println("worker: no deployment in " + shared.directory() + " yet: it waits for "
                            + file.path() + "; is --ring-dir right?");
                }
                if (run.lifecycle().await(POLL)) {
                    return 0;
                }
                members = file.read();
            }
            NodeWorker worker = run.lifecycle()
                    .started(
                            "worker",
                            new NodeWorker(
                                    settings,
                                    shared.directory(),
                                    members.get().deployment(),
                                    run.meters().worker()));
            serving.set(worker);
            worker.start();
            return run.await("worker", cluster);
        }
    }
}
