package dev.plimsoll.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A temporary directory in shared memory where there is one ({@code /dev/shm}), removed with all that is in it. */
public final class SharedDirectory implements AutoCloseable {
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private final Path path;

    private SharedDirectory(Path path) {
        this.path = path;
    }

    public static SharedDirectory temporary() {
        try {
            return new SharedDirectory(
                    Files.isWritable(SHARED_MEMORY)
                            ? Files.createTempDirectory(SHARED_MEMORY, "plimsoll-")
                            : Files.createTempDirectory("plimsoll-"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a temporary directory for shared memory", e);
        }
    }

    public Path path() {
        return path;
    }

    /** Removes a directory and all that is in it. */
    public static void remove(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + directory, e);
        }
    }

    @Override
    public void close() {
        remove(path);
    }
}
