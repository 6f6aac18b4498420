package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class ValuesTest {
    @Test
    void aDeploymentIsAReadableNameAndNothingElse() {
        assertThat(new Deployment("r1/decode-0").toString()).isEqualTo("r1/decode-0");
        for (String bad : List.of("", " ", "-a", "a b", "a\nb", "a".repeat(201), "é")) {
            assertThatIllegalArgumentException().as("'%s'", bad).isThrownBy(() -> new Deployment(bad));
        }
    }

    @Test
    void controlCharactersOfABadDeploymentDoNotReachTheMessage() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Deployment("a\u001b[31m\nb"))
                .withMessageNotContaining("\u001b")
                .withMessageNotContaining("\n");
    }

    @Test
    void aRangeOfStepsExcludesItsBeginAndIncludesItsEnd() {
        StepRange range = new StepRange(16, 32);

        assertThat(range.length()).isEqualTo(16);
        assertThat(range.contains(new StepRange(16, 24))).isTrue();
        assertThat(range.contains(new StepRange(15, 24))).isFalse();
        assertThatIllegalArgumentException().isThrownBy(() -> new StepRange(5, 5));
    }

    @Test
    void ranksAreSpreadOverNodesInBlocks() {
        Topology topology = Topology.even(6, 3, 2);

        assertThat(topology.nodeOfRank()).containsExactly(0, 0, 1, 1, 2, 2);
        assertThat(topology.rankOf(new SlotId(11))).isEqualTo(new RankId(5));
        assertThat(topology.sameNode(new RankId(2), new RankId(3))).isTrue();
        assertThatIllegalArgumentException().isThrownBy(() -> Topology.even(6, 4, 2));
        assertThatIllegalArgumentException().isThrownBy(() -> topology.rankOf(new SlotId(12)));
    }

    @Test
    void aMembershipWhoseScheduleDoesNotFitIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> members(16, 40, 8))
                .withMessageContaining("40 steps must be a multiple of the boundary interval of 16");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> members(16, 64, 1))
                .withMessageContaining("4 slots cannot hold 6 experts");
        assertThat(members(16, 64, 2).boundariesPerWindow()).isEqualTo(4);
        assertThat(members(16, 64, 2).stagedExpertsPerRank()).isEqualTo(2);
        assertThat(members(16, 64, 2)
                        .withTraits(EngineTraits.USUAL.withMovesWeights(true))
                        .incomingPerRank())
                .as("the engine's own affair")
                .isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void noLifeBeginsWithAnExpertTwiceOnARankThoughOldRecordsOfThatAreRead() {
        assertThat(members(16, 64, 6).startable().topology().slotsPerRank()).isEqualTo(6);
        Membership stored = members(16, 64, 7);
        assertThatIllegalArgumentException()
                .isThrownBy(stored::startable)
                .withMessageContaining("7 slots on a rank for 6 experts");
    }

    @Test
    void noLifeBeginsWithANameThatDoesSomethingToATerminal() {
        for (String bad : List.of("a\nb", "a\u001b[31m", "a\u0000", "a\u009b31m", "x".repeat(201))) {
            assertThatIllegalArgumentException()
                    .as("'%s'", bad)
                    .isThrownBy(() -> members(16, 64, 2, bad).startable())
                    .withMessageNotContaining("\u001b")
                    .withMessageNotContaining("\n");
            assertThatIllegalArgumentException()
                    .as("'%s'", bad)
                    .isThrownBy(() -> named(bad).startable())
                    .withMessageNotContaining("\u001b")
                    .withMessageNotContaining("\n");
        }
        assertThat(members(16, 64, 2, "vLLM 0.12, Größe L").startable().engine())
                .isEqualTo("vLLM 0.12, Größe L");
    }

    @Test
    void moreLayersThanAnyModelHasAreRefusedBeforeTheyAreListed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelShape.of("m", 6, 2, 0, Integer.MAX_VALUE))
                .withMessageContaining("2147483647 mixture-of-experts layers: at most 4096");
        assertThat(ModelShape.of("m", 6, 2, 3, ModelShape.MOST_LAYERS).layers()).isEqualTo(4096);
    }

    @Test
    void layersNeedNotFollowEachOther() {
        assertThat(new ModelShape("m", 6, 2, List.of(0, 2, 4)).layers()).isEqualTo(3);
    }

    @Test
    void slotsThatCannotBeNumberedAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Topology.even(1024, 1, Integer.MAX_VALUE))
                .withMessageContaining("1024 ranks × 2147483647 slots");
    }

    @Test
    void incarnationInMicrosecondsIsAheadOfTheClockAndACountedOneIsNot() {
        long now = 1_795_367_122_443L;

        assertThat(Membership.aheadOfClock(1, now)).isFalse();
        assertThat(Membership.aheadOfClock(now + 24 * 3_600_000L, now)).isFalse();
        assertThat(Membership.aheadOfClock(now + 24 * 3_600_000L + 1, now)).isTrue();
        assertThat(Membership.aheadOfClock(now * 1000, now)).isTrue();
        assertThat(Membership.aheadOfClock(Long.MAX_VALUE, now)).isTrue();
    }

    @Test
    void aSampleMustHaveThePromisedNumberOfCounters() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> sample(Counters.of(1, 2, 3)))
                .withMessageContaining("load has 3 counters, its layout says 2 × 2 × 1");
        assertThatIllegalArgumentException().isThrownBy(() -> sample(Counters.of(1, 2, 3, -4)));
        assertThat(sample(Counters.of(1, 2, 3, 4)).load(1, 0, 0)).isEqualTo(3);
    }

    @Test
    void vectorsAreValues() {
        long[] values = {1, 2, 3};
        LongVector vector = LongVector.of(values);
        values[0] = 9;

        assertThat(vector).isEqualTo(LongVector.of(1, 2, 3)).hasSameHashCodeAs(LongVector.of(1, 2, 3));
        assertThat(vector.sum()).isEqualTo(6);
        assertThat(vector.slice(1, 3)).isEqualTo(LongVector.of(2, 3));
    }

    @Test
    void aStateReadsAsAVersionAndWhatIsInFlight() {
        assertThat(PlacementState.settled(3)).hasToString("v3");
        assertThat(new PlacementState(3, 4, 2)).hasToString("v3+4.2");
        assertThatIllegalArgumentException().isThrownBy(() -> new PlacementState(3, 0, 1));
    }

    private static Membership members(int boundary, int window, int slotsPerRank) {
        return members(boundary, window, slotsPerRank, "test");
    }

    private static Membership named(String model) {
        return new Membership(
                new Deployment("d"),
                1,
                ModelShape.of(model, 6, 2, 0, 1),
                Topology.even(4, 1, 2),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                16,
                64,
                100,
                200);
    }

    private static Membership members(int boundary, int window, int slotsPerRank, String engine) {
        return new Membership(
                new Deployment("d"),
                1,
                ModelShape.of("m", 6, 2, 0, 1),
                Topology.even(4, 1, slotsPerRank),
                engine,
                Phase.DECODE,
                GatherMode.HOST,
                boundary,
                window,
                100,
                200);
    }

    private static LoadSample sample(Counters load) {
        return new LoadSample(
                new Deployment("d"),
                1,
                new StepRange(0, 16),
                Phase.DECODE,
                "test",
                0,
                2,
                0,
                2,
                1,
                PlacementState.settled(0),
                false,
                LongVector.empty(),
                load);
    }
}
