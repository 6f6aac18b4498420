package dev.plimsoll.app.command;

import dev.plimsoll.testkit.NpyBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A trace of 20 requests with 10 tokens each, 2 layers of 8 experts of which 2 are picked, the low numbers more often. */
final class MadeUpTrace {
    private static final int REQUESTS = 20;
    private static final int TOKENS = 10;

    private MadeUpTrace() {}

    static Path write(Path directory, String model) throws IOException {
        Files.createDirectories(directory);
        Random random = new Random(5);
        byte[] picks = new byte[REQUESTS * TOKENS * 2 * 2];
        for (int i = 0; i < picks.length; i += 2) {
            int first = Math.min(random.nextInt(8), random.nextInt(8));
            picks[i] = (byte) first;
            picks[i + 1] = (byte) ((first + 1 + random.nextInt(7)) % 8);
        }
        Files.write(
                directory.resolve("experts.npy"), NpyBytes.of(1, NpyBytes.dict("|u1", "False", "(200, 2, 2)"), picks));
        Files.writeString(
                directory.resolve("trace.json"),
                "{\"model\": \"" + model
                        + "\", \"layers\": 2, \"experts\": 8, \"topK\": 2, \"tokens\": 200, \"requests\": ["
                        + IntStream.range(0, REQUESTS)
                                .mapToObj(i -> "{\"offset\": " + i * TOKENS + ", \"tokens\": " + TOKENS
                                        + ", \"dataset\": \"d\", \"category\": \"c\"}")
                                .collect(Collectors.joining(", "))
                        + "]}");
        return directory;
    }
}
