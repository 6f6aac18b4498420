package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WeightPatternTest {

    @Test
    void aWordTellsItsOwner() {
        SplitMix random = new SplitMix(1);
        for (int i = 0; i < 1000; i++) {
            int layer = random.nextInt(4096);
            int expert = random.nextInt(1 << 15);
            int index = random.nextInt(WeightPattern.MAX_WORDS);

            assertThat(WeightPattern.owner(WeightPattern.word(layer, expert, index)))
                    .isEqualTo("layer " + layer + " expert " + expert + " word " + index);
        }
    }

    @Test
    void freshMemoryIsNobodysWeights() {
        assertThat(WeightPattern.owner(0)).isEqualTo("nobody's word 0x0");
    }
}
