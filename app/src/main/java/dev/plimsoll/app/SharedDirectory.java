package dev.plimsoll.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A temporary directory, in shared memory where there is some ({@code /dev/shm}), removed with all that is in it.
 *
 * <p>It has its name before it is made: whoever has to remove it can note it first, and no moment is left in which it is there and
 * nobody knows of it.
 */
public final class SharedDirectory implements AutoCloseable {
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");
    private static final int ATTEMPTS = 20;
    private static final long PAUSE_NANOS = 25_000_000;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Path path;

    private SharedDirectory(Path path) {
        this.path = path;
    }

    /** Made at once. */
    public static SharedDirectory temporary() {
        return planned().make();
    }

    /** To be made in shared memory. */
    public static SharedDirectory planned() {
        return Files.isWritable(SHARED_MEMORY)
                ? planned(SHARED_MEMORY, "plimsoll-")
                : planned(Path.of(System.getProperty("java.io.tmpdir")), "plimsoll-");
    }

    /** To be made elsewhere; its name ends with this process's number and one that nobody has guessed. */
    public static SharedDirectory planned(Path parent, String prefix) {
        return new SharedDirectory(parent.resolve(
                prefix + ProcessHandle.current().pid() + "-" + Long.toUnsignedString(RANDOM.nextLong(), 36)));
    }

    /** Makes it, for this user alone where the file system knows users. */
    public SharedDirectory make() {
        try {
            if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.createDirectory(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } else {
                Files.createDirectory(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot make the temporary directory " + path
                            + "; -Djava.io.tmpdir=DIR in PLIMSOLL_OPTS names another",
                    e);
        }
        return this;
    }

    public Path path() {
        return path;
    }

    /**
     * Removes a directory and all that is in it, also while somebody is still writing there: it is given another name first, under
     * which nobody looks for it. Where it is made again meanwhile, it is looked at again for half a second.
     */
    public static void remove(Path directory) {
        IOException failure = null;
        for (int attempt = 0; attempt < ATTEMPTS && there(directory); attempt++) {
            if (attempt > 0) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            try {
                removeOnce(setAside(directory));
                failure = null;
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw new UncheckedIOException("cannot remove " + directory, failure);
        }
    }

    private static boolean there(Path directory) {
        return Files.exists(directory, LinkOption.NOFOLLOW_LINKS)
                || Files.exists(aside(directory), LinkOption.NOFOLLOW_LINKS);
    }

    private static Path aside(Path directory) {
        return directory.resolveSibling(directory.getFileName() + ".removed");
    }

    private static Path setAside(Path directory) {
        Path aside = aside(directory);
        try {
            if (!Files.exists(aside, LinkOption.NOFOLLOW_LINKS)) {
                Files.move(directory, aside, StandardCopyOption.ATOMIC_MOVE);
            }
            return aside;
        } catch (IOException e) {
            return directory; // its parent may not be ours to write to
        }
    }

    private static void removeOnce(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE; // removed by whoever made it
                }
                throw failure;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    @Override
    public void close() {
        remove(path);
    }
}
