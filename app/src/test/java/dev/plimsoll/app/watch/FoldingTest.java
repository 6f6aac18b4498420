package dev.plimsoll.app.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class FoldingTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @Test
    void lineThatFitsStaysAsItIs() {
        assertThat(Folding.fold("ranks     two words", 19)).containsExactly("ranks     two words");
        assertThat(Folding.columns("\u001b[36mranks\u001b[0m x")).isEqualTo(7);
    }

    @Test
    void longLineGoesOnBelowWhatItTells() {
        assertThat(Folding.fold("ranks     eight ranks on two nodes", 25))
                .containsExactly("ranks     eight ranks on", "          two nodes");
        assertThat(Folding.fold("ranks     " + "x".repeat(50) + " y", 25))
                .as("a word that is longer than the terminal stays whole")
                .containsExactly("ranks", "          " + "x".repeat(50), "          y");
    }

    @Test
    void cutLineSaysThatThereWasMore() {
        assertThat(Folding.cut("\u001b[32m●\u001b[0m 12345", 5)).isEqualTo("● 12…");
    }

    @Test
    void noLineOfAViewIsWiderThanItsTerminal() {
        for (int width : new int[] {60, 80, 100, 120}) {
            out.reset();
            LiveView view = new LiveView(new PrintStream(out, true, StandardCharsets.UTF_8), true, true, width);
            view.note("ranks", "qwen3-30b (48 layers × 128 experts, top 8) on 8 ranks × 17 slots, generated traffic");
            view.status(Duration.ofMinutes(61), 1_234_567, "103 of 200 steps/s", 0, 12_345);
            view.window(LoopReportTest.window(0, 0.69, CloseReason.COMPLETE), 12_830, 10, 3, 1_739, 0);
            view.window(LoopReportTest.timed(1, 0.69, 41_300), 12_830, 10, 3, 1_739, 0);
            view.problem(
                    "deployment demo/decode-0 has a very long problem that nobody can tell in fewer words than these");

            List<String> lines = out.toString(StandardCharsets.UTF_8)
                    .replace("\r\u001b[K", "\n")
                    .lines()
                    .toList();

            assertThat(lines).as("width %d", width).allMatch(line -> Folding.columns(line) <= width);
            assertThat(String.join(" ", lines))
                    .contains("misrouted 0")
                    .contains("103 of 200 steps/s")
                    .contains("step  41.3 ms");
        }
    }
}
