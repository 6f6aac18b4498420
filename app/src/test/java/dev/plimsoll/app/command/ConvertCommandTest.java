package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertCommandTest {
    @TempDir
    Path directory;

    private String file(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text).toString();
    }

    private String out(String name) {
        return directory.resolve(name).toString();
    }

    @Test
    void saysWhatItReadHowItRenumberedWhatIsLostAndThatSumsAreTheSame() throws IOException {
        String in = file("stats.json", "{\"logical_count\": [[0, 0], [4, 8], [5, 7]]}");

        Told told = Told.by("convert", in, out("answer.json"), "--to", "fastdeploy-stats");

        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.err()).isEmpty();
        assertThat(told.out().lines())
                .contains(
                        "read   " + in,
                        "       a file of format sglang-count: SGLang --init-expert-location, load of experts in all"
                                + " hidden layers",
                        "       2 layers with experts, numbers 1, 2 (all hidden layers, from 0) of 3 hidden layers, 2"
                                + " experts",
                        "       1 frame of load, 24 tokens × top-k in all",
                        "sums   24 tokens × top-k before, 24 after, the same for every layer and expert");
        assertThat(Files.readString(Path.of(out("answer.json"))))
                .isEqualTo("{\"code\": 0, \"msg\": \"ok\", \"data\": [[[0, 0], [4, 8], [5, 7]]]}");
    }

    @Test
    void mapsBecomeThoseOfOtherEnginesAndJsonSaysTheSame() throws IOException {
        String in = file("map.yaml", "num_slots: 4\ninitial_global_assignments:\n  3: [0, 1, 2, 0]\n");

        Told told = Told.by(
                "convert", in, out("map.json"), "--to=sglang-map", "--ranks=2", "--hidden-layers=5", "--output=json");

        assertThat(told.exitCode()).as(told.err()).isZero();
        JsonNode json = new ObjectMapper().readTree(told.out());
        assertThat(json.at("/read/format").asText()).isEqualTo("trtllm-yaml");
        assertThat(json.at("/read/layerIds/0").asInt()).isEqualTo(3);
        assertThat(json.at("/wrote/hiddenLayers").asInt()).isEqualTo(5);
        assertThat(json.at("/comparison").asText()).isEqualTo("the same map before and after");
        assertThat(Files.readString(Path.of(out("map.json")))).contains("[0, 1, 2, 0], [0, 1, 2, 0]]}");
    }

    @Test
    void whatIsNotKnownIsAskedForAndNothingIsWritten() throws IOException {
        String in = file("map.yaml", "num_slots: 4\ninitial_global_assignments:\n  3: [0, 1, 2, 0]\n");

        Told ranks = Told.by("convert", in, out("x.json"), "--to=sglang-map");
        Told hidden = Told.by("convert", in, out("x.json"), "--to=sglang-map", "--ranks=2");

        assertThat(ranks.exitCode()).isEqualTo(1);
        assertThat(ranks.err()).contains("map.yaml at byte").contains("--ranks is needed");
        assertThat(hidden.err()).contains("cannot be written as sglang-map").contains("--hidden-layers is needed");
        assertThat(Files.exists(Path.of(out("x.json")))).isFalse();
    }

    @Test
    void allThatIsWrongWithTheOptionsIsSaidAtOnce() throws IOException {
        String there = file("there.json", "precious");

        Told told = Told.by("convert", out("absent"), there, "--from=sglan", "--ranks=0", "--layer-ids=5,3");

        assertThat(told.exitCode()).isEqualTo(2);
        assertThat(told.err())
                .contains("absent cannot be read")
                .contains("--from sglan is no format; there are")
                .contains("--ranks must be 1 to 65536, not 0")
                .contains("--layer-ids must ascend")
                .contains("--overwrite replaces it")
                .contains("choose by --to, from");
        assertThat(Files.readString(Path.of(there))).isEqualTo("precious");
    }

    @Test
    void malformedInputIsRefusedWithItsPlace() throws IOException {
        String in = file("bad.json", "{\"logical_count\": [[1, -2]]}");

        Told told = Told.by("convert", in, out("x.json"), "--to=fastdeploy-stats");

        assertThat(told.exitCode()).isEqualTo(1);
        assertThat(told.err()).contains("bad.json at byte 23: ").contains("is -2: must be 0 to");
    }
}
