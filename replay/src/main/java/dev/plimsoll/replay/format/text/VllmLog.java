package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.RecordingFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** vLLM's log with {@code log_balancedness}: recognised so that it can be said why it is no recording. */
final class VllmLog implements RecordingFormat {
    private static final String STEP = "EPLB step: ";
    private static final int HEAD_BYTES = 1 << 20;
    private static final int LONGEST_LINE = 4096;

    @Override
    public String name() {
        return "vllm-log";
    }

    @Override
    public String description() {
        return "vLLM log with balancedness, which has no load of experts and cannot be converted";
    }

    @Override
    public boolean holdsMaps() {
        return false;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return !input.directory() && position(input) >= 0;
    }

    /** Where the first line with balancedness begins, -1 where none does. */
    private static int position(Input input) throws IOException {
        byte[] head = input.head(input.files().get(0), HEAD_BYTES);
        int line = 0;
        for (int i = 0; i <= head.length; i++) {
            if (i < head.length && head[i] != '\n') {
                continue;
            }
            if (i - line < LONGEST_LINE) {
                String text = new String(head, line, i - line, StandardCharsets.ISO_8859_1);
                if (text.contains(STEP) && text.contains("balancedness=")) {
                    return line;
                }
            }
            line = i + 1;
        }
        return -1;
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        throw new FormatException(
                input.files().get(0),
                Math.max(0, position(input)),
                "is a log: it has one balancedness over all layers and ranks per line, by vLLM's own definition (which is"
                        + " not mean ÷ max by layer), and no load of experts. Start vLLM with eplb_config"
                        + " expert_load_stats_path (pull request 41141) and give the records that it writes");
    }
}
