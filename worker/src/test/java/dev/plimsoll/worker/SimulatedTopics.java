package dev.plimsoll.worker;

import dev.plimsoll.model.End;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Received;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.random.RandomGenerator;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** A node's view of the topics in a simulation: commands come late, acks arrive, are lost, or arrive and are told to be lost. */
final class SimulatedTopics implements WorkerTopics {
    private record Coming(long at, Received<PlanCommand> record) {}

    private final RandomGenerator random;
    private final List<RankAck> acks;
    private final Deque<Coming> coming = new ArrayDeque<>();
    private final List<Received<PlanCommand>> here = new ArrayList<>();
    private final Sinks.Many<Received<PlanCommand>> live =
            Sinks.many().multicast().directBestEffort();
    private int offset;
    boolean faulty = true;

    /** @param acks where acks of all nodes arrive, in the order of the topic */
    SimulatedTopics(RandomGenerator random, List<RankAck> acks) {
        this.random = random;
        this.acks = acks;
    }

    /** A command is in the log from now on, and reaches this node later. */
    void committed(PlanCommand command, long now) {
        long at = now + (faulty ? random.nextInt(5) : random.nextInt(2));
        if (!coming.isEmpty()) {
            at = Math.max(at, coming.getLast().at());
        }
        coming.add(new Coming(at, new Received<>(Topic.PLAN, 0, offset++, 0, command)));
    }

    void reach(long now) {
        while (!coming.isEmpty() && coming.getFirst().at() <= now) {
            Received<PlanCommand> record = coming.remove().record();
            here.add(record);
            live.tryEmitNext(record);
        }
    }

    @Override
    public Flux<Received<PlanCommand>> planLog(long incarnation) {
        return Flux.concat(Flux.fromIterable(List.copyOf(here)), live.asFlux());
    }

    @Override
    public Mono<Long> write(RankAck ack) {
        int fate = faulty ? random.nextInt(20) : 19;
        if (fate > 0) {
            acks.add(ack);
        }
        return fate > 1 ? Mono.just(1L) : Mono.error(new IllegalStateException("timed out"));
    }

    @Override
    public void publish(Membership membership) {}

    @Override
    public Mono<Void> published(Membership membership) {
        return Mono.empty();
    }

    @Override
    public Mono<Long> write(End end) {
        return Mono.just(1L);
    }

    @Override
    public void close() {}
}
