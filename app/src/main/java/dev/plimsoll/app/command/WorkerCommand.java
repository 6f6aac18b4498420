package dev.plimsoll.app.command;

import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.worker.NodeWorkers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Decisions to ranks, acks to Kafka. */
@Command(
        name = "worker",
        mixinStandardHelpOptions = true,
        description =
                "Hand decisions to this node's ranks and publish their acks: one worker serves all deployments of a node.")
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
            NodeWorkers workers = new NodeWorkers(
                    settings, shared.directory(), () -> run.meters().worker());
            run.serve(
                    metrics,
                    Map.of(
                            "worker",
                            run.meters()::membersPublished,
                            "worker-flow",
                            workers::healthy,
                            "worker-delivery",
                            () -> workers.failingSince().isEmpty(),
                            "kafka",
                            () -> run.near(cluster)));
            System.err.println(
                    "worker runs against " + kafka.settings().bootstrapServers() + " on " + shared.directory());
            run.lifecycle().started("worker", workers).start();
            long nextWord = System.nanoTime();
            while (workers.directories().isEmpty()) {
                if (System.nanoTime() - nextWord >= 0
                        && MembershipFile.directories(shared.directory()).isEmpty()) {
                    nextWord = System.nanoTime() + BETWEEN_WORDS.toNanos();
                    System.err.println(
                            "worker: no deployment in " + shared.directory()
                                    + " yet: it waits for a membership.avro there or in a directory below; is --ring-dir right?");
                }
                if (run.lifecycle().await(POLL)) {
                    return 0;
                }
            }
            return run.await("worker", cluster);
        }
    }
}
