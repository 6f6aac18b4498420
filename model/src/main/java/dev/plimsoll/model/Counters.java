package dev.plimsoll.model;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * Counters packed into bytes, little-endian and without gaps, four or eight bytes each: what samples carry from a ring to a window
 * without being unpacked. The record that holds them says what their axes are.
 *
 * <p>A value: two are equal when their numbers are, whatever their width. It may be a view of bytes that others have made, such as a
 * fetched record's, which must not change any more.
 *
 * <p>Example: {@code Counters.of(3, 0, 7)} takes 12 bytes; {@code addPairs(0, 1, sums, 0)} adds 3 to the low half of {@code sums[0]}
 * and 0 to its high half.
 */
public final class Counters {
    /** Bytes of a counter up to 2^31 - 1. */
    public static final int NARROW = Integer.BYTES;

    /** Bytes of a counter where one of them is larger. */
    public static final int WIDE = Long.BYTES;

    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] bytes;
    private final int start;
    private final int size;
    private final int width;
    private final long bits;

    private Counters(byte[] bytes, int start, int size, int width) {
        this.bytes = bytes;
        this.start = start;
        this.size = size;
        this.width = width;
        this.bits = bits(0, size);
    }

    /** Packs values, as narrow as they allow. */
    public static Counters of(long... values) {
        boolean narrow = true;
        for (long value : values) {
            narrow &= value == (int) value;
        }
        int width = narrow ? NARROW : WIDE;
        byte[] bytes = new byte[Math.multiplyExact(values.length, width)];
        for (int i = 0; i < values.length; i++) {
            if (narrow) {
                INTS.set(bytes, i * width, (int) values[i]);
            } else {
                LONGS.set(bytes, i * width, values[i]);
            }
        }
        return new Counters(bytes, 0, values.length, width);
    }

    /**
     * Those that stand in an array from {@code start} on, which nobody writes to from now on.
     *
     * @param width {@link #NARROW} or {@link #WIDE}
     */
    public static Counters view(byte[] bytes, int start, int size, int width) {
        if (width != NARROW && width != WIDE) {
            throw new IllegalArgumentException("counters of " + width + " bytes: they have " + NARROW + " or " + WIDE);
        }
        Objects.checkFromIndexSize(start, Math.multiplyExact(size, width), bytes.length);
        return new Counters(bytes, start, size, width);
    }

    public int size() {
        return size;
    }

    /** Bytes of each, {@link #NARROW} or {@link #WIDE}. */
    public int width() {
        return width;
    }

    public long at(int index) {
        Objects.checkIndex(index, size);
        return width == NARROW
                ? (int) INTS.get(bytes, start + index * NARROW)
                : (long) LONGS.get(bytes, start + index * WIDE);
    }

    /** All of them combined by OR: negative when one is, else a bound on each, less than twice the largest. */
    public long bits() {
        return bits;
    }

    private long bits(int from, int count) {
        long or = 0;
        if (width == WIDE) {
            for (int i = 0; i < count; i++) {
                or |= (long) LONGS.get(bytes, start + (from + i) * WIDE);
            }
            return or;
        }
        int at = start + from * NARROW;
        for (int pair = 0; pair < count / 2; pair++) {
            or |= (long) LONGS.get(bytes, at + pair * 2 * NARROW);
        }
        int both = (int) (or | or >>> Integer.SIZE);
        return count % 2 == 0 ? both : both | (int) INTS.get(bytes, at + (count - 1) * NARROW);
    }

    /** The sum of {@code [from, from + count)}, none of which may be negative; the caller knows that it fits. */
    public long sum(int from, int count) {
        Objects.checkFromIndexSize(from, count, size);
        long sum = 0;
        if (width == WIDE || bits * count >= 1L << Integer.SIZE) {
            for (int i = from; i < from + count; i++) {
                sum += at(i);
            }
            return sum;
        }
        // Two sums in a long, neither of which reaches into the other.
        int at = start + from * NARROW;
        for (int pair = 0; pair < count / 2; pair++) {
            sum += (long) LONGS.get(bytes, at + pair * 2 * NARROW);
        }
        return (sum & 0xFFFF_FFFFL) + (sum >>> Integer.SIZE) + (count % 2 == 0 ? 0 : at(from + count - 1));
    }

    /** The sum of all, none of which may be negative. */
    public long sum() {
        return sum(0, size);
    }

    /**
     * Adds narrow counters two at a time: {@code [from + 2i]} to the low and {@code [from + 2i + 1]} to the high half of
     * {@code sums[at + i]}. The caller knows that none is negative and that no half grows beyond 2^32 - 1.
     *
     * <p>This is the loop that windows are made by. C2 (JDK 17 to 25, AVX2 or AVX-512) turns it into loads, adds and stores of whole
     * vectors, as both sides are longs; adding ints to longs it leaves scalar on JDK 17. So is a second array added to in the same loop:
     * use two loops.
     */
    public void addPairs(int from, int pairs, long[] sums, int at) {
        if (width != NARROW) {
            throw new IllegalStateException("counters of " + width + " bytes do not come in pairs");
        }
        Objects.checkFromIndexSize(from, 2 * pairs, size);
        byte[] source = bytes;
        int first = start + from * NARROW;
        for (int i = 0; i < pairs; i++) {
            sums[at + i] += (long) LONGS.get(source, first + i * 2 * NARROW);
        }
    }

    /** CRC32C of {@code [from, from + count)}; the same for the same numbers, whatever their width. */
    public int checksum(int from, int count) {
        Objects.checkFromIndexSize(from, count, size);
        CRC32C crc = new CRC32C();
        if (width == WIDE && bits(from, count) <= Integer.MAX_VALUE && bits(from, count) >= 0) {
            byte[] narrow = new byte[count * NARROW];
            for (int i = 0; i < count; i++) {
                INTS.set(narrow, i * NARROW, (int) at(from + i));
            }
            crc.update(narrow);
        } else {
            crc.update(bytes, start + from * width, count * width);
        }
        return (int) crc.getValue();
    }

    /** The packed bytes, {@code size × width}. */
    public void copyTo(ByteBuffer target) {
        target.put(bytes, start, size * width);
    }

    public long[] toArray() {
        long[] values = new long[size];
        for (int i = 0; i < size; i++) {
            values[i] = at(i);
        }
        return values;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Counters counters) || counters.size != size) {
            return false;
        }
        for (int i = 0; i < size; i++) {
            if (at(i) != counters.at(i)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        int hash = 1;
        for (int i = 0; i < size; i++) {
            hash = 31 * hash + Long.hashCode(at(i));
        }
        return hash;
    }

    @Override
    public String toString() {
        return Arrays.toString(toArray());
    }
}
