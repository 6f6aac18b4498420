package dev.plimsoll.wire;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.SubWindowSums;
import java.util.Arrays;
import java.util.List;

/** {@link LoadWindow}: one per layer of every window, each with a sum for every slot. */
final class LoadWindowDirect implements DirectCodec<LoadWindow> {
    private static final List<String> FIELDS = List.of(
            "summary",
            "deployment",
            "incarnation",
            "phase",
            "index",
            "stepFrom",
            "stepTo",
            "layer",
            "segment",
            "state",
            "firstSlot",
            "load",
            "subWindows",
            "firstSubWindow",
            "windowParts",
            "subLoad",
            "subPacked");

    private final Interned<Deployment> deployments = new Interned<>(Deployment::new);

    @Override
    public List<String> fields() {
        return FIELDS;
    }

    @Override
    public byte[] write(byte[] frame, LoadWindow window) {
        SubWindowSums sums = window.subSums();
        // Most sums have three bytes or fewer.
        WireWriter to = new WireWriter(
                200 + 2 * window.summary().length() + 3 * window.load().size());
        to.raw(frame)
                .text(window.summary())
                .text(window.deployment().id())
                .number(window.incarnation())
                .number(Shared.PHASES.indexOf(window.phase().name()))
                .number(window.index())
                .number(window.steps().from())
                .number(window.steps().to())
                .number(window.layer())
                .number(window.segment())
                .number(window.state().settledVersion())
                .number(window.state().epoch())
                .number(window.state().batchesFlipped())
                .number(window.firstSlot())
                .numbers(window.load())
                .number(sums.parts())
                .number(window.firstSubWindow())
                .number(window.subWindows())
                .numbers(LongVector.empty())
                .number(sums.packedBytes());
        return to.resultWith(sums.packedBytes(), sums::copyTo);
    }

    @Override
    public LoadWindow read(WireReader from) throws WireException {
        byte[] bytes = from.bytes();
        String summary = from.text();
        int deploymentLength = from.length();
        int deployment = from.position();
        from.skip(deploymentLength);
        long incarnation = from.number();
        int phase = from.index(Shared.PHASES.size());
        long index = from.number();
        long stepFrom = from.number();
        long stepTo = from.number();
        int layer = from.integer();
        int segment = from.integer();
        int settledVersion = from.integer();
        int epoch = from.integer();
        int batchesFlipped = from.integer();
        int firstSlot = from.integer();
        LongVector load = from.numbers();
        int parts = from.integer();
        int firstPart = from.integer();
        int windowParts = from.integer();
        LongVector unpacked = from.numbers();
        int packedLength = from.length();
        int packed = from.position();
        from.skip(packedLength);
        from.end();
        return new LoadWindow(
                deployments.of(bytes, deployment, deploymentLength),
                incarnation,
                Shared.phase(phase),
                index,
                new StepRange(stepFrom, stepTo),
                layer,
                segment,
                new PlacementState(settledVersion, epoch, batchesFlipped),
                firstSlot,
                load,
                windowParts == 0 ? parts : windowParts,
                firstPart,
                LoadWindowCodec.subSums(
                        load, parts, unpacked, Arrays.copyOfRange(bytes, packed, packed + packedLength)),
                summary);
    }
}
