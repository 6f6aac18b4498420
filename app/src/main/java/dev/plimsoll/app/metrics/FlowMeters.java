package dev.plimsoll.app.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.config.MeterFilter;
import java.util.Map;
import reactor.core.observability.micrometer.Micrometer;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * Meters of Reactor's flows and threads, one set for each role however many deployments it serves. A signal costs a counter or a
 * timer.
 */
final class FlowMeters {
    private static final String FLOW = "plimsoll.flow";
    private static final String PREFIX = "plimsoll";

    /** Reactor gives its meters no words. */
    private static final Map<String, String> HELP = Map.of(
            "plimsoll.flow.subscribed",
            "Times that a flow began: once, and again after each error.",
            "plimsoll.flow.requested",
            "Records that were asked for at a time.",
            "plimsoll.flow.onNext.delay",
            "From one record of a flow to the next.",
            "plimsoll.flow.flow.duration",
            "How long flows lasted, by how they ended.",
            "plimsoll.flow.malformed.source",
            "Signals behind the end of a flow: a fault of a library.",
            "plimsoll.scheduler.tasks.submitted",
            "Tasks given to the role's thread, by when they were to run.",
            "plimsoll.scheduler.tasks.pending",
            "Tasks that wait for the role's thread or for their time.",
            "plimsoll.scheduler.tasks.active",
            "The task that the role's thread is at.",
            "plimsoll.scheduler.tasks.completed",
            "Time of the role's thread in tasks.");

    private final MeterRegistry registry;
    private final String role;

    FlowMeters(MeterRegistry registry, String role) {
        this.registry = registry;
        this.role = role;
    }

    /** Says what the meters are. */
    static MeterFilter words() {
        return new MeterFilter() {
            @Override
            public Meter.Id map(Meter.Id id) {
                String help = HELP.get(id.getName());
                return help == null
                        ? id
                        : new Meter.Id(id.getName(), Tags.of(id.getTags()), id.getBaseUnit(), help, id.getType());
            }
        };
    }

    <T> Flux<T> tapped(Flux<T> flow) {
        return flow.name(FLOW).tag("role", role).tap(Micrometer.metrics(registry));
    }

    <T> Mono<T> tapped(Mono<T> flow) {
        return flow.name(FLOW).tag("role", role).tap(Micrometer.metrics(registry));
    }

    Scheduler timed(Scheduler scheduler) {
        return new DrainingScheduler(
                Micrometer.timedScheduler(scheduler, registry, PREFIX, Tags.of("role", role)), scheduler);
    }
}
