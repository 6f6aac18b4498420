package dev.plimsoll.app.command;

import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.worker.NodeWorker;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Decisions to ranks, acks to Kafka. */
@Command(
        name = "worker",
        mixinStandardHelpOptions = true,
        description = "Hand decisions to this node's ranks and publish their acks.")
public final class WorkerCommand implements Callable<Integer>, Validated {
    private static final Duration POLL = Duration.ofMillis(200);

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
        Files.createDirectories(shared.directory());
        try (RoleRun run = new RoleRun()) {
            KafkaSettings settings = run.kafka("worker", kafka.settings());
            ClusterCheck cluster = new ClusterCheck(settings, System.err::println);
            run.serve(metrics, Map.of("worker", run.meters()::membersPublished, "kafka", () -> run.near(cluster)));
            System.err.println(
                    "worker runs against " + kafka.settings().bootstrapServers() + " on " + shared.directory());
            MembershipFile file = new MembershipFile(shared.directory());
            Optional<Membership> members = file.read();
            while (members.isEmpty()) {
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
            worker.start();
            return run.await("worker", cluster);
        }
    }
}
