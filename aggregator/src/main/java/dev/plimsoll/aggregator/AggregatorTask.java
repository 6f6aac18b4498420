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
import dev.plimsoll.wire.kafka.RefusedException;
import dev.plimsoll.wire.kafka.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The windows of one partition, exactly once: what a record closed, the state of the deployments that changed, quarantine and the oldest
 * offset that is still needed travel in one transaction. Recovery reads the state and folds again from that offset.
 */
public final class AggregatorTask implements PartitionTask<SampleRecord> {
    private static final Logger LOG = LoggerFactory.getLogger(AggregatorTask.class);

    /** State and quarantine belong to partitions: the deployment that an output needs decides nothing. */
    private static final Deployment NOBODY = new Deployment("nobody");

    /** Records of a minute that have a line each in the log of the process. */
    private static final int MOST_TOLD = 10;

    private final int partition;
    private final AggregatorSettings settings;
    private final AggregatorListener listener;
    private final Deque<Checkpoint> checkpoints = new ArrayDeque<>();
    private final QuarantineQueue quarantine = new QuarantineQueue();
    private final List<Deployment> ticks = new ArrayList<>();
    private final List<WindowSummary> taken = new ArrayList<>();
    private final Set<Deployment> ended = new HashSet<>();
    private final Set<Deployment> told = new HashSet<>();
    private final List<Membership> memberships = new ArrayList<>();
    private final CommittedState found;
    private final Refusals refusals = new Refusals();
    private final FateCounts fates = new FateCounts();
    private final CatchingUp catchingUp = new CatchingUp();
    private final Ticks silence;
    private Fold fold;
    private Optional<InputLog> log = Optional.empty();
    private Optional<Start> start = Optional.empty();
    private long committed;
    private int recordsSinceCheckpoint;
    private long checkpointMillis = Long.MIN_VALUE;
    private boolean overdue;
    private boolean mustCommit;
    private boolean replacesFirstRelease;
    private boolean stateRead;
    private boolean membersRead;
    /** Why nothing is read any more; told once all that was folded before is committed. */
    private Optional<RefusedException> leaves = Optional.empty();

    public AggregatorTask(int partition, AggregatorSettings settings, AggregatorListener listener) {
        this.partition = partition;
        this.settings = settings;
        this.listener = listener;
        this.found = new CommittedState(partition);
        this.silence = new Ticks(settings.tickInterval());
        this.fold = Fold.empty(partition, settings.windows(), events());
    }

    private FoldListener events() {
        return new FoldListener() {
            @Override
            public void fate(Deployment deployment, Fate fate, long cells, long load) {
                refusals.told(deployment, fate);
                if (cells > 0) {
                    fates.add(deployment, fate, cells, load);
                } else {
                    listener.fate(deployment, fate, cells, load);
                }
            }

            @Override
            public void lapsed(Deployment deployment, long window, List<Integer> ranks) {
                LOG.warn(
                        "{}: {} ranks have said nothing while others went on: {}. Windows from {} on close without them, until they"
                                + " report again. Is their collector running?",
                        deployment,
                        ranks.size(),
                        ranks.size() > 16 ? ranks.subList(0, 16) + " and more" : ranks,
                        window);
            }

            @Override
            public void jumped(Deployment deployment, long fromWindow, long toWindow) {
                LOG.warn(
                        "A quorum of {}'s ranks reports from window {} while window {} was open: going there. Windows between are"
                                + " not published unless a quorum goes back to them.",
                        deployment,
                        toWindow,
                        fromWindow);
                listener.jumped(deployment, fromWindow, toWindow);
            }
        };
    }

    @Override
    public Optional<RecoveryRead<?>> nextRead(InputLog input) {
        if (!stateRead) {
            stateRead = true;
            return Optional.of(RecoveryRead.state(Topic.AGGREGATOR_STATE, record -> found.add(record.value()))
                    .orRemoved(found::removed));
        }
        if (!membersRead && start(input).lost().isPresent()) {
            membersRead = true;
            return Optional.of(RecoveryRead.all(Topic.MEMBERS, record -> memberships.add(record.value())));
        }
        return Optional.empty();
    }

    private Start start(InputLog input) {
        if (start.isEmpty()) {
            start = Optional.of(found.start(input));
        }
        return start.get();
    }

