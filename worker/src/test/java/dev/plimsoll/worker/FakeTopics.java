package dev.plimsoll.worker;

import dev.plimsoll.model.End;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Received;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Topics in memory; with the broker away nothing is taken. */
final class FakeTopics implements WorkerTopics {
    final List<String> acks = new ArrayList<>();
    final List<RankAck> records = new ArrayList<>();
    private final List<Received<PlanCommand>> log = new ArrayList<>();
    private Sinks.Many<Received<PlanCommand>> live = Sinks.many().multicast().directBestEffort();
    volatile boolean brokerAway;
    volatile boolean wasClosed;
    final List<String> published = new CopyOnWriteArrayList<>();
    final List<Long> ends = new CopyOnWriteArrayList<>();

    void append(long offset, PlanCommand command) {
        Received<PlanCommand> record = new Received<>(Topic.PLAN, 0, offset, 0, command);
        log.add(record);
        live.tryEmitNext(record);
    }

    void breakLog() {
        Sinks.Many<Received<PlanCommand>> old = live;
        live = Sinks.many().multicast().directBestEffort();
        old.tryEmitError(new IllegalStateException("connection lost"));
    }

    @Override
    public Flux<Received<PlanCommand>> planLog(long incarnation) {
        return Flux.concat(Flux.fromIterable(List.copyOf(log)), live.asFlux());
    }

    @Override
    public Mono<Long> write(RankAck ack) {
        if (brokerAway) {
            return Mono.error(new IllegalStateException("timed out"));
        }
        acks.add(ack.summary());
        records.add(ack);
        return Mono.just(1L);
    }

    @Override
    public void publish(Membership membership) {
        published.add(membership.deployment() + " " + membership.incarnation());
    }

    @Override
    public Mono<Void> published(Membership membership) {
        return Mono.empty();
    }

    @Override
    public Mono<Long> write(End end) {
        return brokerAway
                ? Mono.never()
                : Mono.fromCallable(() -> {
                    ends.add(end.incarnation());
                    return 1L;
                });
    }

    @Override
    public void close() {
        wasClosed = true;
    }
}
