package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.replay.score.EpConfiguration;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AsServedTest {
    private static final EpConfiguration TWO = new EpConfiguration(2, 0, 1);

    @TempDir
    Path directory;

    /** Four experts in one layer: two hot ones share the first rank, and from half time on the last is hot in place of the second. */
    private Path workload(int windows) throws Exception {
        StringBuilder header =
                new StringBuilder("{'descr': '<u2', 'fortran_order': False, 'shape': (" + windows + ", 4, 1, 4), }");
        while ((10 + header.length() + 1) % 64 != 0) {
            header.append(' ');
        }
        header.append('\n');
        Path file = directory.resolve("half.npy.gz");
        try (var out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
            out.write(new byte[] {(byte) header.length(), (byte) (header.length() >> 8)});
            out.write(header.toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            for (int window = 0; window < windows; window++) {
                for (int part = 0; part < 4; part++) {
                    int[] tokens =
                            window < windows / 2 ? new int[] {300, 300, 100, 100} : new int[] {300, 100, 100, 300};
                    for (int of : tokens) {
                        out.write(new byte[] {(byte) of, (byte) (of >> 8)});
                    }
                }
            }
        }
        return file;
    }

    private AsServedReport serve(Path file, String... choices) throws Exception {
        return new AsServedRuns(
                        List.of(choices).stream().map(PolicyChoice::parse).toList(),
                        Duration.ofMillis(50),
                        OptionalLong.empty(),
                        2,
                        line -> {})
                .of(List.of(new AsServedRuns.Run(file, TWO)));
    }

    @Test
    void plansAreServedAWindowLaterAndWhatTheyBroughtIsCounted() throws Exception {
        AsServedReport report = serve(workload(12), "plimsoll", "plimsoll" + AsServedRuns.BEFORE, "static");

        AsServedReport.Line line = report.lines().get(0);
        // Under the placement that engines start with ranks have 600 and 200; in the second half 400 and 400.
        assertThat(line.unmoved().balancedness()).isEqualTo((2.0 / 3 + 1) / 2, within(1e-12));
        assertThat(line.unmoved().moves()).isZero();
        AsServedScores served = line.served().get(0);
        assertThat(served.windows()).isEqualTo(12);
        assertThat(served.decisions()).isEqualTo(2);
        // Two windows to plan from, then one part of the third at 600 and 200: 2/3, 2/3, 160/180, 1, 1, 1. When hot
        // experts
        // change places, two windows are missed and a part of the third before a later decision swaps them back.
        assertThat(served.laterMeasured()).isEqualTo(1);
        assertThat(served.laterGained()).isEqualTo(1);
        assertThat(served.laterGain()).isPositive();
        assertThat(served.moves()).isEqualTo(served.laterMoves() + 2);
        assertThat(served.balancedness()).isGreaterThan(line.unmoved().balancedness() - 0.1);
        assertThat(line.served().get(2).moves()).isZero();
        assertThat(line.served().get(2).movesPerPoint(line.unmoved())).isNaN();
    }

    @Test
    void linesForPeopleAndForProgramsSayTheSame() throws Exception {
        AsServedReport report = serve(workload(12), "plimsoll", "static");

        assertThat(report.text()).contains("moves per 0.01").containsPattern("all +static +1 run ");
        assertThat(report.markdown()).startsWith("| workload | policy |");
        List<String> json = report.json();
        assertThat(json).hasSize(2);
        JsonNode line = new ObjectMapper().readTree(json.get(0));
        assertThat(line.path("workload").asText()).isEqualTo("half.npy.gz");
        assertThat(line.path("policies").get(0).path("balancedness").asDouble())
                .isEqualTo(report.lines().get(0).served().get(0).balancedness());
        assertThat(line.path("policies").get(1).path("movesPer0.01").isNull()).isTrue();
        assertThat(new ObjectMapper().readTree(json.get(1)).path("runs").asInt())
                .isEqualTo(1);
    }

    @Test
    void movesPerPointAreThoseOfAllWorkloadsTogether() {
        AsServedReport report = new AsServedReport(List.of(line(0.5, 0.7, 100), line(0.5, 0.6, 500)));

        // 600 moves for 20 and 10 hundredths.
        assertThat(report.movesPerPoint(0)).isEqualTo(20, within(1e-9));
        assertThat(report.all(0).balancedness()).isEqualTo(0.65, within(1e-12));
    }

    @Test
    void aWorkloadWithoutLoadHasNoBalancednessInAnyForm() throws Exception {
        AsServedReport report = new AsServedReport(List.of(line(Double.NaN, Double.NaN, 0)));

        assertThat(report.text()).contains("–").doesNotContain("NaN");
        for (String json : report.json()) {
            JsonNode line = new ObjectMapper().readTree(json);
            assertThat(line.path("static").isNull()).isTrue();
            assertThat(line.path("policies").get(0).path("balancedness").isNull())
                    .isTrue();
        }
    }

    private static AsServedReport.Line line(double unmoved, double balancedness, int moves) {
        return new AsServedReport.Line("w", TWO, scores(unmoved, 0), List.of(scores(balancedness, moves)));
    }

    private static AsServedScores scores(double balancedness, int moves) {
        return new AsServedScores("p", 10, balancedness, 2, 1, 1, 1, 0.1, moves / 2, moves);
    }
}
