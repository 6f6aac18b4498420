package dev.plimsoll.worker;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.KeptPlacements;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The topics as a worker uses them. */
interface WorkerTopics extends AutoCloseable {
    /**
     * The plan log as far as it can concern an incarnation, in order; cold.
     *
     * <p>Where the incarnation's number is a time, reading begins there and terms of before are not heard: a planner that they
     * deposed cannot write any more, as its successor has fenced it, and every command names its own term.
     */
    Flux<Received<PlanCommand>> planLog(long incarnation);

    /** Where to begin with an incarnation, as the topics say now; cold. */
    default Mono<PlanStart> planStart(Membership members) {
        return Mono.fromSupplier(() -> PlanStart.ofIncarnation(members, System.currentTimeMillis()));
    }

    /** The plan log from there on, in order; cold. */
    default Flux<Received<PlanCommand>> planLog(PlanStart start) {
        return planLog(start.members().incarnation());
    }

    /** Completes when the broker has the ack; cold. */
    Mono<Long> write(RankAck ack);

    /** Writes MEMBERS to samples and members in one transaction; blocks, bounded. */
    void publish(Membership membership);

    /** Completes when another node has published MEMBERS of this incarnation; cold. */
    Mono<Void> published(Membership membership);

    Mono<Long> write(End end);

    @Override
    void close();

    /** The topics of a cluster. */
    final class OfCluster implements WorkerTopics {
        private static final int IN_FLIGHT = 1_024;
        private static final Duration DELIVERY = Duration.ofSeconds(10);

        private final KafkaSettings settings;
        private final Deployment deployment;
        private final TopicWriter writer;
        private final Consumer<String> unreadable;

        OfCluster(KafkaSettings settings, Deployment deployment, Consumer<String> unreadable) {
            this.settings = settings;
            this.deployment = deployment;
            this.unreadable = unreadable;
            writer = new TopicWriter(settings, "plimsoll-worker-" + deployment, IN_FLIGHT, DELIVERY);
        }

        @Override
        public Flux<Received<PlanCommand>> planLog(long incarnation) {
            return planLog(startOf(incarnation));
        }

        private Flux<Received<PlanCommand>> planLog(TopicReader.Start start) {
            return TopicReader.records(
                    settings, Topic.PLAN, deployment, start, record -> unreadable.accept("plan log: " + record));
        }

        @Override
        public Mono<PlanStart> planStart(Membership members) {
            return KeptPlacements.of(settings, deployment, record -> unreadable.accept("placements: " + record))
                    .map(found ->
                            PlanStart.of(members, found.placement(), found.planEnd(), System.currentTimeMillis()));
        }

        @Override
        public Flux<Received<PlanCommand>> planLog(PlanStart start) {
            return planLog(start.from());
        }

        private static TopicReader.Start startOf(long incarnation) {
            return TopicReader.Start.ofIncarnation(incarnation, System.currentTimeMillis());
        }

        @Override
        public Mono<Long> write(RankAck ack) {
            return writer.write(Output.of(Topic.ACKS, ack.deployment(), ack));
        }

        @Override
        public void publish(Membership membership) {
            Deployment key = membership.deployment();
            TopicWriter.writeTogether(
                    settings,
                    "plimsoll-worker-members-" + key,
                    List.of(Output.of(Topic.SAMPLES, key, membership), Output.of(Topic.MEMBERS, key, membership)),
                    DELIVERY);
        }

        @Override
        public Mono<Void> published(Membership membership) {
            return TopicReader.records(
                            settings,
                            Topic.MEMBERS,
                            membership.deployment(),
                            startOf(membership.incarnation()),
                            record -> unreadable.accept("members: " + record))
                    .filter(record -> record.value().incarnation() == membership.incarnation())
                    .next()
                    .then();
        }

        @Override
        public Mono<Long> write(End end) {
            return writer.write(Output.of(Topic.SAMPLES, end.deployment(), end));
        }

        @Override
        public void close() {
            writer.close();
        }
    }
}
