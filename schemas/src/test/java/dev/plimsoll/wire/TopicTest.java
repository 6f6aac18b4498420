package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.ThreadMXBean;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Tick;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.RandomValues.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Records on the wire: both directions, hostile bytes, what people see, how large they are. */
final class TopicTest {
    static Stream<Kind<?>> kinds() {
        return RandomValues.KINDS.stream();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    <T> void everyValueComesBackAsItWent(Kind<T> kind) throws Exception {
        for (long seed = 0; seed < 300; seed++) {
            T value = kind.value(seed);
            assertThat(kind.topic().decode(kind.topic().encode(value)))
                    .as("seed " + seed)
                    .isEqualTo(value);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    <T> void noBytesBreakDecoding(Kind<T> kind) {
        Random random = new Random(42);
        int refused = 0;
        for (int round = 0; round < 3000; round++) {
            byte[] bytes = kind.topic().encode(kind.value(round % 50));
            switch (round % 3) {
                case 0 -> {
                    for (int flips = 0; flips <= random.nextInt(3); flips++) {
                        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                    }
                }
                case 1 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
                default -> {
                    // Noise behind a good frame.
                    byte[] noise = new byte[random.nextInt(200)];
                    random.nextBytes(noise);
                    bytes = Arrays.copyOf(bytes, 5 + noise.length);
                    System.arraycopy(noise, 0, bytes, 5, noise.length);
                }
            }
            byte[] hostile = bytes;
            Throwable thrown = catchThrowable(() -> kind.topic().decode(hostile));
            if (thrown != null) {
                assertThat(thrown).as("round " + round).isInstanceOf(WireException.class);
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(1000);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    <T> void countsThatTheBytesCannotHoldAllocateNothing(Kind<T> kind) {
        // given: at every place of a record, a number as large as numbers get
        byte[] good = kind.topic().encode(kind.value(3));
        byte[] huge = {(byte) 0xfe, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0x0f};
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long most = 0;
        for (int at = 5; at < Math.min(good.length, 400); at++) {
            byte[] bytes = Arrays.copyOf(good, good.length + huge.length);
            System.arraycopy(huge, 0, bytes, at, huge.length);
            System.arraycopy(good, at, bytes, at + huge.length, good.length - at);
            long before = threads.getCurrentThreadAllocatedBytes();
            Throwable thrown = catchThrowable(() -> kind.topic().decode(bytes));
            most = Math.max(most, threads.getCurrentThreadAllocatedBytes() - before);
            if (thrown != null) {
                assertThat(thrown).as("number at " + at).isInstanceOf(WireException.class);
            }
        }
        assertThat(most).isLessThan(1 << 20);
    }

    @Test
    void aRecordInTheMiddleOfABufferIsReadAsOneOfItsOwn() throws WireException {
        // given
        Tick tick = new Tick(new Deployment("a"));
        byte[] bytes = Topic.SAMPLES.encode(tick);
        ByteBuffer fetched = ByteBuffer.allocate(bytes.length + 12).order(ByteOrder.LITTLE_ENDIAN);
        fetched.put(new byte[] {1, 2, 3, 4, 5, 6, 7});
        ByteBuffer record = fetched.slice(5, bytes.length + 4).position(2).order(ByteOrder.LITTLE_ENDIAN);
        record.duplicate().put(bytes);
        record.limit(2 + bytes.length);

        // then
        assertThat(Topic.SAMPLES.decode(record)).isEqualTo(tick);
        assertThat(record.position()).isEqualTo(2);
        record.limit(1 + bytes.length);
        assertThatThrownBy(() -> Topic.SAMPLES.decode(record)).isInstanceOf(WireException.class);
    }

    @Test
    void badBytesAreToldApart() {
        Deployment deployment = new Deployment("d");
        byte[] tick = Topic.SAMPLES.encode(new Tick(deployment));
        assertReason(WireException.Reason.FRAME, Topic.SAMPLES, new byte[] {0, 0, 0});
        assertReason(WireException.Reason.FRAME, Topic.SAMPLES, new byte[] {1, 0, 0, 0, 1, 0});
        assertReason(WireException.Reason.UNKNOWN_SCHEMA, Topic.SAMPLES, new byte[] {0, 0, 0, 0, 1, 0});
        assertReason(WireException.Reason.UNKNOWN_SCHEMA, Topic.WINDOWS, tick);
        assertReason(
                WireException.Reason.NEWER_SCHEMA, Topic.SAMPLES, new byte[] {0, 0, 2, (byte) 0x9b, (byte) 0xf7, 0});
        assertReason(
                WireException.Reason.UNKNOWN_SCHEMA, Topic.SAMPLES, new byte[] {0, 0, 2, (byte) 0x9b, (byte) 0xf8, 0});
        assertReason(WireException.Reason.MALFORMED, Topic.SAMPLES, Arrays.copyOf(tick, tick.length - 1));
        assertReason(WireException.Reason.MALFORMED, Topic.SAMPLES, Arrays.copyOf(tick, tick.length + 1));
        byte[] badName = tick.clone();
        badName[badName.length - 1] = '\n';
        assertReason(WireException.Reason.INVALID, Topic.SAMPLES, badName);
    }

    private static void assertReason(WireException.Reason reason, Topic<?> topic, byte[] bytes) {
        assertThatThrownBy(() -> topic.decode(bytes))
                .isInstanceOfSatisfying(
                        WireException.class, e -> assertThat(e.reason()).isEqualTo(reason));
    }

    @Test
    void aSymbolOfALaterReleaseIsInvalidAndNotMistaken() throws Exception {
        // given: an ack of kind UNKNOWN, which is what Avro's resolution makes of a symbol that it does not know
        RankAck ack =
                new RankAck(new Deployment("d"), 1, new RankId(0), 1, RankAck.Kind.ACCEPTED, 0, Optional.empty(), 1, 1);
        SchemaTable.Entry entry = SchemaTable.of("RankAck").get(0);
        Fields fields = Fields.blank(entry.schema());
        new RankAckCodec().write(ack, fields);
        fields.putSymbol("kind", "UNKNOWN");
        assertReason(WireException.Reason.INVALID, Topic.ACKS, frame(entry.id(), fields.record()));
    }

    private static byte[] frame(int id, GenericRecord record) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        var encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<GenericRecord>(record.getSchema(), GenericData.get()).write(record, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    <T> void peopleSeeOneLineAndJsonWithTheSchemasNames(Kind<T> kind) throws Exception {
        for (long seed = 0; seed < 50; seed++) {
            T value = kind.value(seed);
            assertThat(kind.topic().line(value)).isNotBlank().doesNotContainPattern("\\p{Cntrl}");
            String json = kind.topic().json(value);
            assertThat(json).doesNotContain("\n");
            JsonNode tree = new ObjectMapper().readTree(json);
            byte[] bytes = kind.topic().encode(value);
            int id = ByteBuffer.wrap(bytes).getInt(1);
            List<String> names = kind.topic().schemas().stream()
                    .filter(schema -> schema.id() == id)
                    .flatMap(schema -> new org.apache.avro.Schema.Parser()
                            .parse(schema.json()).getFields().stream().map(field -> field.name()))
                    .toList();
            assertThat(tree.fieldNames()).toIterable().containsExactlyElementsOf(names);
        }
    }

    @Test
    void packedCountersAreShownAsNumbers() throws Exception {
        LoadSample sample = sample(2, 1, 2, 1, 2, 3, 40_000_000_000L);
        assertThat(new ObjectMapper()
                        .readTree(Topic.SAMPLES.json(sample))
                        .get("counters")
                        .toString())
                .isEqualTo("[[[1,2]],[[3,40000000000]]]");
        assertThat(Topic.SAMPLES.line(sample)).contains("load per rank from 0: 3 40000000003");
    }

    @Test
    void whatAWriterSaysIsKeptShortInQuarantine() throws Exception {
        // given: each character is two of Java's, so that a cut may fall between them
        String million = "\uD83D\uDE00".repeat(500_000);
        Quarantined hostile =
                new Quarantined("t", 0, 1, 0, million + "a\u2028", "INVALID", "a" + million + "\r\n", "00", 1);

        byte[] bytes = Topic.QUARANTINE.encode(hostile);

        assertThat(bytes).hasSizeLessThan(4_000);
        assertThat(Topic.QUARANTINE.decode(bytes)).isEqualTo(hostile);
        // Whoever writes a byte causes a few hundred, a hundred times a minute.
        assertThat(Topic.QUARANTINE.encode(new Quarantined(
                        Topic.SAMPLES.name(),
                        3,
                        1L << 40,
                        1L << 40,
                        "",
                        "FRAME",
                        "record of 1 bytes has no frame",
                        "00",
                        1)))
                .hasSizeLessThan(300);
        assertThat(hostile.adding("; and more").detail())
                .hasSizeLessThanOrEqualTo(500)
                .endsWith("; and more");
        assertThat(new Quarantined("t", 0, 1, 0, "a\u2028\u0085b", "INVALID", "c\r\u007f\u0000d", "", 1))
                .extracting(Quarantined::key, Quarantined::detail)
                .containsExactly("a??b", "c???d");
    }

    @Test
    void linesCannotBeForgedThroughValues() {
        Quarantined hostile = new Quarantined("t", 0, 1, 0, "", "MALFORMED", "fine\nACK d rank 0 FLIPPED", "", 0);
        assertThat(Topic.QUARANTINE.line(hostile)).doesNotContain("\n");
    }

    @Test
    void recordsStayWithinTheSizesThatTopicToolsShow() {
        // given: 58 layers × 320 slots × 8 sub-windows, a million assignments per layer and sub-window, evenly spread
        // or skewed
        Random random = new Random(5);
        for (int subWindows : new int[] {8, 16}) {
            long[] sub = new long[subWindows * 320];
            long[] sum = new long[320];
            for (int i = 0; i < sub.length; i++) {
                sub[i] = Math.round(3000 * Math.exp(random.nextGaussian()));
                sum[i % 320] += sub[i];
            }
            LoadWindow window = new LoadWindow(
                    new Deployment("r1/decode-0"),
                    7,
                    Phase.DECODE,
                    123_456,
                    new StepRange(123_456_000, 123_457_000),
                    57,
                    0,
                    new PlacementState(12, 13, 4),
                    0,
                    LongVector.of(sum),
                    subWindows,
                    LongVector.of(sub),
                    "layer 57: 320 slots, 8,000,000 tokens, balancedness 0.812");
            assertThat(Topic.WINDOWS.encode(window).length)
                    .as(subWindows + " sub-windows")
                    .isLessThan(20_000);
        }
        int[] perRank = new int[320];
        Arrays.fill(perRank, 255);
        SettledPlacement placement = new SettledPlacement(
                new Deployment("d"),
                1,
                1,
                0,
                58,
                1,
                LongVector.of(Arrays.stream(perRank).asLongStream().toArray()));
        assertThat(Topic.PLACEMENTS.encode(placement).length).isLessThan(1000);
        // 58 layers × 320 slots in one gathered sample
        LoadSample sample = sample(
                32, 58, 10, IntStream.range(0, 32 * 58 * 10).mapToLong(i -> i).toArray());
        assertThat(Topic.SAMPLES.encode(sample).length).isLessThan(256 * 1024);
    }

    @Test
    void aDecisionOfThousandsOfMovesWithItsReasonsStaysSmall() throws Exception {
        Random random = new Random(7);
        List<Batch> batches = new ArrayList<>();
        TreeMap<Integer, LayerReason> moved = new TreeMap<>();
        for (int layer = 0; layer < 58; layer++) {
            List<Move> moves = new ArrayList<>();
            List<LayerReason.Gain> gains = new ArrayList<>();
            for (int slot = 0; slot < 300; slot++) {
                moves.add(new Move(
                        new LayerId(layer),
                        new SlotId(slot),
                        new ExpertId(random.nextInt(256)),
                        new SlotId(300 + random.nextInt(20))));
                gains.add(new LayerReason.Gain(slot, random.nextFloat()));
            }
            batches.add(new Batch(layer + 1, moves));
            moved.put(layer, new LayerReason(0.6, 0.9, 0.95, gains, LayerReason.Stop.PRICE, 1e-4));
        }
        Propose said = decision(batches, new PlanReasons(moved, new TreeMap<>()));
        int silent = Topic.PLAN.encode(decision(batches, PlanReasons.NONE)).length;

        assertThat(Topic.PLAN.encode(said).length - silent).isLessThan(4 * 58 * 300 + 50 * 58);
        assertThat(Topic.PLAN.encode(said).length).isLessThan(220_000);
        assertThat(said.summary()).hasSizeLessThan(120);
        assertThat(Topic.PLAN.decode(Topic.PLAN.encode(said))).isEqualTo(said);
    }

    @Test
    void reasonsAreReadBesideTheirMoves() throws Exception {
        Batch batch = new Batch(
                1,
                List.of(
                        new Move(new LayerId(3), new SlotId(0), new ExpertId(7), new SlotId(9)),
                        new Move(new LayerId(3), new SlotId(4), new ExpertId(5), new SlotId(8))));
        LayerReason reason = new LayerReason(
                0.625,
                0.875,
                0.9375,
                List.of(new LayerReason.Gain(0, 0.25), new LayerReason.Gain(4, 0.125)),
                LayerReason.Stop.PRICE,
                0.0625);
        Propose decision = decision(
                List.of(batch),
                new PlanReasons(
                        new TreeMap<>(Map.of(3, reason)),
                        new TreeMap<>(Map.of(LayerReason.Stop.PRICE, 40, LayerReason.Stop.NOISE, 17))));

        JsonNode json = new ObjectMapper().readTree(Topic.PLAN.json(decision));

        assertThat(json.get("reasons").toString())
                .isEqualTo("[{\"layer\":3,\"before\":0.625,\"predicted\":0.875,\"bound\":0.9375,\"gains\":[0.25,0.125],"
                        + "\"stop\":\"PRICE\",\"refused\":0.0625}]");
        assertThat(json.get("kept").toString())
                .isEqualTo("[{\"stop\":\"PRICE\",\"layers\":40},{\"stop\":\"NOISE\",\"layers\":17}]");
    }

    /** As a rank of the release before would, had it the schema from a registry: it sees the moves and not the switches. */
    @Test
    void aReaderThatKnowsNoSwitchesComesToAnotherHash() throws Exception {
        ModelShape shape = ModelShape.of("m", 6, 2, 0, 2);
        Topology topology = Topology.even(4, 2, 2);
        Placement settled = Placement.initial(shape, topology);
        Batch batch = new Batch(
                1,
                List.of(new Move(new LayerId(0), new SlotId(6), new ExpertId(3), new SlotId(3))),
                List.of(new Switch(new LayerId(0), new SlotId(7), false)));
        Propose decision = new Propose(
                new PlanHeader(new Deployment("d"), 1, 1, 1),
                1,
                0,
                PlanHash.of(settled.with(1, batch), List.of(batch)),
                List.of(batch),
                9,
                0.6,
                0.9,
                "p",
                "why");
        Membership members = new Membership(
                        new Deployment("d"), 1, shape, topology, "e", Phase.ALL, GatherMode.HOST, 16, 64, 100, 400)
                .withIdleSlots(true);
        List<SchemaTable.Entry> schemas = SchemaTable.of("PlanCommand");

        byte[] bytes = Topic.PLAN.encode(decision);

        GenericRecord seen = new GenericDatumReader<GenericRecord>(
                        schemas.get(schemas.size() - 1).schema(), schemas.get(2).schema())
                .read(null, DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, null));
        Fields fields = new Fields(seen);
        Fields move = fields.list("batches").get(0).list("moves").get(0);
        Propose taken = new Propose(
                decision.header(),
                fields.integer("epoch"),
                fields.integer("basedOn"),
                fields.hash("planHash"),
                List.of(new Batch(
                        1,
                        List.of(new Move(
                                new LayerId(move.integer("layer")),
                                new SlotId(move.integer("slot")),
                                new ExpertId(move.integer("expert")),
                                new SlotId(move.integer("source")))))),
                9,
                0.6,
                0.9,
                "p",
                "why");

        assertThat(seen.hasField("switches")).isFalse();
        assertThat(PlacementRules.violations(taken, settled, members))
                .singleElement()
                .asString()
                .contains("have hash");
    }

    @Test
    void aBatchOfSwitchesAloneIsReadBack() throws Exception {
        Switch off = new Switch(new LayerId(3), new SlotId(7), false);
        Switch on = new Switch(new LayerId(3), new SlotId(2), true);
        Propose decision = decision(List.of(new Batch(1, List.of(), List.of(off, on))), PlanReasons.NONE);

        JsonNode json = new ObjectMapper().readTree(Topic.PLAN.json(decision));

        assertThat(Topic.PLAN.decode(Topic.PLAN.encode(decision))).isEqualTo(decision);
        assertThat(json.get("batches").toString())
                .isEqualTo("[{\"number\":1,\"moves\":[],\"switches\":[{\"layer\":3,\"slot\":7,\"inUse\":false},"
                        + "{\"layer\":3,\"slot\":2,\"inUse\":true}]}]");
        assertThat(decision.summary()).startsWith("PROPOSE 1 on v0: 0 moves, 2 switches in 1 batches,");
    }

    @Test
    void switchesOfEveryRedundantSlotTakeFewBytes() {
        List<Batch> batches = new ArrayList<>();
        for (int layer = 0; layer < 58; layer++) {
            LayerId of = new LayerId(layer);
            batches.add(new Batch(
                    layer + 1,
                    List.of(),
                    IntStream.range(256, 320)
                            .mapToObj(slot -> new Switch(of, new SlotId(slot), false))
                            .toList()));
        }
        assertThat(Topic.PLAN.encode(decision(batches, PlanReasons.NONE)).length)
                .isLessThan(5 * 58 * 64);
    }

    private static Propose decision(List<Batch> batches, PlanReasons reasons) {
        return new Propose(
                new PlanHeader(new Deployment("d"), 1, 1, 1), 1, 0, 1, batches, 9, 0.6, 0.9, "p", "why", reasons);
    }

    private static LoadSample sample(int ranks, int layers, int slots, long... load) {
        return new LoadSample(
                new Deployment("d"),
                1,
                new StepRange(0, 16),
                Phase.ALL,
                "test",
                0,
                ranks,
                0,
                layers,
                slots,
                PlacementState.settled(0),
                false,
                LongVector.empty(),
                Counters.of(load));
    }

    @Test
    void partitionsAreThoseOfKafkasOwnPartitioner() {
        for (int i = 0; i < 2000; i++) {
            String id = "d" + "x".repeat(i % 17) + i;
            byte[] key = id.getBytes(StandardCharsets.UTF_8);
            assertThat(Topic.partition(new Deployment(id), 64)).isEqualTo(Utils.toPositive(Utils.murmur2(key)) % 64);
        }
        byte[] negative = {(byte) 0xc3, (byte) 0xa9, (byte) 0xff, (byte) 0x80, (byte) 0x81};
        for (int length = 0; length <= negative.length; length++) {
            byte[] key = Arrays.copyOf(negative, length);
            assertThat(Murmur2.hash(key)).isEqualTo(Utils.murmur2(key));
        }
    }

    @Test
    void keysAreReadable() {
        Deployment deployment = new Deployment("r1/decode-0");
        assertThat(Topic.SAMPLES.key(new End(deployment, 1))).isEqualTo("r1/decode-0");
        assertThat(Topic.PLACEMENTS.key(new SettledPlacement(deployment, 1, 1, 3, 58, 1, LongVector.of(0))))
                .isEqualTo("r1/decode-0/3");
        assertThat(Topic.QUARANTINE.partition(deployment, new Quarantined("t", 5, 0, 0, "", "", "", "", 0), 4))
                .isEqualTo(1);
    }

    @Test
    void aRecordBelongsToTheOnePartitionOfItsDeploymentAndWhatBelongsToNoneToAny() {
        Deployment deployment = new Deployment("r1/decode-0");
        for (int partitions : new int[] {1, 3, 64}) {
            int right = Topic.partition(deployment, partitions);
            for (int partition = 0; partition < partitions; partition++) {
                assertThat(Topic.SAMPLES.belongs(new End(deployment, 1), partition, partitions))
                        .isEqualTo(partition == right);
                assertThat(Topic.QUARANTINE.belongs(
                                new Quarantined("t", 5, 0, 0, "", "", "", "", 0), partition, partitions))
                        .isTrue();
            }
        }
    }

    @Test
    void theCatalogueIsConsistent() {
        assertThat(Topic.all()).extracting(topic -> topic.name()).doesNotHaveDuplicates();
        assertThat(Topic.all()).hasSize(11).allSatisfy(topic -> {
            assertThat(topic.name()).matches("plimsoll\\.[a-z-]+\\.v1");
            assertThat(topic.description()).isNotBlank();
            assertThat(topic.settings()).containsKeys("cleanup.policy", "message.timestamp.type");
        });
        for (Topic<?> topic : List.of(Topic.SAMPLES, Topic.PLAN, Topic.ACKS)) {
            assertThat(topic.settings()).as(topic.name()).containsEntry("message.timestamp.type", "LogAppendTime");
        }
    }
}
