package dev.plimsoll.app.command;

import dev.plimsoll.worker.NodeWorker;
import java.nio.file.Files;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Decisions to ranks, acks to Kafka. */
@Command(name = "worker", mixinStandardHelpOptions = true, description = "Hand decisions to this node's ranks and publish their acks.")
public final class WorkerCommand implements Callable<Integer>, Validated {
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
            NodeWorker worker = run.lifecycle().started("worker", new NodeWorker(kafka.settings(), shared.directory(), run.meters().worker()));
            worker.start();
            run.serve(metrics, Map.of("worker", worker::alive));
            System.err.println("worker runs against " + kafka.settings().bootstrapServers() + " on " + shared.directory());
            run.lifecycle().await();
        }
        return 0;
    }
}
