package dev.plimsoll.replay.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What ranks start with, from topics that Kafka compacts while their processes start one after the other: minutes of virtual time. */
class LastSettledTest {
    private static final int HOUR = 60;
    private static final Membership FIRST = new Membership(
            new Deployment("d"),
            1,
            ModelShape.of("m", 3, 1, 1, 2),
            Topology.even(2, 1, 2),
            "e",
            Phase.ALL,
            GatherMode.HOST,
            16,
            32,
            1,
            1);
    private static final Placement SETTLED = Placement.of(9, new int[][] {{0, 1, 2, 1}, {2, 1, 0, 1}});
    private static final Placement LATER = Placement.of(1, new int[][] {{2, 1, 0, 1}, {0, 1, 2, 1}});

    private final Compacted<Membership> members = new Compacted<>();
    private final Compacted<SettledPlacement> placements = new Compacted<>();

    @Test
    void processThatStartsAtAnyTimeAfterOthersStartsWithWhatTheyStartedWith() {
        // given an incarnation that settled something hours before the next one begins
        begins(0, FIRST);
        settles(10, FIRST, SETTLED);
        int start = 5 * HOUR;
        Membership second = second(start);
        assertThat(second.start()).isEqualTo(SETTLED.withVersion(0));

        // when its first process has begun it, and decisions settle
        begins(start, second);
        settles(start, second, second.start());
        settles(start + 5, second, LATER);

        // then whoever comes later starts with the same
        for (int late = 0; late < 8 * HOUR; late++) {
            assertThat(second(start + late)).as("%d minutes late", late).isEqualTo(second);
        }
        assertThat(placements.at(start + 2 * HOUR))
                .as("what had settled before is gone by then")
                .noneMatch(record -> record.incarnation() == 1);
    }

    @Test
    void incarnationThatHadSettledNothingIsFollowedWithWhatItStartedWith() {
        begins(0, FIRST);
        settles(10, FIRST, SETTLED);
        Membership second = second(20);
        begins(20, second);

        assertThat(starting(3, 30).start()).isEqualTo(SETTLED.withVersion(0));
    }

    @Test
    void laterIncarnationIsNotAskedAndWithoutAnyThereIsNothing() {
        begins(0, FIRST);
        settles(10, FIRST, SETTLED);
        begins(20, incarnation(3));

        assertThat(starting(2, 30).start()).isEqualTo(SETTLED.withVersion(0));
        assertThat(LastSettled.of(new TreeMap<>(), 2, before -> Optional.empty()))
                .isEmpty();
    }

    private void begins(int minute, Membership membership) {
        members.append(minute, "d", membership);
    }

    private void settles(int minute, Membership in, Placement placement) {
        for (int layer = 0; layer < placement.layers(); layer++) {
            placements.append(
                    minute,
                    "d/" + layer,
                    SettledPlacement.of(in.deployment(), in.incarnation(), placement, layer, placement.hash()));
        }
    }

    private Membership second(int minute) {
        return starting(2, minute);
    }

    private Membership starting(long incarnation, int minute) {
        TreeMap<Long, Membership> known = new TreeMap<>();
        members.at(minute).forEach(record -> known.put(record.incarnation(), record));
        Placement start = LastSettled.of(known, incarnation, before -> {
                    SettledLayers layers = new SettledLayers(before);
                    placements.at(minute).forEach(layers::add);
                    return layers.newest();
                })
                .orElseThrow()
                .placement();
        return incarnation(incarnation).startingWith(start);
    }

    private static Membership incarnation(long number) {
        return new Membership(
                FIRST.deployment(),
                number,
                FIRST.shape(),
                FIRST.topology(),
                FIRST.engine(),
                FIRST.phase(),
                FIRST.gather(),
                FIRST.boundarySteps(),
                FIRST.windowSteps(),
                FIRST.bytesPerExpert(),
                FIRST.stagingBytesPerRank());
    }

    /** A topic that keeps the newest record of a key, as soon as Kafka may remove the others: once an hour is cut off. */
    private static final class Compacted<T> {
        private record Entry<T>(int minute, String key, T value) {}

        private final List<Entry<T>> entries = new ArrayList<>();

        void append(int minute, String key, T value) {
            entries.add(new Entry<>(minute, key, value));
        }

        List<T> at(int minute) {
            List<Entry<T>> there =
                    entries.stream().filter(entry -> entry.minute() <= minute).toList();
            int active = active(there);
            List<T> kept = new ArrayList<>();
            Set<String> newer = new HashSet<>();
            for (int i = there.size() - 1; i >= 0; i--) {
                if (newer.add(there.get(i).key()) || i >= active) {
                    kept.add(0, there.get(i).value());
                }
            }
            return kept;
        }

        /** The first entry of the segment that is written: a new one begins with a record that comes an hour after its first. */
        private int active(List<Entry<T>> there) {
            int first = 0;
            for (int i = 0; i < there.size(); i++) {
                first = there.get(i).minute() - there.get(first).minute() >= HOUR ? i : first;
            }
            return first;
        }
    }
}
