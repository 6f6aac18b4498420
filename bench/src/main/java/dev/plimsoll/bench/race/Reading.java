package dev.plimsoll.bench.race;

/**
 * What a contestant's JVM has used since it started.
 *
 * @param cpuNanos processor time of all its threads
 * @param allocated bytes of objects that its live threads have made
 * @param sent bytes that its Kafka clients have written to sockets
 * @param received bytes that its Kafka clients have read from sockets
 * @param collecting milliseconds that its garbage collections have taken
 */
record Reading(long cpuNanos, long allocated, long sent, long received, long collecting) {
    /** Begins its line, as the JVM may say something of its own. */
    static final String PREFIX = "reading ";

    static final Reading NOTHING = new Reading(0, 0, 0, 0, 0);

    String line() {
        return PREFIX + cpuNanos + " " + allocated + " " + sent + " " + received + " " + collecting;
    }

    static Reading of(String line) {
        String[] parts = line.substring(PREFIX.length()).split(" ", -1);
        return new Reading(
                Long.parseLong(parts[0]),
                Long.parseLong(parts[1]),
                Long.parseLong(parts[2]),
                Long.parseLong(parts[3]),
                Long.parseLong(parts[4]));
    }

    Reading minus(Reading before) {
        return new Reading(
                cpuNanos - before.cpuNanos,
                allocated - before.allocated,
                sent - before.sent,
                received - before.received,
                collecting - before.collecting);
    }
}
