package dev.plimsoll.replay.format.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Malformed;
import dev.plimsoll.replay.format.SharedFormats;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    private static final String A = "\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]}";

    private static byte[] file(long length, String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .put(json)
                .array();
    }

    private static byte[] file(String header, int dataBytes) {
        return file(header.getBytes(StandardCharsets.UTF_8).length, header, dataBytes);
    }

    private static Map<String, Numbers> read(byte[] bytes) throws IOException {
        return Safetensors.read(Input.of("a.st", Map.of("a.st", bytes)), "a.st");
    }

    @Test
    void arraysAreReadByName() throws IOException {
        byte[] bytes = Safetensors.write(Map.of(
                "x", new Safetensors.Tensor(NumberType.INT64, List.of(2), new long[] {1, -5}),
                "y\"", new Safetensors.Tensor(NumberType.UINT8, List.of(1, 3), new long[] {1, 2, 255})));

        Map<String, Numbers> tensors = read(bytes);

        assertThat(tensors.keySet()).containsExactly("x", "y\"");
        assertThat(Objects.requireNonNull(tensors.get("x")).row()).containsExactly(1, -5);
        assertThat(Objects.requireNonNull(tensors.get("y\"")).at(0).row()).containsExactly(1, 2, 255);
        assertThat((8 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong()) % 8)
                .isZero();
    }

    static Stream<Arguments> lies() {
        String b = "\"b\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[%s]}";
        return Stream.of(
                arguments(
                        "length of 2^63",
                        file(Long.MIN_VALUE, "{" + A + "}", 8),
                        0,
                        "header of 9223372036854775808 bytes"),
                arguments(
                        "length of 2^63 - 1",
                        file(Long.MAX_VALUE, "{" + A + "}", 8),
                        0,
                        "header of 9223372036854775807"),
                arguments("length of 2^64 - 1", file(-1, "{" + A + "}", 8), 0, "header of 18446744073709551615 bytes"),
                arguments(
                        "length behind the end", file(999, "{" + A + "}", 8), 0, "header of 999 bytes, and 62 follow"),
                arguments("length of 0", file(0, "{" + A + "}", 8), 8, "no JSON object"),
                arguments("no length", new byte[7], 7, "ends within the length"),
                arguments("no object", file("[1,2]", 0), 8, "no JSON object"),
                arguments("UTF-16", file("{\0\"\0", 0), -1, "not JSON"),
                arguments("cut header", file(30, "{" + A + "}", 8), 38, "not JSON"),
                arguments("one name twice", file("{" + A + "," + A + "}", 8), -1, "Duplicate field 'a'"),
                arguments(
                        "one key twice",
                        file("{\"a\":{\"dtype\":\"I32\",\"dtype\":\"I8\"}}", 8),
                        -1,
                        "Duplicate field"),
                arguments("overlap", file("{" + A + "," + b.formatted("4,12") + "}", 12), -1, "overlap"),
                arguments("the same range", file("{" + A + "," + b.formatted("0,8") + "}", 8), -1, "overlap"),
                arguments(
                        "a gap",
                        file("{" + A + "," + b.formatted("12,20") + "}", 20),
                        -1,
                        "4 bytes that belong to no array"),
                arguments("bytes behind", file("{" + A + "}", 9), -1, "goes on behind its last array"),
                arguments("bytes missing", file("{" + A + "}", 7), -1, "from byte 0 to 8 of 7"),
                arguments("offsets turned round", file("{" + b.formatted("8,0") + "}", 8), -1, "from byte 8 to 0"),
                arguments("negative offset", file("{" + b.formatted("-1,8") + "}", 8), -1, "a negative number"),
                arguments(
                        "offset of 2^63", file("{" + b.formatted("0,9223372036854775808") + "}", 8), -1, "above 2^63"),
                arguments(
                        "offset of 2^63 - 1",
                        file("{" + b.formatted("0,9223372036854775807") + "}", 8),
                        -1,
                        "to 9223372036"),
                arguments("three offsets", file("{" + b.formatted("0,8,9") + "}", 8), -1, "with 3 offsets"),
                arguments("a fraction", file("{" + b.formatted("0,8.0") + "}", 8), -1, "needs VALUE_NUMBER_INT"),
                arguments(
                        "an offset of a thousand digits",
                        file("{" + b.formatted("0," + "9".repeat(1000)) + "}", 8),
                        -1,
                        "not JSON"),
                arguments(
                        "shape that overflows",
                        file(("{" + A + "}").replace("[2]", "[4294967296,4294967296,2]"), 8),
                        -1,
                        "ends before its last value"),
                arguments("shape of another size", file(("{" + A + "}").replace("[2]", "[3]"), 8), -1, "ends before"),
                arguments(
                        "nine dimensions",
                        file(("{" + A + "}").replace("[2]", "[1,1,1,1,1,1,1,1,2]"), 8),
                        -1,
                        "more than 8"),
                arguments("unknown type", file(("{" + A + "}").replace("I32", "BF16"), 8), -1, "of type 'BF16'"),
                arguments("unknown key", file(("{" + A + "}").replace("shape", "sheep"), 8), -1, "a key of a that"),
                arguments(
                        "no shape",
                        file("{\"a\":{\"dtype\":\"I8\",\"data_offsets\":[0,8]}}", 8),
                        -1,
                        "needs whole numbers"),
                arguments("deep nesting", file("{\"a\":" + "[".repeat(100_000), 0), -1, "needs START_OBJECT"),
                arguments(
                        "deep metadata",
                        file("{\"__metadata__\":{\"a\":" + "{\"a\":".repeat(9_000), 0),
                        -1,
                        "VALUE_STRING"),
                arguments("a second object", file("{" + A + "}{}", 8), -1, "more than one JSON object"),
                arguments(
                        "a long name", file("{\"" + "a".repeat(2_000) + "\":{}}", 8), -1, "a name of 2000 characters"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void headerThatLiesIsRefusedWithItsPlace(String name, byte[] bytes, int position, String reason) {
        assertThatThrownBy(() -> read(bytes)).isInstanceOfSatisfying(FormatException.class, refused -> {
            assertThat(refused.getMessage()).contains(reason);
            assertThat(refused.position()).isBetween(0L, (long) bytes.length);
            if (position >= 0) {
                assertThat(refused.position()).isEqualTo(position);
            }
        });
    }

    @Test
    void placeInTheHeaderIsThatInTheFile() {
        byte[] bytes = file("{\"a\":{\"dtype\":7}}", 0);

        assertThatThrownBy(() -> read(bytes))
                .isInstanceOfSatisfying(
                        FormatException.class,
                        refused -> assertThat(refused.position())
                                .isEqualTo(new String(bytes, StandardCharsets.ISO_8859_1).indexOf('7')));
    }

    @Test
    void manyEmptyArraysCostNoMoreThanAnyWrongFile() {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < 40_000; i++) {
            header.append(i == 0 ? "" : ",")
                    .append("\"")
                    .append(Integer.toString(i, 36))
                    .append("\":{\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[0,0]}");
        }
        byte[] bytes = file(header.append("}").toString(), 0);

        assertThatThrownBy(() -> read(bytes)).hasMessageContaining("arrays in " + bytes.length + " bytes");
        assertThat((long) bytes.length).isGreaterThan(Malformed.ALWAYS_ALLOWED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "expert_statistic/rank0",
                "expert_statistic/rank3",
                "expert_statistic/rank2_raw",
                "expert_statistic_main/rank1"
            })
    void fileOfTheEngineIsWrittenAgainByteForByte(String name) throws IOException {
        Input input = SharedFormats.input("trtllm/" + name + ".safetensors");
        String file = input.files().get(0);
        Map<String, Safetensors.Tensor> again = new LinkedHashMap<>();

        for (Map.Entry<String, Numbers> each : Safetensors.read(input, file).entrySet()) {
            Numbers numbers = each.getValue();
            long[] flat = numbers.dimensions() == 1
                    ? numbers.row()
                    : Stream.iterate(0, i -> i + 1)
                            .limit(numbers.size(0))
                            .flatMapToLong(i -> Arrays.stream(numbers.at(i).row()))
                            .toArray();
            again.put(each.getKey(), new Safetensors.Tensor(numbers.type(), numbers.shape(), flat));
        }

        assertThat(Safetensors.write(again)).isEqualTo(input.bytes(file));
    }
}
