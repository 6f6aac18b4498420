package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.replay.format.Given;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestTest {
    private static ReplayRequest request(HistorySource source) {
        return new ReplayRequest(
                source,
                OptionalInt.of(512),
                Duration.ofMillis(40),
                OptionalLong.of(44_040_192),
                List.of(PolicyChoice.parse("plimsoll:minimum-gain=0.05"), PolicyChoice.parse("static")),
                List.of(32, 64),
                List.of(0, 16),
                List.of());
    }

    private static HistorySource file(String path) {
        return new HistorySource.OfFile(
                Path.of(path),
                Optional.of("sglang-stat"),
                new Given(
                        OptionalInt.empty(),
                        OptionalInt.of(256),
                        OptionalInt.of(8),
                        Optional.of(List.of(3, 4, 5)),
                        OptionalInt.of(61),
                        Optional.of("DeepseekV3ForCausalLM")),
                Optional.of("start"));
    }

    private static HistorySource topics() {
        return new HistorySource.OfTopics(
                "kafka:9092",
                "r1/decode-0",
                OptionalLong.of(7),
                Optional.of("offset:100"),
                Optional.of("2026-11-29T20:00:00Z"),
                Optional.empty(),
                true);
    }

    @Test
    void whatIsReadIsWhatWasWritten() throws Exception {
        for (HistorySource source : List.of(file("dump.pt"), topics())) {
            Manifest manifest = new Manifest("1.2.3", request(source), Map.of("b", "2", "a", "1"));

            Manifest read = Manifest.of("manifest.json", manifest.bytes());

            assertThat(read).isEqualTo(manifest);
            assertThat(read.bytes()).isEqualTo(manifest.bytes());
            assertThat(read.hash()).isEqualTo(manifest.hash()).hasSize(64);
        }
    }

    @Test
    void anotherFileIsRefusedWithItsName() {
        assertThatThrownBy(() -> Manifest.of("x.json", "{\"form\": \"other\"}".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("x.json is no manifest");
        assertThatThrownBy(() -> Manifest.of("x.json", "{".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("x.json is no JSON");
        assertThatThrownBy(() -> Manifest.of("x.json", new byte[0]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("x.json");
    }

    @Test
    void aSettingThatIsMissingIsNamed() {
        String text = new String(new Manifest("1", request(topics()), Map.of()).bytes(), StandardCharsets.UTF_8);

        assertThatThrownBy(() -> Manifest.of(
                        "m.json", text.replace("\"cooldown\"", "\"warmdown\"").getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("m.json")
                .hasMessageContaining("plimsoll:minimum-gain=0.05")
                .hasMessageContaining("warmdown");
    }

    @Test
    void aTextThatIsNoNumberIsRefusedWithItsName() {
        String text = new String(new Manifest("1", request(topics()), Map.of()).bytes(), StandardCharsets.UTF_8);

        assertThatThrownBy(() -> Manifest.of(
                        "m.json",
                        text.replace("\"windowSteps\" : 512", "\"windowSteps\" : \"many\"")
                                .getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("m.json: 'windowSteps' must be a whole number, not \"many\"");
        assertThatThrownBy(() -> Manifest.of(
                        "m.json",
                        text.replaceFirst("\"ranks\" : \\[[^\\]]*\\]", "\"ranks\" : \"32\"")
                                .getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("'ranks' must be a list of whole numbers");
    }

    @Test
    void theCommandCanBeCopiedIntoAShell() {
        assertThat(request(file("/data/it's a dump.pt")).command())
                .isEqualTo(
                        "plimsoll replay run --input '/data/it'\\''s a dump.pt' --format sglang-stat --experts 256"
                                + " --top-k 8 --layer-ids 3,4,5 --hidden-layers 61 --model-key DeepseekV3ForCausalLM --map start"
                                + " --window 512 --step-time PT0.04S --bytes-per-expert 44040192"
                                + " --policy plimsoll:minimum-gain=0.05 --policy static --grid ranks=32,64 --grid redundancy=0,16");
    }

    @Test
    void whatHasChangedIsNamed(@TempDir Path directory) throws Exception {
        Path one = Files.writeString(directory.resolve("one"), "1");
        Path two = Files.writeString(directory.resolve("two"), "2");
        Map<String, String> before = Inputs.of(directory);
        Files.writeString(one, "other");
        Files.delete(two);
        Path three = Files.writeString(directory.resolve("three"), "3");

        List<String> changes = Inputs.changes(before, Inputs.of(directory));

        assertThat(changes).hasSize(3);
        assertThat(changes.get(0))
                .startsWith(one + " is not what it was: " + Inputs.sha256("1".getBytes(StandardCharsets.UTF_8)));
        assertThat(changes.get(1)).isEqualTo(three + " was not there");
        assertThat(changes.get(2)).isEqualTo(two + " is not there any more");
    }
}
