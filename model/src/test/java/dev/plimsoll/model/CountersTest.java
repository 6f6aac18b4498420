package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Packed counters are numbers, whatever their width and wherever they stand. */
class CountersTest {
    private final Random random = new Random(7);

    @Test
    void countersAreTheNumbersThatWerePacked() {
        for (int trial = 0; trial < 2_000; trial++) {
            long[] values = values(random.nextInt(40));
            Counters counters = elsewhere(Counters.of(values));

            assertThat(counters.toArray()).isEqualTo(values);
            assertThat(counters.bits()).isEqualTo(Arrays.stream(values).reduce(0, (a, b) -> a | b));
            int from = random.nextInt(values.length + 1);
            int count = random.nextInt(values.length - from + 1);
            assertThat(counters.sum(from, count))
                    .isEqualTo(Arrays.stream(values, from, from + count).sum());
            assertThat(counters).isEqualTo(Counters.of(values)).hasSameHashCodeAs(Counters.of(values));
        }
    }

    @Test
    void aNegativeCounterShowsInTheBits() {
        assertThat(Counters.of(5, -1, 7).bits()).isNegative();
        assertThat(Counters.of(5, 7, -1).bits()).isNegative();
        assertThat(Counters.of(5, Long.MIN_VALUE).bits()).isNegative();
        assertThat(Counters.of(5, 1L << 31).bits()).isPositive();
    }

    @Test
    void countersTakeTheWidthThatTheLargestNeeds() {
        assertThat(Counters.of(0, 65_535).width()).isEqualTo(Counters.SHORT);
        assertThat(Counters.of(0, 65_536).width()).isEqualTo(Counters.INT);
        assertThat(Counters.of(0, Integer.MAX_VALUE).width()).isEqualTo(Counters.INT);
        assertThat(Counters.of(0, 1L << 31).width()).isEqualTo(Counters.LONG);
        assertThat(Counters.of(-1).width()).isEqualTo(Counters.LONG);
    }

    @Test
    void countersAreAddedToThePartsOfLongs() {
        // given
        Counters ints = elsewhere(Counters.of(9, 1, 2, 3, Integer.MAX_VALUE));
        Counters shorts = elsewhere(Counters.of(9, 1, 2, 3, 65_535));
        long[] ofInts = {-1, 0, 5L << 32 | 7};
        long[] ofShorts = {-1, 1L << 48 | 2L << 32 | 3L << 16};

        // when
        ints.addLanes(1, 2, ofInts, 1);
        shorts.addLanes(1, 1, ofShorts, 1);

        // then
        assertThat(ofInts).containsExactly(-1, 2L << 32 | 1, (5L + Integer.MAX_VALUE) << 32 | 10);
        assertThat(ofShorts).containsExactly(-1, (65_535L + 1) << 48 | 5L << 32 | 5L << 16 | 1);
    }

    @Test
    void theChecksumIsOfTheNumbersAndNotOfTheirWidth() {
        for (int trial = 0; trial < 500; trial++) {
            long[] values = values(1 + random.nextInt(30));
            long[] besideALargeOne = Arrays.copyOf(values, values.length + 1);
            besideALargeOne[values.length] = 1L << (16 + random.nextInt(30));
            Counters wide = Counters.of(besideALargeOne);
            Counters narrow = Counters.of(values);

            assertThat(wide.width()).isGreaterThanOrEqualTo(Counters.INT);
            assertThat(wide.checksum(0, values.length)).isEqualTo(narrow.checksum(0, values.length));
            int changed = random.nextInt(values.length);
            values[changed] ^= 1L << random.nextInt(40);
            assertThat(Counters.of(values).checksum(0, values.length)).isNotEqualTo(narrow.checksum(0, values.length));
        }
    }

    @Test
    void aViewLiesInItsArray() {
        assertThatThrownBy(() -> Counters.view(new byte[16], 1, 4, Counters.INT))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Counters.view(new byte[16], 0, 1 << 30, Counters.LONG))
                .isInstanceOf(ArithmeticException.class);
        assertThatIllegalArgumentException().isThrownBy(() -> Counters.view(new byte[16], 0, 1, 3));
        assertThatThrownBy(() -> Counters.of(1, 2).at(2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Counters.of(1, 2).sum(1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Counters.of(1, 2, 3, 4).addLanes(1, 1, new long[1], 0))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    private long[] values(int size) {
        int bits = 1 + random.nextInt(40);
        return random.longs(size, 0, 1L << bits).toArray();
    }

    /** The same at an odd place in a larger array. */
    private Counters elsewhere(Counters counters) {
        int start = random.nextInt(9);
        ByteBuffer bytes = ByteBuffer.allocate(start + counters.size() * counters.width() + 3)
                .order(ByteOrder.BIG_ENDIAN)
                .position(start);
        counters.copyTo(bytes);
        return Counters.view(bytes.array(), start, counters.size(), counters.width());
    }
}
