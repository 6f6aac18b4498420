package dev.plimsoll.replay.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.replay.score.PeerComparison.Average;
import dev.plimsoll.replay.score.PeerComparison.Duel;
import dev.plimsoll.replay.score.PeerComparison.Line;
import dev.plimsoll.replay.score.PeerScores.Run;
import dev.plimsoll.replay.score.PeerScores.Score;
import dev.plimsoll.replay.score.PlannerScores.PlanScore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PeerComparisonTest {
    private static final EpConfiguration EP = new EpConfiguration(2, 2, 1);

    /** Three windows of one layer with ten slots: 0.9, 0.8, 0.7 at 8, 0 and 4 moves. */
    private static final PlannerScores OURS = new PlannerScores(
            "ours",
            List.of(new double[] {0.9}, new double[] {0.8}, new double[] {0.7}),
            List.of(plan(0, 8), plan(1, 0), plan(2, 4)),
            10);

    private static PlanScore plan(int window, double moves) {
        return new PlanScore(window, new double[] {1}, moves, 1, 0.5, true);
    }

    private static Line line(String workload, Score... scores) {
        return new Line(new Run(workload, EP, List.of(scores)), OURS);
    }

    private static Score score(String policy, double next, double movedShare, int windows) {
        return new Score(policy, next, movedShare, windows);
    }

    @Test
    void aPlannerThatWasStoppedIsComparedOverItsOwnWindows() {
        Line line = line("w", score("stopped", 0.86, 0.0, 2), score("whole", 0.79, 0.9, 3));

        Duel stopped = line.duels().get(0);
        assertThat(stopped.next()).isEqualTo(0.85);
        assertThat(stopped.movedShare()).isZero();
        assertThat(stopped.difference()).isEqualTo(-0.01);
        assertThat(line.duels().get(1).next()).isEqualTo(0.8);
        assertThat(line.duels().get(1).movedShare()).isEqualTo(0.2);
        assertThat(line.best()).isEqualTo(stopped);
        assertThat(line.ahead()).isFalse();
    }

    @Test
    void theBestAtOurMovesMovesNoMore() {
        Line line = line(
                "w",
                score("much", 0.95, 0.21, 3),
                score("as-much", 0.81, 0.2, 3),
                score("less", 0.6, 0.0, 3),
                score("less-but-not-over-its-windows", 0.99, 0.1, 2));

        assertThat(line.best().peer().policy()).isEqualTo("much");
        assertThat(line.bestAtOurMoves().orElseThrow().peer().policy()).isEqualTo("as-much");
        assertThat(line("w", score("much", 0.95, 0.21, 3)).bestAtOurMoves()).isEmpty();
    }

    @Test
    void equalIsNotAheadAndOfEqualsTheOneThatMovesLessIsBest() {
        Line line = line("w", score("a", 0.8, 0.5, 3), score("b", 0.80000, 0.4, 3));

        assertThat(line.best().peer().policy()).isEqualTo("b");
        assertThat(line.ahead()).isFalse();
    }

    @Test
    void averagesAreOverTheRunsAPlannerHas() {
        PeerComparison comparison = new PeerComparison(List.of(
                line("one", score("a", 0.75, 0.5, 3), score("b", 0.9, 0.6, 2)), line("two", score("a", 0.5, 0.75, 3))));

        assertThat(comparison.averages())
                .containsExactly(
                        new Average("b", 1, 0.9, 0.6, 0.85, 0.0, 0, 1),
                        new Average("a", 2, 0.625, 0.625, 0.8, 0.2, 2, 0));
        assertThat(comparison.ahead()).isEqualTo(1);
        assertThat(comparison.worst().run().workload()).isEqualTo("one");
        assertThat(comparison.meanMovedShare()).isEqualTo(0.2);
        assertThat(comparison.movingMoreThan(0.2)).isEmpty();
        assertThat(comparison.movingMoreThan(0.19)).hasSize(2);
    }

    @Test
    void theReportSaysTheSameInThreeForms() throws IOException {
        PeerReport report = new PeerReport(
                "ours",
                new PeerComparison(List.of(
                        line("one.npy.gz", score("a", 0.7, 0.5, 3), score("b", 0.9, 0.6, 2)),
                        line("two.npy", score("a", 0.6, 0.7, 3), score("static", 0.5, 0, 3)))),
                "--peers x",
                new Machine(2, "cpu", "os", "jdk"));

        assertThat(report.text())
                .contains("b (first 2)")
                .contains("ours is ahead of every public planner in 1 of 2 runs")
                .contains("least ahead: -0.0500 against b (first 2) on one 2+2/1")
                .contains("runs with more than 20.0 % moved: none")
                .contains("again: plimsoll bench planner --peers x");
        assertThat(report.markdown())
                .contains("| workload | ranks+redundant/nodes | windows |")
                .contains(
                        "| one | 2+2/1 | 3 | 0.8000 | 0.7100 | 20.0 % | 8.0 | 0.500 | b (first 2) | 0.9000 | 60.0 % | -0.0500 | – | – | – | – |")
                .contains("* ours is ahead");
        JsonNode json = new ObjectMapper().readTree(report.json());
        assertThat(json.path("runs").path(0).path("bestPublic").path("ours").asDouble())
                .isEqualTo(0.85);
        assertThat(json.path("runs").path(0).path("bestPublicAtOurMoves").isNull())
                .isTrue();
        assertThat(json.path("runs")
                        .path(1)
                        .path("bestPublicAtOurMoves")
                        .path("policy")
                        .asText())
                .isEqualTo("static");
        assertThat(json.path("summary").path("ahead").asInt()).isEqualTo(1);
        assertThat(json.path("averages").path(0).path("policy").asText()).isEqualTo("b");
    }

    @Test
    void prototypesAreOursAndLeftOut(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("peers.json");
        Files.writeString(file, """
                {"scores": [
                {"workload": "w.npy", "ranks": 2, "redundant": 2, "nodes": 1, "policy": "prototype-mean", "next": 0.9,
                 "movedShare": 0.1, "windowsScored": 3, "millisPerLayer": null},
                {"workload": "w.npy", "ranks": 2, "redundant": 2, "nodes": 1, "policy": "vllm_global_fc", "next": 0.8,
                 "movedShare": 0.5, "windowsScored": 2}]}
                """);

        assertThat(PeerScores.read(file).runs())
                .containsExactly(new Run("w.npy", EP, List.of(score("vllm_global_fc", 0.8, 0.5, 2))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{;is not JSON",
                "{};has no array 'scores'",
                "{\"scores\": []};or an empty one",
                "{\"scores\": [{\"policy\": \"a\"}]};entry 0 of 'scores' needs 'next', a number",
                "{\"scores\": [{\"policy\": \"a\", \"next\": 1, \"movedShare\": 0, \"windowsScored\": 1.5}]};needs 'windowsScored', a whole number"
            })
    void whatIsWrongInThePeersFileIsSaid(String json, String message, @TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("peers.json"), json);

        assertThatIOException()
                .isThrownBy(() -> PeerScores.read(file))
                .withMessageStartingWith(file.toString())
                .withMessageContaining(message);
    }
}
