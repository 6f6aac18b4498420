package dev.plimsoll.wire.kafka;

import java.time.Duration;

/**
 * How often a loop does what it does rarely.
 *
 * @param quarantined between two tries of a partition that is left alone
 * @param logLook between two looks at which log the input is
 */
record Pace(Duration quarantined, Duration logLook) {
    static final Pace USUAL = new Pace(Duration.ofMinutes(1), Duration.ofSeconds(30));
}
