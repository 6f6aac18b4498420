package dev.plimsoll.model;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The sums of a window's equal parts, {@code [part][slot]}: packed as what they differ from the share of the window's sum that is to be
 * expected, so that they take little more than the information in them.
 *
 * <p>The last part is not stated where it is what the others leave of the window, which it always is in what we write. Of each other part
 * there are, in bytes:
 *
 * <ul>
 *   <li>{@code share}, three bytes, little-endian: of the window's load, how much is to be expected of this part, in 65536ths;
 *   <li>for every {@value #BLOCK} slots (fewer at the end): {@code width}, one byte, then as many numbers of {@code width} bits, the
 *       first in the lowest bits of the first byte, filled up to whole bytes. A number is the difference {@code d} of the part's sum
 *       from {@code load × share / 65536}, rounded down, as {@code 2d} or, below zero, {@code -2d - 1}.
 * </ul>
 *
 * <p>Tokens of a window vary like those of a Poisson process or more, so that of a sum of 4,500 about 8 bits are information; a block's
 * width is the largest of its differences, which takes about 1 bit more than an ideal code.
 *
 * <p>Example: a load of 1000 in two parts of 510 and 490 has the share 33423 (0.51), an expected sum of 509, and the difference 1.
 */
public final class SubWindowSums {
    static final int MOST_PARTS = 16;
    static final int BLOCK = 16;

    private static final int SHARE_BITS = 16;
    private static final int SHARE_BYTES = 3;
    private static final SubWindowSums NONE = new SubWindowSums(LongVector.empty(), 0, new byte[0]);

    private final LongVector load;
    private final int parts;
    private final byte[] packed;

    private SubWindowSums(LongVector load, int parts, byte[] packed) {
        this.load = load;
        this.parts = parts;
        this.packed = packed;
    }

    /** Of a window whose parts are not known, or that has none. */
    public static SubWindowSums none() {
        return NONE;
    }

    /**
     * Packs sums, whether they add up to the load or not.
     *
     * @param sums {@code [part][slot]}, flattened
     * @throws IllegalArgumentException when they are negative or not as many
     */
    public static SubWindowSums of(LongVector load, int parts, LongVector sums) {
        int slots = load.size();
        if (sums.size() != parts * slots || sums.anyNegative()) {
            throw new IllegalArgumentException(parts + " sub-windows of " + slots + " slots cannot have these "
                    + sums.size() + " sums, of which none may be negative: " + sums);
        }
        long[] rest = load.toArray();
        for (int i = 0; i < sums.size(); i++) {
            rest[i % slots] -= sums.at(i);
        }
        boolean addUp = Arrays.stream(rest).allMatch(left -> left == 0);
        return new Packer().packed(load, parts, addUp ? parts - 1 : parts, sums.toArray(), 0, slots);
    }

    /** Packs one after the other into memory of its own; for one thread. */
    public static final class Packer {
        private final BitWriter to = new BitWriter(1024);
        private final long[] differences = new long[BLOCK];

        /** Sums that are known to add up to the load: that of a part and slot is {@code sums[part · stride + from + slot]}. */
        public SubWindowSums pack(LongVector load, int parts, long[] sums, int from, int stride) {
            return packed(load, parts, parts - 1, sums, from, stride);
        }

        private SubWindowSums packed(LongVector load, int parts, int stated, long[] sums, int from, int stride) {
            if (parts == 0) {
                return NONE;
            }
            // Should a total overflow, the share is a bad guess, and the differences are larger.
            long total = total(load);
            for (int part = 0; part < stated; part++) {
                int at = part * stride + from;
                long ofPart = 0;
                for (int slot = 0; slot < load.size(); slot++) {
                    ofPart += sums[at + slot];
                }
                double known = total == 0 ? 0 : (double) ofPart / total;
                long share = Math.max(0, Math.min(1 << SHARE_BITS, (long) (known * (1 << SHARE_BITS))));
                to.put(share, 8 * SHARE_BYTES);
                for (int block = 0; block < load.size(); block += BLOCK) {
                    block(load, block, share, sums, at + block);
                }
            }
            return new SubWindowSums(load, parts, to.take());
        }

        private static long total(LongVector load) {
            long total = 0;
            for (int slot = 0; slot < load.size(); slot++) {
                total += load.at(slot);
            }
            return total;
        }

        private void block(LongVector load, int first, long share, long[] sums, int at) {
            int count = Math.min(BLOCK, load.size() - first);
            long bits = 0;
            for (int i = 0; i < count; i++) {
                long difference = sums[at + i] - expected(load.at(first + i), share);
                differences[i] = (difference << 1) ^ (difference >> 63);
                bits |= differences[i];
            }
            int width = Long.SIZE - Long.numberOfLeadingZeros(bits);
            to.put(width, 8);
            for (int i = 0; i < count; i++) {
                to.put(differences[i], width);
            }
            to.fillByte();
        }
    }

    /**
     * Those that somebody has packed.
     *
     * @throws IllegalArgumentException when the bytes are not exactly as many sums, none of them negative
     */
    public static SubWindowSums unpacked(LongVector load, int parts, byte[] packed) {
        if (parts < 0 || parts > MOST_PARTS) {
            throw new IllegalArgumentException(parts + " sub-windows, of 0 to " + MOST_PARTS);
        }
        if (parts == 0 && packed.length == 0) {
            return NONE;
        }
        SubWindowSums sums = new SubWindowSums(load, parts, packed);
        if (Arrays.stream(sums.toArray()).anyMatch(sum -> sum < 0)) {
            throw new IllegalArgumentException("sub-windows must not be negative");
        }
        return sums;
    }

    private static long expected(long load, long share) {
        if (load < 1L << (Long.SIZE - 1 - SHARE_BITS)) {
            return load * share >>> SHARE_BITS;
        }
        return (load >>> SHARE_BITS) * share + (((load & ((1 << SHARE_BITS) - 1)) * share) >>> SHARE_BITS);
    }

    /** How many parts are known. */
    public int parts() {
        return parts;
    }

    public int slots() {
        return load.size();
    }

    /** {@code [part][slot]}, flattened. */
    public long[] toArray() {
        int slots = load.size();
        long[] sums = new long[Math.multiplyExact(parts, slots)];
        BitReader from = new BitReader(packed);
        int last = (parts - 1) * slots;
        if (parts > 0) {
            load.copyTo(sums, last);
        }
        for (int part = 0; part < parts - 1 || (part < parts && !from.atEnd()); part++) {
            long share = from.take(8 * SHARE_BYTES);
            if (share > 1 << SHARE_BITS) {
                throw new IllegalArgumentException("a share of " + share + " / " + (1 << SHARE_BITS));
            }
            for (int block = 0; block < slots; block += BLOCK) {
                int width = (int) from.take(8);
                if (width > Long.SIZE) {
                    throw new IllegalArgumentException("differences of " + width + " bits");
                }
                for (int slot = block; slot < Math.min(slots, block + BLOCK); slot++) {
                    long raw = from.take(width);
                    long sum = expected(load.at(slot), share) + ((raw >>> 1) ^ -(raw & 1));
                    sums[part * slots + slot] = sum;
                    sums[last + slot] -= part < parts - 1 ? sum : 0;
                }
                from.skipToByte();
            }
        }
        from.end();
        return sums;
    }

    /** How many bytes they are packed into. */
    public int packedBytes() {
        return packed.length;
    }

    public void copyTo(ByteBuffer target) {
        target.put(packed);
    }

    /** Whoever packed them: equal sums are equal. */
    @Override
    public boolean equals(Object other) {
        return other instanceof SubWindowSums sums && parts == sums.parts && Arrays.equals(toArray(), sums.toArray());
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(toArray());
    }

    @Override
    public String toString() {
        return parts + " parts of " + Arrays.toString(toArray());
    }
}
