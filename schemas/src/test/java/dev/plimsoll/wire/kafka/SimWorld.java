package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;

/** One simulated cluster, its chance and its faults, and what was seen. Everything follows from the seed. */
final class SimWorld {
    static final int PARTITIONS = 2;

    private static final long MICRO = 1_000L;
    private static final long MILLI = 1_000_000L;
    private static final long IDLE_NANOS = 400 * MILLI;
    private static final List<SimChain> CHAINS = List.of(SimChain.of(0, PARTITIONS), SimChain.of(1, PARTITIONS));

    private final SplittableRandom random;
    private final SimScheduler scheduler = new SimScheduler();
    private final SimTransactions transactions;
    private final SimGroup group;
    private final SimChecks checks = new SimChecks(this);
    private final Map<TopicPartition, SimLog> logs = new HashMap<>();
    private final Map<String, TopicDescription> descriptions = new HashMap<>();
    private final double[] rates = new double[SimFault.values().length];
    private final int[] happened = new int[SimFault.values().length];
    private final Map<Object, Integer> thrown = new HashMap<>();
    private final Set<Long> poison = new HashSet<>();
    private final long[] acks = new long[PARTITIONS];
    private final List<String> violations = new ArrayList<>();
    private final List<String> trace = new ArrayList<>();
    private final boolean tracing;
    private final long sessionNanos;
    private boolean faulty = true;
    private long awayUntil;
    private long steps;
    private long hash;

    SimWorld(long seed, boolean tracing) {
        this.random = new SplittableRandom(seed);
        this.tracing = tracing;
        this.transactions = new SimTransactions(this);
        this.group = new SimGroup(this, random.nextBoolean(), PARTITIONS);
        this.sessionNanos = group.classic() ? 6_000 * MILLI : 20_000 * MILLI;
        for (SimFault fault : SimFault.values()) {
            if (chance(0.3)) {
                rates[fault.ordinal()] = List.of(0.002, 0.01, 0.04).get(random.nextInt(3));
            }
        }
        rates[SimFault.FORBIDDEN.ordinal()] /= 4;
    }

    // Chance.

    SplittableRandom random() {
        return random;
    }

    boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    long between(long from, long to) {
        return random.nextLong(from, to);
    }

    /** Whether a fault is to happen here; the kinds that a seed has are drawn once. */
    boolean draw(SimFault fault) {
        double rate = rates[fault.ordinal()];
        return faulty && rate > 0 && random.nextDouble() < rate;
    }

    /** Whether this seed has faults of a kind at all. */
    boolean has(SimFault fault) {
        return faulty && rates[fault.ordinal()] > 0;
    }

    /** This seed has a lot of it. */
    void often(SimFault fault) {
        rates[fault.ordinal()] = 0.2;
    }

    /** Of a message on its way: mostly none or short. */
    long delay() {
        int kind = random.nextInt(10);
        return kind < 4 ? 0 : kind < 9 ? random.nextInt((int) (2 * MILLI)) : random.nextInt((int) (30 * MILLI));
    }

    long markerDelay() {
        if (draw(SimFault.MARKERS_LATE)) {
            happened(SimFault.MARKERS_LATE);
            return between(0, 6_000 * MILLI);
        }
        return delay();
    }

    // The cluster.

    SimScheduler scheduler() {
        return scheduler;
    }

    SimTransactions transactions() {
        return transactions;
    }

    SimGroup group() {
        return group;
    }

    SimChecks checks() {
        return checks;
    }

    int partitions() {
        return PARTITIONS;
    }

    SimChain chain(int partition) {
        return CHAINS.get(partition);
    }

    TopicPartition partition(Topic<?> topic, int partition) {
        return new TopicPartition(topic.name(), partition);
    }

    SimLog log(TopicPartition partition) {
        return logs.computeIfAbsent(partition, unknown -> new SimLog());
    }

    TopicDescription description(String topic) {
        return descriptions.computeIfAbsent(
                topic,
                unknown -> new TopicDescription(
                        topic,
                        false,
                        Collections.nCopies(PARTITIONS, new TopicPartitionInfo(0, null, List.of(), List.of())),
                        Set.of(),
                        new Uuid(1, 2)));
    }

    long millis() {
        return scheduler.now() / MILLI;
    }

    long sessionNanos() {
        return sessionNanos;
    }

    /** How long a poll with nothing to bring may take at most. */
    long idleNanos() {
        return IDLE_NANOS;
    }

    void awayFor(long nanos) {
        awayUntil = scheduler.now() + nanos;
    }

    long awayFor() {
        return Math.max(0, awayUntil - scheduler.now());
    }

    long acks(int partition) {
        return acks[partition];
    }

    long nextAck(int partition) {
        return ++acks[partition];
    }

    // What tasks go through.

    void poison(long number) {
        poison.add(number);
    }

    boolean poisonous(long number) {
        return poison.contains(number);
    }

    /** A task's code may throw here. */
    void hazard(SimProcess process) {
        process.step();
        if (draw(SimFault.TASK_THREW) && chance(0.2)) {
            happened(SimFault.TASK_THREW);
            throw new IllegalStateException("simulated");
        }
    }

    /** A task's code may throw at a record, less often than would have it left out. */
    void hazard(SimProcess process, TopicPartition partition, long offset) {
        process.step();
        boolean breaks = draw(SimFault.TASK_BROKE);
        if (breaks || draw(SimFault.TASK_THREW)) {
            int before = thrown.merge(partition + "@" + offset, 1, Integer::sum);
            if (before < 3) {
                happened(breaks ? SimFault.TASK_BROKE : SimFault.TASK_THREW);
                if (breaks) {
                    throw new StackOverflowError("simulated");
                }
                throw new IllegalStateException("simulated");
            }
        }
        if (draw(SimFault.STUCK_TASK)) {
            happened(SimFault.STUCK_TASK);
            trace(process, "is stuck at", partition);
            process.stuck();
        }
    }

    // What is seen.

    void polled() {
        steps++;
    }

    void happened(SimFault fault) {
        happened[fault.ordinal()]++;
        hash = hash * 31 + fault.ordinal() + scheduler.now();
    }

    int[] happened() {
        return happened.clone();
    }

    void trace(Object who, String what, Object with) {
        steps++;
        hash = hash * 31 + scheduler.now() + what.hashCode();
        if (tracing) {
            trace.add(String.format("%12.6f %s %s %s", scheduler.now() / 1e9 - 1_000, who, what, with));
        }
    }

    List<String> trace() {
        return trace;
    }

    /** Equal for equal runs. */
    long hash() {
        return hash;
    }

    /** Calls, polls and decisions so far. */
    long steps() {
        return steps;
    }

    void violated(String what) {
        if (violations.isEmpty()) {
            trace("!", "VIOLATED", what);
            violations.add(what);
        }
    }

    List<String> violations() {
        return violations;
    }

    /** From now on nothing goes wrong. */
    void heal() {
        faulty = false;
        awayUntil = 0;
    }
}
