package dev.plimsoll.app.chaos;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.broker.ClusterFaults;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Carries out faults, at most one of each family at a time, and sees each through: until what was broken is whole again and there are
 * windows again.
 *
 * <p>Never are two brokers down at once: a fault of theirs waits until every partition has all its copies.
 */
final class Faults implements AutoCloseable {
    private static final Duration BROKER_STOP = Duration.ofSeconds(12);
    private static final Duration IN_SYNC = Duration.ofMinutes(2);
    private static final Duration LEFT_ALONE = Duration.ofMinutes(1);
    private static final Duration ROLE_STOP = Duration.ofSeconds(10);

    private final Lifecycle lifecycle;
    private final Fleet fleet;
    private final String bootstrapServers;
    private final List<Deployment> deployments;
    private final int partitions;
    private final Recoveries recoveries;
    private final Consumer<String> lines;
    private final Consumer<String> problems;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "plimsoll-chaos");
        thread.setDaemon(true);
        return thread;
    });
    private final Set<Family> busy = EnumSet.noneOf(Family.class);
    private final Map<FaultKind, Integer> counts = new EnumMap<>(FaultKind.class);

    /**
     * All that is drawn for one fault, by the thread of the schedule, so that one seed always gives the same.
     *
     * @param down how long somebody who was killed stays down
     * @param patient whether an operator waits for what is tried again by itself
     */
    private record Drawn(
            Member victim, Deployment deployment, Duration frozen, Duration down, boolean patient, Random random) {}

    Faults(
            Lifecycle lifecycle,
            Fleet fleet,
            String bootstrapServers,
            List<Deployment> deployments,
            int partitions,
            Recoveries recoveries,
            Consumer<String> lines,
            Consumer<String> problems) {
        this.lifecycle = lifecycle;
        this.fleet = fleet;
        this.bootstrapServers = bootstrapServers;
        this.deployments = List.copyOf(deployments);
        this.partitions = partitions;
        this.recoveries = recoveries;
        this.lines = lines;
        this.problems = problems;
        for (FaultKind kind : FaultKind.values()) {
            counts.put(kind, 0);
        }
    }

    /** Begins the next fault of the schedule, if any of those that are due can begin now. */
    synchronized boolean next(Schedule<FaultKind> schedule) {
        Optional<FaultKind> next = schedule.next(busy);
        next.ifPresent(kind -> {
            List<Member> candidates = fleet.of(kind.family());
            Drawn drawn = new Drawn(
                    candidates.get(schedule.choose(candidates.size())),
                    deployments.get(schedule.choose(deployments.size())),
                    schedule.frozen(),
                    schedule.down(),
                    schedule.patient(),
                    schedule.fork());
            busy.add(kind.family());
            threads.execute(() -> see(kind, drawn));
        });
        return next.isPresent();
    }

    synchronized boolean idle() {
        return busy.isEmpty();
    }

    /** How many faults of each kind were carried out. */
    synchronized Map<FaultKind, Integer> counts() {
        return new EnumMap<>(counts);
    }

    private void see(FaultKind kind, Drawn drawn) {
        try {
            carryOut(kind, drawn);
        } catch (Lifecycle.Stopped | InterruptedException e) {
            lines.accept(kind.label() + " was cut short");
        } catch (RuntimeException e) {
            if (!lifecycle.stopRequested()) {
                problems.accept(kind.label() + " could not be carried out: " + e);
            }
        } finally {
            synchronized (this) {
                busy.remove(kind.family());
            }
        }
    }

    private void carryOut(FaultKind kind, Drawn drawn) throws InterruptedException {
        switch (kind) {
            case AGGREGATOR_KILLED, COLLECTOR_KILLED -> kill(kind, drawn);
            case AGGREGATOR_FROZEN, COLLECTOR_FROZEN -> freeze(kind, drawn);
            case BROKER_KILLED -> killBroker(drawn);
            case BROKERS_ROLLED -> roll(drawn);
            case PARTITION_MOVED -> move(drawn);
            case STATE_DAMAGED -> damage(drawn);
            case PLANNER_KILLED -> {
                begun(kind, "kill -9 planner");
                drawn.victim().kill();
                pause(drawn.down());
                drawn.victim().start();
            }
        }
    }

    private void begun(FaultKind kind, String what) {
        synchronized (this) {
            counts.merge(kind, 1, Integer::sum);
        }
        lines.accept(what);
    }

    private void ended(String what, Recoveries.Recovery recovery) throws InterruptedException {
        if (recovery.done()) {
            lines.accept("  windows again " + seconds(Duration.ofMillis(recovery.millis())) + " after " + what);
        } else {
            problems.accept("no windows of " + recovery.waitingFor() + " within " + seconds(Recoveries.LONGEST)
                    + " after " + what);
        }
    }

    private void pause(Duration time) throws InterruptedException {
        boolean unused = recoveries.await(time, () -> false);
    }

    private void kill(FaultKind kind, Drawn drawn) throws InterruptedException {
        String what = "kill -9 " + drawn.victim().name();
        begun(kind, what + ", down for " + seconds(drawn.down()));
        Recoveries.Recovery recovery = recoveries.begin();
        drawn.victim().kill();
        recovery.pass(drawn.down());
        drawn.victim().start();
        ended(what, recovery);
    }

    private void freeze(FaultKind kind, Drawn drawn) throws InterruptedException {
        String what = "SIGSTOP " + drawn.victim().name();
        begun(kind, what + " for " + seconds(drawn.frozen()));
        Recoveries.Recovery recovery = recoveries.begin();
        drawn.victim().freeze();
        try {
            recovery.pass(drawn.frozen());
        } finally {
            drawn.victim().thaw();
        }
        Recoveries.Recovery thawed = recoveries.begin();
        ended(what, recovery);
        ended("SIGCONT " + drawn.victim().name(), thawed);
    }

    private void killBroker(Drawn drawn) throws InterruptedException {
        awaitInSync();
        String what = "kill -9 " + drawn.victim().name();
        begun(FaultKind.BROKER_KILLED, what + ", down for " + seconds(drawn.down()));
        Recoveries.Recovery recovery = recoveries.begin();
        drawn.victim().kill();
        recovery.pass(drawn.down());
        drawn.victim().start();
        ended(what, recovery);
        awaitInSync();
    }

    private void roll(Drawn drawn) throws InterruptedException {
        List<Member> brokers = fleet.of(Family.BROKERS);
        int first = brokers.indexOf(drawn.victim());
        awaitInSync();
        begun(FaultKind.BROKERS_ROLLED, "rolling restart of the brokers");
        for (int i = 0; i < brokers.size(); i++) {
            Member broker = brokers.get((first + i) % brokers.size());
            Recoveries.Recovery recovery = recoveries.begin();
            broker.stop(BROKER_STOP);
            broker.start();
            ended("SIGTERM " + broker.name(), recovery);
            awaitInSync();
        }
    }

    private void move(Drawn drawn) throws InterruptedException {
        awaitInSync();
        try (ClusterFaults cluster = new ClusterFaults(bootstrapServers)) {
            begun(FaultKind.PARTITION_MOVED, "move of a partition");
            Recoveries.Recovery recovery = recoveries.begin();
            String moved = cluster.movePartition(drawn.random(), () -> !lifecycle.stopRequested());
            ended("the move of " + moved, recovery);
        }
    }

    private void damage(Drawn drawn) throws InterruptedException {
        int partition = Topic.partition(drawn.deployment(), partitions);
        List<Member> aggregators = fleet.of(Family.AGGREGATORS);
        try (ClusterFaults cluster = new ClusterFaults(bootstrapServers)) {
            String words = "leaves " + Topic.SAMPLES.name() + "-" + partition + " alone";
            Recoveries.Recovery recovery = recoveries.begin();
            aggregators.forEach(Member::kill);
            Optional<ClusterFaults.Damage> damage = Optional.empty();
            long[] before = aggregators.stream()
                    .mapToLong(member -> member.lines(words))
                    .toArray();
            try {
                damage = Optional.of(cluster.damageState(partition, drawn.random()));
            } finally {
                aggregators.forEach(Member::start);
            }
            ClusterFaults.Damage done = damage.orElseThrow();
            String what = "state '" + done.key() + "' overwritten";
            begun(FaultKind.STATE_DAMAGED, "kill -9 of all aggregators, " + what);
            Optional<Member> owner = ownerThatLeavesItAlone(aggregators, words, before);
            cluster.restoreState(done);
            if (owner.isEmpty()) {
                problems.accept(what + ", and no aggregator left partition " + partition + " alone within "
                        + seconds(LEFT_ALONE));
            } else if (!drawn.patient()) {
                owner.orElseThrow().stop(ROLE_STOP);
                owner.orElseThrow().start();
            }
            ended(what + ", left alone, put back" + (drawn.patient() ? "" : ", its aggregator restarted"), recovery);
        }
    }

    private Optional<Member> ownerThatLeavesItAlone(List<Member> aggregators, String words, long[] before)
            throws InterruptedException {
        long deadline = System.nanoTime() + LEFT_ALONE.toNanos();
        while (System.nanoTime() - deadline < 0) {
            for (int i = 0; i < aggregators.size(); i++) {
                if (aggregators.get(i).lines(words) > before[i]) {
                    return Optional.of(aggregators.get(i));
                }
            }
            pause(Duration.ofMillis(200));
        }
        return Optional.empty();
    }

    /** Until every partition has all its copies: then one broker may go. */
    void awaitInSync() throws InterruptedException {
        try (ClusterFaults cluster = new ClusterFaults(bootstrapServers)) {
            long deadline = System.nanoTime() + IN_SYNC.toNanos();
            while (!cluster.inSync()) {
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException(
                            "not all partitions have all their copies within " + seconds(IN_SYNC));
                }
                pause(Duration.ofMillis(200));
            }
        }
    }

    static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1e3);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        try {
            boolean unused = threads.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
