package dev.plimsoll.planner;

import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Patience;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.InputLog;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.PartitionTask;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.RecoveryRead;
import dev.plimsoll.wire.kafka.Transaction;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The planner's work on one partition, with all deployments in it.
 *
 * <p>Asks for a plan on the newest whole window after each poll; it is made at a {@link PlanDesk}, which the loop's thread does not wait
 * for: tens of milliseconds, or two seconds for a first plan of the largest models in a JVM that has just started, in which acks of
 * all deployments are heard. A proposal and the offset behind the windows that it used are one transaction. The offset is how far was
 * read, so that the group's lag is what is left to do; beside it stands the oldest window that the forecast looks back on, from which a
 * successor reads the same history.
 */
final class PlannerTask implements PartitionTask<LoadWindow> {
    private static final Logger LOG = LoggerFactory.getLogger(PlannerTask.class);

    private final PlannerSettings settings;
    private final ToldLater told;
    private final InstantSource clock;
    private final ParallelPlanning planning;
    private final PlanDesk desk;
    private final DecisionDriver driver;
    private final TreeMap<Deployment, DeploymentPlanner> planners = new TreeMap<>();
    private final TreeMap<Deployment, WindowJoin> joins = new TreeMap<>();
    private final TreeMap<Deployment, Setbacks> setbacks = new TreeMap<>();
    private final Checkpoints checkpoints = new Checkpoints();
    private final TreeMap<Deployment, OutcomeHistory> outcomes = new TreeMap<>();
    /** Of deployments that have no planner yet: nobody answers for who is not there. */
    private final TreeMap<Deployment, List<ControlRecord>> controls = new TreeMap<>();

    private final List<Output<?>> outputs = new ArrayList<>();
    private final AckPositions acks = new AckPositions();
    private final Deque<Supplier<Optional<RecoveryRead<?>>>> reads = reads();
    private int partition;
    private String topicId = "";
    private OptionalLong acksFrom = OptionalLong.empty();
    private long nextOffset;
    private long read;
    private boolean offsetMoved;

    PlannerTask(
            PlannerSettings settings,
            ParallelPlanning planning,
            PlanDesk desk,
            String planner,
            PlannerListener listener,
            InstantSource clock) {
        this.settings = settings;
        this.told = new ToldLater(listener);
        this.clock = clock;
        this.planning = planning;
        this.desk = desk;
        this.driver = new DecisionDriver(
                new DecisionProtocol(
                        new Patience(
                                settings.acceptWithin().toMillis(),
                                settings.progressWithin().toMillis(),
                                settings.abortWithin().toMillis(),
                                settings.acceptBoundaries(),
                                settings.progressBoundaries(),
                                settings.approval().within().toMillis()),
                        planner,
                        SettingsText.of(settings)),
                settings.cooldownWindows(),
                settings.approval().required());
    }

    @Override
    public List<Topic<?>> companions() {
        return List.of(Topic.WINDOW_SUMMARIES, Topic.ACKS, Topic.MEMBERS, Topic.PLAN, Topic.OUTCOMES, Topic.CONTROL);
    }

    @Override
    public Optional<RecoveryRead<?>> nextRead(InputLog input) {
        partition = input.partition();
        acksFrom = Resumption.acks(input);
        return nextOf(reads);
    }

    /** What is read at recovery, in this order; the later ones depend on what the earlier ones have brought. */
    private Deque<Supplier<Optional<RecoveryRead<?>>>> reads() {
        // Only the newest of a deployment: taking over an incarnation that has passed would void what is in flight now.
        Map<Deployment, Membership> newest = new TreeMap<>();
        Deque<Supplier<Optional<RecoveryRead<?>>>> inOrder = new ArrayDeque<>();
        inOrder.add(
                () -> Optional.of(RecoveryRead.state(Topic.PLACEMENTS, record -> checkpoints.kept(record.value()))));
        inOrder.add(() ->
                Optional.of(RecoveryRead.all(Topic.CONTROL, record -> control(record.value(), clock.millis()))));
        inOrder.add(() -> Optional.of(RecoveryRead.all(
                Topic.MEMBERS,
                record -> newest.merge(
                        record.value().deployment(),
                        record.value(),
                        (a, b) -> b.incarnation() >= a.incarnation() ? b : a))));
        inOrder.add(() -> logs(newest.values()));
        inOrder.add(() -> acksInFlight(newest.values()));
        inOrder.add(() -> Optional.of(RecoveryRead.since(
                Topic.WINDOW_SUMMARIES, clock.millis() - settings.lookBack().toMillis(), record -> {
                    Deployment deployment = record.value().deployment();
                    join(deployment).add(record.value());
                    Optional.ofNullable(planners.get(deployment)).ifPresent(planner -> planner.wereAt(record.value()));
                })));
        return inOrder;
    }

