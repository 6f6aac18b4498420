package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is packed is what comes out, whatever the numbers, and it takes little more than its information. */
class SubWindowSumsTest {
    private final Random random = new Random(11);

    @Test
    void sumsOfAnySizeComeBackExactly() {
        for (int trial = 0; trial < 3_000; trial++) {
            int parts = 1 + random.nextInt(16);
            int slots = 1 + random.nextInt(70);
            long[] sums = new long[parts * slots];
            for (int i = 0; i < sums.length; i++) {
                sums[i] = random.nextInt(5) == 0 ? 0 : random.nextLong() >>> (5 + random.nextInt(59));
            }
            LongVector load = total(sums, slots);

            SubWindowSums packed = SubWindowSums.of(load, parts, LongVector.of(sums));

            assertThat(packed.toArray()).isEqualTo(sums);
            SubWindowSums read = SubWindowSums.unpacked(load, parts, bytes(packed));
            assertThat(read).isEqualTo(packed).hasSameHashCodeAs(packed);
            assertThat(read.parts()).isEqualTo(parts);
            assertThat(read.slots()).isEqualTo(slots);
        }
    }

    @Test
    void theFormatIsTheDocumentedOne() {
        // given: a share of 510 / 1000, of which 65536ths are rounded down; two slots in a block
        LongVector load = LongVector.of(1000, 0);

        SubWindowSums sums = SubWindowSums.of(load, 2, LongVector.of(510, 0, 490, 0));

        // then: 33423 = 0x828F; 1000 × 33423 / 65536 = 509.99, so the difference is 1, zigzag 2, in two bits
        assertThat(bytes(sums)).containsExactly(0x8F, 0x82, 0x00, 0x02, 0b0010);
    }

    @Test
    void partOfALayerIsPackedOutOfTheWholeLayersSums() {
        long[] sums = random.longs(4 * 50, 0, 10_000).toArray();
        long[] inside = new long[4 * 30];
        for (int part = 0; part < 4; part++) {
            System.arraycopy(sums, part * 50 + 7, inside, part * 30, 30);
        }
        LongVector load = total(inside, 30);

        assertThat(new SubWindowSums.Packer().pack(load, 4, sums, 7, 50))
                .isEqualTo(SubWindowSums.of(load, 4, LongVector.of(inside)));
    }

    @Test
    void countsLikeThoseOfAPoissonProcessTakeTenBitsOfWhichEightAreInformation() {
        // given: traffic that varies over the window, so that equal shares would be far off
        int parts = 8;
        int slots = 576;
        long[] sums = new long[parts * slots];
        for (int i = 0; i < sums.length; i++) {
            double mean = (1000 + 20.0 * (i % slots)) * (1 + i / slots % 3);
            sums[i] = Math.max(0, Math.round(mean + Math.sqrt(mean) * random.nextGaussian()));
        }

        SubWindowSums packed = SubWindowSums.of(total(sums, slots), parts, LongVector.of(sums));

        double bitsEach = 8.0 * packed.packedBytes() / ((parts - 1) * slots);
        assertThat(bitsEach).isBetween(8.0, 10.5);
    }

    @Test
    void sumsThatDoNotAddUpAreKeptAsTheyAre() {
        LongVector load = LongVector.of(10, 10);
        for (LongVector sums :
                List.of(LongVector.of(5, 5, 5, 4), LongVector.of(5, 5, 5, 6), LongVector.of(90, 0, 0, 0))) {
            SubWindowSums packed = SubWindowSums.of(load, 2, sums);

            assertThat(packed.toArray()).isEqualTo(sums.toArray());
            assertThat(SubWindowSums.unpacked(load, 2, bytes(packed))).isEqualTo(packed);
        }
    }

    @Test
    void negativeSumsAndOthersThanAsManyAsThereAreSlotsAreRefused() {
        LongVector load = LongVector.of(10, 10);
        assertThatIllegalArgumentException().isThrownBy(() -> SubWindowSums.of(load, 2, LongVector.of(11, 5, -1, 5)));
        assertThatIllegalArgumentException().isThrownBy(() -> SubWindowSums.of(load, 2, LongVector.of(5, 5)));
    }

    @Test
    void bytesThatAreNoSumsAreRefusedAndAllocateLittle() {
        LongVector load = LongVector.of(9, 9, 9);
        byte[] packed = bytes(SubWindowSums.of(load, 3, LongVector.of(1, 2, 3, 4, 5, 6, 4, 2, 0)));
        assertThatIllegalArgumentException().isThrownBy(() -> SubWindowSums.unpacked(load, 1 << 30, packed));
        assertThatIllegalArgumentException().isThrownBy(() -> SubWindowSums.unpacked(load, -1, packed));
        assertThatIllegalArgumentException().isThrownBy(() -> SubWindowSums.unpacked(load, 0, packed));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SubWindowSums.unpacked(load, 3, Arrays.copyOf(packed, packed.length - 1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SubWindowSums.unpacked(load, 3, Arrays.copyOf(packed, packed.length + 1)));
        for (int trial = 0; trial < 5_000; trial++) {
            byte[] mutated = packed.clone();
            mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
            try {
                assertThat(Arrays.stream(
                                SubWindowSums.unpacked(load, 3, mutated).toArray()))
                        .allMatch(sum -> sum >= 0);
            } catch (IllegalArgumentException expected) {
                assertThat(expected).hasMessageNotContaining("null");
            }
        }
    }

    @Test
    void aWindowWithoutPartsHasNone() {
        assertThat(SubWindowSums.of(LongVector.of(3), 0, LongVector.empty())).isEqualTo(SubWindowSums.none());
        assertThat(SubWindowSums.unpacked(LongVector.of(3), 0, new byte[0]).toArray())
                .isEmpty();
    }

    private static LongVector total(long[] sums, int slots) {
        long[] total = new long[slots];
        for (int i = 0; i < sums.length; i++) {
            total[i % slots] += sums[i];
        }
        return LongVector.of(total);
    }

    private static byte[] bytes(SubWindowSums sums) {
        ByteBuffer bytes = ByteBuffer.allocate(sums.packedBytes());
        sums.copyTo(bytes);
        return bytes.array();
    }
}
