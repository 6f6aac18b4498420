package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayFolderTest {
    private static ReplayRequest request(String policy) {
        return new ReplayRequest(
                new HistorySource.OfTopics(
                        "kafka:9092",
                        "r1/decode-0",
                        OptionalLong.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of("PT5M"),
                        false),
                OptionalInt.empty(),
                ReplayRequest.STEP_TIME,
                OptionalLong.empty(),
                List.of(PolicyChoice.parse(policy)),
                List.of(),
                List.of(),
                List.of());
    }

    private static Manifest manifest(String policy, String offsets) {
        return new Manifest("1", request(policy), Map.of("windows-0", offsets));
    }

    @Test
    void theSameRequestFindsWhatItHadReadBeforeItWasInterrupted(@TempDir Path directory) throws Exception {
        ReplayFolder folder = new ReplayFolder(directory.resolve("out"));
        assertThat(folder.interrupted(request("plimsoll"))).isEmpty();

        Path plans = folder.begin(request("plimsoll"), manifest("plimsoll", "0..10"));
        Files.writeString(plans.resolve("run-0.plans"), "kept");

        assertThat(folder.interrupted(request("plimsoll"))).contains(manifest("plimsoll", "0..10"));
        assertThat(folder.interrupted(request("static"))).isEmpty();
        folder.begin(request("plimsoll"), manifest("plimsoll", "0..10"));
        assertThat(plans.resolve("run-0.plans")).hasContent("kept");
    }

    @Test
    void plansOfAnotherReplayAreThrownAway(@TempDir Path directory) throws Exception {
        ReplayFolder folder = new ReplayFolder(directory);
        Path plans = folder.begin(request("plimsoll"), manifest("plimsoll", "0..10"));
        Files.writeString(plans.resolve("run-0.plans"), "kept");

        folder.begin(request("plimsoll"), manifest("plimsoll", "0..11"));

        assertThat(plans.resolve("run-0.plans")).doesNotExist();
    }

    @Test
    void resultsOfAnotherReplayAreNotOverwritten(@TempDir Path directory) throws Exception {
        ReplayFolder folder = new ReplayFolder(directory);
        folder.begin(request("plimsoll"), manifest("plimsoll", "0..10"));
        folder.write(
                "manifest.json", to -> to.write(manifest("plimsoll", "0..10").bytes()));
        folder.end();

        assertThatThrownBy(() -> folder.begin(request("static"), manifest("static", "0..10")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("results of another replay")
                .hasMessageContaining("--out");
        folder.begin(request("plimsoll"), manifest("plimsoll", "0..10"));
    }

    @Test
    void twoReplaysDoNotWriteToOneDirectoryAtATime(@TempDir Path directory) throws Exception {
        try (ReplayFolder first = new ReplayFolder(directory)) {
            Path plans = first.begin(request("plimsoll"), manifest("plimsoll", "0..10"));
            Files.writeString(plans.resolve("run-0.plans"), "kept");

            ReplayFolder second = new ReplayFolder(directory);
            assertThatThrownBy(() -> second.begin(request("static"), manifest("static", "0..10")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another replay is at work in " + directory)
                    .hasMessageContaining("--out");
            assertThat(plans.resolve("run-0.plans")).hasContent("kept");
        }

        try (ReplayFolder third = new ReplayFolder(directory)) {
            assertThat(third.begin(request("plimsoll"), manifest("plimsoll", "0..10")))
                    .isDirectory();
        }
    }

    @Test
    void anInterruptedReplayIsNotThrownAwayForOneOfOtherArguments(@TempDir Path directory) throws Exception {
        Path plans;
        try (ReplayFolder folder = new ReplayFolder(directory)) {
            plans = folder.begin(request("plimsoll"), manifest("plimsoll", "0..10"));
            Files.writeString(plans.resolve("run-0.plans"), "kept");
        }

        try (ReplayFolder other = new ReplayFolder(directory)) {
            assertThatThrownBy(() -> other.begin(request("static"), manifest("static", "0..10")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("other arguments that was interrupted")
                    .hasMessageContaining("--out");
        }
        assertThat(plans.resolve("run-0.plans")).hasContent("kept");
    }

    @Test
    void aFileOfSomebodyElseIsNotOverwritten(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("report.html"), "mine");

        try (ReplayFolder folder = new ReplayFolder(directory)) {
            assertThatThrownBy(() -> folder.begin(request("static"), manifest("static", "0..10")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("has a report.html and no manifest.json");
        }
        assertThat(directory).isDirectoryNotContaining("glob:**/.unfinished");
        assertThat(directory.resolve("report.html")).hasContent("mine");
    }

    @Test
    void theEndLeavesResultsOnly(@TempDir Path directory) throws Exception {
        ReplayFolder folder = new ReplayFolder(directory);
        folder.begin(request("plimsoll"), manifest("plimsoll", "0..10"));
        folder.write("result.json", "{}");
        folder.end();

        try (var files = Files.list(directory)) {
            assertThat(files).containsExactly(directory.resolve("result.json"));
        }
    }

    @Test
    void whatCannotBeWrittenLeavesWhatWasThere(@TempDir Path directory) throws Exception {
        ReplayFolder folder = new ReplayFolder(directory);
        folder.write("result.json", "whole");

        assertThatThrownBy(() -> folder.write("result.json", to -> {
                    to.write('{');
                    throw new IOException("no room");
                }))
                .hasMessage("no room");

        assertThat(directory.resolve("result.json")).hasContent("whole");
        try (var files = Files.list(directory)) {
            assertThat(files).hasSize(1);
        }
    }
}
