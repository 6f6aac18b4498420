package dev.plimsoll.simulator;

import static dev.plimsoll.simulator.Engines.rank;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.BoundaryHook;
import dev.plimsoll.model.RankId;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Proves that the detector works: every way to flip wrongly is planted and must be seen; a right flip must not. */
class MisroutedTokenTest {
    private static final int LAYER = 1;
    /** Rank 2's last slot: the second replica of expert 0, to become one of expert 7. */
    private static final int SLOT = 8;

    private static final int EXPERT = 7;
    private static final int WORDS = Engines.BYTES / 8;

    private final Engine engine = Engines.engine(new FakeHardware());

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void aRightFlipMisroutesNothingAndMovesLoad() {
        long before = runWith(() -> {
            weights(0, WORDS);
            map(0, 1, 2, 3);
        });

        assertThat(engine.totals().misrouted()).isZero();
        assertThat(engine.firstMisrouted()).isEmpty();
        assertThat(rank(engine, 2).load(LAYER, 2)).isGreaterThan(before);
    }

    @Test
    void aMapFlippedWithoutWeightsIsSeen() {
        runWith(() -> map(0, 1, 2, 3));

        assertThat(engine.totals().misrouted()).isPositive();
        MisroutedToken first = engine.firstMisrouted().get(0);
        assertThat(first.layer()).isEqualTo(LAYER);
        assertThat(first.slot()).isEqualTo(SLOT);
        assertThat(first.expectedExpert()).isEqualTo(EXPERT);
        assertThat(first.found()).isEqualTo("layer 1 expert 0 word " + first.word());
    }

    @Test
    void weightsReplacedWithoutTheMapAreSeen() {
        runWith(() -> weights(0, WORDS));

        assertThat(engine.totals().misrouted()).isPositive();
        assertThat(engine.firstMisrouted().get(0).expectedExpert()).isZero();
        assertThat(engine.firstMisrouted().get(0).found()).startsWith("layer 1 expert 7");
    }

    @Test
    void aFlipOnOneRankOnlyIsSeen() {
        runWith(() -> {
            weights(0, WORDS);
            map(2);
        });

        assertThat(engine.totals().misrouted()).isPositive();
    }

    @Test
    void aFlipOnAllRanksButOneIsSeen() {
        runWith(() -> {
            weights(0, WORDS);
            map(0, 1, 3);
        });

        assertThat(engine.totals().misrouted()).isPositive();
    }

    @Test
    void halfCopiedWeightsAreSeen() {
        runWith(() -> {
            weights(0, WORDS / 2);
            map(0, 1, 2, 3);
        });

        assertThat(engine.totals().misrouted())
                .isPositive()
                .isLessThan(engine.totals().computed());
    }

    /** Words of the experts' three tensors: [0, 16), [16, 28), [28, 32). */
    @Test
    void aTensorThatWasNotCopiedIsSeen() {
        for (int[] copied : new int[][] {{0, 16}, {16, 28}, {28, 32}}) {
            try (Engine torn = Engines.engine(new FakeHardware())) {
                SimulatedRank rank = rank(torn, 2);
                for (int word = copied[0]; word < copied[1]; word++) {
                    rank.memory().put(rank.cell(LAYER, 2), word, WeightPattern.word(LAYER, EXPERT, word));
                }

                torn.run(400);

                assertThat(torn.totals().misrouted())
                        .as("words [%d, %d)", copied[0], copied[1])
                        .isPositive()
                        .isLessThan(torn.totals().computed());
                assertThat(torn.firstMisrouted())
                        .allSatisfy(token -> assertThat(token.word()).isBetween(copied[0], copied[1] - 1));
            }
        }
    }

    @Test
    void tensorsInAnotherOrderAreSeen() {
        runWith(() -> {
            SimulatedRank rank = rank(engine, 2);
            int cell = rank.cell(LAYER, 2);
            rank.compute().launch(() -> {
                // The second and third tensor of the right expert, the smaller one first.
                for (int word = 0; word < WORDS; word++) {
                    int from = word < 16 ? word : word < 20 ? word + 12 : word - 4;
                    rank.memory().put(cell, word, WeightPattern.word(LAYER, EXPERT, from));
                }
            });
            map(0, 1, 2, 3);
        });

        assertThat(engine.totals().misrouted()).isPositive();
        assertThat(engine.firstMisrouted().get(0).found()).startsWith("layer 1 expert 7 word");
    }

