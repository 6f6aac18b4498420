package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.KeptPlacement;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanRestart;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.kafka.TopicReader;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlanStartTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final long NOW = 1_800_000_000_000L;

    private final Membership members = members(7);
    private final Placement start = members.start();
    private final Batch second =
            new Batch(1, List.of(new Move(new LayerId(1), new SlotId(11), new ExpertId(5), new SlotId(5))));
    private final Placement before =
            start.with(4, List.of(new Move(new LayerId(0), new SlotId(3), new ExpertId(1), new SlotId(1))));
    private final Placement now = before.withBatches(9, List.of(second));

    private static Membership members(long incarnation) {
        return new Membership(
                DEPLOYMENT,
                incarnation,
                ModelShape.of("small", 8, 1, 0, 2),
                Topology.even(4, 2, 3),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                4,
                8,
                10,
                40);
    }

    private KeptPlacement kept(Optional<PlanRestart> restart) {
        KeptPlacement kept = new KeptPlacement();
        for (int layer = 0; layer < 2; layer++) {
            int of = layer;
            SettledPlacement record = SettledPlacement.of(DEPLOYMENT, 7, now, layer, now.hash());
            kept.add(restart.map(at -> record.restartingAt(at.beside(now.marked()[of], before.marked()[of])))
                    .orElse(record));
        }
        return kept;
    }

    private static PlanRestart restart() {
        return new PlanRestart(LongVector.of(40, 50), 900, 4, 3, 77, 9);
    }

    @Test
    void aRankThatComesLateIsToldTheLastDecisionsOnThePlacementThatTheyWereMadeOn() {
        PlanStart from = PlanStart.of(members, kept(Optional.of(restart())), 1_000, NOW);

        assertThat(from.settled()).isEqualTo(before);
        assertThat(from.from()).isEqualTo(new TopicReader.Start.At(LongVector.of(40, 50), 900));
        Orders.Taken proposed = Orders.begin(members, from.settled())
                .take(new PlanCommand.Propose(
                        new PlanHeader(DEPLOYMENT, 7, 3, 76),
                        9,
                        4,
                        PlanHash.of(now, List.of(second)),
                        List.of(second),
                        1,
                        0.5,
                        0.9,
                        "plimsoll",
                        "test"));
        Orders.Taken settled = proposed.next()
                .take(new PlanCommand.Settled(new PlanHeader(DEPLOYMENT, 7, 3, 77), 9, 1, true, now.hash()));
        assertThat(List.of(proposed.fault(), settled.fault())).containsOnly("");
        assertThat(settled.next().settled()).isEqualTo(now);
        assertThat(settled.next().again(9)).isPresent();
    }

    @Test
    void anIncarnationThatNoPlannerHasBegunIsReadFromTheEndOfTheLog() {
        PlanStart from = PlanStart.of(members(8), kept(Optional.of(restart())), 1_000, NOW);

        assertThat(from.from()).isEqualTo(TopicReader.Start.At.offset(1_000));
        assertThat(from.settled()).isEqualTo(members(8).start());
    }

    @Test
    void whatAnEarlierReleaseKeptIsReadAsEver() {
        assertThat(PlanStart.of(members, kept(Optional.empty()), 1_000, NOW).from())
                .isEqualTo(new TopicReader.Start.Beginning());
        KeptPlacement torn = kept(Optional.of(restart()));
        torn.add(SettledPlacement.of(DEPLOYMENT, 7, now.withVersion(10), 1, 1));
        assertThat(PlanStart.of(members, torn, 1_000, NOW).from()).isEqualTo(new TopicReader.Start.Beginning());
    }
}
