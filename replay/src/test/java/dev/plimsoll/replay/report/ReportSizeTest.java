package dev.plimsoll.replay.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.ReplayResult;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReportSizeTest {
    @Test
    void aDayOfALargeModelFitsIntoFiveMegabytesAndSaysWhatWasLeftOut() {
        ReplayResult day = Day.of(8_640, 5, 120);
        byte[] page = Report.html(day).getBytes(StandardCharsets.UTF_8);
        assertThat(page.length).isLessThanOrEqualTo(Report.MOST_BYTES).isGreaterThan(4_000_000);
        JsonNode block = Block.of(new String(page, StandardCharsets.UTF_8));
        int kept = block.path("matrices").size();
        assertThat(kept).isGreaterThan(20);
        assertThat(block.path("leftOut").path("matrices").asInt()).isEqualTo(120 - kept);
        assertThat(block.path("windows").path("thinned").asBoolean())
                .as("a day is drawn whole")
                .isFalse();
    }

    @Test
    void aLongHistoryIsThinnedToWindowsThatBoundEachStretch() {
        ReplayResult week = Day.of(60_000, 3, 10);
        String page = Report.html(week);
        assertThat(page.getBytes(StandardCharsets.UTF_8).length).isLessThanOrEqualTo(Report.MOST_BYTES);
        JsonNode block = Block.of(page);
        assertThat(block.path("windows").path("thinned").asBoolean()).isTrue();
        double[] index = Block.column(block.path("windows").path("index"));
        assertThat(index.length).isLessThan(30_000).isGreaterThan(2_000);
        assertThat(block.path("leftOut").path("windows").asInt()).isEqualTo(60_000 - index.length);
        assertThat(index).isSorted();
        for (int run = 0; run < 3; run++) {
            PolicyRun given = week.runs().get(run);
            double[] mean =
                    Block.column(block.path("runs").path(run).path("series").path("mean"));
            double[] min =
                    Block.column(block.path("runs").path(run).path("series").path("min"));
            // Extremes of any stretch are drawn at their own places, give or take a stretch of the thinning.
            for (int from = 0; from < 60_000; from += 1_000) {
                int first = from;
                int[] drawn = IntStream.range(0, index.length)
                        .filter(i -> index[i] >= first && index[i] < first + 1_000)
                        .toArray();
                List<ServedWindow> middle = given.served().subList(from + 100, from + 900);
                assertThat(IntStream.of(drawn).mapToDouble(i -> mean[i]).min().orElseThrow())
                        .isLessThan(middle.stream()
                                        .mapToDouble(ServedWindow::mean)
                                        .min()
                                        .orElseThrow()
                                + 2e-5);
                assertThat(IntStream.of(drawn).mapToDouble(i -> mean[i]).max().orElseThrow())
                        .isGreaterThan(middle.stream()
                                        .mapToDouble(ServedWindow::mean)
                                        .max()
                                        .orElseThrow()
                                - 2e-5);
                assertThat(IntStream.of(drawn).mapToDouble(i -> min[i]).min().orElseThrow())
                        .isLessThan(middle.stream()
                                        .mapToDouble(ServedWindow::min)
                                        .min()
                                        .orElseThrow()
                                + 2e-5);
            }
            // Every window drawn is one as it was.
            assertThat(mean)
                    .containsExactly(
                            DoubleStream.of(index)
                                    .map(i -> given.served().get((int) i).mean())
                                    .toArray(),
                            within(1.1e-5));
        }
    }
}
