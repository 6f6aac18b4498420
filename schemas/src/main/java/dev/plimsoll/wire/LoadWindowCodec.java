package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.SubWindowSums;
import java.nio.ByteBuffer;
import java.util.Optional;

/** {@link LoadWindow}. */
final class LoadWindowCodec implements Codec<LoadWindow> {
    @Override
    public Optional<DirectCodec<LoadWindow>> direct() {
        return Optional.of(new LoadWindowDirect());
    }

    @Override
    public void write(LoadWindow window, Fields to) {
        Shared.identity(to.put("summary", window.summary()), window.deployment(), window.incarnation())
                .putSymbol("phase", window.phase())
                .put("index", window.index())
                .put("layer", window.layer())
                .put("segment", window.segment())
                .put("firstSlot", window.firstSlot())
                .put("load", window.load())
                .put("subWindows", window.subSums().parts())
                .put("firstSubWindow", window.firstSubWindow())
                .put("windowParts", window.subWindows())
                .put("subLoad", LongVector.empty())
                .put("subPacked", ByteBuffer.wrap(packed(window.subSums())));
        Shared.steps(to, window.steps());
        Shared.state(to.putFields("state"), window.state());
    }

    @Override
    public LoadWindow read(Fields from) {
        return new LoadWindow(
                Shared.deployment(from),
                from.number("incarnation"),
                from.symbol("phase", Phase.class),
                from.number("index"),
                Shared.steps(from),
                from.integer("layer"),
                from.integer("segment"),
                Shared.state(from.fields("state")),
                from.integer("firstSlot"),
                from.longs("load"),
                from.integer(from.integer("windowParts") == 0 ? "subWindows" : "windowParts"),
                from.integer("firstSubWindow"),
                subSums(from),
                from.text("summary"));
    }

    private static SubWindowSums subSums(Fields from) {
        ByteBuffer packed = from.bytes("subPacked");
        byte[] bytes = new byte[packed.remaining()];
        packed.get(bytes);
        return subSums(from.longs("load"), from.integer("subWindows"), from.longs("subLoad"), bytes);
    }

    /** Packed, or as a list: so older releases wrote them, and others may. */
    static SubWindowSums subSums(LongVector load, int parts, LongVector unpacked, byte[] packed) {
        if (unpacked.size() == 0) {
            return SubWindowSums.unpacked(load, parts, packed);
        }
        int slots = load.size();
        if (slots == 0 || unpacked.size() % slots != 0) {
            throw new IllegalArgumentException(
                    "sub-windows of " + slots + " slots cannot have " + unpacked.size() + " sums");
        }
        return SubWindowSums.of(load, unpacked.size() / slots, unpacked);
    }

    private static byte[] packed(SubWindowSums sums) {
        ByteBuffer packed = ByteBuffer.allocate(sums.packedBytes());
        sums.copyTo(packed);
        return packed.array();
    }

    /** As if the sums had been written as a list. */
    @Override
    public void amend(LoadWindow window, ObjectNode json) {
        json.put("subWindows", window.subSums().parts());
        ArrayNode sums = json.putArray("subLoad");
        for (long sum : window.subSums().toArray()) {
            sums.add(sum);
        }
        json.put("subPacked", "");
    }

    @Override
    public String line(LoadWindow window) {
        return "WINDOW " + window.summary();
    }
}