    @Test
    void oneTornWordIsSeenWithinAsManyTokensAsTheBufferHasWords() {
        for (int missing = 0; missing < WORDS; missing++) {
            int word = missing;
            try (Engine torn = Engines.engine(new FakeHardware())) {
                SimulatedRank rank = rank(torn, 2);
                rank.memory().put(rank.cell(LAYER, 2), word, 0);

                torn.run(1000);

                long tokens = rank.load(LAYER, 2);
                assertThat(tokens).isGreaterThan(WORDS);
                assertThat(torn.totals().misrouted())
                        .as("word %d", word)
                        .isBetween(tokens / WORDS, tokens / WORDS + 1)
                        .isPositive();
                assertThat(torn.firstMisrouted().get(0).found()).startsWith("nobody's word");
            }
        }
    }

    @Test
    void weightsOfTheSameExpertInAnotherLayerAreSeen() {
        runWith(() -> {
            SimulatedRank rank = rank(engine, 2);
            rank.compute().launch(() -> rank.memory().fill(rank.cell(LAYER, 2), LAYER + 1, EXPERT));
            map(0, 1, 2, 3);
        });

        assertThat(engine.totals().misrouted()).isPositive();
    }

    @Test
    void aTokenThatComesToAnIdleSlotIsMisroutedWhateverWeightsItFinds() {
        // All ranks but one have heard that the slot is idle.
        runWith(() -> List.of(0, 2, 3).forEach(this::idle));

        assertThat(engine.totals().misrouted()).isPositive();
        assertThat(engine.firstMisrouted().get(0).found()).endsWith(", in an idle slot");
    }

    @Test
    void noTokenComesToASlotThatAllRanksKnowToBeIdle() {
        runWith(() -> List.of(0, 1, 2, 3).forEach(this::idle));
        long idle = rank(engine, 2).load(LAYER, 2);
        engine.hook(new RankId(0), step -> BoundaryHook.Order.GO_ON);
        engine.run(800);

        assertThat(engine.totals().misrouted()).isZero();
        assertThat(rank(engine, 2).load(LAYER, 2)).isEqualTo(idle);
    }

    private void idle(int rank) {
        rank(engine, rank).flipMap(LAYER, new int[] {SLOT}, new int[] {0}, new boolean[] {false});
    }

    @Test
    void anExpertThatLostItsLastSlotEndsTheEngine() {
        // Expert 7's only slot is 7, on rank 2.
        engine.hook(new RankId(0), step -> {
            for (int r = 0; r < 4; r++) {
                rank(engine, r).flipMap(LAYER, new int[] {7}, new int[] {0}, new boolean[] {true});
            }
            return BoundaryHook.Order.GO_ON;
        });

        Ending ending = engine.run(1000);

        assertThat(ending.reason()).isEqualTo(Ending.Reason.FAILED);
        assertThat(ending.detail()).contains("layer 1 expert 7 has no slot");
    }

    /** Runs 400 steps with a flip at the first boundary; returns the slot's load at that boundary. */
    private long runWith(Runnable flip) {
        engine.run(Engines.K - 1);
        assertThat(engine.totals().misrouted()).isZero();
        long before = rank(engine, 2).load(LAYER, 2);
        engine.hook(new RankId(0), step -> {
            if (step == Engines.K) {
                flip.run();
            }
            return BoundaryHook.Order.GO_ON;
        });
        assertThat(engine.run(400).reason()).isEqualTo(Ending.Reason.REACHED);
        return before;
    }

    private void weights(int from, int to) {
        SimulatedRank rank = rank(engine, 2);
        int cell = rank.cell(LAYER, 2);
        rank.compute().launch(() -> {
            for (int word = from; word < to; word++) {
                rank.memory().put(cell, word, WeightPattern.word(LAYER, EXPERT, word));
            }
        });
    }

    private void map(int... ranks) {
        for (int r : ranks) {
            rank(engine, r).flipMap(LAYER, new int[] {SLOT}, new int[] {EXPERT}, new boolean[] {true});
        }
    }
}
