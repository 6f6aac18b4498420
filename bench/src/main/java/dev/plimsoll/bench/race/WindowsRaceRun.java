package dev.plimsoll.bench.race;

import dev.plimsoll.app.bench.WindowsRace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The race behind {@code plimsoll bench windows}. */
public final class WindowsRaceRun implements WindowsRace {
    @Override
    public List<String> contestants() {
        return Stream.of(Contestant.values()).map(Contestant::label).toList();
    }

    @Override
    public Result run(Settings settings, Consumer<String> progress) throws Exception {
        List<Contestant> contestants = Stream.of(Contestant.values())
                .filter(one -> settings.contestants().isEmpty()
                        || settings.contestants().contains(one.label()))
                .toList();
        boolean temporary = settings.scratch().isEmpty();
        Path directory = temporary
                ? Files.createTempDirectory("plimsoll-race-")
                : made(settings.scratch().orElseThrow());
        if (settings.recordings().isPresent()) {
            made(settings.recordings().orElseThrow());
        }
        List<Configuration> configurations = new ArrayList<>();
        boolean done = false;
        try {
            int count = settings.ranks().size() * settings.partitions().size();
            Duration length = settings.length().dividedBy(count);
            for (int i = 0; i < settings.ranks().size(); i++) {
                for (int partitions : settings.partitions()) {
                    configurations.add(new Rounds(
                                    settings,
                                    settings.ranks().get(i),
                                    settings.nodes().get(i),
                                    partitions,
                                    contestants,
                                    directory,
                                    progress)
                            .run(length));
                }
            }
            done = true;
        } finally {
            if (temporary && done) {
                Arena.remove(directory);
            } else if (!done) {
                progress.accept("logs of all processes are in " + directory);
            }
        }
        RaceReport report = new RaceReport(configurations, settings);
        return new Result(report.text(), report.json(), report.wrong());
    }

    private static Path made(Path directory) throws IOException {
        return Files.createDirectories(directory);
    }
}
