package dev.plimsoll.replay.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.replay.format.text.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** From any format to any other: the same sums and the same map, or nothing and a reason. */
class ConversionTest {
    private static final List<Fixtures> FIXTURES = Fixtures.ALL;

    @TempDir
    Path directory;

    private static Recording read(Fixtures fixture) throws IOException {
        return Formats.read(
                Input.of("f", Map.of("f", fixture.text().getBytes(StandardCharsets.UTF_8))),
                fixture.given(),
                Optional.of(fixture.format()));
    }

    @ParameterizedTest
    @FieldSource("FIXTURES")
    void everyFormatBecomesEveryOtherThatCanHoldIt(Fixtures fixture) throws IOException {
        Recording recording = read(fixture);
        Given given = fixture.given().withModelKey("Demo");
        given = given.layerIds().isPresent() || recording.modelLayerIds().isPresent()
                ? given
                : given.withLayerIds(List.of(1, 2));
        given = recording.hiddenLayers().isPresent() ? given : given.withHiddenLayers(6);
        int converted = 0;
        for (WritableFormat format : Formats.writable()) {
            try {
                Conversion conversion = Conversion.of(recording, format, given);
                assertThat(conversion.comparison()).as(format.name()).isNotEmpty();
                assertThat(conversion.back().layerIds()).as(format.name()).hasSameSizeAs(recording.layerIds());
                converted++;
            } catch (CannotHoldException e) {
                assertThat(e.reasons()).as(format.name()).isNotEmpty();
            }
        }
        assertThat(converted).isGreaterThanOrEqualTo(3);
    }

    @Test
    void layersAreRenumberedAndSaidSo() throws IOException {
        Recording vllm = read(Fixtures.VLLM_MAPPING);
        assertThatThrownBy(() ->
                        Conversion.of(vllm, Conversion.target(Optional.empty(), "x.yaml"), Given.NOTHING.withRanks(2)))
                .isInstanceOf(CannotHoldException.class)
                .hasMessageContaining("--layer-ids");

        Conversion conversion = Conversion.of(
                vllm,
                Conversion.target(Optional.empty(), "x.yaml"),
                Given.NOTHING.withRanks(2).withLayerIds(List.of(3, 7)));

        assertThat(new String(conversion.written().bytes(), StandardCharsets.UTF_8))
                .contains("  7: [0, 1, 2, 2, 3, 1]");
        assertThat(conversion.written().notes()).anyMatch(note -> note.contains("3, 7"));
        assertThat(conversion.comparison()).isEqualTo("the same map before and after");
    }

    @Test
    void targetIsToldByAnEndingOrAskedFor() {
        assertThat(Conversion.target(Optional.empty(), "a.YML").name()).isEqualTo("trtllm-yaml");
        assertThat(Conversion.target(Optional.empty(), "a.jsonl").name()).isEqualTo("vllm-records");
        assertThatThrownBy(() -> Conversion.target(Optional.empty(), "a.json"))
                .hasMessageContaining("--to")
                .hasMessageContaining("sglang-map");
        assertThatThrownBy(() -> Conversion.target(Optional.of("vllm-log"), "a"))
                .hasMessageContaining("no format that can be written");
    }

    @Test
    void nothingIsReplacedUnlessThatWasAskedFor() throws IOException {
        Conversion conversion = Conversion.of(
                read(Fixtures.VLLM_MAPPING),
                Conversion.target(Optional.of("vllm-mapping"), ""),
                Given.NOTHING.withRanks(2));
        Path out = directory.resolve("out.json");
        Files.writeString(out, "precious");

        assertThatThrownBy(() -> conversion.put(out, false)).hasMessageContaining("is there");
        assertThat(Files.readString(out)).isEqualTo("precious");
        conversion.put(out, true);
        assertThat(Files.readString(out)).startsWith("{\"num_redundant");
    }
}
