package dev.plimsoll.app.command;

import dev.plimsoll.planner.Planner;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Windows to decisions. */
@Command(
        name = "planner",
        mixinStandardHelpOptions = true,
        description = "Turn windows into decisions. Start several: each takes over some deployments.")
public final class PlannerCommand implements Callable<Integer>, Validated {
    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Mixin
    private MetricsOptions metrics = new MetricsOptions();

    @Mixin
    private LoopOptions loops = new LoopOptions();

    @Mixin
    private PlanningOptions planning = new PlanningOptions();

    @Mixin
    private DeviceProfileOptions devices = new DeviceProfileOptions();

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        metrics.check(problems);
        loops.check(problems);
        planning.check(problems);
        devices.check(problems);
    }

    @Override
    public Integer call() throws Exception {
        try (RoleRun run = new RoleRun()) {
            KafkaSettings settings = run.kafka("planner", kafka.settings());
            Planner planner = run.lifecycle()
                    .started(
                            "planner",
                            new Planner(
                                    settings,
                                    loops.count(),
                                    devices.choose(planning.limit(PlannerSettings.DEFAULTS)),
                                    InetAddress.getLocalHost().getHostName() + "/"
                                            + ProcessHandle.current().pid(),
                                    run.meters().planner(),
                                    run.meters().plannerLoop(run::stopped)));
            planner.start();
            ClusterCheck cluster = new ClusterCheck(settings, System.err::println);
            run.serve(
                    metrics,
                    Map.of(
                            "planner",
                            planner::alive,
                            "partitions",
                            planner::settled,
                            "kafka",
                            () -> run.near(cluster)));
            System.err.println("planner runs against " + kafka.settings().bootstrapServers());
            return run.await("planner", cluster);
        }
    }
}
