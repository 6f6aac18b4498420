package dev.plimsoll.app.chaos;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.broker.BrokerCluster;
import dev.plimsoll.app.broker.CommittedRecords;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.simulator.Ending;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One run: a cluster of three brokers, roles and ranks is started, faults befall it for a time, all is healed, and then every window
 * that was ever published is read and compared with what the ranks computed.
 */
public final class ChaosRun {
    static final int DEPLOYMENTS = 3;
    static final int PARTITIONS = 4;

    private static final Duration KAFKA_TIMEOUT = Duration.ofSeconds(15);
    private static final Duration COMES_UP = Duration.ofSeconds(90);
    private static final Duration LAST_WINDOWS = Duration.ofSeconds(60);
    private static final Duration READING = Duration.ofMinutes(2);
    private static final Duration HEALING = Duration.ofMinutes(4);
    private static final Duration CLOSING = Duration.ofSeconds(4);
    private static final Duration LOOK = Duration.ofMillis(250);

    private final Lifecycle lifecycle;
    private final long seed;
    private final Duration time;
    private final Path logs;
    private final Chronicle chronicle;

    /**
     * Starts nothing.
     *
     * @param time how long faults happen, from the first windows on
     * @param logs a directory for what all processes print
     * @param lines told what happens, for people
     */
    public ChaosRun(Lifecycle lifecycle, long seed, Duration time, Path logs, Consumer<String> lines) {
        this.lifecycle = lifecycle;
        this.seed = seed;
        this.time = time;
        this.logs = logs;
        this.chronicle = new Chronicle(lifecycle, lines);
    }

    /**
     * Runs to the end. What was started is noted with the lifecycle, and stopped by it.
     *
     * @throws Lifecycle.Stopped when a stop was requested meanwhile
     */
    public ChaosReport go() throws Exception {
        BrokerCluster cluster = BrokerCluster.planned(Fleet.BROKERS);
        SharedDirectory data = lifecycle.started(
                "data", SharedDirectory.planned(Path.of(System.getProperty("java.io.tmpdir")), "plimsoll-chaos-"));
        SharedDirectory shared = lifecycle.started("shared memory", SharedDirectory.planned());
        data.make();
        shared.make();
        KafkaSettings kafka = KafkaSettings.of(cluster.bootstrapServers());
        Fleet fleet = lifecycle.started("processes", Fleet.ofWindows(cluster, data.path(), shared.path(), logs));
        fleet.startBrokers();
        lifecycle.ask("topics", () -> topics(kafka));
        tell("3 brokers at " + cluster.bootstrapServers() + ", 3 copies of everything");

        Deployments deployments = lifecycle.started("deployments", new Deployments());
        for (Deployment deployment : deployments()) {
            lifecycle.proceed();
            deployments.add(new SimulatedDeployment(lifecycle, kafka, deployment, seed, shared.path(), this::problem));
        }
        WindowWatch watch = lifecycle.started("reader", new WindowWatch(kafka, this::problem));
        Recoveries recoveries = new Recoveries(lifecycle, watch, deployments.names());
        Faults faults = lifecycle.started(
                "faults",
                new Faults(
                        lifecycle,
                        fleet,
                        cluster.bootstrapServers(),
                        deployments.names(),
                        PARTITIONS,
                        recoveries,
                        this::tell,
                        this::problem));
        watch.start();
        fleet.startRoles();
        deployments.all().forEach(SimulatedDeployment::start);
        if (!recoveries.await(
                COMES_UP, () -> watch.withoutWindowAfter(deployments.names(), 0).isEmpty())) {
            throw new IllegalStateException("no windows within " + Faults.seconds(COMES_UP) + "; what the processes"
                    + " printed is in " + logs);
        }
        tell("2 aggregators, 2 collectors, a planner; " + DEPLOYMENTS + " deployments of " + SimulatedDeployment.RANKS
                + " ranks on " + SimulatedDeployment.NODES + " nodes; first windows of all");
        befall(faults, fleet, deployments);
        heal(faults, fleet, recoveries);
        end(deployments, watch, recoveries);
        return report(cluster, deployments, watch, recoveries, faults);
    }

    private int topics(KafkaSettings kafka) throws InterruptedException {
        long deadline = System.nanoTime() + COMES_UP.toNanos();
        while (true) {
            try (TopicAdmin admin = new TopicAdmin(kafka, KAFKA_TIMEOUT)) {
                return admin.create(PARTITIONS, Fleet.BROKERS).size();
            } catch (RuntimeException e) {
                if (System.nanoTime() - deadline > 0) {
                    throw e;
                }
            }
            Thread.sleep(LOOK.toMillis()); // until three brokers are there
        }
    }

    /** Names whose records stand in partitions of their own. */
    private static List<Deployment> deployments() {
        List<Deployment> deployments = new ArrayList<>();
        Set<Integer> taken = new HashSet<>();
        for (int number = 0; deployments.size() < DEPLOYMENTS; number++) {
            Deployment deployment = new Deployment("chaos/decode-" + number);
            if (taken.add(Topic.partition(deployment, PARTITIONS))) {
                deployments.add(deployment);
            }
        }
        return deployments;
    }

    private void befall(Faults faults, Fleet fleet, Deployments deployments) throws InterruptedException {
        Schedule<FaultKind> schedule = Schedule.ofWindows(seed, time);
        long end = System.nanoTime() + time.toNanos();
        long next = System.nanoTime();
        while (System.nanoTime() - end < 0) {
            if (System.nanoTime() - next >= 0 && faults.next(schedule)) {
                next = System.nanoTime() + schedule.pause().toNanos();
            }
            fleet.look(this::problem);
            deployments.look();
            if (lifecycle.await(LOOK)) {
                lifecycle.proceed();
            }
        }
    }

