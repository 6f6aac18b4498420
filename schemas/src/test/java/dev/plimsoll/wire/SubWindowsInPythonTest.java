package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.plimsoll.model.LoadWindow;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The Python in docs/topics.md unpacks what we pack. Skipped where there is no python3. */
class SubWindowsInPythonTest {
    @Test
    void theDocumentedFunctionUnpacksSubWindows() throws Exception {
        assumeTrue(hasPython(), "no python3 on the PATH");
        StringBuilder script = new StringBuilder(documented());
        StringBuilder expected = new StringBuilder();
        for (long seed = 0; seed < 200; seed++) {
            LoadWindow window = new RandomValues(seed).window();
            int parts = window.subSums().parts();
            ByteBuffer packed = ByteBuffer.allocate(window.subSums().packedBytes());
            window.subSums().copyTo(packed);
            script.append("print(sum(sub_windows(%s, %d, bytes.fromhex('%s')), []))%n"
                    .formatted(window.load(), parts, HexFormat.of().formatHex(packed.array())));
            expected.append(Arrays.toString(window.subSums().toArray())).append('\n');
        }

        Process python =
                new ProcessBuilder("python3", "-").redirectErrorStream(true).start();
        python.getOutputStream().write(script.toString().getBytes(StandardCharsets.UTF_8));
        python.getOutputStream().close();
        String printed = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(python.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(printed).isEqualTo(expected.toString());
    }

    private static boolean hasPython() throws InterruptedException {
        try {
            return new ProcessBuilder("python3", "--version").start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static String documented() throws IOException {
        String page = Files.readString(Path.of("../docs/topics.md"));
        int from = page.indexOf("```python\n");
        assertThat(from).as("the code in docs/topics.md").isPositive();
        return page.substring(from + "```python\n".length(), page.indexOf("```", from + 10));
    }
}
