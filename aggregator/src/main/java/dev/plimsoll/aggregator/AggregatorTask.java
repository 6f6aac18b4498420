package dev.plimsoll.aggregator;

import dev.plimsoll.aggregator.window.Checkpoint;
import dev.plimsoll.aggregator.window.ClosedWindow;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.aggregator.window.Fold;
import dev.plimsoll.aggregator.window.FoldListener;
import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.InputLog;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.PartitionTask;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.RecoveryRead;
import dev.plimsoll.wire.kafka.Transaction;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The windows of one partition, exactly once: what a record closed, the state as of that record, quarantine and the oldest offset that
 * is still needed travel in one transaction. Recovery reads the state and folds again from that offset.
 */
public final class AggregatorTask implements PartitionTask<SampleRecord> {
    private static final Logger LOG = LoggerFactory.getLogger(AggregatorTask.class);

    /** Unreadable records that are held while no deployment is known that could stand for the partition. */
    private static final int MOST_HELD = 256;

    private final AggregatorSettings settings;
    private final AggregatorListener listener;
    private final Deque<Checkpoint> checkpoints = new ArrayDeque<>();
    private final Deque<Quarantined> quarantined = new ArrayDeque<>();
    private final List<Deployment> ticks = new ArrayList<>();
    private final List<WindowSummary> taken = new ArrayList<>();
    private final Set<Deployment> ended = new HashSet<>();
    private final Set<Deployment> told = new HashSet<>();
    private final Ticks silence;
    private Fold fold;
    private long committed;
    private int recordsSinceCheckpoint;
    private boolean inputLost;
    private boolean stateRead;
    private boolean membersRead;
    private Optional<AggregatorState> last = Optional.empty();
    private final List<Membership> memberships = new ArrayList<>();

    public AggregatorTask(int partition, AggregatorSettings settings, AggregatorListener listener) {
        this.settings = settings;
        this.listener = listener;
        this.silence = new Ticks(settings.tickInterval());
        this.fold = foldOf(Fold.nothing(partition));
    }

    private Fold foldOf(AggregatorState state) {
        return new Fold(state, settings.windows(), new FoldListener() {
            @Override
            public void fate(Deployment deployment, Fate fate, long cells, long load) {
                if (fate == Fate.MEMBERS_CONFLICT
                        || fate == Fate.MEMBERS_TOO_LARGE
                        || fate == Fate.TOO_MANY_DEPLOYMENTS) {
                    LOG.error("A membership record of {} is refused, its samples will be too: {}", deployment, fate);
                }
                listener.fate(deployment, fate, cells, load);
            }
        });
    }

    @Override
    public Optional<RecoveryRead<?>> nextRead(InputLog input) {
        if (!stateRead) {
            stateRead = true;
            return Optional.of(RecoveryRead.state(Topic.AGGREGATOR_STATE, record -> {
                if (record.value().partition() == input.partition()) {
                    last = Optional.of(record.value());
                }
            }));
        }
        if (!membersRead && lastState(input).nextInputOffset() < input.first()) {
            membersRead = true;
            return Optional.of(RecoveryRead.all(Topic.MEMBERS, record -> memberships.add(record.value())));
        }
        return Optional.empty();
    }

    @Override
    public long recovered(InputLog input) {
        if (last.isEmpty() && input.committed().isPresent()) {
            throw new IllegalStateException("The group has committed offset "
                    + input.committed().getAsLong() + " of the samples' partition "
                    + input.partition() + ", but the aggregator's state topic has nothing of it: windows would be"
                    + " published twice. Restore that topic, or delete the group's offsets to start anew from the oldest"
                    + " sample.");
        }
        fold = foldOf(lastState(input));
        // The state alone says what is needed: offsets of a group may expire, the compacted state does not. Asked of
        // what was
        // read, not of the fold, whose windows are not open yet.
        long needed = lastState(input).nextInputOffset();
        if (input.committed().isPresent() && input.committed().getAsLong() != needed) {
            LOG.warn(
                    "Partition {}: the group has committed {}, the state says {}; going by the state",
                    input.partition(),
                    input.committed().getAsLong(),
                    needed);
        }
        if (needed < input.first()) {
            lost(input, needed);
        }
        committed = Math.max(needed, input.first());
        return committed;
    }

    private AggregatorState lastState(InputLog input) {
        return last.orElseGet(() -> Fold.nothing(input.partition()));
    }

