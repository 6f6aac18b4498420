package dev.plimsoll.replay.export;

import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.Topic;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** The records of some incarnations of a deployment, out of lists. */
public final class ListedRecords implements DeploymentRecords {
    private final List<PastRun> runs;
    /** How many logs are open. */
    int open;

    public ListedRecords(List<PastRun> runs) {
        this.runs = List.copyOf(runs);
    }

    @Override
    public <T> Log<T> read(Topic<T> topic, TimeRange times) {
        List<Dated<?>> records = new ArrayList<>();
        for (PastRun run : runs) {
            records.addAll(records(topic, run));
        }
        records.removeIf(record -> !times.contains(record.timestampMillis()));
        return log(records);
    }

    private static List<? extends Dated<?>> records(Topic<?> topic, PastRun run) {
        if (topic == Topic.WINDOWS) {
            return run.rows;
        } else if (topic == Topic.WINDOW_SUMMARIES) {
            return run.summaries;
        } else if (topic == Topic.PLAN) {
            return run.plan;
        } else if (topic == Topic.ACKS) {
            return run.acks;
        } else if (topic == Topic.PLACEMENTS) {
            return run.placements;
        } else if (topic == Topic.OUTCOMES) {
            return run.outcomes;
        }
        throw new IllegalArgumentException(topic + " is not exported");
    }

    @SuppressWarnings("unchecked") // what is in a topic is told by the topic
    private <T> Log<T> log(List<Dated<?>> records) {
        Iterator<Dated<?>> left = records.iterator();
        open++;
        return new Log<>() {
            @Override
            public Optional<Dated<T>> next() {
                return left.hasNext() ? Optional.of((Dated<T>) left.next()) : Optional.empty();
            }

            @Override
            public void close() {
                open--;
            }
        };
    }

    @Override
    public <T> Log<T> readFrom(Topic<T> topic, long incarnation) {
        return read(topic, TimeRange.ALL);
    }

    @Override
    public Optional<Membership> members(long incarnation) {
        return runs.stream()
                .map(run -> run.members)
                .filter(members -> members.incarnation() == incarnation)
                .findFirst();
    }
}
