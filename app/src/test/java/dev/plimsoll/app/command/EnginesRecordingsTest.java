package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.SharedFormats;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recordings that engines' own code wrote, replayed as a user would; their balancedness was counted beside the engines. */
class EnginesRecordingsTest {
    @TempDir
    Path directory;

    /** All frames in one window, under the placement that engines start with. */
    @ParameterizedTest
    @CsvSource({
        "sglang/stat, sglang/stat/expert_distribution_recorder_1795956088.8384273.pt, 2, 2",
        "sglang/stat_cuda, sglang/stat_cuda/expert_distribution_recorder_1795956175.5677066.pt, 2, 2",
        "sglang/stat_approx, sglang/stat_approx/expert_distribution_recorder_1795956175.2429695.pt, 2, 2",
        "sglang/per_pass, sglang/per_pass/*_<rank>.pt, 2, 2",
        "sglang/per_token, sglang/per_token/*_<rank>.pt, 2, 2",
        "trtllm/expert_statistic, trtllm/expert_statistic/, 4, 0",
        "trtllm/expert_statistic_main, trtllm/expert_statistic_main/, 4, 0"
    })
    void aReplayWithoutMovesHasTheBalancednessThatWasCountedBesideTheEngine(
            String file, String truth, int ranks, int redundant) throws Exception {
        Path path = SharedFormats.path(file);
        int frames =
                Formats.read(path, Given.NOTHING, Optional.empty()).frames().size();

        JsonNode run = staticRun(path, ranks, redundant, frames);

        assertThat(run.path("meanBalancedness").asDouble())
                .isEqualTo(SharedFormats.truth(truth).path("balance").path("b").asDouble(), within(5e-7));
    }

    private JsonNode staticRun(Path path, int ranks, int redundant, int frames) throws IOException {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            int code = Plimsoll.run(
                    "replay",
                    "run",
                    "--input",
                    path.toString(),
                    "--ranks",
                    Integer.toString(ranks),
                    "--grid",
                    "redundancy=" + redundant,
                    "--window",
                    Integer.toString(frames),
                    "--policy",
                    "static",
                    "--output",
                    "json",
                    "-o",
                    directory.resolve("out").toString());
            assertThat(code).isZero();
        } finally {
            System.setOut(before);
        }
        return new ObjectMapper().readTree(out.toByteArray()).path("runs").get(0);
    }
}
