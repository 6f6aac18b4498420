package dev.plimsoll.app.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProfileFileTest {
    private static final String HEAD = "{\"device\":\"NVIDIA H200\",\"model\":\"gpt-oss-20b\",\"precision\":\"bf16\",";

    @TempDir
    private Path directory;

    @Test
    void jsonIsReadWithAllThatItSays() {
        ProfileFile file = parse(
                HEAD + "\"source\":\"our bench\",\"receivedMicros\":0.01," + "\"expert\":[[1,3.9],[47,3.9],[94,7.8]]}");

        assertThat(file.device()).isEqualTo("NVIDIA H200");
        assertThat(file.source()).contains("our bench");
        assertThat(file.raised()).isZero();
        assertThat(file.profile())
                .isEqualTo(new DeviceProfile(
                        "NVIDIA-H200/gpt-oss-20b/bf16",
                        List.of(new Point(1, 3.9), new Point(47, 3.9), new Point(94, 7.8)),
                        0.01));
    }

    @Test
    void whatIsWrittenIsReadAgainToTheLastBit() {
        Random random = new Random(3);
        for (int seed = 0; seed < 200; seed++) {
            List<Point> points = new ArrayList<>();
            int tokens = 0;
            double micros = random.nextDouble() * 10 + 1e-6;
            for (int i = random.nextInt(40); i >= 0; i--) {
                tokens += 1 + random.nextInt(100);
                points.add(new Point(tokens, micros));
                micros += random.nextInt(3) == 0 ? 0 : random.nextDouble() * Math.pow(10, random.nextInt(6) - 3);
            }
            DeviceProfile profile = new DeviceProfile("a/b/c", points, random.nextInt(2) * random.nextDouble());

            ProfileFile read = parse(
                    ProfileJson.write("a", "b", "c", Optional.of("s"), profile).toString());

            assertThat(read)
                    .as("round %d", seed)
                    .isEqualTo(new ProfileFile("a", "b", "c", Optional.of("s"), profile, 0));
        }
    }

    @Test
    void aTimeThatFallsIsRaisedAndCounted() {
        ProfileFile file = parse(HEAD + "\"expert\":[[1,5],[2,4.8],[4,6],[8,5.9]]}");

        assertThat(file.raised()).isEqualTo(2);
        assertThat(file.profile().points())
                .containsExactly(new Point(1, 5), new Point(2, 5), new Point(4, 6), new Point(8, 6));
    }

    @Test
    void linesOfABenchmarkAreATableToo() throws Exception {
        Path file = directory.resolve("our-h100.txt");
        Files.writeString(file, "# tokens of one expert, µs\n1 4.1\n\n16,\t4.2\n 64  9e0 \n");

        ProfileFile read = ProfileFile.read(file);

        assertThat(read.device()).isEqualTo("our-h100");
        assertThat(read.profile().name()).isEqualTo("our-h100/any/any");
        assertThat(read.profile().points()).containsExactly(new Point(1, 4.1), new Point(16, 4.2), new Point(64, 9));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|f: is empty; expected a JSON object, or lines of tokens and microseconds",
                "{|f: is not JSON (line 1, column 2)",
                "{\"device\":1}|f: 'expert' is missing; expected a list of [tokens, microseconds]",
                "H\"expert\":[]}|f: has no entry",
                "H\"expert\":7}|f: 'expert' is 7; expected a list",
                "H\"expert\":[[1,2],[3]]}|f: expert[1] is [3]; expected [tokens, microseconds]",
                "H\"expert\":[[1,2],[3,4,5]]}|f: expert[1] is [3,4,5]; expected [tokens, microseconds]",
                "H\"expert\":[[1.5,2]]}|f: expert[0][0] is 1.5; expected a whole number of tokens",
                "H\"expert\":[[1,\"2\"]]}|f: expert[0][1] is \"2\"; expected a time in microseconds",
                "H\"expert\":[[0,2]]}|f: expert[0]: 0 tokens; expected a whole number from 1 to 10000000",
                "H\"expert\":[[99999999999,2]]}|f: expert[0]: 99999999999 tokens; expected",
                "H\"expert\":[[1,0]]}|f: expert[0]: 0.0 µs; expected a time above 0",
                "H\"expert\":[[1,-3]]}|f: expert[0]: -3.0 µs; expected a time above 0",
                "H\"expert\":[[1,1e999]]}|f: expert[0]: Infinity µs; expected a time above 0",
                "H\"expert\":[[4,2],[4,3]]}|f: expert[1]: 4 tokens stand after 4; expected entries in order of tokens",
                "H\"expert\":[[4,2],[1,1]]}|f: expert[1]: 1 tokens stand after 4; expected entries in order of tokens",
                "H\"recievedMicros\":1,\"expert\":[[1,1]]}|f: 'recievedMicros' is not known; expected device",
                "H\"receivedMicros\":-1,\"expert\":[[1,1]]}|f: 'receivedMicros' is -1; expected a time from 0",
                "H\"receivedMicros\":null,\"expert\":[[1,1]]}|f: 'receivedMicros' is null; expected what a token",
                "H\"source\":5,\"expert\":[[1,1]]}|f: 'source' is 5; expected a text",
                "H\"model\":\"x\",\"expert\":[[1,1]]}|f: is not JSON (line 1",
                "H\"expert\":[[1,1]]} x|f: is not JSON (line 1",
                "{\"device\":\"d\",\"precision\":\"p\",\"expert\":[[1,1]]}|f: 'model' is missing; expected a text",
                "{\"device\":\" \",\"model\":\"m\",\"precision\":\"p\",\"expert\":[[1,1]]}|f: 'device' is \" \"; expected a text",
                "1 2;3 4|f: line 1 is '1 2;3 4'; expected tokens and microseconds",
                "[[1,2]]|f: line 1 is '[[1,2]]'; expected tokens and microseconds",
                "1 -2|f: line 1 is '1 -2'; expected tokens and microseconds",
                "0 2|f: line 1: 0 tokens; expected a whole number from 1",
                "5 0|f: line 1: 0.0 µs; expected a time above 0",
                "# only words|f: has no entry"
            })
    void whatIsWrongIsNamedWithWhatIsExpected(String text, String message) {
        assertThatThrownBy(() -> parse(text.startsWith("H") ? HEAD + text.substring(1) : text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void noBytesBringAnythingButAProfileOrARefusal() {
        byte[] good = (HEAD + "\"expert\":[[1,3.9],[47,3.9]]}").getBytes(StandardCharsets.UTF_8);
        for (int seed = 0; seed < 3_000; seed++) {
            Random random = new Random(seed);
            byte[] bytes = good.clone();
            for (int i = 1 + random.nextInt(3); i > 0; i--) {
                bytes[random.nextInt(bytes.length)] =
                        (byte) (random.nextBoolean() ? 32 + random.nextInt(95) : random.nextInt(256));
            }
            try {
                assertThat(ProfileFile.parse("f", bytes).profile().points()).isNotEmpty();
            } catch (IllegalArgumentException refused) {
                assertThat(refused.getMessage()).as("seed %d", seed).startsWith("f: ");
            }
        }
    }

    private static ProfileFile parse(String text) {
        return ProfileFile.parse("f", text.getBytes(StandardCharsets.UTF_8));
    }
}
