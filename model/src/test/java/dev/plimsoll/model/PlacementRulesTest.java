package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PlacementRulesTest {
    private static final ModelShape SHAPE = ModelShape.of("tiny", 6, 2, 0, 3);
    private static final Topology TOPOLOGY = Topology.even(4, 2, 2);
    private static final Membership MEMBERS = new Membership(
            new Deployment("d"), 1, SHAPE, TOPOLOGY, "test", Phase.DECODE, GatherMode.HOST, 4, 16, 100, 200);
    private static final Placement SETTLED = Placement.initial(SHAPE, TOPOLOGY);

    @Test
    void anExpertWithoutASlotIsFound() {
        assertThat(PlacementRules.violations(changed(5, 0), SHAPE, TOPOLOGY))
                .containsExactly("layer 1 has no slot for expert 5");
    }

    @Test
    void anExpertTwiceOnARankIsFound() {
        assertThat(PlacementRules.violations(changed(7, 0), SHAPE, TOPOLOGY))
                .containsExactly("layer 1 rank 3 holds expert 0 twice");
    }

    @Test
    void anExpertOutOfRangeIsFound() {
        assertThat(PlacementRules.violations(changed(7, 6), SHAPE, TOPOLOGY))
                .containsExactly("layer 1 slot 7 holds expert 6 of 6");
    }

    @Test
    void anotherShapeIsFound() {
        assertThat(PlacementRules.violations(SETTLED, ModelShape.of("m", 6, 2, 0, 2), TOPOLOGY))
                .hasSize(1);
        assertThat(PlacementRules.violations(SETTLED, SHAPE, Topology.even(2, 1, 3)))
                .hasSize(1);
    }

    @Test
    void aSoundDecisionIsAccepted() {
        assertThat(PlacementRules.violations(
                        propose(List.of(batch(1, move(0, 6, 3, 3), move(0, 7, 4, 4)))), SETTLED, MEMBERS))
                .isEmpty();
    }

    @Test
    void aSwapThroughStagingIsAccepted() {
        assertThat(PlacementRules.violations(
                        propose(List.of(batch(1, move(2, 0, 2, 2), move(2, 2, 0, 0)))), SETTLED, MEMBERS))
                .isEmpty();
    }

    @Test
    void aDecisionOnAnotherVersionIsRefused() {
        assertThat(PlacementRules.violations(
                        propose(List.of(batch(1, move(0, 6, 3, 3)))), SETTLED.withVersion(1), MEMBERS))
                .singleElement()
                .asString()
                .contains("based on v0, settled is v1");
    }

    @Test
    void aSourceThatDoesNotHoldTheExpertIsFound() {
        assertRefused("slot 4 of layer 0 does not hold expert 3", batch(1, move(0, 6, 3, 4)));
    }

    @Test
    void aMoveOfWhatIsThereAlreadyIsFound() {
        assertRefused("slot 6 of layer 0 holds expert 0 already", batch(1, move(0, 6, 0, 0)));
    }

    @Test
    void aBatchThatOverflowsStagingIsFound() {
        assertRefused(
                "batch 1 brings more than 2 experts to rank 3",
                batch(1, move(0, 6, 3, 3), move(0, 7, 4, 4), move(1, 6, 3, 3)));
    }

    @Test
    void aLayerInTwoBatchesIsFound() {
        assertRefused("layer 0 is in more than one batch", batch(1, move(0, 6, 3, 3)), batch(2, move(0, 7, 4, 4)));
    }

    @Test
    void batchesOutOfOrderAreFound() {
        assertRefused("batch number 2 at place 1", batch(2, move(0, 6, 3, 3)));
    }

    @Test
    void movesOutOfBoundsAreFoundAndNeverThrow() {
        assertRefused("out of bounds", batch(1, move(9, 6, 3, 3)));
        assertRefused("out of bounds", batch(1, move(0, 60, 3, 3)));
        assertRefused("out of bounds", batch(1, move(0, 6, 30, 3)));
        assertRefused("out of bounds", batch(1, move(0, 6, 3, 30)));
    }

    @Test
    void aHashThatIsNotThatOfTheResultIsFound() {
        PlanCommand.Propose honest = propose(List.of(batch(1, move(0, 6, 3, 3))));

        assertThat(PlacementRules.violations(withHash(honest, honest.planHash() + 1), SETTLED, MEMBERS))
                .singleElement()
                .asString()
                .contains("it promises");
    }

    @Test
    void anEngineThatMovesWeightsItselfIsGivenOneMapOfAnySize() {
        Membership moving = MEMBERS.withTraits(EngineTraits.USUAL.withMovesWeights(true));
        Batch more = batch(1, move(0, 6, 3, 3), move(0, 7, 4, 4), move(1, 6, 3, 3)); // than two fit staging

        assertThat(PlacementRules.violations(propose(List.of(more)), SETTLED, moving))
                .isEmpty();
        assertThat(PlacementRules.violations(
                        propose(List.of(batch(1, move(0, 6, 3, 3)), batch(2, move(1, 7, 4, 4)))), SETTLED, moving))
                .singleElement()
                .asString()
                .contains("2 batches", "it takes one batch of moves");
    }

    @Test
    void anExpertWhoseSlotsAreAllIdleIsFound() {
        BitSet[] idle = {new BitSet(), BitSet.valueOf(new long[] {0b0100_0001})};

        assertThat(PlacementRules.violations(Placement.of(0, SETTLED.toArray(), idle), SHAPE, TOPOLOGY))
                .containsExactly("layer 1 has no slot in use for expert 0");
    }

    @Test
    void anIdleSlotMayBeTheSourceOfAMove() {
        Placement settled = SETTLED.with(0, new Batch(1, List.of(), List.of(toSwitch(0, 6, false))));
        Batch batch = new Batch(1, List.of(move(0, 2, 0, 6), move(0, 0, 2, 2)), List.of());
        PlanCommand.Propose propose =
                withHash(propose(List.of(batch)), PlanHash.of(settled.with(1, batch), List.of(batch)));

        assertThat(PlacementRules.violations(propose, settled, MEMBERS)).isEmpty();
    }

    @Test
    void anEngineThatCannotLeaveSlotsIdleIsNotAskedTo() {
        Batch batch = new Batch(1, List.of(), List.of(toSwitch(0, 6, false)));
        PlanCommand.Propose propose =
                withHash(propose(List.of(batch)), PlanHash.of(SETTLED.with(1, batch), List.of(batch)));

        assertThat(PlacementRules.violations(propose, SETTLED, MEMBERS))
                .containsExactly("slot 6 of layer 0 is to stand idle, and test cannot leave slots idle");
        assertThat(PlacementRules.violations(propose, SETTLED, MEMBERS.withIdleSlots(true)))
                .isEmpty();
    }

    private static Switch toSwitch(int layer, int slot, boolean inUse) {
        return new Switch(new LayerId(layer), new SlotId(slot), inUse);
    }

    @Test
    void randomlyBrokenPlacementsAreAlwaysFound() {
        for (long seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            int[][] experts = SETTLED.toArray();
            int layer = random.nextInt(3);
            int rank = random.nextInt(4);
            String broken;
            if (random.nextBoolean()) {
                experts[layer][2 * rank + 1] = experts[layer][2 * rank];
                broken = "twice on rank " + rank;
            } else {
                int expert = 2 + random.nextInt(4);
                experts[layer][expert] = (expert + 1) % 6;
                broken = "expert " + expert + " lost";
            }
            assertThat(PlacementRules.violations(Placement.of(1, experts), SHAPE, TOPOLOGY))
                    .as("seed %d: %s", seed, broken)
                    .isNotEmpty();
        }
    }

    private static void assertRefused(String why, Batch... batches) {
        assertThat(PlacementRules.violations(propose(List.of(batches)), SETTLED, MEMBERS))
                .anySatisfy(line -> assertThat(line).contains(why));
    }

    private static Placement changed(int slot, int expert) {
        int[][] experts = SETTLED.toArray();
        experts[1][slot] = expert;
        return Placement.of(0, experts);
    }

    private static Batch batch(int number, Move... moves) {
        return new Batch(number, List.of(moves));
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    private static PlanCommand.Propose propose(List<Batch> batches) {
        List<Move> moves = new ArrayList<>();
        batches.forEach(batch -> moves.addAll(batch.moves()));
        boolean inBounds = moves.stream()
                .allMatch(move -> move.layer().index() < 3 && move.slot().index() < 8);
        long hash = inBounds ? PlanHash.of(SETTLED.with(1, moves), batches) : 0;
        return new PlanCommand.Propose(
                new PlanHeader(new Deployment("d"), 1, 1, 1), 1, 0, hash, batches, 0, 0.5, 0.9, "test", "test");
    }

    private static PlanCommand.Propose withHash(PlanCommand.Propose propose, long hash) {
        return new PlanCommand.Propose(propose.header(), 1, 0, hash, propose.batches(), 0, 0.5, 0.9, "test", "test");
    }
}
