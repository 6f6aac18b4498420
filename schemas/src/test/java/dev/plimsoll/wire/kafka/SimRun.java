package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.wire.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The simulation of one seed: up to three processes work on two partitions while records come and things go wrong; then nothing goes
 * wrong any more, and everything has to be answered, once and in order.
 */
final class SimRun {
    /** What came of a seed. */
    record Result(
            long seed,
            List<String> violations,
            List<String> trace,
            long hash,
            long steps,
            long events,
            int[] happened) {}

    private static final long MILLI = 1_000_000L;
    private static final long SECOND = 1_000 * MILLI;
    private static final Pace PACE = new Pace(Duration.ofSeconds(2), Duration.ofSeconds(5));
    private static final KafkaSettings[] SETTINGS = {
        KafkaSettings.of("simulated:1"), new KafkaSettings("simulated:1", Map.of("transaction.timeout.ms", "10000")),
    };

    private final SimWorld world;
    private final List<SimProcess> processes = new ArrayList<>();
    private final KafkaSettings settings;
    private final int most;
    private final int hold;
    private final boolean single;
    /** Whether one partition's input stays empty until the end, while its task has companions to answer. */
    private final boolean quiet;

    private final long[] numbers = new long[SimWorld.PARTITIONS];
    private int born;
    private int poisons;

    private SimRun(SimWorld world) {
        this.world = world;
        this.settings = SETTINGS[world.random().nextInt(2)];
        this.most = 1 + world.random().nextInt(3);
        this.hold = world.random().nextInt(3);
        this.single = world.chance(0.3);
        this.quiet = world.chance(0.25);
        if (quiet && world.chance(0.5)) {
            world.often(SimFault.MARKERS_LATE);
            world.often(SimFault.CRASH_AFTER_CALL);
        }
    }

    static Result of(long seed, boolean tracing) {
        SimWorld world = new SimWorld(seed, tracing);
        SimRun run = new SimRun(world);
        try {
            run.disturbed();
            run.healed();
        } catch (SimCrash e) {
            if (world.violations().isEmpty()) {
                throw e;
            }
        } finally {
            run.clear();
        }
        Throwable broken = world.scheduler().broken();
        if (broken != null) {
            throw new IllegalStateException("the simulation of seed " + seed + " is broken", broken);
        }
        return new Result(
                seed,
                world.violations(),
                world.trace(),
                world.hash(),
                world.steps(),
                world.scheduler().dispatched(),
                world.happened());
    }

    private void disturbed() {
        int rounds = 10 + world.random().nextInt(30);
        for (int round = 0; round < rounds && world.violations().isEmpty(); round++) {
            if (alive() < most && world.chance(0.5)) {
                begin();
            }
            records();
            disturb();
            world.scheduler().sleep(world.between(1, world.chance(0.9) ? 300 * MILLI : 3 * SECOND));
        }
    }

    private long alive() {
        return processes.stream().filter(process -> !process.dead()).count();
    }

    private void begin() {
        born++;
        SimProcess[] self = new SimProcess[1];
        self[0] = new SimProcess(
                world,
                born,
                settings,
                "simulated",
                Topic.SAMPLES,
                partition -> new SimTask(world, self[0], partition, world.chain(partition), hold, single),
                PACE);
        processes.add(self[0]);
        world.trace(self[0], "begins", "");
    }

    /** Some records of input and companion. */
    private void records() {
        int partition = world.random().nextInt(SimWorld.PARTITIONS);
        int count = quiet && partition == 0 ? 0 : world.random().nextInt(6);
        SimLog log = world.log(world.partition(Topic.SAMPLES, partition));
        if (world.draw(SimFault.OTHERS_TRANSACTION) || world.has(SimFault.OTHERS_TRANSACTION) && world.chance(0.3)) {
            world.happened(SimFault.OTHERS_TRANSACTION);
            SimLog.Piece piece = log.begin();
            for (int i = 0; i < count; i++) {
                append(log, partition, piece);
            }
            boolean commit = world.random().nextBoolean();
            world.scheduler().after(world.between(0, SECOND), () -> log.end(piece, commit, world.millis()));
        } else {
            for (int i = 0; i < count; i++) {
                append(log, partition, null);
            }
        }
        if (world.chance(0.4)) {
            ack(world.random().nextInt(SimWorld.PARTITIONS));
        }
    }

