package dev.plimsoll.bench.race;

import java.util.stream.Stream;

/**
 * What a contestant's JVM has used since it started.
 *
 * @param cpuNanos processor time of all its threads
 * @param allocated bytes of objects that its live threads have made
 * @param sent bytes that its Kafka clients have written to sockets
 * @param received bytes that its Kafka clients have read from sockets
 * @param compilerNanos processor time of the JVM's compilers, part of {@code cpuNanos}; 0 where the system does not tell
 * @param collectorNanos processor time of its garbage collector, likewise
 */
record Reading(long cpuNanos, long allocated, long sent, long received, long compilerNanos, long collectorNanos) {
    /** Begins its line, as the JVM may say something of its own. */
    static final String PREFIX = "reading ";

    static final Reading NOTHING = new Reading(0, 0, 0, 0, 0, 0);

    String line() {
        return PREFIX + cpuNanos + " " + allocated + " " + sent + " " + received + " " + compilerNanos + " "
                + collectorNanos;
    }

    static Reading of(String line) {
        long[] parts = Stream.of(line.substring(PREFIX.length()).split(" ", -1))
                .mapToLong(Long::parseLong)
                .toArray();
        return new Reading(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
    }

    Reading minus(Reading before) {
        return new Reading(
                cpuNanos - before.cpuNanos,
                allocated - before.allocated,
                sent - before.sent,
                received - before.received,
                compilerNanos - before.compilerNanos,
                collectorNanos - before.collectorNanos);
    }
}
