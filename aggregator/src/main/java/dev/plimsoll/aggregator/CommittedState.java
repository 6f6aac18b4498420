package dev.plimsoll.aggregator;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.AggregatorState.OfDeployment;
import dev.plimsoll.model.AggregatorState.OfPartition;
import dev.plimsoll.model.AggregatorState.Sequence;
import dev.plimsoll.model.AggregatorState.Whole;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.InputLog;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** What a predecessor has committed of one partition's state, as it is read: of every key the newest. */
final class CommittedState {
    private final int partition;
    private final TreeMap<String, OfDeployment> deployments = new TreeMap<>();
    private Optional<OfPartition> header = Optional.empty();
    private Optional<Whole> whole = Optional.empty();

    CommittedState(int partition) {
        this.partition = partition;
    }

    void add(AggregatorState record) {
        if (record.partition() != partition) {
            return;
        }
        if (record instanceof OfPartition newest) {
            header = Optional.of(newest);
        } else if (record instanceof OfDeployment newest) {
            deployments.put(Topic.AGGREGATOR_STATE.key(newest), newest);
        } else if (record instanceof Whole newest) {
            whole = Optional.of(newest);
        }
    }

    void removed(String key) {
        deployments.remove(key);
    }

    /** Forgets what was read, once it is used. */
    void clear() {
        deployments.clear();
        header = Optional.empty();
        whole = Optional.empty();
    }

    /** The first offset that is needed, as far as the state knows. */
    long nextInputOffset() {
        return found().map(OfPartition::nextInputOffset).orElse(0L);
    }

    /** Whether the first release was here last, so that the next commit has to replace its record. */
    boolean ofFirstRelease() {
        return header.isEmpty() && whole.isPresent();
    }

    /** Where to go on, empty when there is nothing to go on from. */
    private Optional<OfPartition> found() {
        return header.or(() ->
                whole.map(state -> new OfPartition(state.partition(), state.asOf(), state.nextInputOffset(), "", 0)));
    }

    private Collection<Sequence> sequences() {
        return header.isPresent()
                ? deployments.values().stream().map(OfDeployment::sequence).toList()
                : whole.map(Whole::sequences).orElse(List.of());
    }

    /**
     * Where to start, given the log as it is.
     *
     * @throws IllegalStateException when windows would be published twice
     */
    Start start(InputLog input) {
        if (ofFirstRelease() && whole.orElseThrow().isOutOfReach()) {
            throw refusal("it has the mark of a later release without that release's state");
        }
        if (found().isEmpty()) {
            if (input.committed().isPresent()) {
                throw refusal("the group has committed offset "
                        + input.committed().getAsLong() + " of the samples, but the state topic has nothing of it");
            }
            return Start.at(new OfPartition(partition, -1, 0, "", 0), List.of()).in(input);
        }
        OfPartition last = found().get();
        boolean sameLog = last.topicId().isEmpty() || last.topicId().equals(input.topicId());
        if (sameLog && input.committed().isPresent() && input.committed().getAsLong() > last.nextInputOffset()) {
            throw refusal("the group has committed offset " + input.committed().getAsLong()
                    + " of the samples, but the newest state is as of an older one: it needs the samples from "
                    + last.nextInputOffset() + " on, and both are always written together");
        }
        return Start.at(last, sequences()).in(input);
    }

    private IllegalStateException refusal(String why) {
        return new IllegalStateException(
                "Partition " + partition + " of the aggregator's state cannot be gone on from: "
                        + why + ". Windows would be published twice. Restore " + Topic.AGGREGATOR_STATE.name()
                        + ", or delete the group's offsets and this partition's state records to start anew from the oldest sample.");
    }
}
