package dev.plimsoll.simulator;

import dev.plimsoll.device.DeviceException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the processes of one engine tell each other in a step: the assignments for each other's ranks, whether they stop, and
 * enough to notice that they do not run the same engine.
 *
 * <p>All contributions have the same fixed size, as an all-gather wants it: a header, the number of assignments for every rank, what
 * each layer took in the step before, and room for all assignments of a step. The gather is also the lock step between processes. With one process nothing is
 * exchanged, nor is when another process is lost and this one survives: what its ranks then send to the ranks of others is never
 * computed. The dispatch thread owns it; streams read what was received between two exchanges.
 */
final class AssignmentExchange implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AssignmentExchange.class);

    /** What a process does after the step. */
    enum Intent {
        GO_ON,
        /** This step is the last one, for all. */
        STOP,
        /** There is no such step: this process has left the group. */
        LEFT
    }

    /** The first exchange also waits for the other processes to start. */
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(60);

    private static final int INTENT = 0;
    private static final int STEP = 1;
    private static final int FINGERPRINT = 3;
    private static final int FIRST_RANK = 5;
    private static final int RANKS = 6;
    private static final int HEADER_INTS = 8;

    private final Optional<Exchange> exchange;
    private final EngineSettings settings;
    private final int self;
    private final int processes;
    private final boolean survives;
    private final int ints;
    private final ByteBuffer out;
    private final ByteBuffer in;
    private final IntBuffer sent;
    private final IntBuffer received;
    /** Whether an exchange did not come to its end: there can be no other. */
    private boolean broken;

    private boolean joined;
    /** Whether another process is lost that this one has survived. */
    private boolean lost;

    private AssignmentExchange(
            Optional<Exchange> exchange, EngineSettings settings, int processes, int self, boolean survives) {
        this.exchange = exchange;
        this.settings = settings;
        this.self = self;
        this.processes = processes;
        this.survives = survives;
        ints = exchange.isEmpty() ? HEADER_INTS : (int) (contributionBytes(settings) / 4);
        out = buffer(ints);
        in = buffer(Math.multiplyExact(ints, processes));
        sent = out.asIntBuffer();
        received = in.asIntBuffer();
    }

    static AssignmentExchange alone(EngineSettings settings) {
        return new AssignmentExchange(Optional.empty(), settings, 1, 0, false);
    }

    /** @param survives whether this process goes on alone when another is lost */
    static AssignmentExchange among(
            Exchange exchange, EngineSettings settings, int processes, int self, boolean survives) {
        return new AssignmentExchange(Optional.of(exchange), settings, processes, self, survives);
    }

    /** Bytes that every process contributes to every step. */
    static long contributionBytes(EngineSettings settings) {
        return 4L
                * (HEADER_INTS
                        + settings.topology().ranks()
                        + settings.model().layers()
                        + settings.assignmentsPerStep());
    }

    /** Whether there is no other process, or none any more. */
    boolean alone() {
        return exchange.isEmpty() || lost;
    }

    /**
     * Sends what the ranks of this process routed to ranks of others and receives what others routed to them.
     *
     * @param traffic a fingerprint of the step's picks
     * @return what the group does: the strongest intent of any process, this one's where it survives another that is lost
     * @throws IllegalStateException when another process is not at the same step of the same engine
     */
    Intent exchange(long step, Intent intent, int traffic, SimulatedRank[] local, Duration timeout) {
        if (alone()) {
            return intent;
        }
        header(step, intent, traffic);
        int at = HEADER_INTS + settings.topology().ranks() + settings.model().layers();
        for (int rank = 0; rank < settings.topology().ranks(); rank++) {
            int before = at;
            if (rank < settings.firstRank() || rank >= settings.firstRank() + settings.ranks()) {
                for (SimulatedRank source : local) {
                    AssignmentList list = source.sentTo(rank);
                    if (at + list.size() > ints) {
                        throw new IllegalStateException("step " + step + " sends more than the "
                                + settings.assignmentsPerStep() + " assignments that a step has");
                    }
                    list.copyTo(sent, at);
                    at += list.size();
                }
            }
            sent.put(HEADER_INTS + rank, at - before);
        }
        if (!survives) {
            return gather(step, traffic, timeout);
        }
        Intent group = Intent.LEFT;
        try {
            group = gather(step, traffic, timeout);
        } catch (DeviceException e) {
            LOG.warn("step {} has lost other processes, and goes on without: {}", step, e.getMessage());
        }
        lost = group == Intent.LEFT;
        return lost ? intent : group;
    }

    /** Tells the others, in the next exchange, what each layer took on the slowest rank here. */
    void tell(int[] layerNanos) {
        sent.put(HEADER_INTS + settings.topology().ranks(), layerNanos);
    }

    /** {@code [layer]}: the most that any process, this one too, has told in the last exchange. */
    int[] slowest() {
        int[] slowest = new int[settings.model().layers()];
        for (int process = 0; process < processes; process++) {
            int from = process * ints + HEADER_INTS + settings.topology().ranks();
            for (int layer = 0; layer < slowest.length; layer++) {
                slowest[layer] = Math.max(slowest[layer], received.get(from + layer));
            }
        }
        return slowest;
    }

    /** Tells the others, in their next exchange, that this process has left; nothing if they cannot be reached any more. */
    void leave(long step, Duration timeout) {
        if (!alone() && !broken) {
            header(step, Intent.LEFT, 0);
            for (int rank = 0; rank < settings.topology().ranks(); rank++) {
                sent.put(HEADER_INTS + rank, 0);
            }
            gather(step, 0, timeout);
        }
    }

    /** Hands over the assignments that other processes sent to a rank, processes in order; returns how many. */
    int forEachReceived(int rank, IntConsumer consumer) {
        if (lost) {
            return 0;
        }
        int total = 0;
        for (int process = 0; process < processes; process++) {
            if (process == self) {
                continue;
            }
            int counts = process * ints + HEADER_INTS;
            int from = counts + settings.topology().ranks() + settings.model().layers();
            for (int before = 0; before < rank; before++) {
                from += received.get(counts + before);
            }
            int count = received.get(counts + rank);
            for (int i = 0; i < count; i++) {
                consumer.accept(received.get(from + i));
            }
            total += count;
        }
        return total;
    }

    /** Makes an exchange under way fail at once; any thread. */
    void abort() {
        exchange.ifPresent(Exchange::abort);
    }

    @Override
    public void close() {
        exchange.ifPresent(Exchange::close);
    }

    private void header(long step, Intent intent, int traffic) {
        sent.put(INTENT, intent.ordinal());
        sent.put(STEP, (int) step).put(STEP + 1, (int) (step >>> 32));
        sent.put(FINGERPRINT, engine()).put(FINGERPRINT + 1, traffic);
        sent.put(FIRST_RANK, settings.firstRank()).put(RANKS, settings.ranks());
    }

    private Intent gather(long step, int traffic, Duration timeout) {
        broken = true;
        boolean first = !joined && timeout.compareTo(JOIN_TIMEOUT) < 0;
        exchange.orElseThrow().allGather(out.clear(), in.clear(), first ? JOIN_TIMEOUT : timeout);
        joined = true;
        Intent group = Intent.GO_ON;
        int nextRank = 0;
        for (int process = 0; process < processes; process++) {
            int base = process * ints;
            Intent intent = Intent.values()[received.get(base + INTENT)];
            long theirStep = received.get(base + STEP) & 0xffffffffL | (long) received.get(base + STEP + 1) << 32;
            String who = "process " + process;
            require(received.get(base + FINGERPRINT) == engine(), who + " runs an engine of other settings");
            require(theirStep == step, who + " is at step " + theirStep + ", this one at " + step);
            require(
                    received.get(base + FIRST_RANK) == nextRank,
                    who + " has ranks from " + received.get(base + FIRST_RANK) + ", not from " + nextRank);
            nextRank += received.get(base + RANKS);
            if (intent != Intent.LEFT && traffic != 0) {
                require(
                        received.get(base + FINGERPRINT + 1) == traffic,
                        who + " has other traffic at step " + step + ": give all processes one trace, order and seed");
            }
            group = intent.compareTo(group) > 0 ? intent : group;
        }
        require(nextRank == settings.topology().ranks(), "the processes have " + nextRank + " ranks together");
        broken = group == Intent.LEFT;
        return group;
    }

    /** What all processes must have been given alike. */
    private int engine() {
        return Arrays.hashCode(new int[] {
            settings.model().name().hashCode(),
            settings.model().experts(),
            settings.model().topK(),
            settings.model().layerIds().hashCode(),
            settings.topology().nodeOfRank().hashCode(),
            settings.topology().slotsPerRank(),
            settings.tokensPerStep(),
            Long.hashCode(settings.bytesPerExpert()),
            settings.boundarySteps(),
            settings.device()
                    .map(device -> 31 * device.profile().text().hashCode()
                            + Arrays.hashCode(
                                    new double[] {device.otherTime().toNanos(), device.noise(), device.seed()}))
                    .orElse(0)
        });
    }

    private static void require(boolean valid, String message) {
        if (!valid) {
            throw new IllegalStateException("the processes of this engine do not fit together: " + message);
        }
    }

    private static ByteBuffer buffer(int ints) {
        return ByteBuffer.allocateDirect(Math.multiplyExact(ints, 4)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
