package dev.plimsoll.replay.source;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.PastRecords;
import java.io.IOException;
import java.time.Duration;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.function.Function;

/**
 * What ranks start with that go on where their deployment was: what its newest incarnation had settled when it ended.
 *
 * @param members the incarnation that has ended; the one that starts where others of its processes have begun it
 */
public record LastSettled(Membership members, Placement placement) {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    /**
     * Reads what is committed; joins no group.
     *
     * @param incarnation the one that is about to start
     * @return empty where the topics know no incarnation up to that one
     */
    public static Optional<LastSettled> of(KafkaSettings kafka, Deployment deployment, long incarnation)
            throws IOException {
        try (PastRecords records = new PastRecords(kafka, deployment, TIMEOUT)) {
            NavigableMap<Long, Membership> known = Memberships.upTo(records, records.whole(Topic.MEMBERS), incarnation);
            return of(known, incarnation, members -> settled(records, members));
        }
    }

    /**
     * The same from what the topics have.
     *
     * <p>A process that starts after others of its incarnation takes what they took, which their membership says. What had settled
     * before is overwritten by then, and gone when the topics are compacted: within an hour or so, or at once where it is as old.
     *
     * @param known memberships by incarnation
     * @param settled what an incarnation has settled, as far as the topics say
     */
    static Optional<LastSettled> of(
            NavigableMap<Long, Membership> known, long incarnation, Function<Membership, Optional<Placement>> settled) {
        return Optional.ofNullable(known.floorEntry(incarnation)).map(newest -> {
            Membership members = newest.getValue();
            // Ranks serve what they started with until something has settled, also where no planner has said so.
            Placement placement = members.incarnation() == incarnation
                    ? members.start()
                    : settled.apply(members).orElseGet(members::start);
            return new LastSettled(members, placement);
        });
    }

    private static Optional<Placement> settled(PastRecords records, Membership members) {
        SettledLayers layers = new SettledLayers(members);
        try (PastRecords.Reading<SettledPlacement> reading =
                records.read(Topic.PLACEMENTS, records.whole(Topic.PLACEMENTS), unreadable -> {})) {
            for (var next = reading.next(); next.isPresent(); next = reading.next()) {
                layers.add(next.get().value());
            }
        }
        return layers.newest();
    }
}
