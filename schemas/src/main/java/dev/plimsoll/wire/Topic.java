package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.Tick;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.WireException.Reason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * A topic of the catalogue: its name, what stands in it, how it is keyed and kept.
 *
 * @param <T> the values of its records
 */
public final class Topic<T> {
    /** Begins the name of every topic. */
    public static final String PREFIX = "plimsoll.";

    private static final Pattern UNPRINTABLE = Pattern.compile("\\p{Cntrl}");

    // The active segment is never compacted, so it is cut hourly; a value lives a minute at least, so that live readers
    // see it.
    private static final Map<String, String> COMPACTED = Map.of(
            "cleanup.policy", "compact",
            "segment.ms", "3600000",
            "max.compaction.lag.ms", "21600000",
            "min.compaction.lag.ms", "60000",
            "message.timestamp.type", "CreateTime");

    public static final Topic<SampleRecord> SAMPLES = new Topic<>(
            "samples.v1",
            "load samples, memberships, ticks and ends: all that windows are made of",
            deleteAfter(Duration.ofDays(1), "LogAppendTime"),
            value -> value.deployment().id(),
            List.of(
                    new RecordFormat<SampleRecord>(
                            LoadSample.class, "LoadSample", narrow(LoadSample.class, new LoadSampleCodec())),
                    new RecordFormat<SampleRecord>(
                            Membership.class, "Membership", narrow(Membership.class, new MembershipCodec())),
                    new RecordFormat<SampleRecord>(Tick.class, "Tick", narrow(Tick.class, new TickCodec())),
                    new RecordFormat<SampleRecord>(End.class, "End", narrow(End.class, new EndCodec()))));
    public static final Topic<LoadWindow> WINDOWS = of(
            LoadWindow.class,
            "windows.v1",
            "load of one layer over one window, final",
            deleteAfter(Duration.ofDays(30), "CreateTime"),
            value -> value.deployment().id(),
            new LoadWindowCodec());
    public static final Topic<WindowSummary> WINDOW_SUMMARIES = of(
            WindowSummary.class,
            "window-summaries.v1",
            "one window at a glance: completeness, balancedness, counts",
            deleteAfter(Duration.ofDays(90), "CreateTime"),
            value -> value.deployment().id(),
            new WindowSummaryCodec());
    public static final Topic<PlanCommand> PLAN = of(
            PlanCommand.class,
            "plan.v1",
            "decisions: what is proposed, permitted, aborted and settled, the audit log",
            deleteAfter(Duration.ofDays(365), "LogAppendTime"),
            value -> value.header().deployment().id(),
            new PlanCommandCodec());
    public static final Topic<SettledPlacement> PLACEMENTS = of(
            SettledPlacement.class,
            "placements.v1",
            "the settled expert of every slot, per layer",
            COMPACTED,
            value -> value.deployment().id() + "/" + value.layer(),
            new SettledPlacementCodec());
    public static final Topic<RankAck> ACKS = of(
            RankAck.class,
            "acks.v1",
            "what ranks did with decisions",
            deleteAfter(Duration.ofDays(90), "LogAppendTime"),
            value -> value.deployment().id(),
            new RankAckCodec());
    public static final Topic<Membership> MEMBERS = of(
            Membership.class,
            "members.v1",
            "the newest incarnation of every deployment",
            COMPACTED,
            value -> value.deployment().id(),
            new MembershipCodec());
    public static final Topic<Outcome> OUTCOMES = of(
            Outcome.class,
            "outcomes.v1",
            "what settled decisions had promised and what came of it",
            deleteAfter(Duration.ofDays(365), "CreateTime"),
            value -> value.deployment().id(),
            new OutcomeCodec());
    public static final Topic<ControlRecord> CONTROL = new Topic<>(
            "control.v1",
            "what operators want of planners, and what planners have answered",
            deleteAfter(Duration.ofDays(365), "LogAppendTime"),
            value -> value.deployment().id(),
            List.of(
                    new RecordFormat<ControlRecord>(
                            Control.class, "Control", narrow(Control.class, new ControlCodec())),
                    new RecordFormat<ControlRecord>(
                            ControlAnswer.class,
                            "ControlAnswer",
                            narrow(ControlAnswer.class, new ControlAnswerCodec()))));
    public static final Topic<AggregatorState> AGGREGATOR_STATE = new Topic<>(
            "aggregator-state.v1",
            "what aggregators start again from, per partition of the samples topic and deployment",
            COMPACTED,
            Topic::stateKey,
            List.of(
                    new RecordFormat<AggregatorState>(
                            AggregatorState.OfPartition.class,
                            "PartitionState",
                            narrow(AggregatorState.OfPartition.class, new PartitionStateCodec())),
                    new RecordFormat<AggregatorState>(
                            AggregatorState.OfDeployment.class,
                            "DeploymentState",
                            narrow(AggregatorState.OfDeployment.class, new DeploymentStateCodec())),
                    new RecordFormat<AggregatorState>(
                            AggregatorState.Whole.class,
                            "AggregatorState",
                            narrow(AggregatorState.Whole.class, new AggregatorStateCodec()))));
    public static final Topic<Quarantined> QUARANTINE = of(
            Quarantined.class,
            "quarantine.v1",
            "records that could not be read or used",
            deleteAfter(Duration.ofDays(30), "CreateTime"),
            value -> value.topic() + "-" + value.partition(),
            new QuarantinedCodec());

