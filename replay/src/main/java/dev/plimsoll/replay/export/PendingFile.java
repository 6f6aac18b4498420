package dev.plimsoll.replay.export;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** A file that is written beside its place under another name, and takes its place when it is whole. */
public final class PendingFile implements AutoCloseable {
    private final Path target;
    private final Path written;

    private PendingFile(Path target, Path written) {
        this.target = target;
        this.written = written;
    }

    /** Makes an empty file in the directory of the target. */
    public static PendingFile of(Path target) throws IOException {
        Path absolute = target.toAbsolutePath();
        Path directory = absolute.getParent();
        if (directory == null) {
            throw new IOException(target + " is no place for a file");
        }
        Files.createDirectories(directory);
        // Not a temporary file of Java's, which nobody else may read.
        Path written = directory.resolve(
                "." + absolute.getFileName() + "." + ProcessHandle.current().pid() + ".part");
        Files.deleteIfExists(written);
        Files.createFile(written);
        written.toFile().deleteOnExit(); // should the process end without closing this
        return new PendingFile(absolute, written);
    }

    public Path target() {
        return target;
    }

    /** Where to write until it is whole. */
    public Path path() {
        return written;
    }

    /** Puts it in its place, replacing what is there. */
    public void commit() throws IOException {
        Files.move(written, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Removes what has not been put in its place. */
    @Override
    public void close() throws IOException {
        Files.deleteIfExists(written);
    }
}
