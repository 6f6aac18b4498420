package dev.plimsoll.app.chaos;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.broker.BrokerCluster;
import dev.plimsoll.app.broker.CommittedRecords;
import dev.plimsoll.collector.Collector;
import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One run of decisions under faults: a broker, roles and ranks are started, one decision after the other is forced, faults strike at
 * phases of them, all is mended, and then all that stands in the topics is audited.
 *
 * <p>Collectors alone live in this process: no decision rests on them.
 */
public final class DecisionRun {
    private static final int PARTITIONS = 2;
    private static final Duration KAFKA_TIMEOUT = Duration.ofSeconds(15);
    private static final Duration COMES_UP = Duration.ofMinutes(5);
    private static final Duration READING = Duration.ofMinutes(2);
    private static final Duration LAST_SAMPLES = Duration.ofSeconds(1);
    private static final Duration PROGRESS = Duration.ofSeconds(10);
    private static final Duration LOOK = Duration.ofMillis(250);
    private static final Deployment DEPLOYMENT = new Deployment(RankProcesses.DEPLOYMENT);

    private final Lifecycle lifecycle;
    private final long seed;
    private final DecisionGoal goal;
    private final Path logs;
    private final Chronicle chronicle;
    private final Consumer<String> progress;
    private long toldNanos = System.nanoTime();

    /**
     * Starts nothing.
     *
     * @param logs a directory for what all processes print
     * @param lines told what happens, for people
     * @param progress told how far it has come, every ten seconds
     */
    public DecisionRun(
            Lifecycle lifecycle,
            long seed,
            DecisionGoal goal,
            Path logs,
            Consumer<String> lines,
            Consumer<String> progress) {
        this.lifecycle = lifecycle;
        this.seed = seed;
        this.goal = goal;
        this.logs = logs;
        this.chronicle = new Chronicle(lifecycle, lines);
        this.progress = progress;
    }

    /**
     * Runs to the end. What was started is noted with the lifecycle, and stopped by it.
     *
     * @throws Lifecycle.Stopped when a stop was requested meanwhile
     */
    public DecisionReport go() throws Exception {
        BrokerCluster cluster = BrokerCluster.planned(1);
        SharedDirectory data = lifecycle.started(
                "data", SharedDirectory.planned(Path.of(System.getProperty("java.io.tmpdir")), "plimsoll-chaos-"));
        SharedDirectory shared = lifecycle.started("shared memory", SharedDirectory.planned());
        data.make();
        shared.make();
        KafkaSettings kafka = KafkaSettings.of(cluster.bootstrapServers());
        FaultLibrary library = FaultLibrary.compiled(logs, chronicle::tell);
        List<Path> machines = new ArrayList<>();
        for (int machine = 0; machine < RankProcesses.PROCESSES; machine++) {
            machines.add(Files.createDirectory(shared.path().resolve("machine-" + machine)));
        }
        Fleet fleet = lifecycle.started("processes", Fleet.ofDecisions(cluster, data.path(), logs, machines, library));
        fleet.startBrokers();
        lifecycle.ask("topics", () -> topics(kafka));
        RankProcesses ranks = lifecycle.started(
                "ranks",
                new RankProcesses(
                        cluster.bootstrapServers(), logs, machines, RankProcesses.secret(data.path()), library));
        ranks.begin();
        for (int machine = 0; machine < machines.size(); machine++) {
            lifecycle
                    .started(
                            "collector",
                            new Collector(kafka, machines.get(machine), "machine-" + machine, CollectorListener.NONE))
                    .start();
        }
        fleet.startRoles();
        DecisionWatch watch = lifecycle.started("reader", new DecisionWatch(kafka, DEPLOYMENT, chronicle::problem));
        watch.start();
        Operator operator = lifecycle.started("operator", new Operator(kafka, DEPLOYMENT));
        DecisionFaults faults = new DecisionFaults(fleet, ranks, library, watch, operator, chronicle);
        if (!faults.comesUp(COMES_UP)) {
            throw new IllegalStateException("no decision settled within " + Faults.seconds(COMES_UP) + " of the start ("
                    + watch.progress() + "); what the processes printed is in " + logs);
        }
        chronicle.tell(RankProcesses.RANKS + " ranks in " + RankProcesses.PROCESSES
                + " processes, each with a worker; an aggregator, 2 planners, a broker; the first decision is settled");
        befall(faults, watch, ranks);
        chronicle.tell("no more faults; a new decision has to settle");
        boolean unused = faults.settles("the last fault");
        ranks.stop();
        chronicle.tell("after ranks were lost, others began " + faults.starts());
        return report(cluster, watch, operator, ranks, faults);
    }