    private void heal(Faults faults, Fleet fleet, Recoveries recoveries) throws InterruptedException {
        tell("no more faults; what is broken heals");
        boolean healed = recoveries.await(HEALING, () -> {
            fleet.look(this::problem);
            return faults.idle();
        });
        if (!healed) {
            problem("faults are not over within " + Faults.seconds(HEALING));
        }
        faults.awaitInSync();
        Recoveries.Recovery after = recoveries.begin();
        if (!after.done()) {
            problem("no windows of " + after.waitingFor() + " although all is healed");
        }
    }

    /** Stops the ranks, and waits until all that they have computed is in windows. */
    private void end(Deployments deployments, WindowWatch watch, Recoveries recoveries) throws InterruptedException {
        deployments.all().forEach(SimulatedDeployment::stopStepping);
        tell("the ranks have stopped; waiting for their last windows");
        for (SimulatedDeployment one : deployments.all()) {
            Deployment name = one.members().deployment();
            long last = one.lastBoundary();
            if (!recoveries.await(LAST_WINDOWS, () -> watch.sampledThrough(name, SimulatedDeployment.RANKS, last))) {
                problem("not all samples of " + name + " up to step " + last + " came");
            }
            one.closeRanks();
        }
        for (SimulatedDeployment one : deployments.all()) {
            Deployment name = one.members().deployment();
            long window = (one.lastBoundary() - 1) / SimulatedDeployment.WINDOW_STEPS;
            if (!recoveries.await(LAST_WINDOWS, () -> watch.seen(name, window))) {
                problem("the last window of " + name + ", " + window + ", did not come");
            }
        }
    }

    private ChaosReport report(
            BrokerCluster cluster, Deployments deployments, WindowWatch watch, Recoveries recoveries, Faults faults)
            throws Exception {
        CommittedRecords read = new CommittedRecords(cluster.bootstrapServers(), READING);
        List<Received<SampleRecord>> samples = lifecycle.ask("samples", () -> read.of(Topic.SAMPLES));
        List<Received<LoadWindow>> windows = lifecycle.ask("windows", () -> read.of(Topic.WINDOWS));
        List<Received<WindowSummary>> summaries = lifecycle.ask("summaries", () -> read.of(Topic.WINDOW_SUMMARIES));
        tell(samples.size() + " samples and " + summaries.size() + " windows are read again");
        Verdict verdict = Verdict.NONE;
        for (SimulatedDeployment one : deployments.all()) {
            verdict = verdict.and(Audit.of(one.members(), one.truth(), samples, windows, summaries))
                    .and(seenAndGone(one.members().deployment(), watch, summaries));
        }
        verdict.findings().forEach(this::problem);
        long duplicates = Math.max(watch.duplicates(), verdict.duplicate());
        Verdict whole =
                new Verdict(verdict.checked(), duplicates, verdict.missing(), verdict.mismatch(), verdict.findings());
        return new ChaosReport(
                faults.counts(),
                whole,
                deployments.misrouted(),
                recoveries.quantile(0.5),
                recoveries.quantile(0.99),
                chronicle.problems());
    }

    /** Windows that the reader has seen during the faults, and that are not there any more. */
    private static Verdict seenAndGone(
            Deployment deployment, WindowWatch watch, List<Received<WindowSummary>> summaries) {
        Set<Long> there = new HashSet<>();
        summaries.stream()
                .map(Received::value)
                .filter(window -> window.deployment().equals(deployment))
                .forEach(window -> there.add(window.index()));
        List<Long> gone = watch.windows(deployment).stream()
                .filter(index -> !there.contains(index))
                .toList();
        return gone.isEmpty()
                ? Verdict.NONE
                : new Verdict(
                        0, 0, gone.size(), 0, List.of(deployment + ": were read once and are gone: windows " + gone));
    }

    private void tell(String what) {
        chronicle.tell(what);
    }

    private void problem(String what) {
        chronicle.problem(what);
    }

    /** All deployments; closed side by side. */
    private final class Deployments implements AutoCloseable {
        private final List<SimulatedDeployment> all = new ArrayList<>();
        private final Set<Deployment> ended = new HashSet<>();

        void add(SimulatedDeployment deployment) {
            all.add(deployment);
        }

        List<SimulatedDeployment> all() {
            return all;
        }

        List<Deployment> names() {
            return all.stream().map(one -> one.members().deployment()).toList();
        }

        long misrouted() {
            return all.stream().mapToLong(one -> one.totals().misrouted()).sum();
        }

        void look() {
            for (SimulatedDeployment one : all) {
                one.failed()
                        .filter(end -> end.reason() != Ending.Reason.REACHED)
                        .filter(end -> ended.add(one.members().deployment()))
                        .ifPresent(end -> problem(one.members().deployment() + " has stopped stepping: " + end.reason()
                                + " " + end.detail()));
            }
        }

        @Override
        public void close() {
            List<Thread> closing = new ArrayList<>();
            for (SimulatedDeployment one : all) {
                Thread thread = new Thread(one::close, "plimsoll-chaos-close");
                thread.setDaemon(true);
                thread.start();
                closing.add(thread);
            }
            try {
                for (Thread thread : closing) {
                    thread.join(CLOSING.toMillis());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
