package dev.plimsoll.app.command;

import dev.plimsoll.aggregator.Aggregator;
import dev.plimsoll.aggregator.AggregatorSettings;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Samples to windows. */
@Command(
        name = "aggregator",
        mixinStandardHelpOptions = true,
        description = "Fold samples into windows. Start several: each takes over some deployments.")
public final class AggregatorCommand implements Callable<Integer>, Validated {
    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Mixin
    private MetricsOptions metrics = new MetricsOptions();

    @Mixin
    private LoopOptions loops = new LoopOptions();

    @Option(
            names = "--quarantine-newer",
            description =
                    "Read on although a partition has nothing but records of a later release: they go to quarantine. Else it is"
                            + " left alone until the aggregator is upgraded.")
    private boolean quarantineNewer;

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        metrics.check(problems);
        loops.check(problems);
    }

    @Override
    public Integer call() throws Exception {
        try (RoleRun run = new RoleRun()) {
            KafkaSettings settings = run.kafka("aggregator", kafka.settings());
            Aggregator aggregator = run.lifecycle()
                    .started(
                            "aggregator",
                            new Aggregator(
                                    settings,
                                    loops.count(),
                                    AggregatorSettings.DEFAULT.quarantiningNewer(quarantineNewer),
                                    run.meters().aggregator(),
                                    run::stopped));
            aggregator.start();
            ClusterCheck cluster = new ClusterCheck(settings, System.err::println);
            run.serve(
                    metrics,
                    Map.of(
                            "aggregator",
                            aggregator::alive,
                            "partitions",
                            aggregator::settled,
                            "kafka",
                            () -> run.near(cluster)));
            System.err.println("aggregator runs against " + kafka.settings().bootstrapServers());
            return run.await("aggregator", cluster);
        }
    }
}
