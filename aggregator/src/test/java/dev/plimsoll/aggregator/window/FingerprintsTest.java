package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FingerprintsTest {
    @Test
    void theyHoldWhatASetHoldsInAtMostThirtyTwoBytesEach() {
        Random random = new Random(3);
        Set<Long> expected = new HashSet<>();
        Fingerprints fingerprints = new Fingerprints();
        for (int i = 0; i < 100_000; i++) {
            long hash = random.nextInt(4) == 0 ? random.nextInt(1000) : random.nextLong();
            assertThat(fingerprints.contains(hash)).isEqualTo(expected.contains(hash));
            assertThat(fingerprints.add(hash)).isEqualTo(expected.add(hash));
            assertThat(fingerprints.contains(hash)).isTrue();
        }

        assertThat(expected).contains(0L);
        assertThat(fingerprints.bytes()).isLessThanOrEqualTo(32L * expected.size());
    }
}