    private int topics(KafkaSettings kafka) throws InterruptedException {
        long deadline = System.nanoTime() + COMES_UP.toNanos();
        while (true) {
            try (TopicAdmin admin = new TopicAdmin(kafka, KAFKA_TIMEOUT)) {
                return admin.create(PARTITIONS, 1).size();
            } catch (RuntimeException e) {
                if (System.nanoTime() - deadline > 0) {
                    throw e;
                }
            }
            Thread.sleep(LOOK.toMillis()); // until the broker is there
        }
    }

    private void befall(DecisionFaults faults, DecisionWatch watch, RankProcesses ranks) throws InterruptedException {
        DecisionSchedule schedule = new DecisionSchedule(seed, goal.pace());
        long began = System.nanoTime();
        Map<String, Integer> so = counts(watch, faults);
        while (!goal.reached(Duration.ofNanos(System.nanoTime() - began), so)) {
            faults.carryOut(schedule.next(goal.lag(so)), () -> progress(watch, faults, ranks));
            faults.undisturbed(schedule.undisturbed());
            so = counts(watch, faults);
        }
    }

    private static Map<String, Integer> counts(DecisionWatch watch, DecisionFaults faults) {
        return Map.of(
                DecisionGoal.DECISIONS,
                watch.proposed(),
                DecisionGoal.CRASHES,
                faults.crashes(),
                DecisionGoal.FAILOVERS,
                watch.failovers(),
                DecisionGoal.ABORTED,
                watch.aborted(),
                DecisionGoal.ROLLBACKS,
                watch.rollbacks());
    }

    private void progress(DecisionWatch watch, DecisionFaults faults, RankProcesses ranks) {
        if (System.nanoTime() - toldNanos >= PROGRESS.toNanos()) {
            toldNanos = System.nanoTime();
            progress.accept(Math.round(chronicle.seconds()) + " s: " + watch.progress() + "; " + faults.crashes()
                    + " crashes, " + watch.failovers() + " fail-overs, " + watch.rollbacks() + " rolled back, life "
                    + ranks.lives() + " of the ranks; " + chronicle.problems().size() + " problems");
        }
    }

    private DecisionReport report(
            BrokerCluster cluster, DecisionWatch watch, Operator operator, RankProcesses ranks, DecisionFaults faults)
            throws Exception {
        CommittedRecords read = new CommittedRecords(cluster.bootstrapServers(), READING);
        chronicle.pass(LAST_SAMPLES);
        watch.close();
        DecisionVerdict verdict = DecisionAudit.of(
                watch.memberships(),
                values(lifecycle.ask("plan", () -> read.of(Topic.PLAN))),
                values(lifecycle.ask("acks", () -> read.of(Topic.ACKS))),
                watch.skew(),
                operator.given(),
                watch.answers());
        chronicle.tell("placements of ranks were compared " + watch.skew().compared() + " times");
        verdict.findings().forEach(chronicle::problem);
        return new DecisionReport(
                faults.counts(),
                verdict,
                faults.crashes(),
                ranks.misrouted(),
                faults.stuck(),
                new DecisionReport.Survivors(
                        faults.survival().servedOn(),
                        faults.survival().left(),
                        faults.survival().stranded()),
                watch.times(),
                chronicle.problems());
    }

    private static <T> List<T> values(List<Received<T>> records) {
        return records.stream().map(Received::value).toList();
    }
}