    @Override
    public long recovered(InputLog input) {
        log = Optional.of(input);
        Start at = start(input);
        fold = new Fold(partition, at.asOf(), at.sequences(), settings.windows(), events());
        at.lost().ifPresent(what -> {
            LOG.error(
                    "Partition {}: input is lost: {}. Windows are TRUNCATED until one of their deployment is complete.",
                    partition,
                    what);
            listener.inputLost(partition, found.nextInputOffset(), at.position());
            fold.truncate(memberships);
            mustCommit = true;
        });
        memberships.clear();
        quarantine.recovered(at.lost().isPresent() ? "" : input.note());
        replacesFirstRelease = found.ofFirstRelease();
        if (replacesFirstRelease) {
            fold.keepAll();
        }
        // Until a state is written, the offset stays the one of the state that is there, lest it be ahead of it.
        committed = found.nextInputOffset();
        found.clear();
        return at.position();
    }

    @Override
    public void onRecord(Received<SampleRecord> record) {
        if (leaves.isPresent()) {
            return;
        }
        silence.heard(record.value().deployment());
        catchingUp.read(record.timestampMillis());
        if (record.value() instanceof End) {
            ended.add(record.value().deployment());
        }
        if (!quarantine.breaker().closed() && !fold.replays(record.offset())) {
            boolean tick = record.value() instanceof Tick;
            quarantine.add(
                    record.offset(),
                    quarantine.breaker().readable(record.topic().name(), partition, record.timestampMillis(), tick));
        }
        fold.fold(record.offset(), record.timestampMillis(), record.value()).ifPresent(checkpoints::add);
        recordsSinceCheckpoint++;
    }

    @Override
    public void onUnreadable(Quarantined record, long timestampMillis) {
        if (leaves.isPresent() || fold.replays(record.offset())) {
            return;
        }
        Breaker breaker = quarantine.breaker();
        if (!settings.quarantinesNewer() && breaker.leavesAt(record, timestampMillis)) {
            leaves = Optional.of(refusal(record, breaker));
            return;
        }
        fold.skip(record.offset());
        recordsSinceCheckpoint++;
        Breaker.Step step = breaker.unreadable(record, timestampMillis);
        quarantine.add(record.offset(), step);
        boolean kept = step.tell().stream().anyMatch(told -> told.kind() == Quarantined.Kind.RECORD);
        listener.unreadable(record);
        if (!kept) {
            listener.leftOut(record);
        }
        tell(record, step, kept);
    }

    private void tell(Quarantined record, Breaker.Step step, boolean kept) {
        if (step.floods()) {
            LOG.warn(
                    "A flood of records that cannot be read in {}-{}, such as {}. Beyond {} in a minute they are counted and not"
                            + " kept: 'plimsoll quarantine list' has the first of them, their keys say who writes them.",
                    record.topic(),
                    record.partition(),
                    record.summary(),
                    Breaker.MOST_RECORDS);
        } else if (kept && step.next().kept() <= MOST_TOLD) {
            LOG.warn("Quarantined {}", record.summary());
        }
    }

    private static RefusedException refusal(Quarantined record, Breaker breaker) {
        return new RefusedException(record.topic() + "-" + record.partition() + " is left at offset " + record.offset()
                + ": nothing but records of a later release has come since "
                + Instant.ofEpochMilli(breaker.newerSince()) + " (" + breaker.newer() + " in a row; " + record.detail()
                + "). Upgrade this aggregator: it goes on where this one stops, and nothing is lost while the topic keeps them. If"
                + " they are none, find who writes them (key '" + record.key()
                + "') and start the aggregator with --quarantine-newer to read on.");
    }

    @Override
    public void onPoll(long nowMillis) {
        fates.tell(listener);
        catchingUp.polled(!checkpoints.isEmpty(), nowMillis);
        for (Deployment deployment : silence.due(fold.awaitingTime(), nowMillis)) {
            ticks.add(deployment);
            listener.tick(deployment);
        }
        boolean idle = recordsSinceCheckpoint == 0 || checkpointMillis > nowMillis;
        if (idle || checkpointMillis == Long.MIN_VALUE) {
            checkpointMillis = nowMillis;
        }
        overdue = !idle
                && nowMillis - checkpointMillis >= settings.checkpointInterval().toMillis();
    }

