package dev.plimsoll.worker;

import dev.plimsoll.device.RankState;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.wire.kafka.Delivery;
import dev.plimsoll.wire.kafka.Received;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.util.retry.Retry;

/**
 * A worker's service to the ranks of one incarnation: orders into mailboxes, states into acks.
 *
 * <p>Everything runs on the one scheduler thread. Memory is bounded: one order at a time is held until every mailbox has it (a
 * rank that does not read holds up a group that could not decide without it anyway; one that is deaf holds up nobody), and acks are
 * found again in the ring's header. For a deaf rank the worker answers from the plan log, so that every decision still ends.
 */
final class NodeSession {
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private final Membership members;
    private final WorkerTopics topics;
    private final WorkerListener listener;
    private final Scheduler scheduler;
    private final Duration interval;
    private final Map<RankId, RankPort> ranks = new TreeMap<>();
    private final Map<RankId, AckLedger> ledgers = new TreeMap<>();
    private final Disposable.Swap feeding = Disposables.swap();
    private final Disposable.Composite running = Disposables.composite();
    private final Sinks.Empty<Void> stopped = Sinks.empty();
    private final OrderFeed feed;
    private final IncarnationEnd end;
    private final Delivery delivery;
    /** What is wrong with a rank's files, told once. */
    private final Map<RankId, String> troubles = new TreeMap<>();

    NodeSession(
            Membership members,
            WorkerTopics topics,
            WorkerListener listener,
            Scheduler scheduler,
            Duration interval,
            Delivery delivery) {
        this.delivery = delivery;
        this.members = members;
        this.topics = topics;
        this.listener = listener;
        this.scheduler = scheduler;
        this.interval = interval;
        feed = new OrderFeed(members, ranks, listener);
        end = new IncarnationEnd(members, topics);
    }

    Membership members() {
        return members;
    }

    boolean serves(RankId rank) {
        return ranks.containsKey(rank);
    }

    /** The END of the incarnation that is served; only the node of rank 0 writes it. */
    IncarnationEnd end() {
        return end;
    }

    /** Whether this node is the one to end the incarnation, and all of its engines have closed their rings in order. */
    boolean endIsDue() {
        return serves(new RankId(0)) && ranks.values().stream().allMatch(this::closed);
    }

    /** One whose ring cannot be read did not close it in order. */
    private boolean closed(RankPort port) {
        try {
            return port.engineClosed();
        } catch (RuntimeException | Error e) {
            tell(port, e);
            return false;
        }
    }

    void start() {
        running.add(feeding);
        running.add(Flux.interval(interval, scheduler)
                .onBackpressureDrop()
                .subscribe(tick -> look(), e -> listener.onTrouble("looking at rings", e)));
    }

    /** Adds ranks and reads the plan log from where it can concern the incarnation, for their mailboxes are behind those of the others. */
    void add(List<RankPort> found) {
        for (RankPort port : found) {
            ranks.put(port.rank(), port);
            ledgers.put(port.rank(), new AckLedger());
            listener.onRankFound(port.rank(), port.incarnation());
        }
        feeding.update(Flux.defer(this::read)
                .repeatWhen(ended -> ended.delayElements(Duration.ofSeconds(1), scheduler))
                .retryWhen(Retry.backoff(Long.MAX_VALUE, Duration.ofMillis(200))
                        .maxBackoff(LONGEST_PAUSE)
                        .scheduler(scheduler)
                        .doBeforeRetry(signal -> listener.onTrouble("reading the plan log", signal.failure())))
                .subscribe(done -> {}, e -> listener.onTrouble("reading the plan log", e)));
    }

    /** Terms count whatever their incarnation; everything else of another incarnation would only fill the mailboxes. */
    private boolean concerns(Received<PlanCommand> record) {
        PlanCommand command = record.value();
        return command.header().deployment().equals(members.deployment())
                && (command instanceof PlanCommand.Term || command.header().incarnation() == members.incarnation());
    }

    private Flux<Void> read() {
        return topics.planStart(members).flatMapMany(this::read);
    }

    private Flux<Void> read(PlanStart start) {
        OrderFeed.Reading reading = feed.new Reading(start.settled());
        return listener.watched(topics.planLog(start))
                .filter(this::concerns)
                .publishOn(scheduler, 16)
                .concatMap(record -> deliver(reading, record), 1);
    }

    /** Made once, on this thread; then offered until every mailbox has it. */
    private Mono<Void> deliver(OrderFeed.Reading reading, Received<PlanCommand> record) {
        return Mono.justOrEmpty(reading.take(record))
                .flatMap(order -> Mono.fromCallable(order::offer)
                        .filter(everywhere -> everywhere)
                        .repeatWhenEmpty(tries -> tries.delayElements(interval, scheduler)))
                .then();
    }

    /** Looks at every ring once and sends the acks that are due. */
    void look() {
        for (RankPort port : ranks.values()) {
            try {
                look(port);
                troubles.remove(port.rank());
            } catch (RuntimeException | Error e) {
                // An error of the JVM too, such as of a file that was cut short: it would end the looking for ever.
                tell(port, e);
            }
        }
    }

    /** Looked at 200 times a second, told once. */
    private void tell(RankPort port, Throwable trouble) {
        String text = String.valueOf(trouble.getMessage());
        if (!text.equals(troubles.put(port.rank(), text))) {
            listener.onTrouble("looking at the ring of " + port.rank(), trouble);
        }
    }

    private void look(RankPort port) {
        RankState state = port.state();
        if (state.incarnation() != members.incarnation()) {
            return;
        }
        feed.look(port, state);
        listener.onState(port.rank(), state, port.step(), feed.newest().wanted());
        RankAcks acks = new RankAcks(members, port.rank());
        List<RankAck> holding = new ArrayList<>(acks.of(state, batch -> port.flipCost(state.epoch(), batch)));
        if (feed.isDeaf(port.rank())) {
            holding.addAll(acks.ofDeaf(state, feed.newest().inFlight()));
        }
        AckLedger ledger = ledgers.getOrDefault(port.rank(), new AckLedger());
        for (RankAck ack : ledger.take(holding, now())) {
            Mono.defer(() -> topics.write(ack))
                    .publishOn(scheduler)
                    .takeUntilOther(stopped.asMono())
                    .subscribe(offset -> delivered(ledger, ack), e -> {
                        ledger.failed(ack, now());
                        listener.onAckDelayed(ack, e);
                        if (delivery.failed(e)) {
                            listener.onTrouble("writing acks, which are tried again", e);
                        }
                    });
        }
    }

    private void delivered(AckLedger ledger, RankAck ack) {
        ledger.delivered(ack);
        delivery.arrived();
        listener.onAcked(ack);
        switch (ack.kind()) {
            case FLIPPED -> listener.onFlipped(ack.rank(), ack.epoch(), ack.batch());
            case REFUSED ->
                listener.onRefused(ack.rank(), ack.epoch(), ack.refusal().orElseThrow());
            case FATAL -> listener.onFatal(ack.rank(), ack.epoch());
            case ACCEPTED, ABORTED -> {}
        }
    }

    private long now() {
        return scheduler.now(java.util.concurrent.TimeUnit.NANOSECONDS);
    }

    /** Starts nothing new; files stay open for what runs at this moment. */
    void stop() {
        stopped.tryEmitEmpty();
        running.dispose();
    }

    /** Closes the files; on the scheduler's thread, or after it has ended. */
    void close() {
        stop();
        for (RankPort port : new ArrayList<>(ranks.values())) {
            port.close();
        }
        ranks.clear();
    }
}
