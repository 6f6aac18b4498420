package dev.plimsoll.bench.race;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** One contestant, a new process, over a log that is already there: from its beginning to the last window. */
final class CatchUp {
    /** How long nothing may become visible. */
    private static final Duration STALLED = Duration.ofSeconds(120);

    private static final Duration POLL = Duration.ofMillis(20);

    /**
     * What it took.
     *
     * @param windows counted between the first poll that saw any and the last window
     * @param samples that these windows are made of
     * @param seconds from the first window to the last
     * @param used from the first window to the last
     * @param warmSamples that the last half of the windows are made of, about
     * @param warm what those took
     * @param startSeconds from the start of the process to the first window
     * @param whole from the start of the process to the last window
     * @param brokerCpuSeconds of the broker meanwhile
     * @param written bytes on disk of all that it wrote
     * @param faults empty when every window is exact
     */
    record Result(
            long windows,
            long samples,
            double seconds,
            Reading used,
            long warmSamples,
            Reading warm,
            double startSeconds,
            Reading whole,
            double brokerCpuSeconds,
            long written,
            List<String> faults) {
        Result {
            faults = List.copyOf(faults);
        }
    }

    private CatchUp() {}

    static Result run(
            Arena arena, RaceShape shape, List<DeploymentLog> logs, Racer racer, long startedNanos, String outputs)
            throws IOException, WireException {
        long expected = shape.windows() * logs.size();
        double brokerBefore = arena.brokerCpuSeconds();
        try (Sightings sightings =
                new Sightings(arena.bootstrapServers(), racer.contestant().summaries(), shape.partitions())) {
            long seen = 0;
            long atFirst = 0;
            long firstNanos = 0;
            Reading first = Reading.NOTHING;
            long atHalf = 0;
            Reading half = Reading.NOTHING;
            long deadline = System.nanoTime() + STALLED.toNanos();
            while (seen < expected) {
                int now = sightings.poll(POLL).size();
                if (now > 0 && seen == 0) {
                    firstNanos = System.nanoTime();
                    first = racer.read();
                    atFirst = now;
                }
                seen += now;
                if (atHalf == 0 && seen >= expected / 2) {
                    half = racer.read();
                    atHalf = seen;
                }
                if (now > 0) {
                    deadline = System.nanoTime() + STALLED.toNanos();
                } else if (System.nanoTime() > deadline || !racer.alive()) {
                    throw new IOException(racer.contestant().label()
                            + (racer.alive() ? " stands still at " : " has ended at ") + seen + " of " + expected
                            + " windows: see " + outputs);
                }
            }
            long lastNanos = System.nanoTime();
            Reading last = racer.read();
            double broker = arena.brokerCpuSeconds() - brokerBefore;
            long written = arena.bytes(name -> !name.equals(Topic.SAMPLES.name()) && !name.startsWith("__"));
            List<String> faults = new WindowVerdict(logs, shape.windows())
                    .faults(arena.bootstrapServers(), racer.contestant(), shape.partitions());
            return new Result(
                    expected - atFirst,
                    (expected - atFirst) * shape.samplesPerWindow(),
                    (lastNanos - firstNanos) / 1e9,
                    last.minus(first),
                    (expected - atHalf) * shape.samplesPerWindow(),
                    last.minus(half),
                    (firstNanos - startedNanos) / 1e9,
                    last,
                    broker,
                    written,
                    faults);
        }
    }
}
