package dev.plimsoll.replay.format.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.LayerNumbering;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.sglang.SglangMapPt;
import dev.plimsoll.replay.format.sglang.SglangStat;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** PyTorch loads what we write, and we read what PyTorch writes. Skipped where there is no PyTorch. */
class TorchInteropTest {
    private static final long[][] LOAD = {{3, 1, 70_000, 2}, {0, 5, 1, 4}};
    private static final ExpertMap MAP = ExpertMap.ofSlots(new int[][] {{0, 1, 2, 3, 2, 1}, {3, 2, 1, 0, 1, 2}}, 2);

    @TempDir
    static Path directory;

    private static JsonNode loaded;

    @BeforeAll
    static void runPyTorch() throws Exception {
        Recording recording = new Recording(
                "here",
                "test",
                LayerNumbering.ABSOLUTE,
                List.of(1, 2),
                OptionalInt.of(4),
                4,
                OptionalInt.of(2),
                OptionalInt.of(2),
                List.of(new Recording.Frame(0, 1, 0, LOAD), new Recording.Frame(1, 1, 0, new long[][] {
                    {1, 1, 1, 1}, {2, 2, 2, 2}
                })),
                List.of(MAP),
                List.of());
        write(
                "written-stat.pt",
                new SglangStat().write(recording, Given.NOTHING).bytes());
        write(
                "written-map.pt",
                new SglangMapPt().write(recording, Given.NOTHING).bytes());
        Path script = directory.resolve("torch_files.py");
        try (InputStream in = TorchInteropTest.class.getResourceAsStream("/torch_files.py")) {
            Files.write(script, in.readAllBytes());
        }
        loaded = new ObjectMapper().readTree(run(python(), script.toString(), directory.toString()));
    }

    private static void write(String name, byte[] bytes) throws IOException {
        Files.write(directory.resolve(name), bytes);
    }

    private static String python() throws Exception {
        for (String candidate : List.of("/usr/bin/python3", "python3")) {
            try {
                run(candidate, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)");
                return candidate;
            } catch (IOException e) {
                continue;
            }
        }
        System.out.println("NOTICE: .pt files are not tested against PyTorch: no python3 can import torch");
        assumeTrue(false, "no PyTorch");
        throw new IllegalStateException();
    }

    private static String run(String... command) throws Exception {
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            if (!process.waitFor(120, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException(String.join(" ", command) + ": " + Files.readString(err, StandardCharsets.UTF_8));
            }
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(out, StandardCharsets.UTF_8);
    }

    private static Recording read(String name, Given given) throws IOException {
        return Formats.read(directory.resolve(name), given, Optional.empty());
    }

    private static long count(int row, int layer, int expert) {
        return layer == 0 ? 0 : (row * 7 + layer * 5 + expert * 3) % 11;
    }

    @Test
    void pytorchLoadsAStatDumpWithoutAnythingButWeights() {
        JsonNode counts = loaded.get("stat").get("logical_count");

        assertThat(counts.get("dtype").textValue()).isEqualTo("torch.int32");
        assertThat(counts.get("shape").toString()).isEqualTo("[2,4,4]");
        assertThat(counts.get("values").toString())
                .isEqualTo("[0,0,0,0,3,1,70000,2,0,5,1,4,0,0,0,0,0,0,0,0,1,1,1,1,2,2,2,2,0,0,0,0]");
        assertThat(loaded.get("stat").get("rank").intValue()).isZero();
        assertThat(loaded.get("stat")
                        .get("average_utilization_rate_over_window")
                        .isNull())
                .isTrue();
    }

    @Test
    void pytorchLoadsAMap() {
        JsonNode map = loaded.get("map").get("physical_to_logical_map");

        assertThat(map.get("dtype").textValue()).isEqualTo("torch.int64");
        assertThat(map.get("shape").toString()).isEqualTo("[4,6]");
        assertThat(map.get("values").toString()).isEqualTo("[0,1,2,3,0,1,0,1,2,3,2,1,3,2,1,0,1,2,0,1,2,3,0,1]");
    }

    @Test
    void statDumpsOfAllTypesAndStridesAreRead() throws IOException {
        for (String name : List.of("int32.pt", "int64.pt", "float.pt", "uint8.pt", "view.pt")) {
            Recording recording = read(name, Given.NOTHING);

            assertThat(recording.layerIds()).as(name).containsExactly(1, 2);
            assertThat(recording.frames()).as(name).hasSize(5);
            for (int row = 0; row < 5; row++) {
                for (int layer = 1; layer < 3; layer++) {
                    for (int expert = 0; expert < 4; expert++) {
                        assertThat(recording.frames().get(row).load()[layer - 1][expert])
                                .as("%s row %s layer %s expert %s", name, row, layer, expert)
                                .isEqualTo(count(name.equals("view.pt") ? 2 * row : row, layer, expert));
                    }
                }
            }
        }
    }

    @Test
    void thousandsOfRecordsAreRead() throws IOException {
        Path only = Files.createDirectory(directory.resolve("per_pass"));
        for (int rank = 0; rank < 2; rank++) {
            String name = "expert_distribution_recorder_1795956181.62_" + rank + ".pt";
            Files.move(directory.resolve(name), only.resolve(name));
        }

        Recording recording = Formats.read(Input.of(only), Given.NOTHING, Optional.empty());

        assertThat(recording.frames()).hasSize(3_000);
        assertThat(recording.frames().get(2_999).step()).isEqualTo(3_000);
        // Slots 8 and 9 hold experts 0 and 1 again; rank 1 has counted twice what rank 0 has.
        for (int expert = 0; expert < 8; expert++) {
            assertThat(recording.frames().get(7).load()[0][expert])
                    .isEqualTo(3 * (count(0, 1, expert) + (expert < 2 ? count(0, 1, expert + 8) : 0)));
        }
    }

    @Test
    void formatBeforeTheZipFileIsRefusedWithARemedy() {
        assertThatThrownBy(
                        () -> Formats.read(directory.resolve("legacy.pt"), Given.NOTHING, Optional.of("sglang-stat")))
                .hasMessageContaining("load it there and save it again");
    }
}
