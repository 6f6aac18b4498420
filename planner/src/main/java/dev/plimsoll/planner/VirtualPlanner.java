package dev.plimsoll.planner;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.InputLog;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.RecoveryRead;
import dev.plimsoll.wire.kafka.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * The planner's own work on one incarnation of a deployment, in a time that whoever feeds it makes go by: the service's join of records,
 * history, cooldown, gate, protocol and measurement, without Kafka and without a clock.
 *
 * <p>No deadline of the settings passes: a plan takes what it takes, and ranks are fed when they have something to say. So what it
 * writes is a function of what it is fed and of the settings. For one thread; layers are planned on threads of its own.
 */
public final class VirtualPlanner implements AutoCloseable {
    private static final Duration NEVER = Duration.ofDays(36_500);
    private static final String NAME = "replay";

    private final ParallelPlanning planning;
    private final PlannerTask task;
    private final Deployment deployment;
    private long nowMillis;
    private long offset;

    /**
     * Takes the deployment over at that placement; what it writes first comes with the first {@link #poll}.
     *
     * @param policy in place of the settings' own
     * @param start what the ranks serve, with its version
     */
    public VirtualPlanner(
            PlannerSettings settings,
            Policy policy,
            PlannerListener listener,
            Membership members,
            Placement start,
            long nowMillis) {
        this.planning = new ParallelPlanning(policy, settings.planThreads());
        this.nowMillis = nowMillis;
        this.deployment = members.deployment();
        this.task = new PlannerTask(
                settings.within(NEVER),
                planning,
                PlanDesk.AT_ONCE,
                NAME,
                listener,
                () -> Instant.ofEpochMilli(this.nowMillis));
        InputLog log = new InputLog(0, 1, NAME, 0, 0, OptionalLong.empty(), "");
        for (Optional<RecoveryRead<?>> read = task.nextRead(log); read.isPresent(); read = task.nextRead(log)) {
            deliver(read.orElseThrow(), Topic.PLAN, settlements(members, start));
            deliver(read.orElseThrow(), Topic.PLACEMENTS, kept(members, start));
            deliver(read.orElseThrow(), Topic.MEMBERS, List.of(members));
        }
        task.recovered(log);
    }

    /** A placement that was settled must have been so in the plan log; the initial one never is. */
    private static List<PlanCommand> settlements(Membership members, Placement start) {
        return start.version() == 0
                ? List.of()
                : List.of(new PlanCommand.Settled(
                        new PlanHeader(members.deployment(), members.incarnation(), 1, 1),
                        start.version(),
                        1,
                        true,
                        start.hash()));
    }

    private static List<SettledPlacement> kept(Membership members, Placement start) {
        long hash = start.hash();
        return IntStream.range(0, start.layers())
                .mapToObj(layer -> SettledPlacement.of(members.deployment(), members.incarnation(), start, layer, hash))
                .toList();
    }

    private <T> void deliver(RecoveryRead<?> read, Topic<T> topic, List<? extends T> values) {
        if (read.topic() != topic) {
            return;
        }
        @SuppressWarnings("unchecked") // a read of a topic takes the topic's values
        RecoveryRead<T> of = (RecoveryRead<T>) read;
        for (int i = 0; i < values.size(); i++) {
            of.each().accept(new Received<>(topic, 0, i, nowMillis, values.get(i)));
        }
    }

    /** A window, whole or not, as it stands in the topics. */
    public void window(List<LoadWindow> rows, WindowSummary summary) {
        for (LoadWindow row : rows) {
            task.onRecord(new Received<>(Topic.WINDOWS, 0, offset++, nowMillis, row));
        }
        task.onCompanion(new Received<>(Topic.WINDOW_SUMMARIES, 0, 0, nowMillis, summary));
    }

    /** What a rank says. */
    public void ack(RankAck ack) {
        task.onCompanion(new Received<>(Topic.ACKS, 0, 0, nowMillis, ack));
    }

    /** Lets time go on; it does not go back. */
    public void at(long millis) {
        nowMillis = Math.max(nowMillis, millis);
    }

    /** Plans on what was fed and returns what is written to the plan log, in order. */
    public List<PlanCommand> poll() {
        task.onPoll(nowMillis);
        List<PlanCommand> written = new ArrayList<>();
        for (Optional<Transaction> transaction = task.takeTransaction();
                transaction.isPresent();
                transaction = task.takeTransaction()) {
            for (Output<?> output : transaction.orElseThrow().outputs()) {
                if (output.value() instanceof PlanCommand command) {
                    written.add(command);
                }
            }
            task.onCommitted();
        }
        return written;
    }

    /** What the newest settled decision has brought so far, where its last window has not come and so it has not been told to the end. */
    public Optional<Outcome> measuredSoFar() {
        return task.measuredSoFar(deployment);
    }

    @Override
    public void close() {
        planning.close();
    }
}
