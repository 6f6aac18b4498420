package dev.plimsoll.app.watch;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicReader;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongSupplier;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Follows one incarnation of a deployment through its topics, as any outsider could, and tells a {@link LoopReport} and a
 * {@link LiveView}.
 *
 * <p>One thread of its own handles the records of all topics, so that neither of the two is called concurrently by it.
 */
public final class LoopWatch implements AutoCloseable {
    /** Records of this life that another machine has dated. */
    private static final Duration CLOCKS_DIFFER = Duration.ofMinutes(1);

    private final long startedMillis = System.currentTimeMillis();
    private final KafkaSettings kafka;
    private final Membership members;
    private final LiveView view;
    private final LongSupplier misrouted;
    private final LoopReport report;
    private final Scheduler thread = Schedulers.newSingle("plimsoll-watch", true);
    private final Disposable.Composite subscriptions = Disposables.composite();
    private final Map<String, BitSet> flippedRanks = new HashMap<>();
    private final Map<Integer, Map<Integer, Integer>> movesOfBatches = new HashMap<>();
    private int version;
    private long movesSinceWindow;
    private long previousClosedAtMillis;

    /** @param misrouted tokens that the ranks found misrouted so far */
    public LoopWatch(KafkaSettings kafka, Membership members, LiveView view, LongSupplier misrouted) {
        this.kafka = kafka;
        this.members = members;
        this.view = view;
        this.misrouted = misrouted;
        this.report = new LoopReport(members.windowSteps(), members.boundarySteps());
    }

    /** Starts reading and returns. */
    public void start() {
        follow(Topic.WINDOW_SUMMARIES, WindowSummary::incarnation, this::window);
        follow(Topic.PLAN, command -> command.header().incarnation(), this::command);
        follow(Topic.ACKS, RankAck::incarnation, this::ack);
        follow(Topic.OUTCOMES, Outcome::incarnation, received -> outcome(received.value()));
    }

    /** Runs a question on the report where it cannot change meanwhile. */
    public synchronized <R> R ask(Function<LoopReport, R> question) {
        return question.apply(report);
    }

    private <T> void follow(
            Topic<T> topic, Function<T, Long> incarnation, java.util.function.Consumer<Received<T>> handler) {
        Flux<Received<T>> records = TopicReader.records(
                kafka,
                topic,
                members.deployment(),
                new TopicReader.Start.Since(startedMillis - CLOCKS_DIFFER.toMillis()),
                unreadable -> view.problem("unreadable record: " + unreadable.summary()));
        subscriptions.add(records.publishOn(thread)
                .filter(received -> incarnation.apply(received.value()) == members.incarnation())
                .subscribe(
                        received -> handle(handler, received),
                        error -> view.problem("cannot follow " + topic.name() + ": " + error)));
    }

    private synchronized <T> void handle(java.util.function.Consumer<Received<T>> handler, Received<T> received) {
        handler.accept(received);
    }

    private void window(Received<WindowSummary> received) {
        WindowSummary window = received.value();
        report.window(window, System.currentTimeMillis());
        double seconds = previousClosedAtMillis == 0 ? 0 : (window.closedAtMillis() - previousClosedAtMillis) / 1000.0;
        previousClosedAtMillis = window.closedAtMillis();
        view.window(
                window,
                seconds > 0 ? window.tokens() / seconds : 0,
                members.boundarySteps(),
                version,
                movesSinceWindow,
                misrouted.getAsLong());
        movesSinceWindow = 0;
    }

    private void command(Received<PlanCommand> received) {
        PlanCommand command = received.value();
        report.command(command, received.timestampMillis());
        if (command instanceof PlanCommand.Propose propose) {
            Map<Integer, Integer> moves = new HashMap<>();
            propose.batches()
                    .forEach(batch -> moves.put(batch.number(), batch.moves().size()));
            movesOfBatches.put(propose.epoch(), moves);
        } else if (command instanceof PlanCommand.Settled settled) {
            version = settled.epoch();
        }
        view.command(command);
    }

    private void outcome(Outcome outcome) {
        report.outcome(outcome);
        view.outcome(outcome);
    }

    private void ack(Received<RankAck> received) {
        RankAck ack = received.value();
        report.ack(ack);
        switch (ack.kind()) {
            case FLIPPED -> flipped(ack);
            case REFUSED, FATAL -> view.problem(ack.summary());
            case ACCEPTED, ABORTED -> {}
        }
    }

    private void flipped(RankAck ack) {
        BitSet ranks = flippedRanks.computeIfAbsent(ack.epoch() + "." + ack.batch(), key -> new BitSet());
        boolean first = !ranks.get(ack.rank().index());
        ranks.set(ack.rank().index());
        if (first && ranks.cardinality() == members.topology().ranks()) {
            movesSinceWindow +=
                    movesOfBatches.getOrDefault(ack.epoch(), Map.of()).getOrDefault(ack.batch(), 0);
            view.flipped(ack.epoch(), ack.batch(), ack.step());
        }
    }

    /** Stops reading; the report stays as it is. */
    @Override
    public void close() {
        subscriptions.dispose();
        thread.dispose();
    }
}