    @Override
    public Optional<Transaction> takeTransaction() {
        if (catchingUp.waits()) {
            return Optional.empty();
        }
        catchingUp.taken();
        if (checkpoints.isEmpty() && fold.live() && checkpointDue()) {
            checkpoints.add(fold.checkpoint());
        }
        List<Output<?>> outputs = new ArrayList<>();
        taken.clear();
        Map<Deployment, AggregatorState.Sequence> changed = new LinkedHashMap<>();
        Map<Deployment, AggregatorState.Sequence> forgotten = new LinkedHashMap<>();
        Optional<Checkpoint> last = Optional.empty();
        long bytes = 0;
        while (!checkpoints.isEmpty() && bytes < settings.bytesPerTransaction()) {
            Checkpoint checkpoint = checkpoints.remove();
            for (ClosedWindow window : checkpoint.windows()) {
                add(outputs, window);
                bytes += window.bytes();
            }
            checkpoint.changed().forEach(state -> {
                changed.put(state.deployment(), state);
                forgotten.remove(state.deployment());
            });
            checkpoint.forgotten().forEach(state -> {
                changed.remove(state.deployment());
                forgotten.put(state.deployment(), state);
            });
            last = Optional.of(checkpoint);
        }
        last.ifPresent(newest -> {
            changed.values().forEach(state -> outputs.add(Output.of(Topic.AGGREGATOR_STATE, NOBODY, of(state))));
            forgotten.values().forEach(state -> outputs.add(Output.removal(Topic.AGGREGATOR_STATE, NOBODY, of(state))));
            add(outputs, newest);
        });
        ticks.forEach(deployment -> outputs.add(Output.of(Topic.SAMPLES, deployment, new Tick(deployment))));
        ticks.clear();
        if (outputs.isEmpty() && leaves.isPresent()) {
            throw leaves.get();
        }
        return outputs.isEmpty()
                ? Optional.empty()
                : Optional.of(new Transaction(outputs, committed, quarantine.note()));
    }

    /** Whether something besides windows and ticks has to be committed. */
    private boolean checkpointDue() {
        return quarantine.pending()
                || mustCommit
                || leaves.isPresent() && recordsSinceCheckpoint > 0
                || overdue
                || recordsSinceCheckpoint >= settings.recordsPerCheckpoint();
    }

    private AggregatorState of(AggregatorState.Sequence state) {
        return new AggregatorState.OfDeployment(partition, state);
    }

    private void add(List<Output<?>> outputs, ClosedWindow window) {
        WindowSummary summary = window.summary();
        for (LoadWindow load : window.loads()) {
            outputs.add(Output.at(Topic.WINDOWS, load.deployment(), load, summary.closedAtMillis()));
        }
        outputs.add(Output.at(Topic.WINDOW_SUMMARIES, summary.deployment(), summary, summary.closedAtMillis()));
        taken.add(summary);
    }

    private void add(List<Output<?>> outputs, Checkpoint newest) {
        quarantine.takeThrough(newest.asOf(), record -> outputs.add(Output.of(Topic.QUARANTINE, NOBODY, record)));
        if (replacesFirstRelease) {
            outputs.add(Output.of(Topic.AGGREGATOR_STATE, NOBODY, AggregatorState.Whole.outOfReach(partition)));
            replacesFirstRelease = false;
        }
        long next = newest.nextInputOffset();
        if (next < committed && !mustCommit) {
            throw new IllegalStateException(
                    "offset " + next + " is needed, but " + committed + " is committed: a fault in the fold");
        }
        outputs.add(Output.of(
                Topic.AGGREGATOR_STATE,
                NOBODY,
                new AggregatorState.OfPartition(
                        partition,
                        newest.asOf(),
                        next,
                        log.map(InputLog::topicId).orElse(""),
                        log.map(InputLog::partitions).orElse(0))));
        committed = next;
        mustCommit = false;
        recordsSinceCheckpoint = 0;
        overdue = false;
        checkpointMillis = Long.MIN_VALUE;
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
        listener.committed(partition, outputs, took);
    }
}