    private void lost(InputLog input, long needed) {
        inputLost = true;
        listener.inputLost(input.partition(), needed, input.first());
        LOG.error(
                "Partition {}: samples from offset {} to {} were deleted before they were folded. Windows are TRUNCATED until one"
                        + " is complete. Raise the samples' retention or find out why the aggregator was away for so long.",
                input.partition(),
                needed,
                input.first() - 1);
        fold.truncate(memberships);
        memberships.clear();
    }

    @Override
    public void onRecord(Received<SampleRecord> record) {
        silence.heard(record.value().deployment());
        if (record.value() instanceof End) {
            ended.add(record.value().deployment());
        }
        fold.fold(record.offset(), record.timestampMillis(), record.value()).ifPresent(checkpoints::add);
        recordsSinceCheckpoint++;
    }

    @Override
    public void onUnreadable(Quarantined record, long timestampMillis) {
        if (fold.replays(record.offset())) {
            return;
        }
        fold.skip(record.offset());
        recordsSinceCheckpoint++;
        listener.unreadable(record);
        LOG.warn("Quarantined {}", record.summary());
        quarantined.add(record);
        if (quarantined.size() > MOST_HELD && fold.deployments().isEmpty()) {
            LOG.error("No deployment is known that could stand for the partition; dropped {}", quarantined.remove());
        }
    }

    @Override
    public void onPoll(long nowMillis) {
        for (Deployment deployment : silence.due(fold.awaitingTime(), nowMillis)) {
            ticks.add(deployment);
            listener.tick(deployment);
        }
    }

    @Override
    public Optional<Transaction> takeTransaction() {
        if (checkpoints.isEmpty() && fold.live() && checkpointDue()) {
            checkpoints.add(new Checkpoint(List.of(), fold.state()));
        }
        List<Output<?>> outputs = new ArrayList<>();
        taken.clear();
        Optional<AggregatorState> state = Optional.empty();
        while (!checkpoints.isEmpty() && taken.size() < settings.windowsPerTransaction()) {
            Checkpoint checkpoint = checkpoints.remove();
            checkpoint.windows().forEach(window -> add(outputs, window));
            state = Optional.of(checkpoint.state());
        }
        state.ifPresent(latest -> add(outputs, latest));
        ticks.forEach(deployment -> outputs.add(Output.of(Topic.SAMPLES, deployment, new Tick(deployment))));
        ticks.clear();
        return outputs.isEmpty() ? Optional.empty() : Optional.of(new Transaction(outputs, committed));
    }

    /** Whether something besides windows has to be committed. Without a deployment there is no key to write it under. */
    private boolean checkpointDue() {
        return !fold.deployments().isEmpty()
                && (!quarantined.isEmpty()
                        || !ticks.isEmpty()
                        || inputLost
                        || recordsSinceCheckpoint >= settings.recordsPerCheckpoint());
    }

    private void add(List<Output<?>> outputs, ClosedWindow window) {
        WindowSummary summary = window.summary();
        for (LoadWindow load : window.loads()) {
            outputs.add(Output.at(Topic.WINDOWS, load.deployment(), load, summary.closedAtMillis()));
        }
        outputs.add(Output.at(Topic.WINDOW_SUMMARIES, summary.deployment(), summary, summary.closedAtMillis()));
        taken.add(summary);
    }

    private void add(List<Output<?>> outputs, AggregatorState state) {
        Deployment any = state.sequences().get(0).members().deployment();
        while (!quarantined.isEmpty() && quarantined.element().offset() <= state.asOf()) {
            outputs.add(Output.of(Topic.QUARANTINE, any, quarantined.remove()));
        }
        outputs.add(Output.of(Topic.AGGREGATOR_STATE, any, state));
        long next = state.nextInputOffset();
        if (next < committed && !inputLost) {
            throw new IllegalStateException(
                    "offset " + next + " is needed, but " + committed + " is committed: a fault in the fold");
        }
        committed = Math.max(committed, next);
        inputLost = false;
        recordsSinceCheckpoint = 0;
    }

    /** Another member of the group has the partition now, or nobody. */
    void revoked() {
        told.forEach(listener::released);
        told.clear();
    }

    /** The transaction that was taken last is committed. */
    void onCommitted(int outputs, Duration took) {
        taken.forEach(window -> {
            told.add(window.deployment());
            listener.windowClosed(window);
        });
        taken.clear();
        // Behind the windows that their ends have closed.
        ended.forEach(listener::released);
        told.removeAll(ended);
        ended.clear();
        listener.committed(fold.state().partition(), outputs, took);
    }
}
