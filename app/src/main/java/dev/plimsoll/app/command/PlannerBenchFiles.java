package dev.plimsoll.app.command;

import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.PeerScores;
import dev.plimsoll.replay.score.PlannerBenchRuns;
import dev.plimsoll.replay.score.Workload;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Whether what {@code plimsoll bench planner} was asked for fits the files it was given; reads their headers only. */
final class PlannerBenchFiles {
    private final Path workload;
    private final Problems problems;
    /** By file; empty for those that cannot be read. */
    private final Map<Path, Workload.Size> sizes = new LinkedHashMap<>();

    /** Notes what cannot be read. */
    PlannerBenchFiles(Path workload, Problems problems) {
        this.workload = workload;
        this.problems = problems;
        if (!Files.isReadable(workload)) {
            problems.add("--workload " + workload + " cannot be read");
            return;
        }
        try {
            Workload.files(workload).forEach(this::size);
            problems.require(
                    !Workload.files(workload).isEmpty(), "--workload " + workload + " holds no .npy and no .npy.gz");
        } catch (IOException e) {
            problems.add("--workload ", e);
        }
    }

    private void size(Path file) {
        try {
            sizes.put(file, Workload.size(file));
        } catch (IOException e) {
            problems.add("--workload ", e);
        }
    }

    /** Notes why some workload cannot be spread so, or lacks a layer. */
    void check(Optional<EpConfiguration> configuration, Optional<Workload.Layers> layers) {
        Set<String> found = new LinkedHashSet<>();
        sizes.forEach((file, size) -> {
            String name = file.getFileName().toString();
            configuration.ifPresent(ep -> found.addAll(ep.problems(name, size.experts())));
            layers.filter(some -> some.last() >= size.layers())
                    .ifPresent(some ->
                            found.add("--layers " + some + ": " + name + " has layers 0.." + (size.layers() - 1)));
        });
        found.forEach(problems::add);
    }

    /** Notes why the public planners' runs cannot be done here. */
    void check(Path peers) {
        try {
            Set<String> found = new LinkedHashSet<>();
            var runs = PlannerBenchRuns.on(workload, PeerScores.read(peers));
            runs.forEach(run -> check(run, found));
            problems.require(!runs.isEmpty(), "--peers " + peers + " has no scores of public planners on " + workload);
            found.forEach(problems::add);
        } catch (IOException e) {
            problems.add("--peers " + (e instanceof FileSystemException ? "cannot be read: " : ""), e);
        }
    }

    private void check(PeerScores.Run run, Set<String> found) {
        Path file = Files.isDirectory(workload) ? workload.resolve(run.workload()) : workload;
        if (!Files.exists(file)) {
            found.add("--workload " + workload + " lacks " + run.workload() + ", which --peers has scores on");
        }
        Workload.Size size = sizes.get(file);
        if (size == null) {
            return;
        }
        found.addAll(run.configuration().problems(run.workload(), size.experts()));
        for (PeerScores.Score score : run.scores()) {
            if (score.windowsScored() < 1 || score.windowsScored() > size.windows() - 1) {
                found.add("--peers has " + score.windowsScored() + " windows scored by " + score.policy() + " on "
                        + run.workload() + ", which has " + size.windows() + " windows");
            }
        }
    }
}