    /** As much of plan log and outcomes as is not told by what is kept: mostly one stretch at the end of each. */
    private Optional<RecoveryRead<?>> logs(Collection<Membership> newest) {
        List<RecoveryRead<?>> all = new ArrayList<>();
        checkpoints.reads(newest).forEach(range -> all.add(planLog(range)));
        checkpoints.outcomeReads().forEach(range -> all.add(outcomes(range)));
        for (int later = all.size() - 1; later > 0; later--) {
            RecoveryRead<?> read = all.get(later);
            reads.addFirst(() -> Optional.of(read));
        }
        return Optional.of(all.get(0));
    }

    private RecoveryRead<Outcome> outcomes(RecoveryRead.Range range) {
        return RecoveryRead.all(Topic.OUTCOMES, record -> {
                    checkpoints.outcome(record);
                    outcomes.computeIfAbsent(record.value().deployment(), none -> new OutcomeHistory())
                            .add(record.value());
                })
                .in(range)
                .until(checkpoints::outcomesReached);
    }

    private RecoveryRead<PlanCommand> planLog(RecoveryRead.Range range) {
        return RecoveryRead.state(Topic.PLAN, this::planLog).in(range).until(checkpoints::reached);
    }

    private void planLog(Received<PlanCommand> record) {
        if (checkpoints.read(record)) {
            setbacks.merge(
                    record.value().header().deployment(),
                    Setbacks.NONE.after(record.value()),
                    (before, first) -> before.after(record.value()));
        }
    }

    /**
     * The acks of the decisions that are in flight, and the earlier ones that tell what flips take; makes the planners, as the plan log is
     * read. The former by their offset: a rank's clock may be behind ours by any time, and its ABORTED must be found.
     */
    private Optional<RecoveryRead<?>> acksInFlight(Collection<Membership> newest) {
        long now = clock.millis();
        newest.forEach(members -> members(members, now));
        long flips = now - settings.lookBack().toMillis();
        boolean inFlight = planners.values().stream()
                .anyMatch(planner -> planner.stage().inFlight().isPresent());
        RecoveryRead.Range range = !inFlight
                ? RecoveryRead.Range.since(flips)
                : acksFrom.isPresent()
                        ? RecoveryRead.Range.from(acksFrom.getAsLong()).orSince(flips)
                        // An earlier release has proposed it, and does not say.
                        : RecoveryRead.Range.ALL;
        acks.reached(acksFrom.orElse(0));
        lookInFlight();
        return Optional.of(RecoveryRead.all(Topic.ACKS, record -> wasAcked(record.value()))
                .in(range)
                .until(acks::readToEnd));
    }

    private void wasAcked(RankAck ack) {
        Optional.ofNullable(planners.get(ack.deployment())).ifPresent(planner -> {
            boolean counts = planner.stage()
                    .inFlight()
                    .filter(decision -> decision.epoch() == ack.epoch())
                    .isPresent();
            if (counts) {
                planner.happened(new Event.Acked(ack), clock.millis());
            } else {
                planner.flipped(ack);
            }
        });
    }

    private void lookInFlight() {
        planners.values()
                .forEach(planner ->
                        acks.look(planner.deployment(), planner.stage().inFlight()));
    }

    private static Optional<RecoveryRead<?>> nextOf(Deque<Supplier<Optional<RecoveryRead<?>>>> reads) {
        return Optional.ofNullable(reads.poll()).flatMap(Supplier::get);
    }

    @Override
    public long recovered(InputLog input) {
        topicId = input.topicId();
        Resumption start = Resumption.of(input);
        start.lost().ifPresent(what -> {
            LOG.warn("Partition {} of {}: {}", partition, Topic.WINDOWS.name(), what);
            // Otherwise the group's offset stays beyond the log's end until there is a window.
            offsetMoved = true;
        });
        nextOffset = start.position();
        read = start.read();
        return nextOffset;
    }

    private void members(Membership members, long nowMillis) {
        checkpoints.began(members);
        DeploymentPlanner planner = planners.get(members.deployment());
        if (planner != null) {
            planner.happened(new Event.Began(members), nowMillis);
            return;
        }
        Deployment deployment = members.deployment();
        told.serving(partition, deployment);
        planners.put(
                deployment,
                new DeploymentPlanner(
                        settings,
                        planning,
                        desk,
                        driver,
                        told,
                        checkpoints.takeLog(deployment),
                        Optional.ofNullable(setbacks.remove(deployment)).orElse(Setbacks.NONE),
                        ControlState.of(
                                Optional.ofNullable(controls.remove(deployment)).orElse(List.of())),
                        checkpoints.kept(deployment),
                        Optional.ofNullable(outcomes.remove(deployment)).orElseGet(OutcomeHistory::new),
                        members,
                        nowMillis));
    }

    private void control(ControlRecord record, long nowMillis) {
        DeploymentPlanner planner = planners.get(record.deployment());
        if (planner == null) {
            controls.computeIfAbsent(record.deployment(), none -> new ArrayList<>())
                    .add(record);
        } else {
            planner.control(record, nowMillis);
        }
    }

    private void ack(RankAck ack, long nowMillis) {
        DeploymentPlanner planner = planners.get(ack.deployment());
        if (planner != null) {
            planner.happened(new Event.Acked(ack), nowMillis);
        }
    }