    private final String name;
    private final String description;
    private final Map<String, String> settings;
    private final Function<T, String> key;
    private final List<RecordFormat<T>> formats;

    private Topic(
            String name,
            String description,
            Map<String, String> settings,
            Function<T, String> key,
            List<RecordFormat<T>> formats) {
        this.name = PREFIX + name;
        this.description = description;
        this.settings = settings;
        this.key = key;
        this.formats = formats;
    }

    private static <T> Topic<T> of(
            Class<T> type,
            String name,
            String description,
            Map<String, String> settings,
            Function<T, String> key,
            Codec<T> codec) {
        return new Topic<>(
                name, description, settings, key, List.of(new RecordFormat<>(type, type.getSimpleName(), codec)));
    }

    /** All topics, in the order of the data flow. */
    public static List<Topic<?>> all() {
        return List.of(
                SAMPLES,
                MEMBERS,
                WINDOWS,
                WINDOW_SUMMARIES,
                PLAN,
                ACKS,
                PLACEMENTS,
                OUTCOMES,
                CONTROL,
                AGGREGATOR_STATE,
                QUARANTINE);
    }

    /** The partition, in every topic, of a deployment's records: murmur2 of its id, as Kafka's default partitioner hashes keys. */
    public static int partition(Deployment deployment, int partitions) {
        return (Murmur2.hash(deployment.id().getBytes(StandardCharsets.UTF_8)) & Integer.MAX_VALUE) % partitions;
    }

    /**
     * The partition of one record: that of its deployment, but what belongs to a partition of the input (aggregator state,
     * quarantined records) stands in the partition of the same number, whatever the deployment.
     */
    public int partition(Deployment deployment, T value, int partitions) {
        if (value instanceof AggregatorState state) {
            return Math.floorMod(state.partition(), partitions);
        }
        if (value instanceof Quarantined record) {
            return Math.floorMod(record.partition(), partitions);
        }
        return partition(deployment, partitions);
    }

    /** Whether a record stands in the partition of its deployment; what belongs to no deployment stands well anywhere. */
    public boolean belongs(T value, int partition, int partitions) {
        Optional<Deployment> deployment = deployment(value);
        return deployment.isEmpty() || partition(deployment.orElseThrow(), value, partitions) == partition;
    }

    /** Whose record it is, where the value says so. */
    private static Optional<Deployment> deployment(Object value) {
        if (value instanceof SampleRecord sample) {
            return Optional.of(sample.deployment());
        } else if (value instanceof LoadWindow window) {
            return Optional.of(window.deployment());
        } else if (value instanceof WindowSummary summary) {
            return Optional.of(summary.deployment());
        } else if (value instanceof PlanCommand command) {
            return Optional.of(command.header().deployment());
        } else if (value instanceof RankAck ack) {
            return Optional.of(ack.deployment());
        } else if (value instanceof Outcome outcome) {
            return Optional.of(outcome.deployment());
        } else if (value instanceof ControlRecord control) {
            return Optional.of(control.deployment());
        }
        return value instanceof SettledPlacement placement ? Optional.of(placement.deployment()) : Optional.empty();
    }

    /** Such as {@code plimsoll.samples.v1}. */
    public String name() {
        return name;
    }

    /** One line on what stands in it. */
    public String description() {
        return description;
    }

    /** The broker's settings of this topic, as {@code topics create} makes it and {@code topics list} checks it. */
    public Map<String, String> settings() {
        return settings;
    }

    /** Whether of every key the newest record alone counts. */
    public boolean compacted() {
        return "compact".equals(settings.get("cleanup.policy"));
    }

