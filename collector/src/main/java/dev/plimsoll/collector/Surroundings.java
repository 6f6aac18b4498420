package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing;
import dev.plimsoll.wire.RankFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a person may have got wrong about the place that a collector looks at: nothing is there, or heat rings that nobody reads.
 * Looks rarely, and tells rarely.
 */
final class Surroundings {
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(10);
    private static final Duration BETWEEN_WORDS = Duration.ofMinutes(5);
    /** The library builds a ring under such a name. */
    private static final String BEING_BUILT = ".building-";

    private static final int MOST_FILES = 10_000;

    private final Path place;
    private final CollectorListener listener;
    private final Set<Path> told = new HashSet<>();
    private long nextLook = System.nanoTime();
    private long nextWord = nextLook;

    Surroundings(Path place, CollectorListener listener) {
        this.place = place;
        this.listener = listener;
    }

    /** @param deployments the directories with a membership, ascending */
    void look(List<Path> deployments) {
        long now = System.nanoTime();
        if (now - nextLook < 0) {
            return;
        }
        nextLook = now + BETWEEN_LOOKS.toNanos();
        if (deployments.isEmpty() && now - nextWord >= 0) {
            nextWord = now + BETWEEN_WORDS.toNanos();
            listener.onNothingThere(place);
        }
        List<Path> ignored = new ArrayList<>();
        for (Path directory : directories()) {
            ignored.addAll(ignored(directory, deployments.contains(directory)));
        }
        if (!ignored.isEmpty()) {
            told.addAll(ignored);
            listener.onIgnored(ignored);
        }
    }

    private List<Path> directories() {
        if (!Files.isDirectory(place)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(place)) {
            return Stream.concat(
                            Stream.of(place),
                            entries.filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)))
                    .limit(MOST_FILES)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of(); // it was there a moment ago: the next look tells
        }
    }

    /** Rings in a directory that are not told yet and that no collector would read. */
    private List<Path> ignored(Path directory, boolean isDeployment) {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.limit(MOST_FILES)
                    .filter(file -> !told.contains(file))
                    .filter(file -> !isDeployment || !RankFiles.isRing(file))
                    .filter(file -> !file.toString().contains(BEING_BUILT) && HeatRing.isOne(file))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
