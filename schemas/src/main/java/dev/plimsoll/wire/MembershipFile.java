package dev.plimsoll.wire;

import dev.plimsoll.model.Membership;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The membership of a deployment beside its heat rings: {@code membership.avro}, the framed bytes of {@link Topic#MEMBERS},
 * written by the engine's side before the rings are created.
 *
 * <p>Beside it stands {@code membership.published}, the incarnation whose membership the worker knows to be in the topics: samples
 * are published only after it, so that no sample comes before the record that starts its incarnation. Both are replaced whole by
 * rename; any number of processes may read.
 */
public final class MembershipFile {
    private static final String NAME = "membership.avro";

    private final Path file;
    private final Path published;

    public MembershipFile(Path directory) {
        file = directory.resolve(NAME);
        published = directory.resolve("membership.published");
    }

    /**
     * The directories of deployments at a place: itself, and its direct sub-directories, where they hold a membership; ascending.
     * Links to directories are not followed, so that whoever may write there cannot lead a reader elsewhere.
     */
    public static List<Path> directories(Path place) {
        if (!Files.isDirectory(place)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(place)) {
            return Stream.concat(
                            Stream.of(place),
                            entries.filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)))
                    .filter(directory -> Files.exists(directory.resolve(NAME)))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + place, e);
        }
    }

    /** The file's name, for people. */
    public Path path() {
        return file;
    }

    /** Writes the membership, replacing an older one; throws {@link IllegalArgumentException} for one that no life may begin with. */
    public void write(Membership membership) {
        replace(file, Topic.MEMBERS.encode(membership.startable()));
    }

    /**
     * Writes the membership as the next life of the deployment, unless a later one stands there.
     *
     * @throws IllegalStateException for a file of a later life, or one of the same that says something else
     */
    public void writeNext(Membership membership) {
        Optional<Membership> there = read().filter(old -> old.deployment().equals(membership.deployment()));
        if (there.isPresent() && there.get().incarnation() > membership.incarnation()) {
            throw new IllegalStateException(file + " is of " + membership.deployment() + ", incarnation "
                    + there.get().incarnation() + ", and incarnation " + membership.incarnation()
                    + " is lower: whoever has seen the higher one takes the lower one for stale");
        }
        if (there.isPresent()
                && there.get().incarnation() == membership.incarnation()
                && !there.get().equals(membership)) {
            throw new IllegalStateException(file + " is of " + membership.deployment() + ", incarnation "
                    + membership.incarnation() + ", with other values: a changed deployment is a new incarnation");
        }
        write(membership);
    }

    /** The membership, empty when there is none yet; throws {@link IllegalStateException} for a file that is not one. */
    public Optional<Membership> read() {
        try {
            Optional<byte[]> bytes = contents(file);
            return bytes.isPresent() ? Optional.of(Topic.MEMBERS.decode(bytes.get())) : Optional.empty();
        } catch (WireException e) {
            throw new IllegalStateException(
                    file + " is not a membership (" + e.reason() + "): remove it and start the engine again", e);
        }
    }

    /** Waits for the membership by looking every 20 ms; empty when it was not there in time. */
    public Optional<Membership> await(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        Optional<Membership> membership = read();
        while (membership.isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(20);
            membership = read();
        }
        return membership;
    }

    /** Says that the topics hold the membership of this incarnation. */
    public void markPublished(long incarnation) {
        replace(published, Long.toString(incarnation).getBytes(StandardCharsets.UTF_8));
    }

    /** Whether the topics are known to hold the membership of this incarnation. */
    public boolean published(long incarnation) {
        return contents(published)
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8).equals(Long.toString(incarnation)))
                .orElse(false);
    }

    private static Optional<byte[]> contents(Path path) {
        try {
            return Optional.of(Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + path, e);
        }
    }

    private static void replace(Path path, byte[] bytes) {
        Path fresh = path.resolveSibling(
                path.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
        try {
            Files.write(fresh, bytes);
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + path, e);
        }
    }
}
