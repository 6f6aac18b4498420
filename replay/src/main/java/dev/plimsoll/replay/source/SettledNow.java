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
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What a deployment is settled on now, as far as the topics say.
 *
 * @param placement empty where no version has settled yet, or none is whole
 * @param newestVersion of which any record is there
 * @param settledAtMillis when the placement was written
 */
public record SettledNow(
        Membership members, Optional<Placement> placement, OptionalInt newestVersion, OptionalLong settledAtMillis) {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    /**
     * Reads what is committed, of the deployment's partition alone; joins no group.
     *
     * @param incarnation the newest when empty
     * @throws IOException when the topics do not know the deployment, or that incarnation of it
     */
    public static SettledNow read(KafkaSettings kafka, Deployment deployment, OptionalLong incarnation)
            throws IOException {
        try (PastRecords records = new PastRecords(kafka, deployment, TIMEOUT)) {
            Membership members = Memberships.of(records, records.whole(Topic.MEMBERS), incarnation);
            SettledLayers layers = new SettledLayers(members);
            TreeMap<Integer, Long> atMillis = new TreeMap<>();
            try (PastRecords.Reading<SettledPlacement> reading =
                    records.read(Topic.PLACEMENTS, records.whole(Topic.PLACEMENTS), unreadable -> {})) {
                for (var next = reading.next(); next.isPresent(); next = reading.next()) {
                    layers.add(next.get().value());
                    atMillis.put(next.get().value().version(), next.get().timestampMillis());
                }
            }
            Optional<Placement> placement = layers.newest();
            Optional<Long> at = placement.map(settled -> atMillis.get(settled.version()));
            return new SettledNow(
                    members,
                    placement,
                    layers.newestVersion(),
                    at.map(OptionalLong::of).orElse(OptionalLong.empty()));
        }
    }
}
