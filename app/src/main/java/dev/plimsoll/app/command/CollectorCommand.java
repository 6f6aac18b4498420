package dev.plimsoll.app.command;

import dev.plimsoll.collector.Collector;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Heat rings to samples. */
@Command(
        name = "collector",
        mixinStandardHelpOptions = true,
        description =
                "Publish the heat of this node's ranks as samples: one collector serves all deployments of a node.")
public final class CollectorCommand implements Callable<Integer>, Validated {
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
            KafkaSettings settings = run.kafka("collector", kafka.settings());
            Collector collector = run.lifecycle()
                    .started(
                            "collector",
                            new Collector(
                                    settings,
                                    shared.directory(),
                                    "node",
                                    run.meters().collector()));
            collector.start();
            ClusterCheck cluster = new ClusterCheck(settings, System.err::println);
            run.serve(
                    metrics,
                    Map.of(
                            "collector",
                            run.meters()::ringRead,
                            "collector-flow",
                            collector::healthy,
                            "collector-rings",
                            () -> collector.unreadableRings().isEmpty(),
                            "collector-delivery",
                            () -> collector.failingSince().isEmpty(),
                            "kafka",
                            () -> run.near(cluster)));
            System.err.println(
                    "collector runs against " + kafka.settings().bootstrapServers() + " on " + shared.directory());
            return run.await("collector", cluster);
        }
    }
}
