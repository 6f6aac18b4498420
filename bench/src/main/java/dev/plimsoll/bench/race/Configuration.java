package dev.plimsoll.bench.race;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How one configuration went.
 *
 * @param inputBytes of the samples topic on disk, which is what contestants have to fetch
 * @param paced what latency was measured on
 * @param standings in the order in which contestants took turns
 * @param pacedRounds rounds of latency and restart
 * @param mostBehindMillis how much the harness was behind its pace at worst
 */
record Configuration(
        RaceShape shape,
        long inputBytes,
        RaceShape paced,
        Map<Contestant, Standing> standings,
        int pacedRounds,
        long mostBehindMillis) {
    Configuration {
        standings = new LinkedHashMap<>(standings);
    }

    /** Of a contestant's median over ours, NaN where one is missing. */
    double ratio(Contestant contestant, Measure measure) {
        return standing(contestant).of(measure).median()
                / standing(Contestant.PLIMSOLL).of(measure).median();
    }

    Standing standing(Contestant contestant) {
        Standing found = standings.get(contestant);
        if (found == null) {
            throw new IllegalArgumentException(contestant + " did not take part");
        }
        return found;
    }

    List<Contestant> contestants() {
        return List.copyOf(standings.keySet());
    }
}