    /** The schemas that its records may carry, for a schema registry. */
    public List<WireSchema> schemas() {
        // A topic of several kinds of records files each under a subject of its own.
        return formats.stream()
                .flatMap(format -> format.entries().stream())
                .map(entry -> new WireSchema(
                        entry.id(),
                        formats.size() == 1
                                ? name + "-value"
                                : name + "-" + entry.schema().getFullName(),
                        entry.version(),
                        entry.json()))
                .toList();
    }

    /** The record's key: readable text. */
    public String key(T value) {
        return key.apply(value);
    }

    /** The framed bytes of a value. */
    public byte[] encode(T value) {
        return format(value).encode(value);
    }

    /** The value of framed bytes; allocates no more than a small multiple of their length. */
    public T decode(byte[] bytes) throws WireException {
        return decode(ByteBuffer.wrap(bytes));
    }

    /**
     * The same of what remains in a buffer with an array. The value may be a view of that array, which must not change while the value
     * is used; the buffer's position stays.
     */
    public T decode(ByteBuffer record) throws WireException {
        int length = record.remaining();
        if (length < RecordFormat.FRAME_BYTES || record.get(record.position()) != 0) {
            throw new WireException(
                    Reason.FRAME,
                    length < RecordFormat.FRAME_BYTES
                            ? "record of " + length + " bytes has no frame"
                            : "record starts with byte " + record.get(record.position()) + " instead of 0");
        }
        int id = record.duplicate().getInt(record.position() + 1); // a duplicate is big-endian, as the frame is
        for (RecordFormat<T> format : formats) {
            if (format.reads(id)) {
                int from = record.arrayOffset() + record.position();
                return format.decode(id, record.array(), from + RecordFormat.FRAME_BYTES, from + length);
            }
        }
        throw SchemaTable.ofLaterRelease(id)
                ? new WireException(
                        Reason.NEWER_SCHEMA,
                        "schema id " + id + " is of a release later than this one, which knows ids up to "
                                + SchemaTable.newest())
                : new WireException(Reason.UNKNOWN_SCHEMA, "schema id " + id + " is not one of " + name);
    }

    /** One readable line, without control characters. */
    public String line(T value) {
        return UNPRINTABLE.matcher(format(value).line(value)).replaceAll("?");
    }

    /** The value as one line of JSON; field names are those of the schema. */
    public String json(T value) {
        return format(value).json(value);
    }

    @Override
    public String toString() {
        return name;
    }

    private RecordFormat<T> format(T value) {
        for (RecordFormat<T> format : formats) {
            if (format.writes(value)) {
                return format;
            }
        }
        throw new IllegalStateException(name + " has no schema for " + value.getClass());
    }

    private static Map<String, String> deleteAfter(Duration retention, String timestampType) {
        return Map.of(
                "cleanup.policy",
                "delete",
                "retention.ms",
                Long.toString(retention.toMillis()),
                "message.timestamp.type",
                timestampType);
    }

    /** The first release's record keeps its key: what it wrote is replaced. */
    private static String stateKey(AggregatorState state) {
        if (state instanceof AggregatorState.OfDeployment one) {
            return one.partition() + "/" + one.sequence().deployment().id();
        }
        return state instanceof AggregatorState.OfPartition one
                ? one.partition() + "/"
                : Integer.toString(state.partition());
    }

    /** A codec of one of several kinds; the format's type has been checked before it is asked. */
    private static <T, S extends T> Codec<T> narrow(Class<S> type, Codec<S> codec) {
        return new Codec<>() {
            @Override
            public Optional<DirectCodec<T>> direct() {
                return codec.direct().map(direct -> narrow(type, direct));
            }

            @Override
            public List<DirectCodec<T>> directBefore() {
                return codec.directBefore().stream()
                        .<DirectCodec<T>>map(direct -> narrow(type, direct))
                        .toList();
            }

            @Override
            public void write(T value, Fields to) {
                codec.write(type.cast(value), to);
            }

            @Override
            public T read(Fields from) {
                return codec.read(from);
            }

            @Override
            public String line(T value) {
                return codec.line(type.cast(value));
            }

            @Override
            public void amend(T value, ObjectNode json) {
                codec.amend(type.cast(value), json);
            }
        };
    }

    private static <T, S extends T> DirectCodec<T> narrow(Class<S> type, DirectCodec<S> codec) {
        return new DirectCodec<>() {
            @Override
            public List<String> fields() {
                return codec.fields();
            }

            @Override
            public byte[] write(byte[] frame, T value) {
                return codec.write(frame, type.cast(value));
            }

            @Override
            public T read(WireReader from) throws WireException {
                return codec.read(from);
            }
        };
    }
}
