package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.profile.ProfileFile;
import dev.plimsoll.model.DevicePreset;
import dev.plimsoll.model.ExpertSize;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevicesProfilesCommandTest {
    @TempDir
    private Path directory;

    @Test
    void everyDeviceIsListedWithItsFiguresAndTheirSource() {
        Told told = Told.by("devices", "profiles", "--model", "gpt-oss-20b");

        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.out())
                .startsWith("An expert of gpt-oss-20b: 24.9 million weights in a layer, 13.2 MB, computed in bf16;"
                        + " 32 experts, top 4")
                .contains("h200         4.80 TB/s   989 TFLOPS    2.75 µs       32        256    0.0839 µs");
        DevicePreset.ALL.forEach(device -> assertThat(told.out()).contains(device.source()));
    }

    @Test
    void jsonHoldsEachProfileAsAFileThatCanBeReadAgain() throws Exception {
        Told told = Told.by("devices", "profiles", "--model", "deepseek-v3", "--output", "json");

        JsonNode root = new ObjectMapper().readTree(told.out());
        assertThat(root.path("expert").path("bytes").asLong()).isEqualTo(3L * 7168 * 2048);
        ExpertSize size = ExpertSize.named("deepseek-v3").orElseThrow();
        for (JsonNode node : root.path("profiles")) {
            String device = node.path("profile").path("device").asText();
            ProfileFile file =
                    ProfileFile.parse(device, node.path("profile").toString().getBytes(StandardCharsets.UTF_8));
            assertThat(file.profile().points())
                    .isEqualTo(DevicePreset.named(device).roofline(size).points());
            assertThat(node.path("kneeTokens").asInt()).isEqualTo(file.profile().kneeTokens());
        }
        assertThat(root.path("profiles")).hasSize(DevicePreset.ALL.size());
    }

    @Test
    void aFileIsExplained() throws Exception {
        Path file = directory.resolve("ours.json");
        Files.writeString(
                file,
                "{\"device\":\"our box\",\"model\":\"m\",\"precision\":\"int4\",\"source\":\"Tuesday\",\"expert\":[[1,4],[64,3.9],[128,8]]}");

        Told told = Told.by("devices", "profiles", "--file", file.toString());

        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.out())
                .contains("profile    our-box/m/int4")
                .contains("Tuesday")
                .contains("3, up to 128 tokens; the times of 1 were below that of fewer tokens")
                .contains("1 token    4.00 µs")
                .contains("knee       67 tokens");
        JsonNode json = new ObjectMapper()
                .readTree(Told.by("devices", "profiles", "--file", file.toString(), "--output", "json")
                        .out());
        assertThat(json.path("profiles").path(0).path("raised").asInt()).isEqualTo(1);
        assertThat(json.path("profiles").path(0).path("microsPerToken").asDouble())
                .isCloseTo(4.0 / 64, within(1e-12));
    }

    @Test
    void whatIsWrongIsSaidAtOnce() throws Exception {
        Path file = directory.resolve("bad.json");
        Files.writeString(file, "{\"device\":\"d\",\"model\":\"m\",\"precision\":\"p\",\"expert\":[[2,1],[1,1]]}");

        Told told = Told.by("devices", "profiles", "--model", "gpt-9", "--file", file.toString());

        assertThat(told.exitCode()).isEqualTo(2);
        assertThat(told.err())
                .contains("gpt-9")
                .contains("leave --model out")
                .contains("bad.json: expert[1]: 1 tokens stand after 2");
    }

    @Test
    void planningByTimeNeedsAProfileThatCanBeRead() {
        assertThat(Told.by("planner", "--bootstrap-servers", "localhost:1", "--objective", "time"))
                .satisfies(told -> {
                    assertThat(told.exitCode()).isEqualTo(2);
                    assertThat(told.err()).contains("--objective time needs").contains("--device-profile");
                });
        assertThat(Told.by("planner", "--bootstrap-servers", "localhost:1", "--device-profile", "h300")
                        .err())
                .contains("'h300' is neither a device nor a file")
                .contains("mi300x");
        assertThat(Told.by("planner", "--bootstrap-servers", "localhost:1", "--device-profile", "h200/gpt-9")
                        .err())
                .contains("--device-profile")
                .contains("gpt-9");
    }

    @Test
    void ranksNeedToKnowHowLargeAnExpertIs() {
        Told told = Told.by(
                "ranks",
                "--ring-dir",
                directory.toString(),
                "--device-profile",
                "none.json",
                "--tokens-per-step",
                "32,16",
                "--step-noise",
                "0.9",
                "--other-step-time",
                "soon");

        assertThat(told.exitCode()).isEqualTo(2);
        assertThat(told.err())
                .contains("'none.json' is neither a device nor a file")
                .contains("--tokens-per-step: '32,16' is not a number of tokens")
                .contains("--step-noise must be 0 to 0.5, not 0.9")
                .contains("soon");
    }
}
