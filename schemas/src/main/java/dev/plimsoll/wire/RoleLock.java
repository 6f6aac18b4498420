package dev.plimsoll.wire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** The right of a role to serve a directory: held by one process at a time, and let go by the system when that dies. */
public final class RoleLock implements AutoCloseable {
    private final FileChannel channel;

    private RoleLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Empty while another process, or somebody else in this one, holds it.
     *
     * @param role names the lock's file
     */
    public static Optional<RoleLock> tryHold(Path directory, String role) {
        Path file = directory.resolve(role + ".lock");
        try {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            try {
                if (channel.tryLock() != null) {
                    return Optional.of(new RoleLock(channel));
                }
            } catch (OverlappingFileLockException e) {
                // Held in this process.
            }
            channel.close();
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot lock " + file + " to serve its directory", e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot let go of a lock", e);
        }
    }
}
