package dev.plimsoll.replay;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The directory that a replay writes to: its results, and until it is done what it needs to go on after an interruption. One replay at a
 * time, from {@link #begin} until it is closed, and results of one manifest only.
 */
public final class ReplayFolder implements AutoCloseable {
    private static final String REQUEST = "request.json";
    private static final String MANIFEST = "manifest.json";
    private static final String LOCK = "lock";
    private static final List<String> RESULTS = List.of("result.json", "report.html", "timing.json");

    private final Path path;
    private final Path unfinished;
    private Optional<FileChannel> lock = Optional.empty();

    public ReplayFolder(Path path) {
        this.path = path;
        this.unfinished = path.resolve(".unfinished");
    }

    /** Something that writes a file. */
    public interface Content {
        void write(OutputStream to) throws IOException;
    }

    /** The manifest of a replay of the same request that was not finished here. */
    public Optional<Manifest> interrupted(ReplayRequest request) throws IOException {
        Path asked = unfinished.resolve(REQUEST);
        Path manifest = unfinished.resolve(MANIFEST);
        if (!Files.exists(asked)
                || !Files.exists(manifest)
                || !Arrays.equals(Files.readAllBytes(asked), Manifest.bytes(request))) {
            return Optional.empty();
        }
        return Optional.of(Manifest.read(manifest));
    }

    /**
     * Begins, or goes on with the same manifest; from now on no other replay begins here.
     *
     * @return the directory that plans are kept in
     * @throws IOException when results of another replay are here, one is at work here, or it cannot be written to
     */
    public Path begin(ReplayRequest request, Manifest manifest) throws IOException {
        Path there = path.resolve(MANIFEST);
        if (Files.exists(there) && !Arrays.equals(Files.readAllBytes(there), manifest.bytes())) {
            throw new IOException(path + " has the results of another replay (" + there
                    + "): name another directory with --out, or remove it");
        }
        if (!Files.exists(there) && !Files.exists(unfinished)) {
            refuseForeign();
        }
        lock();
        Path asked = unfinished.resolve(REQUEST);
        if (Files.exists(asked) && !Arrays.equals(Files.readAllBytes(asked), Manifest.bytes(request))) {
            throw new IOException(
                    path + " has a replay of other arguments that was interrupted: end it with those, name another"
                            + " directory with --out, or remove " + unfinished);
        }
        Path begun = unfinished.resolve(MANIFEST);
        if (Files.exists(begun) && !Arrays.equals(Files.readAllBytes(begun), manifest.bytes())) {
            // Of a replay that was given up: nothing of it can be used.
            clear();
        }
        write(asked, to -> to.write(Manifest.bytes(request)));
        write(begun, to -> to.write(manifest.bytes()));
        return unfinished;
    }

    private void refuseForeign() throws IOException {
        for (String name : RESULTS) {
            if (Files.exists(path.resolve(name))) {
                throw new IOException(path + " has a " + name + " and no " + MANIFEST
                        + ": it is of something else; name another directory with --out");
            }
        }
    }

    private void lock() throws IOException {
        if (lock.isPresent()) {
            return;
        }
        Files.createDirectories(unfinished);
        Path file = unfinished.resolve(LOCK);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        // Whoever was about to end may have locked the file and taken it away.
        if (locked(channel) && Files.exists(file)) {
            lock = Optional.of(channel);
            return;
        }
        channel.close();
        throw new IOException("another replay is at work in " + path + " and holds " + file
                + ": wait until it ends, or name another directory with --out");
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Writes a result; whoever reads it reads it whole, or what was there before. */
    public Path write(String name, Content content) throws IOException {
        Path file = path.resolve(name);
        write(file, content);
        return file;
    }

    /** As {@link #write(String, Content)}. */
    public Path write(String name, String text) throws IOException {
        return write(name, to -> to.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Writes to a temporary name and moves. */
    public static void write(Path file, Content content) throws IOException {
        Path whole = file.toAbsolutePath();
        Files.createDirectories(whole.getParent());
        Path temporary = whole.resolveSibling("." + whole.getFileName() + ".part");
        try {
            try (OutputStream out = Files.newOutputStream(temporary)) {
                content.write(out);
            }
            try {
                Files.move(temporary, whole, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(temporary, whole, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** All is written: what was kept for an interruption goes. */
    public void end() throws IOException {
        clear();
        Files.deleteIfExists(unfinished.resolve(LOCK));
        Files.deleteIfExists(unfinished);
        close();
    }

    /** All but the lock. */
    private void clear() throws IOException {
        if (!Files.exists(unfinished)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> inside = Files.walk(unfinished)) {
            all = inside.filter(file -> !file.equals(unfinished) && !file.equals(unfinished.resolve(LOCK)))
                    .sorted(Comparator.reverseOrder())
                    .toList();
        }
        for (Path file : all) {
            Files.deleteIfExists(file);
        }
    }

    /** Lets others begin here; what was kept for an interruption stays. */
    @Override
    public void close() throws IOException {
        if (lock.isPresent()) {
            FileChannel held = lock.orElseThrow();
            lock = Optional.empty();
            held.close();
        }
    }
}
