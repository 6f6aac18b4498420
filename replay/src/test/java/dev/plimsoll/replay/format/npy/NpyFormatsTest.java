package dev.plimsoll.replay.format.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.LayerNumbering;
import dev.plimsoll.replay.format.Malformed;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.RecordingFormat;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import dev.plimsoll.testkit.NpyBytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyFormatsTest {
    private static Input file(byte[] bytes) {
        return Input.of("a.npy", Map.of("a.npy", bytes));
    }

    private static byte[] typed(String type, String fortran, String shape, byte[] data) {
        return NpyBytes.of(1, NpyBytes.dict(type, fortran, shape), data);
    }

    private static long[][] table(byte[] bytes) throws IOException {
        Numbers numbers = NpyArray.read(file(bytes), "a.npy");
        numbers.requireCounts();
        return Stream.iterate(0, i -> i + 1)
                .limit(numbers.size(0))
                .map(i -> numbers.at(i).row())
                .toArray(long[][]::new);
    }

    @ParameterizedTest
    @EnumSource(NumberType.class)
    void everyTypeIsReadAsItIsWritten(NumberType type) throws IOException {
        long[] numbers = {0, 1, 1, 0, 1, 0};

        byte[] written = NpyArray.write(type, List.of(2, 3), numbers);

        assertThat(table(written)).isDeepEqualTo(new long[][] {{0, 1, 1}, {0, 1, 0}});
        assertThat(table(NpyBytes.packed(written))).isDeepEqualTo(new long[][] {{0, 1, 1}, {0, 1, 0}});
    }

    @Test
    void bothOrdersOfBytesAndOfDimensionsAreRead() throws IOException {
        byte[] big = ByteBuffer.allocate(12)
                .putShort((short) 1)
                .putShort((short) 0x0102)
                .putShort((short) 3)
                .putShort((short) 4)
                .putShort((short) 5)
                .putShort((short) 0xffff)
                .array();

        assertThat(table(typed(">u2", "False", "(2, 3)", big)))
                .isDeepEqualTo(new long[][] {{1, 258, 3}, {4, 5, 65_535}});
        assertThat(table(typed(">u2", "True", "(2, 3)", big)))
                .isDeepEqualTo(new long[][] {{1, 3, 5}, {258, 4, 65_535}});
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void everyVersionIsRead(int version) throws IOException {
        byte[] file = NpyBytes.of(version, NpyBytes.dict("|u1", "False", "(1, 2)"), new byte[] {7, (byte) 200});

        assertThat(table(file)).isDeepEqualTo(new long[][] {{7, 200}});
    }

    @Test
    void arrayIsWrittenAsNumpyDoes() {
        byte[] written = NpyArray.write(NumberType.INT32, List.of(4, 3, 8), new long[96]);

        assertThat(written).hasSize(512);
        assertThat(new String(written, 10, 118, java.nio.charset.StandardCharsets.US_ASCII))
                .isEqualTo("{'descr': '<i4', 'fortran_order': False, 'shape': (4, 3, 8), }" + " ".repeat(55) + "\n");
    }

    @Test
    void numberThatDoesNotFitIsNotWritten() {
        assertThatThrownBy(() -> NpyArray.write(NumberType.UINT16, List.of(1), new long[] {65_536}))
                .hasMessageContaining("65536 does not fit");
        assertThatThrownBy(() -> NpyArray.write(NumberType.UINT16, List.of(2), new long[] {1}))
                .hasMessageContaining("1 numbers are not of shape [2]");
    }

    static Stream<Arguments> lies() {
        byte[] right = NpyArray.write(NumberType.INT16, List.of(2, 3), new long[] {1, 2, 3, 4, 5, 6});
        String plain = NpyBytes.dict("<i2", "False", "(2, 3)");
        return Stream.of(
                arguments(
                        "a header of 4 GiB",
                        new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, -1, -1, -1, -1},
                        8,
                        "has a header of 4294967295 bytes"),
                arguments("a header behind the end", Arrays.copyOf(right, 60), 60, "ends within its header"),
                arguments(
                        "a shape whose product overflows",
                        typed("<i8", "False", "(2147483647, 2147483647, 2147483647, 2147483647)", new byte[8]),
                        -1,
                        "ends before its last value"),
                arguments(
                        "a shape whose product overflows to a small one",
                        typed("<i8", "False", "(65536, 65536, 65536, 65536)", new byte[8]),
                        -1,
                        "ends before its last value"),
                arguments(
                        "a shape of zero times much",
                        typed("<i8", "False", "(0, 2147483647)", new byte[0]),
                        0,
                        "at least one of each"),
                arguments(
                        "a dimension that is too large",
                        typed("<i8", "False", "(99999999999,)", new byte[8]),
                        10,
                        "is too large"),
                arguments("a negative dimension", typed("<i8", "False", "(-1, 2)", new byte[8]), 10, "has a header"),
                arguments("a shape of text", typed("<i8", "False", "(2, 3, foo)", new byte[8]), 10, "has a header"),
                arguments("a shape with holes", typed("<i8", "False", "(2,,3)", new byte[48]), 10, "no shape"),
                arguments(
                        "nine dimensions",
                        typed("|u1", "False", "(1,1,1,1,1,1,1,1,1)", new byte[1]),
                        -1,
                        "at most 8 dimensions"),
                arguments("two shapes", NpyBytes.of(1, plain + "'shape': (3, 2), ", new byte[12]), 10, "one 'shape'"),
                arguments(
                        "a key of its own",
                        NpyBytes.of(1, plain + "'more': True, ", new byte[12]),
                        10,
                        "no key 'more'"),
                arguments("two dictionaries", NpyBytes.of(1, plain + "}{", new byte[12]), 10, "has a header"),
                arguments("a nest of braces", NpyBytes.of(1, "{".repeat(30_000), new byte[12]), 10, "has a header"),
                arguments("objects", typed("|O", "False", "(1,)", new byte[12]), 6, "holds values of type '|O'"),
                arguments("text", typed("<U4", "False", "(1,)", new byte[16]), 6, "holds values of type '<U4'"),
                arguments("halves", typed("<f2", "False", "(2, 3)", new byte[12]), 6, "holds values of type '<f2'"),
                arguments("too little", Arrays.copyOf(right, right.length - 1), -1, "ends before its last value"),
                arguments("too much", Arrays.copyOf(right, right.length + 1), -1, "goes on behind its last value"),
                arguments(
                        "no array",
                        "step\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
                        0,
                        "is not a NumPy file"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void headerThatLiesIsRefusedBeforeAnythingIsAllocated(String name, byte[] bytes, int position, String reason) {
        long before = allocated();

        assertThatThrownBy(() -> new NpyLoad().read(file(bytes), Given.NOTHING))
                .isInstanceOfSatisfying(FormatException.class, refused -> {
                    assertThat(refused.reason()).contains(reason);
                    assertThat(refused.position()).isBetween(0L, (long) bytes.length);
                    if (position >= 0) {
                        assertThat(refused.position()).isEqualTo(position);
                    }
                });
        assertThat(allocated() - before).isLessThan(16 * Malformed.ALWAYS_ALLOWED);
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }

    @Test
    void packedFileThatUnpacksToSomethingElseIsRefusedWithoutKeepingIt() {
        byte[] bomb = NpyBytes.packed(typed("|u1", "False", "(2, 3)", new byte[8 << 20]));
        byte[] cut = Arrays.copyOf(bomb, bomb.length / 2);
        byte[] claims = NpyBytes.packed(typed("<i8", "False", "(100, 1000, 1000)", new byte[6]));
        long before = allocated();

        assertThatThrownBy(() -> new NpyLoad().read(file(bomb), Given.NOTHING)).hasMessageContaining("goes on behind");
        assertThatThrownBy(() -> new NpyLoad().read(file(claims), Given.NOTHING))
                .hasMessageContaining("ends before");
        assertThatThrownBy(() -> new NpyLoad().read(file(cut), Given.NOTHING)).hasMessageContaining("goes on behind");
        assertThat(allocated() - before).isLessThan(4 * Malformed.ALWAYS_ALLOWED);
    }

    @Test
    void fractionsAndNegativeNumbersAreNoCounts() {
        byte[] fraction = NpyBytes.of(
                1,
                NpyBytes.dict("<f8", "False", "(1, 2)"),
                ByteBuffer.allocate(16)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putDouble(2)
                        .putDouble(0.5)
                        .array());
        byte[] negative = NpyArray.write(NumberType.INT8, List.of(1, 2), new long[] {3, -3});
        byte[] huge =
                NpyBytes.of(1, NpyBytes.dict("<u8", "False", "(1, 1)"), new byte[] {-1, -1, -1, -1, -1, -1, -1, -1});

        assertThatThrownBy(() -> new NpyLoad().read(file(fraction), Given.NOTHING))
                .hasMessageContaining("0.5 is no count");
        assertThatThrownBy(() -> new NpyLoad().read(file(negative), Given.NOTHING))
                .hasMessageContaining("-3 is no count");
        assertThatThrownBy(() -> new NpyLoad().read(file(huge), Given.NOTHING))
                .hasMessageContaining("18446744073709551615 is no count");
    }

    @Test
    void workloadIsToldByItsDimensionsAndOtherArraysHaveToBeNamed() throws IOException {
        Input workload =
                file(NpyBytes.uint16("(2, 2, 1, 3)", LongStream.range(0, 12).toArray()));
        Input two = file(NpyArray.write(NumberType.INT32, List.of(2, 3), new long[] {0, 1, 2, 2, 1, 0}));
        Input three = file(NpyArray.write(NumberType.INT32, List.of(1, 1, 2), new long[] {1, 1}));

        assertThat(Formats.detect(workload)).isInstanceOf(NpyWorkload.class);
        assertThatThrownBy(() -> Formats.detect(two))
                .hasMessageContaining("may be one of several formats")
                .hasMessageContaining("npy-load")
                .hasMessageContaining("npy-map");
        assertThatThrownBy(() -> Formats.detect(three))
                .hasMessageContaining("may be one of several formats")
                .hasMessageContaining("omni-placement");
    }

    @Test
    void subSamplesOfAWindowAreAddedUp() throws IOException {
        byte[] bytes = NpyBytes.uint16("(2, 2, 1, 3)", LongStream.range(0, 12).toArray());

        Recording recording = Formats.read(file(NpyBytes.packed(bytes)), Given.NOTHING, Optional.empty());

        assertThat(recording.frames()).hasSize(2);
        assertThat(recording.frames().get(1).load()).isDeepEqualTo(new long[][] {{6 + 9, 7 + 10, 8 + 11}});
        assertThat(recording.numbering()).isEqualTo(LayerNumbering.MOE_ONLY);
    }

    static Stream<Arguments> writable() {
        long[] load = {3, 0, 70_000, 1, 2, 5};
        return Stream.of(
                arguments(new NpyWorkload(), NpyBytes.uint32("(2, 1, 1, 3)", load), Given.NOTHING),
                arguments(new NpyLoad(), NpyArray.write(NumberType.INT64, List.of(2, 3), load), Given.NOTHING),
                arguments(new NpyLoad(), NpyArray.write(NumberType.INT64, List.of(3, 1, 2), load), Given.NOTHING),
                arguments(
                        new NpyMap(),
                        NpyArray.write(NumberType.INT64, List.of(2, 4), new long[] {0, 1, 2, 1, 2, 2, 1, 0}),
                        Given.NOTHING.withRanks(2)));
    }

    @ParameterizedTest
    @MethodSource("writable")
    void whatIsReadIsWrittenAgainWithTheSameNumbers(
            dev.plimsoll.replay.format.WritableFormat format, byte[] bytes, Given given) throws IOException {
        Recording recording = format.read(file(bytes), given);

        byte[] again = format.write(recording, given).bytes();

        assertThat(NpyHeader.read("again", new java.io.ByteArrayInputStream(again))
                        .shape())
                .isEqualTo(NpyHeader.read("first", new java.io.ByteArrayInputStream(bytes))
                        .shape());
        assertThat(format.read(file(again), given)).usingRecursiveComparison().isEqualTo(recording);
        if (!(format instanceof NpyWorkload)) { // whose header the tests' own writer pads otherwise
            assertThat(again).isEqualTo(bytes);
        }
    }

    @Test
    void mapNeedsRanksAndEveryExpert() throws IOException {
        RecordingFormat format = new NpyMap();
        Input map = file(NpyArray.write(NumberType.UINT8, List.of(1, 4), new long[] {0, 2, 1, 1}));
        Input lacking = file(NpyArray.write(NumberType.UINT8, List.of(2, 4), new long[] {0, 2, 1, 1, 0, 2, 2, 0}));
        Input beyond = file(NpyArray.write(NumberType.UINT8, List.of(1, 4), new long[] {0, 2, 1, 4}));

        assertThat(format.read(map, Given.NOTHING.withRanks(2)).maps()).containsExactly(ExpertMap.of(new int[][][] {
            {{0, 2}, {1, 1}}
        }));
        assertThatThrownBy(() -> format.read(map, Given.NOTHING)).hasMessageContaining("--ranks is needed");
        assertThatThrownBy(() -> format.read(map, Given.NOTHING.withRanks(3)))
                .hasMessageContaining("has to divide them");
        assertThatThrownBy(() -> format.read(map, Given.NOTHING.withRanks(2).withExperts(8)))
                .hasMessageContaining("has 3 experts in a layer, --experts is 8");
        assertThatThrownBy(() -> format.read(lacking, Given.NOTHING.withRanks(2)))
                .hasMessageContaining("has no slot for expert 1 in row 1");
        assertThatThrownBy(() -> format.read(beyond, Given.NOTHING.withRanks(2)))
                .hasMessageContaining("4 is no expert: there are 4 slots");
    }

    @Test
    void layersHaveTheNumbersThatWereGiven() throws IOException {
        Input load = file(NpyArray.write(NumberType.UINT8, List.of(2, 2), new long[] {1, 2, 3, 4}));

        Recording recording = new NpyLoad().read(load, Given.NOTHING.withLayerIds(List.of(3, 5)));

        assertThat(recording.numbering()).isEqualTo(LayerNumbering.ABSOLUTE);
        assertThat(recording.layerIds()).containsExactly(3, 5);
        assertThatThrownBy(() -> new NpyLoad().read(load, Given.NOTHING.withLayerIds(List.of(3))))
                .hasMessageContaining("has 2 layers with experts, --layer-ids names 1");
    }
}
