package dev.plimsoll.app.profile;

import dev.plimsoll.model.DeviceProfile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A device profile as a file holds it: what was measured on what.
 *
 * <p>The file is a JSON object ({@link ProfileJson}), or plain lines of {@code tokens micros} ({@link ProfileLines}), told by its first
 * character.
 *
 * @param device that it was measured on, such as {@code NVIDIA H200}
 * @param model whose experts they were
 * @param precision of the multiplications, such as {@code bf16}
 * @param source who measured, how and when; empty where the file does not say
 * @param profile the table
 * @param raised entries whose time was below that of fewer tokens, and was raised to it: benchmarks scatter, but more tokens never
 *     take less
 */
public record ProfileFile(
        String device, String model, String precision, Optional<String> source, DeviceProfile profile, int raised) {
    private static final long MOST_BYTES = 1 << 20;
    static final int MOST_ENTRIES = 10_000;
    static final int MOST_TOKENS = 10_000_000;

    /**
     * Reads a file.
     *
     * @throws IllegalArgumentException naming the file, the entry, what is wrong with it and what is expected
     */
    public static ProfileFile read(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                throw new IllegalArgumentException(file + ": is not a file");
            }
            if (Files.size(file) > MOST_BYTES) {
                throw new IllegalArgumentException(
                        file + ": has " + Files.size(file) + " bytes, a device profile at most " + MOST_BYTES);
            }
            return parse(file.toString(), Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** As {@link #read}, of the bytes of a file. */
    public static ProfileFile parse(String file, byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8).stripLeading();
        if (text.isEmpty()) {
            throw new IllegalArgumentException(
                    file + ": is empty; expected a JSON object, or lines of tokens and microseconds");
        }
        return text.charAt(0) == '{' ? ProfileJson.read(file, text) : ProfileLines.read(file, text);
    }

    /**
     * @param where {@code [i]} names entry i for people, such as {@code f.json: expert[3]}
     * @param tokens {@code [i]}
     * @param micros {@code [i]}
     */
    static ProfileFile of(
            String file,
            List<String> where,
            List<Integer> tokens,
            List<Double> micros,
            String device,
            String model,
            String precision,
            Optional<String> source,
            double receivedMicros) {
        if (tokens.isEmpty()) {
            throw new IllegalArgumentException(
                    file + ": has no entry; expected at least one of tokens and microseconds");
        }
        List<DeviceProfile.Point> points = new ArrayList<>();
        int raised = 0;
        for (int i = 0; i < tokens.size(); i++) {
            double time = micros.get(i);
            if (i > 0) {
                DeviceProfile.Point before = points.get(i - 1);
                if (tokens.get(i) <= before.tokens()) {
                    throw new IllegalArgumentException(where.get(i) + ": " + tokens.get(i) + " tokens stand after "
                            + before.tokens() + "; expected entries in order of tokens, each once");
                }
                if (time < before.micros()) {
                    time = before.micros();
                    raised++;
                }
            }
            points.add(new DeviceProfile.Point(tokens.get(i), time));
        }
        String name = word(device) + "/" + word(model) + "/" + word(precision);
        return new ProfileFile(
                device, model, precision, source, new DeviceProfile(name, points, receivedMicros), raised);
    }

    private static String word(String text) {
        return text.strip().replaceAll("[\\s\\p{Cntrl}|;]+", "-");
    }

    /** An entry's tokens and time, checked. */
    static void check(String where, long tokens, double micros) {
        if (tokens < 1 || tokens > MOST_TOKENS) {
            throw new IllegalArgumentException(
                    where + ": " + tokens + " tokens; expected a whole number from 1 to " + MOST_TOKENS);
        }
        if (!(micros > 0) || micros > 1e12) {
            throw new IllegalArgumentException(where + ": " + micros + " µs; expected a time above 0, in microseconds");
        }
    }
}
