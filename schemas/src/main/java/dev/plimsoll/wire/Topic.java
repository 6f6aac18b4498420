package dev.plimsoll.wire;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.WindowSummary;
import java.util.List;
import java.util.Map;

/**
 * A topic of the catalogue: its name, what stands in it, how it is keyed and kept.
 *
 * @param <T> the values of its records
 */
public final class Topic<T> {
    public static final Topic<SampleRecord> SAMPLES = new Topic<>();
    public static final Topic<LoadWindow> WINDOWS = new Topic<>();
    public static final Topic<WindowSummary> WINDOW_SUMMARIES = new Topic<>();
    public static final Topic<PlanCommand> PLAN = new Topic<>();
    public static final Topic<SettledPlacement> PLACEMENTS = new Topic<>();
    public static final Topic<RankAck> ACKS = new Topic<>();
    public static final Topic<Membership> MEMBERS = new Topic<>();
    public static final Topic<Outcome> OUTCOMES = new Topic<>();
    public static final Topic<AggregatorState> AGGREGATOR_STATE = new Topic<>();
    public static final Topic<Quarantined> QUARANTINE = new Topic<>();

    private Topic() {}

    /** All topics, in the order of the data flow. */
    public static List<Topic<?>> all() {
        throw new UnsupportedOperationException();
    }

    /** The partition, in every topic, of a deployment's records: murmur2 of its id, as Kafka's default partitioner hashes keys. */
    public static int partition(Deployment deployment, int partitions) {
        throw new UnsupportedOperationException();
    }

    /** Such as {@code plimsoll.samples.v1}. */
    public String name() {
        throw new UnsupportedOperationException();
    }

    /** One line on what stands in it. */
    public String description() {
        throw new UnsupportedOperationException();
    }

    /** The broker's settings of this topic, as {@code topics create} makes it and {@code topics list} checks it. */
    public Map<String, String> settings() {
        throw new UnsupportedOperationException();
    }

    /** The record's key: readable text. */
    public String key(T value) {
        throw new UnsupportedOperationException();
    }

    /** The framed bytes of a value. */
    public byte[] encode(T value) {
        throw new UnsupportedOperationException();
    }

    /** The value of framed bytes; allocates no more than a small multiple of their length. */
    public T decode(byte[] bytes) throws WireException {
        throw new UnsupportedOperationException();
    }

    /** One readable line. */
    public String line(T value) {
        throw new UnsupportedOperationException();
    }

    /** The value as one line of JSON; field names are those of the schema. */
    public String json(T value) {
        throw new UnsupportedOperationException();
    }
}
