package dev.plimsoll.replay.source;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.PastRecords;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a deployment's newest incarnation before another one had settled when it ended.
 *
 * @param members the incarnation that has ended
 */
public record LastSettled(Membership members, Placement placement) {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    /**
     * Reads what is committed; joins no group.
     *
     * @param incarnation the one that is about to start
     * @return empty where the topics know no incarnation before, or nothing that it has settled
     */
    public static Optional<LastSettled> before(KafkaSettings kafka, Deployment deployment, long incarnation)
            throws IOException {
        OptionalLong before;
        try (PastRecords records = new PastRecords(kafka, deployment, TIMEOUT)) {
            before = Memberships.before(records, records.whole(Topic.MEMBERS), incarnation);
        }
        if (before.isEmpty()) {
            return Optional.empty();
        }
        SettledNow settled = SettledNow.read(kafka, deployment, before);
        return settled.placement().map(placement -> new LastSettled(settled.members(), placement));
    }
}
