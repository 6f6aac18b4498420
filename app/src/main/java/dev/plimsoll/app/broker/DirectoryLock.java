package dev.plimsoll.app.broker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A broker's sole right to its data directory, over threads and processes; it ends with the process at the latest.
 *
 * <p>Kafka locks its logs too, but late, with 30 threads running; this one is asked before anything starts.
 */
final class DirectoryLock {

    private final FileChannel channel;

    private DirectoryLock(FileChannel channel) {
        this.channel = channel;
    }

    /** Takes the lock or throws a {@link BrokerException} at once. */
    static DirectoryLock take(Path directory) {
        Path file = directory.resolve("broker.lock");
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (locked(channel)) {
                return new DirectoryLock(channel);
            }
            channel.close();
        } catch (IOException e) {
            throw new BrokerException("Cannot lock " + file + ": " + e + ". Use a directory that you may write.", e);
        }
        throw new BrokerException(
                "Another broker is using the data directory " + directory + ". Stop it, or use another directory.");
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // by another broker of this JVM
        }
    }

    /** Lets the next broker in. */
    void release() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
