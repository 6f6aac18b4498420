package dev.plimsoll.app.chaos;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;

/**
 * Somebody who gives commands to the planner of one deployment, and remembers which.
 *
 * <p>For one thread.
 */
final class Operator implements AutoCloseable {
    private static final Duration DELIVERY = Duration.ofSeconds(20);
    private static final int IN_FLIGHT = 4;

    private final Deployment deployment;
    private final TopicWriter writer;
    private final Set<String> given = new LinkedHashSet<>();

    Operator(KafkaSettings kafka, Deployment deployment) {
        this.deployment = deployment;
        this.writer = new TopicWriter(kafka, "plimsoll-chaos-operator", IN_FLIGHT, DELIVERY);
    }

    /**
     * Gives a command; returns when a broker has it.
     *
     * @param basedOn the settled version that it rests on
     * @return its id, by which it is answered
     */
    String give(ControlAction action, OptionalInt basedOn) {
        String id = UUID.randomUUID().toString();
        writer.write(Output.of(
                        Topic.CONTROL,
                        deployment,
                        new Control(
                                deployment,
                                id,
                                System.currentTimeMillis(),
                                "chaos",
                                "to see whether it is obeyed",
                                basedOn,
                                action)))
                .block(DELIVERY.plusSeconds(1));
        given.add(id);
        return id;
    }

    /** Ids of all commands that a broker has, in order. */
    Set<String> given() {
        return Set.copyOf(given);
    }

    @Override
    public void close() {
        writer.close();
    }
}
