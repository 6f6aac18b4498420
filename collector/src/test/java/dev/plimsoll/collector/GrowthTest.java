package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Counters;
import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GrowthTest {
    private static final BigInteger MOST = BigInteger.valueOf(Long.MAX_VALUE);
    private static final long[] EDGES = {
        0, 1, Integer.MAX_VALUE, 1L << 31, 1L << 32, Long.MAX_VALUE - 1, Long.MAX_VALUE, Long.MIN_VALUE, -2, -1
    };

    @Test
    void differenceIsRefusedExactlyWhenACounterFellOrGrewByMoreThanASampleCanSay() {
        for (long now : EDGES) {
            for (long before : EDGES) {
                BigInteger difference = unsigned(now).subtract(unsigned(before));
                boolean sayable = difference.signum() >= 0 && difference.compareTo(MOST) <= 0;
                long bits = Growth.bits(new long[] {7, now}, 1, new long[] {before}, 0, 1);

                assertThat(bits >= 0).as("%s to %s", before, now).isEqualTo(sayable);
                if (sayable) {
                    assertThat(bits).as("%s to %s", before, now).isEqualTo(difference.longValueExact());
                }
            }
        }
    }

    @Test
    void packedDifferencesAreTheCountersOfTheSameNumbers() {
        Random random = new Random(1);
        for (int trial = 0; trial < 2_000; trial++) {
            int count = 1 + random.nextInt(40);
            int at = random.nextInt(5);
            int from = random.nextInt(5);
            int most = 1 + random.nextInt(62);
            long[] now = new long[at + count];
            long[] before = new long[from + count];
            long[] expected = new long[count];
            for (int i = 0; i < count; i++) {
                expected[i] = random.nextLong() >>> (64 - most);
                before[from + i] = random.nextLong() >>> 1;
                now[at + i] = before[from + i] + expected[i];
            }
            Counters counters = Counters.of(expected);
            byte[] bytes = new byte[3 + count * counters.width()];

            long bits = Growth.bits(now, at, before, from, count);
            Growth.pack(now, at, before, from, count, counters.width(), bytes, 3);

            assertThat(Counters.width(bits)).as("trial %d", trial).isEqualTo(counters.width());
            assertThat(Counters.view(bytes, 3, count, counters.width()))
                    .as("trial %d", trial)
                    .isEqualTo(counters);
        }
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }
}
