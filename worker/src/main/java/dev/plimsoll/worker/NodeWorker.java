package dev.plimsoll.worker;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.RankId;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.RoleLock;
import dev.plimsoll.wire.kafka.Delivery;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

/**
 * The role {@code worker}: beside the engines of one node, hands the plan log to their ranks and their acks to the planner.
 *
 * <p>Serves the ranks whose files are in one directory ({@link RankFiles}), as they come, and the next incarnation when {@link
 * MembershipFile} names it. The node of rank 0 publishes MEMBERS; the others wait to see it. Everything that fails is tried again
 * with growing pauses: while the cluster is away, nothing here is lost and no engine notices.
 */
public final class NodeWorker implements AutoCloseable {
    private static final Duration LOOK_FOR_RANKS = Duration.ofMillis(200);
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);
    private static final Duration LOOK_AT_RINGS = Duration.ofMillis(5);
    /** Collectors drain what they hold; a sample behind END would be late. */
    private static final Duration BEFORE_END = Duration.ofSeconds(2);

    /** Together; one role is not to use up the time that a process has to stop. */
    private static final Duration CLOSING = Duration.ofSeconds(2);

    private static final Duration END_AT_CLOSE = Duration.ofSeconds(1);

    private final Path directory;
    private final Deployment deployment;
    private final WorkerListener listener;
    private final Function<Deployment, WorkerTopics> connect;
    private final RankPort.Opener ranks;
    private final Scheduler scheduler;
    private final Disposable.Composite running = Disposables.composite();
    private final Disposable.Swap publishing = Disposables.swap();
    private final MembershipFile file;
    private final Delivery delivery = new Delivery(InstantSource.system());
    private volatile @Nullable RoleLock lock;
    private boolean standingBy;
    private String trouble = "";
    private volatile String publishingTrouble = "";
    private volatile long lookedNanos;
    private volatile @Nullable WorkerTopics topics;
    private volatile @Nullable NodeSession session;
    /** Whether the listener knows that MEMBERS of this session is in the topics; the scheduler's thread only. */
    private boolean membersTold;
    /** Whether END of this session waits for the collectors; the scheduler's thread only. */
    private boolean endScheduled;

    /** @param directory shared memory of this node's engines */
    public NodeWorker(KafkaSettings settings, Path directory, Deployment deployment, WorkerListener listener) {
        this(
                directory,
                deployment,
                listener,
                d -> new WorkerTopics.OfCluster(
                        settings, d, what -> listener.onTrouble("unreadable record", new IllegalStateException(what))),
                (rank, members) -> RankPort.open(directory, rank, Orders.mailboxBytes(members)));
    }

    NodeWorker(
            Path directory,
            Deployment deployment,
            WorkerListener listener,
            Function<Deployment, WorkerTopics> connect,
            RankPort.Opener ranks) {
        this.directory = directory;
        this.deployment = deployment;
        this.listener = listener;
        this.connect = connect;
        this.ranks = ranks;
        scheduler = listener.watched(Schedulers.newSingle("plimsoll-worker", true));
        file = new MembershipFile(directory);
    }

    /** Starts and returns; engines may come later. */
    public void start() {
        WorkerTopics connected = connect.apply(deployment);
        topics = connected;
        lookedNanos = System.nanoTime();
        running.add(publishing);
        running.add(Flux.interval(Duration.ZERO, LOOK_FOR_RANKS, scheduler)
                .onBackpressureDrop()
                .subscribe(tick -> look(connected), e -> listener.onTrouble("looking for ranks", e)));
    }

    /** Whatever goes wrong in it, an error of the JVM too, must not end the looking. Tried five times a second, told once. */
    private void look(WorkerTopics connected) {
        try {
            if (held()) {
                lookForRanks(connected);
            }
            lookedNanos = System.nanoTime();
            trouble = "";
        } catch (RuntimeException | Error e) {
            String text = String.valueOf(e.getMessage());
            if (!text.equals(trouble)) {
                trouble = text;
                listener.onTrouble("looking for ranks in " + directory, e);
            }
        }
    }

    /** Whether this worker is the one that serves the directory: two mailbox writers would refuse each other at every command. */
    private boolean held() {
        if (lock == null && file.read().isPresent()) {
            Optional<RoleLock> held = RoleLock.tryHold(directory, "worker");
            lock = held.orElse(null);
            if (held.isEmpty() && !standingBy) {
                listener.onStandingBy(directory);
            }
            standingBy = held.isEmpty();
        }
        return lock != null;
    }

    /** Whether files are looked at, as they are several times a second. Any thread. */
    public boolean healthy() {
        return System.nanoTime() - lookedNanos < LONGEST_SILENCE.toNanos();
    }

    /** Since when acks, or the membership, do not reach a broker; empty while they do. Any thread. */
    public Optional<Instant> failingSince() {
        return delivery.failingSince();
    }

    private void lookForRanks(WorkerTopics connected) {
        Optional<Membership> membership = file.read();
        if (membership.isEmpty() || !membership.get().deployment().equals(deployment)) {
            return;
        }
        Membership members = membership.get();
        NodeSession current = session;
        if (current == null || current.members().incarnation() != members.incarnation()) {
            if (current != null) {
                current.close();
            }
            current = new NodeSession(members, connected, listener, scheduler, LOOK_AT_RINGS, delivery);
            listener.onServing(deployment, members.incarnation());
            current.start();
            session = current;
            endScheduled = false;
            membersTold = false;
            publishing.update(Disposables.disposed());
        }
        List<RankPort> found = new ArrayList<>();
        for (int rank : RankFiles.ranks(directory)) {
            if (!current.serves(new RankId(rank))) {
                open(rank, members).ifPresent(found::add);
            }
        }
        if (!found.isEmpty()) {
            current.add(found);
            publishMembers(members, current.serves(new RankId(0)), connected);
        }
        if (!endScheduled && current.endIsDue()) {
            endScheduled = true;
            running.add(Mono.delay(BEFORE_END, scheduler)
                    .then(current.end()
                            .write()
                            .retryWhen(Retry.backoff(5, Duration.ofMillis(500)).maxBackoff(Duration.ofSeconds(5))))
                    .subscribe(offset -> {}, e -> listener.onTrouble("writing END", e)));
        }
    }

    private Optional<RankPort> open(int rank, Membership members) {
        try {
            RankPort port = ranks.open(rank, members);
            if (port.incarnation() == members.incarnation()) {
                return Optional.of(port);
            }
            port.close(); // left over from another life; its engine will replace it
        } catch (RuntimeException e) {
            listener.onTrouble("opening the files of rank " + rank + ", which may not be complete yet", e);
        }
        return Optional.empty();
    }

    private void publishMembers(Membership members, boolean hostsRankZero, WorkerTopics connected) {
        if (file.published(members.incarnation())) {
            // By this worker, or by the one that it replaces.
            tellMembers(members.incarnation());
            return;
        }
        // A transaction blocks its caller, so it must not be on the thread that feeds mailboxes and sends acks.
        Mono<Void> publish = hostsRankZero
                ? Mono.<Void>fromRunnable(() -> connected.publish(members)).subscribeOn(Schedulers.boundedElastic())
                : connected.published(members);
        publishing.update(publish.then(Mono.fromRunnable(() -> file.markPublished(members.incarnation())))
                .retryWhen(Retry.backoff(Long.MAX_VALUE, Duration.ofMillis(200))
                        .maxBackoff(Duration.ofSeconds(5))
                        .doBeforeRetry(signal -> tellPublishing(signal.failure())))
                .publishOn(scheduler)
                .subscribe(
                        done -> {},
                        e -> listener.onTrouble("publishing MEMBERS", e),
                        () -> tellMembers(members.incarnation())));
    }

    /** Tried every few seconds, told once. */
    private void tellPublishing(Throwable e) {
        delivery.failed();
        String text = String.valueOf(e.getMessage());
        if (!text.equals(publishingTrouble)) {
            publishingTrouble = text;
            listener.onTrouble("publishing MEMBERS, which is tried again", e);
        }
    }

    /** Once per session, however many ranks are found one after another. */
    private void tellMembers(long incarnation) {
        delivery.arrived();
        publishingTrouble = "";
        if (!membersTold) {
            membersTold = true;
            listener.onMembersPublished(incarnation);
        }
    }

    /**
     * Writes END for the incarnation served now: to be called at a clean stop, after the last sample was published and before
     * {@link #close()}. Where the engines close their rings in order and this worker goes on, it does so by itself.
     *
     * @return false where this node does not host rank 0, END was written before, or the broker did not take it in time
     */
    public boolean end(Duration timeout) {
        NodeSession current = session;
        if (current == null || !current.serves(new RankId(0))) {
            return false;
        }
        return endWithin(timeout, current.end().write());
    }

    private boolean endWithin(Duration timeout, Mono<Long> end) {
        try {
            return end.block(timeout) != null;
        } catch (RuntimeException e) {
            listener.onTrouble("writing END", e);
            return false;
        }
    }

    /**
     * Stops within 2 s, cluster or not. Where the engines have ended and END still waits for the collectors, it is written at
     * once: without it the incarnation's last windows would stay open.
     */
    @Override
    public void close() {
        long deadline = System.nanoTime() + CLOSING.toNanos();
        // On the thread that looks: a look that has begun ends first, or it would make a session that nobody closes.
        try {
            Mono.fromRunnable(running::dispose)
                    .subscribeOn(scheduler)
                    .block(left(deadline).dividedBy(2));
        } catch (RuntimeException e) {
            listener.onTrouble("waiting for the last look for ranks in " + directory, e);
        }
        running.dispose();
        NodeSession current = session;
        if (current != null) {
            current.stop();
            // The ranks belong to the scheduler's thread.
            endWithin(
                    END_AT_CLOSE,
                    Mono.defer(() -> current.endIsDue() ? current.end().write() : Mono.empty())
                            .subscribeOn(scheduler));
        }
        try {
            scheduler.disposeGracefully().block(left(deadline).dividedBy(2));
        } catch (RuntimeException e) {
            listener.onTrouble("stopping the worker's thread", e);
        }
        if (current != null) {
            current.close();
        }
        session = null;
        listener.onReleased();
        RoleLock held = lock;
        if (held != null) {
            held.close();
        }
        WorkerTopics connected = topics;
        if (connected != null) {
            // The writer waits for a cluster that is away by a bound of its own; cut off, it fails what is under way
            // and ends.
            try {
                Mono.fromRunnable(connected::close)
                        .subscribeOn(Schedulers.boundedElastic())
                        .block(left(deadline));
            } catch (RuntimeException e) {
                listener.onTrouble("closing the writer", e);
            }
        }
    }

    /** At least 1 ms, for a wait of 0 is refused. */
    private static Duration left(long deadlineNanos) {
        return Duration.ofNanos(Math.max(1_000_000, deadlineNanos - System.nanoTime()));
    }
}