    private void append(SimLog log, int partition, SimLog.@Nullable Piece piece) {
        if (world.has(SimFault.UNREADABLE) && world.chance(0.1)) {
            world.happened(SimFault.UNREADABLE);
            log.append(new byte[0], new byte[] {7, 7}, world.millis(), piece);
            return;
        }
        if (world.has(SimFault.MISPLACED) && world.chance(0.1)) {
            world.happened(SimFault.MISPLACED);
            int other = (partition + 1) % SimWorld.PARTITIONS;
            Deployment elsewhere = world.chain(other).ofInput();
            long number = ++numbers[other] * SimWorld.PARTITIONS + other;
            log.append(key(elsewhere), Topic.SAMPLES.encode(new End(elsewhere, number)), world.millis(), piece);
            return;
        }
        long number = ++numbers[partition] * SimWorld.PARTITIONS + partition;
        // Each costs three recoveries with waits that grow.
        if (poisons < 2 && world.has(SimFault.POISON) && world.chance(0.1)) {
            poisons++;
            world.happened(SimFault.POISON);
            world.poison(number);
        }
        Deployment deployment = world.chain(partition).ofInput();
        log.append(key(deployment), Topic.SAMPLES.encode(new End(deployment, number)), world.millis(), piece);
    }

    private void ack(int partition) {
        Deployment deployment = world.chain(partition).ofAcks();
        RankAck ack = new RankAck(
                deployment,
                1,
                new RankId(0),
                1,
                RankAck.Kind.ACCEPTED,
                0,
                Optional.empty(),
                1,
                world.nextAck(partition));
        world.log(world.partition(Topic.ACKS, partition))
                .append(key(deployment), Topic.ACKS.encode(ack), world.millis(), null);
    }

    private static byte[] key(Deployment deployment) {
        return deployment.id().getBytes(StandardCharsets.UTF_8);
    }

    /** One of the things that happen to processes, group and logs. */
    private void disturb() {
        SimFault fault = DISTURBANCES.get(world.random().nextInt(DISTURBANCES.size()));
        if (!world.has(fault) || processes.isEmpty()) {
            return;
        }
        SimProcess process = processes.get(world.random().nextInt(processes.size()));
        int partition = world.random().nextInt(SimWorld.PARTITIONS);
        switch (fault) {
            case CRASH -> happened(fault, process, process::kill);
            case STOP -> happened(fault, process, () -> process.member().end());
            case PAUSE -> happened(fault, process, () -> process.pause(world.between(0, 2 * SECOND)));
            case ZOMBIE ->
                happened(
                        fault,
                        process,
                        () -> process.pause(world.sessionNanos() + world.between(0, 3 * world.sessionNanos())));
            case ZOMBIE_BEYOND_TRANSACTION ->
                happened(fault, process, () -> process.pause(world.between(20 * SECOND, 150 * SECOND)));
            case REBALANCE -> happened(fault, process, () -> world.group().rebalance());
            case BROKERS_AWAY -> happened(fault, process, () -> world.awayFor(world.between(0, 12 * SECOND)));
            case LOG_CUT -> cut(partition, false);
            case LOG_CUT_AHEAD -> cut(partition, true);
            case COMPANION_CUT -> cutAcks(partition);
            default -> throw new IllegalStateException("not a disturbance: " + fault);
        }
    }

