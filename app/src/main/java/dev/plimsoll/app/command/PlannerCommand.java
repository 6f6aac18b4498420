package dev.plimsoll.app.command;

import dev.plimsoll.planner.Planner;
import dev.plimsoll.planner.PlannerSettings;
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
    private PlanningOptions planning = new PlanningOptions();

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        metrics.check(problems);
        planning.check(problems);
    }

    @Override
    public Integer call() throws Exception {
        try (RoleRun run = new RoleRun()) {
            Planner planner = run.lifecycle()
                    .started(
                            "planner",
                            new Planner(
                                    kafka.settings(),
                                    planning.limit(PlannerSettings.DEFAULTS),
                                    InetAddress.getLocalHost().getHostName() + "/"
                                            + ProcessHandle.current().pid(),
                                    run.meters().planner(),
                                    run.meters().plannerLoop(run::stopped)));
            planner.start();
            ClusterCheck cluster = new ClusterCheck(kafka.settings(), System.err::println);
            run.serve(metrics, Map.of("planner", planner::alive, "kafka", cluster::found));
            System.err.println("planner runs against " + kafka.settings().bootstrapServers());
            return run.await("planner", cluster);
        }
    }
}
