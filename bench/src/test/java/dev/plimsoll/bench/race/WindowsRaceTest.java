package dev.plimsoll.bench.race;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.bench.WindowsRace;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short race of everybody: on a real broker, each contestant in a process of its own. */
class WindowsRaceTest {
    @TempDir
    private Path scratch;

    @Test
    void everyContestantPublishesExactlyTheWindowsThatTheSamplesMake() throws Exception {
        WindowsRace race = WindowsRace.found().orElseThrow();

        WindowsRace.Result result = race.run(
                new WindowsRace.Settings(
                        List.of(8),
                        List.of(3),
                        List.of(2),
                        3,
                        2,
                        8,
                        2,
                        1,
                        Duration.ofSeconds(1),
                        Duration.ZERO,
                        List.of(),
                        Optional.of(scratch),
                        Optional.empty()),
                line -> {});

        assertThat(result.wrong()).isEmpty();
        JsonNode configuration = new ObjectMapper().readTree(result.json()).at("/configurations/0");
        assertThat(configuration.at("/windows").asLong()).isGreaterThan(100);
        for (String contestant : race.contestants()) {
            JsonNode one = configuration.at("/contestants/" + contestant);
            assertThat(one.at("/exact").asBoolean()).isTrue();
            assertThat(one.at("/windowsChecked").asLong())
                    .isEqualTo(configuration.at("/windows").asLong());
            assertThat(one.at("/cpuSecondsPerMillionSamples/median").asDouble()).isPositive();
            assertThat(one.at("/allocatedBytesPerSample/median").asDouble()).isPositive();
            assertThat(one.at("/brokerBytesInPerInputByte/median").asDouble()).isPositive();
            Stream.of(Measure.values())
                    .forEach(measure -> assertThat(one.has(measure.key())).isTrue());
        }
        assertThat(configuration.at("/ratio/streams/recordsPerSecond").asDouble())
                .isPositive();
        assertThat(result.text().lines()).allMatch(line -> line.length() <= 110);
    }
}
