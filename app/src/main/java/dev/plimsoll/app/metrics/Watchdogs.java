package dev.plimsoll.app.metrics;

import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * What stands still in a process although it should move, for each deployment that its roles know. What each role sees is a meter of its
 * own; that one role goes on and the next one does not is for an alert to tell, which sees them all.
 */
final class Watchdogs {
    private final Series watched;
    private final InstantSource clock;
    private final AggregatorWatch aggregator;
    private final PlannerWatch planner;
    private final Set<WorkerWatch> workers = ConcurrentHashMap.newKeySet();

    /** @param watched for what workers tell, with nothing else in it */
    Watchdogs(Series aggregated, Series planned, Series watched, InstantSource clock) {
        this.watched = watched;
        this.clock = clock;
        aggregator = new AggregatorWatch(aggregated, clock);
        planner = new PlannerWatch(planned, clock);
    }

    AggregatorWatch aggregator() {
        return aggregator;
    }

    PlannerWatch planner() {
        return planner;
    }

    /** For the worker of one deployment. */
    WorkerWatch worker() {
        return new WorkerWatch(watched, clock, workers);
    }

    List<String> lines() {
        return Stream.of(
                        aggregator.lines().map(line -> line.by("aggregator")),
                        planner.lines().map(line -> line.by("planner")),
                        workers.stream().flatMap(WorkerWatch::lines).map(line -> line.by("worker")))
                .flatMap(lines -> lines)
                .sorted(Comparator.naturalOrder())
                .toList();
    }
}
