package dev.plimsoll.wire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The names of the files that an engine and its node share, in one directory per deployment, on tmpfs. */
public final class RankFiles {
    private static final Pattern RING = Pattern.compile("rank-(\\d{1,6})\\.ring");

    private RankFiles() {}

    /** The heat ring of a rank. */
    public static Path ring(Path directory, int rank) {
        return directory.resolve("rank-" + rank + ".ring");
    }

    /** The plan mailbox of a rank. */
    public static Path mailbox(Path directory, int rank) {
        return directory.resolve("rank-" + rank + ".mailbox");
    }

    /** Whether a file has the name of some rank's heat ring. */
    public static boolean isRing(Path file) {
        return RING.matcher(file.getFileName().toString()).matches();
    }

    /** Ranks whose ring is in the directory, ascending; none when the directory is not there. */
    public static List<Integer> ranks(Path directory) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> RING.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(name -> Integer.parseInt(name.group(1)))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + directory, e);
        }
    }
}
