package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Phase;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@link LoadSample}: counters are packed, four bytes each unless one of them needs eight. */
final class LoadSampleCodec implements Codec<LoadSample> {
    /** Order and width of the packed counters; names are those of the schema. */
    private enum Layout {
        RANK_LAYER_SLOT_INT32_LE,
        RANK_LAYER_SLOT_INT64_LE
    }

    @Override
    public void write(LoadSample sample, Fields to) {
        Shared.identity(to, sample.deployment(), sample.incarnation());
        Shared.steps(to, sample.steps());
        to.putSymbol("phase", sample.phase())
                .put("emitter", sample.emitter())
                .put("firstRank", sample.firstRank())
                .put("ranks", sample.ranks())
                .put("firstLayer", sample.firstLayer())
                .put("layers", sample.layers())
                .put("slotsPerRank", sample.slotsPerRank())
                .put("mixed", sample.mixed())
                .put("routed", sample.routed());
        Shared.state(to.putFields("state"), sample.state());
        LongVector load = sample.load();
        Layout layout = layout(load);
        to.putSymbol("layout", layout);
        ByteBuffer packed = ByteBuffer.allocate(Math.multiplyExact(load.size(), width(layout)))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < load.size(); i++) {
            if (layout == Layout.RANK_LAYER_SLOT_INT32_LE) {
                packed.putInt((int) load.at(i));
            } else {
                packed.putLong(load.at(i));
            }
        }
        to.put("counters", packed.flip());
    }

    @Override
    public LoadSample read(Fields from) {
        return new LoadSample(
                Shared.deployment(from),
                from.number("incarnation"),
                Shared.steps(from),
                from.symbol("phase", Phase.class),
                from.text("emitter"),
                from.integer("firstRank"),
                from.integer("ranks"),
                from.integer("firstLayer"),
                from.integer("layers"),
                from.integer("slotsPerRank"),
                Shared.state(from.fields("state")),
                from.flag("mixed"),
                from.longs("routed"),
                unpack(from.symbol("layout", Layout.class), from.bytes("counters")));
    }

    @Override
    public String line(LoadSample sample) {
        StringBuilder line = new StringBuilder("SAMPLE ")
                .append(sample.deployment())
                .append(" incarnation ")
                .append(sample.incarnation())
                .append(" steps ")
                .append(sample.steps())
                .append(' ')
                .append(sample.phase())
                .append(' ')
                .append(sample.state())
                .append(sample.mixed() ? " mixed" : "")
                .append(" layers ")
                .append(sample.firstLayer())
                .append('+')
                .append(sample.layers())
                .append(" load per rank from ")
                .append(sample.firstRank())
                .append(':');
        for (int rank = 0; rank < sample.ranks(); rank++) {
            long load = 0;
            for (int i = 0; i < sample.layers() * sample.slotsPerRank(); i++) {
                load += sample.load().at(rank * sample.layers() * sample.slotsPerRank() + i);
            }
            line.append(' ').append(load);
        }
        return line.append(" by ").append(sample.emitter()).toString();
    }

    @Override
    public void amend(LoadSample sample, ObjectNode json) {
        ArrayNode ranks = json.putArray("counters");
        for (int rank = 0; rank < sample.ranks(); rank++) {
            ArrayNode layers = ranks.addArray();
            for (int layer = 0; layer < sample.layers(); layer++) {
                ArrayNode slots = layers.addArray();
                for (int slot = 0; slot < sample.slotsPerRank(); slot++) {
                    slots.add(sample.load(rank, layer, slot));
                }
            }
        }
    }

    private static LongVector unpack(Layout layout, ByteBuffer packed) {
        int width = width(layout);
        if (packed.remaining() % width != 0) {
            throw new IllegalArgumentException(packed.remaining() + " bytes of counters of " + width + " bytes each");
        }
        packed.order(ByteOrder.LITTLE_ENDIAN);
        long[] load = new long[packed.remaining() / width];
        for (int i = 0; i < load.length; i++) {
            load[i] = layout == Layout.RANK_LAYER_SLOT_INT32_LE ? packed.getInt() : packed.getLong();
        }
        return LongVector.of(load);
    }

    private static Layout layout(LongVector load) {
        for (int i = 0; i < load.size(); i++) {
            if (load.at(i) > Integer.MAX_VALUE) {
                return Layout.RANK_LAYER_SLOT_INT64_LE;
            }
        }
        return Layout.RANK_LAYER_SLOT_INT32_LE;
    }

    private static int width(Layout layout) {
        return layout == Layout.RANK_LAYER_SLOT_INT32_LE ? 4 : 8;
    }
}
