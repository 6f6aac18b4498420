package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.LatestIncarnation;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether a number can begin a life of a deployment. One start with a number in the wrong unit would have every later start by the
 * clock taken for stale, by roles that say nothing about it: so it is refused where it is given.
 */
final class Incarnations {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private Incarnations() {}

    /** Notes a number that is no time in milliseconds, and no count either. */
    static void check(Problems problems, long incarnation) {
        long now = System.currentTimeMillis();
        problems.require(incarnation > 0, "--incarnation must be above 0, not " + incarnation);
        problems.require(
                !Membership.aheadOfClock(incarnation, now),
                "--incarnation " + incarnation + " is more than a day ahead of the clock, which says " + now
                        + " ms: later starts numbered by the clock would all be stale. Give milliseconds (nanoseconds /"
                        + " 1000000, microseconds / 1000), or count starts from 1");
    }

    /** Why a number is too low for a deployment of which a place knows a higher one, with the way back; empty when it is not. */
    static Optional<String> tooLow(Deployment deployment, long incarnation, OptionalLong known, String place) {
        return known.isEmpty() || known.getAsLong() <= incarnation
                ? Optional.empty()
                : Optional.of("incarnation " + incarnation + " of " + deployment + " is lower than " + known.getAsLong()
                        + ", which is in " + place + ": everybody who has read that takes the lower one for stale."
                        + " Start with " + (known.getAsLong() + 1) + " or higher, or, when " + known.getAsLong()
                        + " was a mistake, give the deployment another name (--deployment)");
    }

    /** The same, of what a cluster knows. */
    static Optional<String> tooLow(Lifecycle lifecycle, KafkaSettings kafka, Deployment deployment, long incarnation)
            throws Exception {
        return tooLow(
                deployment,
                incarnation,
                lifecycle.ask("memberships", () -> LatestIncarnation.of(kafka, deployment, TIMEOUT)),
                Topic.MEMBERS.name());
    }
}
