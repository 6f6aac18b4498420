package dev.plimsoll.app;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/**
 * Where standard output goes: a terminal with a width, or a file or pipe, whose lines may be as long as they like.
 *
 * @param there whether a person looks at it
 * @param width columns; {@link Integer#MAX_VALUE} where it is no terminal
 */
public record Terminal(boolean there, int width) {
    private static final int UNKNOWN = 80;
    private static final int NARROWEST = 40;
    private static final long PATIENCE_MILLIS = 500;
    private static final File CONTROLLING = new File("/dev/tty");

    /** As the launcher and the environment say; {@code COLUMNS} wins over what the terminal itself says. */
    public static Terminal standardOutput() {
        return of(Boolean.getBoolean("plimsoll.terminal"), System.getenv());
    }

    static Terminal of(boolean there, Map<String, String> environment) {
        if (!there) {
            return new Terminal(false, Integer.MAX_VALUE);
        }
        OptionalInt width = columns(environment.getOrDefault("COLUMNS", ""));
        return new Terminal(true, Math.max(NARROWEST, width.isPresent() ? width.getAsInt() : asked().orElse(UNKNOWN)));
    }

    private static OptionalInt columns(String text) {
        return text.strip().matches("[1-9]\\d{0,4}")
                ? OptionalInt.of(Integer.parseInt(text.strip()))
                : OptionalInt.empty();
    }

    /** What {@code stty size} says: rows and columns, 0 where the terminal does not know. */
    private static OptionalInt asked() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(CONTROLLING)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!stty.waitFor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                stty.destroyForcibly();
                return OptionalInt.empty();
            }
            String[] size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .strip()
                    .split(" ");
            return size.length == 2 ? columns(size[1]) : OptionalInt.empty();
        } catch (IOException e) {
            return OptionalInt.empty(); // no stty, or no terminal that controls this process
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return OptionalInt.empty();
        }
    }
}
