package dev.plimsoll.replay.format.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Malformed;
import dev.plimsoll.replay.format.Recording;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What is wrong is refused, at a place, for a reason, without a crash and without memory. */
class MalformedTextTest {
    private static final List<Fixtures> ALL = Fixtures.ALL;

    @ParameterizedTest
    @FieldSource("ALL")
    void wrongFilesAreReadOrRefusedWithTheirPlace(Fixtures right) {
        Malformed.Outcome outcome = Malformed.file("right", 11, right.bytes())
                .tryOn(input -> Formats.read(input, right.given(), Optional.of(right.format())));

        assertThat(outcome.refused()).isGreaterThan(Malformed.TRIES / 30);
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void wrongFilesAreToldApartWithoutACrash(Fixtures right) {
        Malformed.file("right", 12, right.bytes())
                .tryOn(input -> Formats.read(input, right.given(), Optional.empty()), Malformed.TRIES / 30);
    }

    private record Attack(Fixtures on, String find, String put, String reason, String at) {
        @Override
        public String toString() {
            return on + ": " + (put.length() > 40 ? put.substring(0, 40) + "…" : put);
        }
    }

    static Stream<Attack> attacks() {
        Fixtures count = Fixtures.SGLANG_COUNT;
        Fixtures map = Fixtures.SGLANG_MAP;
        Fixtures yaml = Fixtures.TRTLLM;
        return Stream.of(
                new Attack(count, "[5, 3", "[-5, 3", "is -5: must be 0 to", "-5"),
                new Attack(count, "[5, 3", "[NaN, 3", "NaN", ""),
                new Attack(count, "[5, 3", "[5.0, 3", "must be a whole number, not a number with a fraction", "5.0"),
                new Attack(count, "[5, 3", "[1e3, 3", "must be a whole number", "1e3"),
                new Attack(count, "[5, 3", "[null, 3", "must be a whole number, not null", "null"),
                new Attack(count, "[5, 3", "[\"5\", 3", "must be a whole number, not a text", "\"5\""),
                new Attack(count, "[5, 3", "[9223372036854775808, 3", "9223372036854775808: must be", "9223"),
                new Attack(count, "[5, 3", "[" + "9".repeat(1_000_000) + ", 3", "exceeds the maximum", ""),
                new Attack(count, "[5, 3", "[" + "[".repeat(1_000_000), "must be a whole number, not a list", ""),
                new Attack(count, "{\"log", "{\"x\": " + "[".repeat(1_000_000), "depth", ""),
                new Attack(count, "{\"log", "{\"x\": " + "{\"a\":".repeat(100_000), "depth", ""),
                new Attack(
                        count, "{\"log", "{\"logical_count\": 1, \"log", "must be a list, not a whole number", "1, \""),
                new Attack(count, "]]]}", "]]], \"logical_count\": []}", "Duplicate", ""),
                new Attack(count, "]]]}", "]]]} {}", "more follows", "{}"),
                new Attack(count, "[5, 3, 4, 0]", "[5, 3, 4]", "has 3 numbers, [0] has 4", "[5, 3, 4]"),
                new Attack(count, "[[[0", "[[0], [[0", "another depth", "[[0, 0"),
                new Attack(count, "[[[0, 0, 0, 0], ", "[[", "is 3 × 4, [0] is 2 × 4", "[[0, 0"),
                new Attack(map, "[[0, 1, 2, 3", "[[0, 1, 2, 65536", "is 65536: must be 0 to 65535", "65536"),
                new Attack(map, "[[0, 1, 2, 3", "[[0, 1, 2, 7", "no slot for expert 3 of 8", "[0, 1, 2, 7"),
                new Attack(map, "[[0, 1, 2, 3", "[[0, 1, 2, 2", "no slot for expert 3 of 4", "[0, 1, 2, 2"),
                new Attack(map, "{\"phys", "\u0000{\"phys", "not UTF-8", ""),
                new Attack(yaml, "  3: [0, 1", "  3: &a [0, 1", "is an anchor", "&a"),
                new Attack(yaml, "  4: [0, 1, 2, 2, 3, 1]", "  4: *a", "is an alias", "*a"),
                new Attack(yaml, "  3: [0", "  3: !!python/object:os.system [0", "is a tag", "!!python"),
                new Attack(yaml, "num_slots: 6", "num_slots: 0x6", "must be a plain whole number", "0x6"),
                new Attack(yaml, "num_slots: 6", "num_slots: 06", "must be a plain whole number", "06"),
                new Attack(yaml, "num_slots: 6", "num_slots: 7", "has 6 slots, must have 7", "[0, 1"),
                new Attack(yaml, "num_slots: 6", "num_slots: 6\nnum_slots: 6", "twice", ""),
                new Attack(yaml, "  4: [", "  3: [", "twice", ""),
                new Attack(yaml, "num_slots: 6", "<<: 6", "is a merge key", "<<"),
                new Attack(yaml, "num_slots: 6", "num_slots: 1:6", "must be a plain whole number", "1:6"),
                new Attack(yaml, "  4: [", "   4: [", "is indented by 3", "4: ["),
                new Attack(yaml, "  4: [", " 4: [", "is indented by 1", "4: ["),
                new Attack(yaml, "3, 1]", "3, 1", "must be divided by commas", "layer_updates"),
                new Attack(yaml, "num_slots: 6", "num_slots: {a: 6}", "is a mapping in braces", "{a"),
                new Attack(yaml, "num_slots: 6", "num_slots: \"6\"", "is a text in quotes", "\"6"),
                new Attack(yaml, "  4: [", "  \"4 4\": [", "not the number of a layer", "[0, 1, 2, 2"),
                new Attack(yaml, "num_slots: 6\n", "num_slots: 6\n---\nnum_slots: 6\n", "more follows", "---"),
                new Attack(yaml, "num_slots: 6", "num_slotz: 6", "is no key of TensorRT-LLM", ""),
                new Attack(
                        yaml,
                        "num_slots: 6",
                        "num_slots: " + "9".repeat(1_000_000),
                        "is nothing that is read here",
                        ""),
                new Attack(yaml, "[0, 1, 2, 3", "[".repeat(100_000), "is a list: only", ""),
                new Attack(
                        Fixtures.VLLM_RECORDS,
                        "\"version\":1,\"step\":5",
                        "\"version\":2,\"step\":5",
                        "version is 2: must be 1 to 1",
                        "2,\"step\":5"),
                new Attack(
                        Fixtures.VLLM_RECORDS,
                        "[[0,1,2,3,0,1],[0,1,2,2,3,1]]",
                        "[[0,1,2,3,0,1],[0,1,2,2,9,1]]",
                        "holds expert 9 of 4",
                        "[0,1,2,2,9,1]"),
                new Attack(Fixtures.FASTDEPLOY, "[[4, 0]", "[[3, 0]", "names slot 3, which by", "[3, 0]"),
                new Attack(Fixtures.FASTDEPLOY, "[[4, 0]", "[[-1, 0]", "names 1 slots", "[2, 2, 1, 1], [1"),
                new Attack(
                        Fixtures.ASCEND,
                        "\"layer_id\":1",
                        "\"layer_id\":0",
                        "looked up by place",
                        "0,\"device_count\":2,\"device_list\":[{\"device_id\":0,\"device_expert\":[0,1,2]},{\"device_id\":1,\"device_expert\":[2"),
                new Attack(Fixtures.LIGHTLLM, "\"2\":[3]", "\"2\":[4]", "names expert 4 of 4", ""),
                new Attack(Fixtures.FASTDEPLOY_STATS, "\"code\": 0", "\"code\": 1", "code", "1, \"msg"));
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void attackIsRefusedAtItsPlaceForItsReason(Attack attack) throws Exception {
        assertThat(attack.on().text()).contains(attack.find());
        String text = attack.on()
                .text()
                .replaceFirst(
                        java.util.regex.Pattern.quote(attack.find()),
                        java.util.regex.Matcher.quoteReplacement(attack.put()));
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);

        FormatException refused = catchThrowableOfType(
                FormatException.class,
                () -> Formats.read(
                        Input.of("f", Map.of("f", bytes)),
                        attack.on().given(),
                        Optional.of(attack.on().format())));

        assertThat(refused).as(attack.toString()).isNotNull();
        assertThat(refused.getMessage()).contains(attack.reason()).hasSizeLessThan(600);
        assertThat(refused.position()).isBetween(0L, (long) bytes.length);
        if (!attack.at().isEmpty()) {
            assertThat(text.substring((int) refused.position())).startsWith(attack.at());
        }
    }

    @Test
    void yamlMayHaveCommentsQuotesFoldedListsAndLinesWithHyphens() throws Exception {
        String yaml = """
                # made by hand
                ---
                "num_slots": 6   # all
                initial_global_assignments:

                  3: [0, 1, 2,
                      3, # first rank is full
                      0, 1]
                  '4':
                  - 0
                  - 1
                  - 2
                  - 2
                  - 3
                  - 1
                layer_updates_per_iter: 0
                ...
                """;
        Recording read = Formats.read(
                Input.of("f", Map.of("f", yaml.getBytes(StandardCharsets.UTF_8))),
                Given.NOTHING.withRanks(2),
                Optional.empty());
        Recording plain = Formats.read(
                Input.of("f", Map.of("f", Fixtures.TRTLLM.bytes())), Given.NOTHING.withRanks(2), Optional.empty());

        assertThat(read.maps()).isEqualTo(plain.maps());
        assertThat(read.layerIds()).containsExactly(3, 4);
    }

    @Test
    void placeIsCountedInBytesOfTheWholeFile() {
        String lines = "{\"record_type\":\"é\"}\n{\"record_type\":\"é\", \"x\": }\n";
        FormatException refused = catchThrowableOfType(
                FormatException.class,
                () -> Formats.read(
                        Input.of("f", Map.of("f", lines.getBytes(StandardCharsets.UTF_8))),
                        Given.NOTHING,
                        Optional.of("vllm-records")));

        assertThat(refused.position()).isEqualTo(lines.indexOf("}\n", 25) + 3); // two bytes for é, and behind the brace
    }
}
