package dev.plimsoll.wire;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import java.util.List;
import java.util.function.Function;

/** {@link LoadSample} with a header that is read and counters that are not: the value is a view of the record. */
final class LoadSampleDirect implements DirectCodec<LoadSample> {
    private static final List<String> FIELDS = List.of(
            "deployment",
            "incarnation",
            "stepFrom",
            "stepTo",
            "phase",
            "emitter",
            "firstRank",
            "ranks",
            "firstLayer",
            "layers",
            "slotsPerRank",
            "state",
            "mixed",
            "routed",
            "elapsedNanos",
            "idleNanos",
            "kind",
            "layout",
            "counters");

    /** The versions 1 and 2: of samples that do not say how long their steps took. */
    static final int FIRST = 1;

    /** The version 3: of tokens computed only. */
    static final int TIMED = 3;

    static final int NEWEST = 4;

    private final int version;
    private final Interned<Deployment> deployments = new Interned<>(Deployment::new);
    private final Interned<String> emitters = new Interned<>(Function.identity());

    /** @param version {@link #NEWEST}, or one that is in topics for a day after an upgrade */
    LoadSampleDirect(int version) {
        this.version = version;
    }

    @Override
    public List<String> fields() {
        return FIELDS.stream()
                .filter(field -> version >= TIMED || (!field.equals("elapsedNanos") && !field.equals("idleNanos")))
                .filter(field -> version >= NEWEST || !field.equals("kind"))
                .toList();
    }

    @Override
    public byte[] write(byte[] frame, LoadSample sample) {
        if (version != NEWEST) {
            throw new IllegalStateException("nobody writes samples of an earlier version");
        }
        Counters load = sample.load();
        int packed = load.size() * load.width();
        WireWriter to = new WireWriter(frame.length
                + 160
                + sample.deployment().id().length()
                + sample.emitter().length()
                + 10 * (sample.routed().size() + 2 * sample.elapsedNanos().size()));
        to.raw(frame)
                .text(sample.deployment().id())
                .number(sample.incarnation())
                .number(sample.steps().from())
                .number(sample.steps().to())
                .number(Shared.PHASES.indexOf(sample.phase().name()))
                .text(sample.emitter())
                .number(sample.firstRank())
                .number(sample.ranks())
                .number(sample.firstLayer())
                .number(sample.layers())
                .number(sample.slotsPerRank())
                .number(sample.state().settledVersion())
                .number(sample.state().epoch())
                .number(sample.state().batchesFlipped())
                .flag(sample.mixed())
                .numbers(sample.routed())
                .numbers(sample.elapsedNanos())
                .numbers(sample.idleNanos())
                .number(LoadSampleCodec.KINDS.indexOf(sample.kind().name()))
                .number(LoadSampleCodec.LAYOUTS.indexOf(LoadSampleCodec.layout(load)))
                .number(packed);
        return to.resultWith(packed, load::copyTo);
    }

    @Override
    public LoadSample read(WireReader from) throws WireException {
        byte[] bytes = from.bytes();
        int deploymentLength = from.length();
        int deployment = from.position();
        from.skip(deploymentLength);
        long incarnation = from.number();
        long stepFrom = from.number();
        long stepTo = from.number();
        int phase = from.index(Shared.PHASES.size());
        int emitterLength = from.length();
        int emitter = from.position();
        from.skip(emitterLength);
        int firstRank = from.integer();
        int ranks = from.integer();
        int firstLayer = from.integer();
        int layers = from.integer();
        int slotsPerRank = from.integer();
        int settledVersion = from.integer();
        int epoch = from.integer();
        int batchesFlipped = from.integer();
        boolean mixed = from.flag();
        LongVector routed = from.numbers();
        LongVector elapsedNanos = version >= TIMED ? from.numbers() : LongVector.empty();
        LongVector idleNanos = version >= TIMED ? from.numbers() : LongVector.empty();
        int kind = version >= NEWEST ? from.index(LoadSampleCodec.KINDS.size()) : 1;
        int layout = from.index(LoadSampleCodec.LAYOUTS.size());
        int countersLength = from.length();
        int counters = from.position();
        from.skip(countersLength);
        from.end();
        // From here on it is a record, and whatever is wrong makes it an invalid one.
        return new LoadSample(
                deployments.of(bytes, deployment, deploymentLength),
                incarnation,
                new StepRange(stepFrom, stepTo),
                Shared.phase(phase),
                emitters.of(bytes, emitter, emitterLength),
                firstRank,
                ranks,
                firstLayer,
                layers,
                slotsPerRank,
                new PlacementState(settledVersion, epoch, batchesFlipped),
                mixed,
                routed,
                elapsedNanos,
                idleNanos,
                Fields.constant("kind", LoadSampleCodec.KINDS.get(kind), LoadKind.class),
                LoadSampleCodec.view(LoadSampleCodec.LAYOUTS.get(layout), bytes, counters, countersLength));
    }
}