    private WindowJoin join(Deployment deployment) {
        return joins.computeIfAbsent(deployment, none -> new WindowJoin());
    }

    @Override
    public void onRecord(Received<LoadWindow> record) {
        nextOffset = record.offset() + 1;
        join(record.value().deployment()).add(record.value(), record.offset());
        drain(record.value().deployment());
    }

    @Override
    public void onCompanion(Received<?> record) {
        long now = clock.millis();
        if (record.value() instanceof WindowSummary summary) {
            join(summary.deployment()).add(summary);
            Optional.ofNullable(planners.get(summary.deployment())).ifPresent(planner -> planner.areAt(summary, now));
            told.heard(summary);
            drain(summary.deployment());
        } else if (record.value() instanceof RankAck ack) {
            acks.reached(record.offset() + 1);
            Optional.ofNullable(planners.get(ack.deployment())).ifPresent(planner -> planner.isAt(ack, now));
            told.heard(ack);
            ack(ack, now);
        } else if (record.value() instanceof ControlRecord control) {
            control(control, now);
        } else if (record.value() instanceof Outcome outcome) {
            checkpoints.outcome(new Received<>(
                    Topic.OUTCOMES, record.partition(), record.offset(), record.timestampMillis(), outcome));
        } else if (record.value() instanceof PlanCommand command) {
            checkpoints.follow(
                    new Received<>(Topic.PLAN, record.partition(), record.offset(), record.timestampMillis(), command));
        } else if (record.value() instanceof Membership members) {
            members(members, now);
            drain(members.deployment());
        }
    }

    @Override
    public void onUnreadable(Quarantined record, long timestampMillis) {
        // Its bytes stay in the windows topic, which is our own; the window that it was part of is never whole and is
        // counted so.
        nextOffset = record.offset() + 1;
        told.unreadable(record.partition());
    }

    private void drain(Deployment deployment) {
        DeploymentPlanner planner = planners.get(deployment);
        if (planner == null) {
            return;
        }
        WindowJoin join = join(deployment);
        drop(deployment, WindowJoin.Drop.OVERFLOW, join.takeOverflowed());
        drop(
                deployment,
                WindowJoin.Drop.FOREIGN_INCARNATION,
                join.dropBefore(planner.members().incarnation()));
        for (Optional<WindowJoin.Whole> whole = join.takeWhole(planner.members());
                whole.isPresent();
                whole = join.takeWhole(planner.members())) {
            drop(deployment, WindowJoin.Drop.OVERTAKEN, join.takeOvertaken());
            checkpoints.window(whole.orElseThrow());
            planner.window(whole.orElseThrow(), clock.millis());
            offsetMoved = true;
        }
    }

    private void drop(Deployment deployment, WindowJoin.Drop reason, int windows) {
        if (windows > 0) {
            offsetMoved = true;
            told.dropped(deployment, reason, windows);
        }
    }

    @Override
    public void onPoll(long nowMillis) {
        for (DeploymentPlanner planner : planners.values()) {
            planner.happened(new Event.TimePassed(), nowMillis);
            planner.takeMade(nowMillis);
            // Whoever takes over reads old windows first: what they ask for may have been undone since.
            boolean readOn =
                    !join(planner.deployment()).awaits(planner.members().incarnation());
            planner.answer(readOn, nowMillis);
            if (readOn) {
                planner.look(nowMillis);
            }
            planner.forgetBefore(nowMillis - settings.lookBack().toMillis(), nowMillis);
            told.stands(planner.standing());
        }
    }

    /** What the deployment's newest settled decision has brought so far, where more is to come. */
    Optional<Outcome> measuredSoFar(Deployment deployment) {
        return Optional.ofNullable(planners.get(deployment)).flatMap(DeploymentPlanner::measuredSoFar);
    }

    @Override
    public Optional<Transaction> takeTransaction() {
        planners.values()
                .forEach(planner -> outputs.addAll(
                        checkpoints.complete(planner.deployment(), planner.takeOutputs(), planner.oldestOffset())));
        lookInFlight();
        told.taken();
        if (outputs.isEmpty() && !offsetMoved) {
            // What there is to tell rests on nothing that could still fail.
            told.committed();
            return Optional.empty();
        }
        // Until the history is read again, the group has been further already.
        read = Math.max(read, nextOffset);
        Transaction transaction =
                new Transaction(outputs, read, Resumption.note(oldestNeeded(), topicId, acks.oldest()));
        outputs.clear();
        offsetMoved = false;
        return Optional.of(transaction);
    }

    @Override
    public void onCommitted() {
        told.committed();
    }

    @Override
    public void onLost() {
        planners.values().forEach(DeploymentPlanner::lost);
    }

    private long oldestNeeded() {
        return Stream.concat(
                        joins.values().stream().map(WindowJoin::oldestOffset),
                        planners.values().stream().map(DeploymentPlanner::oldestOffset))
                .flatMapToLong(OptionalLong::stream)
                .reduce(nextOffset, Math::min);
    }
}