    private static final List<SimFault> DISTURBANCES = List.of(
            SimFault.CRASH,
            SimFault.STOP,
            SimFault.PAUSE,
            SimFault.ZOMBIE,
            SimFault.ZOMBIE_BEYOND_TRANSACTION,
            SimFault.REBALANCE,
            SimFault.BROKERS_AWAY,
            SimFault.LOG_CUT,
            SimFault.LOG_CUT_AHEAD,
            SimFault.COMPANION_CUT);

    private void happened(SimFault fault, SimProcess process, Runnable does) {
        if (!process.dead()) {
            world.happened(fault);
            world.trace(process, "disturbed by", fault);
            does.run();
        }
    }

    private void cut(int partition, boolean ahead) {
        TopicPartition input = world.partition(Topic.SAMPLES, partition);
        OffsetAndMetadata committed = world.transactions().committed().get(input);
        long offset = committed == null ? 0 : committed.offset();
        SimLog log = world.log(input);
        if (ahead) {
            world.checks().cutAhead(partition);
            offset = world.between(offset, log.end() + 1);
        } else {
            long next = log.nextVisible(offset);
            offset = world.between(0, (next < 0 ? log.stable() : next) + 1);
        }
        world.happened(ahead ? SimFault.LOG_CUT_AHEAD : SimFault.LOG_CUT);
        log.cut(offset);
        world.trace(input, "is cut below", log.start());
    }

    private void cutAcks(int partition) {
        SimLog log = world.log(world.partition(Topic.ACKS, partition));
        if (log.end() == 0) {
            return;
        }
        world.checks().cutAcks(partition);
        world.happened(SimFault.COMPANION_CUT);
        // The newest stays, which tells how many there were.
        if (world.chance(0.5)) {
            ack(partition);
            ack(partition);
            log.cut(log.end() - 1);
        } else {
            log.cut(world.between(0, log.end()));
        }
    }

    private void healed() {
        world.heal();
        for (SimProcess process : processes) {
            // Zombies wake while others work on what was theirs, or long after.
            if (process.pausedUntil() > world.scheduler().now()) {
                world.scheduler().after(world.between(0, 40 * SECOND), process::goOn);
            }
        }
        if (alive() == 0) {
            begin();
        }
        world.trace("!", "healed", "");
        await("everything is answered, and every partition runs");
        for (int partition = 0;
                partition < SimWorld.PARTITIONS && world.violations().isEmpty();
                partition++) {
            append(world.log(world.partition(Topic.SAMPLES, partition)), partition, null);
            ack(partition);
        }
        await("what comes then is answered too");
        if (world.violations().isEmpty()) {
            world.checks().atTheEnd();
            long until = world.scheduler().now() + 60 * SECOND;
            while (!left().isEmpty()) {
                // What was given up may still wait for an answer.
                if (world.scheduler().now() > until) {
                    world.violated(left());
                    return;
                }
                world.scheduler().sleep(SECOND);
            }
        }
    }

    private String left() {
        return processes.stream()
                .filter(process -> !process.dead())
                .map(SimProcess::left)
                .filter(left -> !left.isEmpty())
                .findFirst()
                .orElse("");
    }

    private void await(String what) {
        long until = world.scheduler().now() + 100 * SECOND;
        while (world.violations().isEmpty() && world.scheduler().broken() == null && !done()) {
            if (world.scheduler().now() > until) {
                world.violated("liveness: in vain waited until " + what);
                return;
            }
            if (alive() == 0) {
                begin();
            }
            world.scheduler().sleep(200 * MILLI);
        }
    }

    private boolean done() {
        return world.checks().complete()
                && processes.stream()
                        .noneMatch(process ->
                                process.pausedUntil() > world.scheduler().now())
                && processes.stream()
                        .filter(process -> !process.dead())
                        .allMatch(process -> process.member().settled());
    }

    /** Ends all threads. */
    private void clear() {
        processes.forEach(SimProcess::kill);
        while (processes.stream().anyMatch(process -> world.scheduler().anyThreadOf(process))) {
            world.scheduler().sleep(MILLI);
        }
    }
}
