package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PlanHashTest {
    /** Two layers; experts 0 and 1 are in slots 0, 4 and 1, 5. */
    private static final Placement BASE = Placement.initial(ModelShape.of("tiny", 4, 1, 0, 2), Topology.even(3, 1, 2));

    private static final Batch FIRST = new Batch(1, List.of(move(0, 4, 2, 2), move(0, 2, 0, 0)));
    private static final Batch SECOND =
            new Batch(2, List.of(move(1, 5, 3, 3)), List.of(new Switch(new LayerId(1), new SlotId(4), false)));

    @Test
    void proposalsThatDifferInASourceOnlyHaveDifferentHashes() {
        Batch other = new Batch(1, List.of(move(0, 4, 2, 2), move(0, 2, 0, 4)));

        assertThat(BASE.with(1, FIRST)).isEqualTo(BASE.with(1, other));
        assertThat(hash(1, FIRST)).isNotEqualTo(hash(1, other));
    }

    @Test
    void orderOfMovesAndTheCutIntoBatchesCount() {
        Batch turned = new Batch(1, List.of(move(0, 2, 0, 0), move(0, 4, 2, 2)));
        Batch together = new Batch(1, List.of(move(0, 4, 2, 2), move(0, 2, 0, 0), move(1, 5, 3, 3)), SECOND.switches());

        assertThat(List.of(hash(1, FIRST, SECOND), hash(1, turned, SECOND), hash(1, together), hash(2, FIRST, SECOND)))
                .doesNotHaveDuplicates();
        assertThat(BASE.withBatches(1, List.of(FIRST, SECOND))).isEqualTo(BASE.with(1, together));
    }

    /** Made from the text by another program. */
    @Test
    void hashIsWhatItsTextSaysByteForByte() {
        assertThat(hash(1, FIRST, SECOND)).isEqualTo(0x5b994169a153e724L);
    }

    @Test
    void pastPlansMayHaveTheHashOfTheirTargetAndNoOther() {
        Placement target = BASE.withBatches(1, List.of(FIRST, SECOND));
        List<Batch> batches = List.of(FIRST, SECOND);

        assertThat(PlanHash.isOfPast(target.hash(), target, batches)).isTrue();
        assertThat(PlanHash.isOfPast(hash(1, FIRST, SECOND), target, batches)).isTrue();
        assertThat(PlanHash.isOfPast(hash(1, FIRST), target, batches)).isFalse();
        assertThat(PlanHash.isOfPast(target.hash() + 1, target, batches)).isFalse();
    }

    private static long hash(int epoch, Batch... batches) {
        return PlanHash.of(BASE.withBatches(epoch, List.of(batches)), List.of(batches));
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }
}
