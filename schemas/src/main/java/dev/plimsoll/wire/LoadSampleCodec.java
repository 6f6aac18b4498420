package dev.plimsoll.wire;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Phase;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@link LoadSample}: counters are packed, with two bytes each unless one of them needs four or eight. */
final class LoadSampleCodec implements Codec<LoadSample> {
    /** Order and width of the packed counters; names are those of the schema. */
    private enum Layout {
        RANK_LAYER_SLOT_INT32_LE(Counters.INT),
        RANK_LAYER_SLOT_INT64_LE(Counters.LONG),
        RANK_LAYER_SLOT_UINT16_LE(Counters.SHORT);

        final int width;

        Layout(int width) {
            this.width = width;
        }
    }

    /** The symbols of the enum CounterLayout, in the order of the schema. */
    static final List<String> LAYOUTS = List.of(
            "UNKNOWN",
            Layout.RANK_LAYER_SLOT_INT32_LE.name(),
            Layout.RANK_LAYER_SLOT_INT64_LE.name(),
            Layout.RANK_LAYER_SLOT_UINT16_LE.name());

    /** The symbols of the enum LoadKind, in the order of the schema. */
    static final List<String> KINDS = List.of("UNKNOWN", LoadKind.COMPUTED.name(), LoadKind.ROUTED_TO.name());

    @Override
    public Optional<DirectCodec<LoadSample>> direct() {
        return Optional.of(new LoadSampleDirect(LoadSampleDirect.NEWEST));
    }

    @Override
    public List<DirectCodec<LoadSample>> directBefore() {
        return List.of(new LoadSampleDirect(LoadSampleDirect.TIMED), new LoadSampleDirect(LoadSampleDirect.FIRST));
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
                .put("routed", sample.routed())
                .put("elapsedNanos", sample.elapsedNanos())
                .put("idleNanos", sample.idleNanos())
                .putSymbol("kind", sample.kind());
        Shared.state(to.putFields("state"), sample.state());
        Counters load = sample.load();
        to.putSymbol("layout", layout(load));
        ByteBuffer packed = ByteBuffer.allocate(load.size() * load.width());
        load.copyTo(packed);
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
                from.longs("elapsedNanos"),
                from.longs("idleNanos"),
                from.symbol("kind", LoadKind.class),
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
                .append(sample.kind() == LoadKind.ROUTED_TO ? " sent per rank from " : " load per rank from ")
                .append(sample.firstRank())
                .append(':');
        for (int rank = 0; rank < sample.ranks(); rank++) {
            int counters = sample.layers() * sample.slotsPerRank();
            line.append(' ').append(sample.load().sum(rank * counters, counters));
        }
        if (sample.timed()) {
            line.append(", ms busy (and idle):");
            for (int rank = 0; rank < sample.ranks(); rank++) {
                line.append(' ').append(millis(sample.elapsedNanos().at(rank)));
                if (sample.idleNanos().at(rank) > 0) {
                    line.append(" (")
                            .append(millis(sample.idleNanos().at(rank)))
                            .append(')');
                }
            }
        }
        return line.append(" by ").append(sample.emitter()).toString();
    }

    private static String millis(long nanos) {
        return String.format(Locale.ROOT, "%.3f", nanos / 1e6);
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

    private static Counters unpack(Layout layout, ByteBuffer packed) {
        return view(layout.name(), packed.array(), packed.arrayOffset() + packed.position(), packed.remaining());
    }

    static Counters view(String layout, byte[] bytes, int start, int length) {
        int width = Fields.constant("layout", layout, Layout.class).width;
        if (length % width != 0) {
            throw new IllegalArgumentException(length + " bytes of counters of " + width + " bytes each");
        }
        return Counters.view(bytes, start, length / width, width);
    }

    static String layout(Counters load) {
        return Arrays.stream(Layout.values())
                .filter(layout -> layout.width == load.width())
                .findFirst()
                .orElseThrow()
                .name();
    }
}
