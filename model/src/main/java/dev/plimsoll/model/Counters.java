package dev.plimsoll.model;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * Counters packed into bytes, little-endian and without gaps, two, four or eight bytes each: what samples carry from a ring to a window
 * without being unpacked. The record that holds them says what their axes are.
 *
 * <p>A value: two are equal when their numbers are, whatever their width. It may be a view of bytes that others have made, such as a
 * fetched record's, which must not change any more.
 *
 * <p>Example: {@code Counters.of(3, 0, 7, 0)} takes 8 bytes; {@code addLanes(0, 1, sums, 0)} adds 3, 0, 7 and 0 to the four quarters of
 * {@code sums[0]}, the lowest first.
 */
public final class Counters {
    /** Bytes of a counter where all are below 2^16; these have no sign. */
    public static final int SHORT = Short.BYTES;

    /** Bytes of a counter where all are below 2^31. */
    public static final int INT = Integer.BYTES;

    /** Bytes of a counter where one is larger, or negative, which no sample may have. */
    public static final int LONG = Long.BYTES;

    private static final long SHORTS_MASK = 0x0000_FFFF_0000_FFFFL;
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
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
        long bits = 0;
        for (long value : values) {
            bits |= value;
        }
        int width = width(bits);
        byte[] bytes = new byte[Math.multiplyExact(values.length, width)];
        for (int i = 0; i < values.length; i++) {
            put(bytes, i * width, width, values[i]);
        }
        return new Counters(bytes, 0, values.length, width);
    }

    /** The width that numbers need which combined by OR are this. */
    public static int width(long bits) {
        return bits >= 0 && bits <= 0xFFFF ? SHORT : bits >= 0 && bits <= Integer.MAX_VALUE ? INT : LONG;
    }

    private static void put(byte[] bytes, int at, int width, long value) {
        if (width == SHORT) {
            SHORTS.set(bytes, at, (short) value);
        } else if (width == INT) {
            INTS.set(bytes, at, (int) value);
        } else {
            LONGS.set(bytes, at, value);
        }
    }

    /**
     * Those that stand in an array from {@code start} on, which nobody writes to from now on.
     *
     * @param width {@link #SHORT}, {@link #INT} or {@link #LONG}
     */
    public static Counters view(byte[] bytes, int start, int size, int width) {
        if (width != SHORT && width != INT && width != LONG) {
            throw new IllegalArgumentException("counters have 2, 4 or 8 bytes, not " + width);
        }
        Objects.checkFromIndexSize(start, Math.multiplyExact(size, width), bytes.length);
        return new Counters(bytes, start, size, width);
    }

    public int size() {
        return size;
    }

    /** Bytes of each, {@link #SHORT}, {@link #INT} or {@link #LONG}. */
    public int width() {
        return width;
    }

    /** How many there are in a long. */
    public int lanes() {
        return Long.BYTES / width;
    }

    public long at(int index) {
        Objects.checkIndex(index, size);
        int at = start + index * width;
        return width == SHORT
                ? (short) SHORTS.get(bytes, at) & 0xFFFFL
                : width == INT ? (int) INTS.get(bytes, at) : (long) LONGS.get(bytes, at);
    }

    /** All of them combined by OR: negative when one is, else a bound on each, less than twice the largest. */
    public long bits() {
        return bits;
    }

    private long bits(int from, int count) {
        int first = start + from * width;
        int longs = count / lanes();
        // Four at a time, as one would wait for the other.
        long or = 0;
        long or1 = 0;
        long or2 = 0;
        long or3 = 0;
        int i = 0;
        for (; i < longs - 3; i += 4) {
            or |= (long) LONGS.get(bytes, first + i * Long.BYTES);
            or1 |= (long) LONGS.get(bytes, first + (i + 1) * Long.BYTES);
            or2 |= (long) LONGS.get(bytes, first + (i + 2) * Long.BYTES);
            or3 |= (long) LONGS.get(bytes, first + (i + 3) * Long.BYTES);
        }
        or |= or1 | or2 | or3;
        for (; i < longs; i++) {
            or |= (long) LONGS.get(bytes, first + i * Long.BYTES);
        }
        if (width != LONG) {
            or |= or >>> Integer.SIZE;
            or = width == INT ? (int) or : (or | or >>> Short.SIZE) & 0xFFFF;
        }
        for (int rest = longs * lanes(); rest < count; rest++) {
            or |= at(from + rest);
        }
        return or;
    }

    /** The sum of {@code [from, from + count)}, none of which may be negative; the caller knows that it fits. */
    public long sum(int from, int count) {
        Objects.checkFromIndexSize(from, count, size);
        boolean inHalves = width != LONG && bits * count < 1L << Integer.SIZE;
        int longs = inHalves ? count / lanes() : 0;
        int first = start + from * width;
        long halves = 0; // two sums, neither of which reaches into the other
        for (int i = 0; i < longs; i++) {
            long next = (long) LONGS.get(bytes, first + i * Long.BYTES);
            halves += width == INT ? next : (next & SHORTS_MASK) + (next >>> Short.SIZE & SHORTS_MASK);
        }
        long sum = (halves & 0xFFFF_FFFFL) + (halves >>> Integer.SIZE);
        for (int i = longs * lanes(); i < count; i++) {
            sum += at(from + i);
        }
        return sum;
    }

    /** The sum of all, none of which may be negative. */
    public long sum() {
        return sum(0, size);
    }

    /**
     * Adds as many counters at a time as a long holds ({@link #lanes}), each to its part of the long: counters from {@code from} on to
     * {@code sums[at]} and the longs behind it, the first to the lowest bits. The caller knows that no part grows beyond its width, all
     * bits counted.
     *
     * <p>This is the loop that windows are made by. C2 (JDK 17 to 25, AVX2 or AVX-512) turns it into loads, adds and stores of whole
     * vectors, as both sides are longs; adding ints to longs it leaves scalar on JDK 17. So is a second array added to in the same loop:
     * use two loops.
     */
    public void addLanes(int from, int longs, long[] sums, int at) {
        Objects.checkFromIndexSize(from, longs * lanes(), size);
        byte[] source = bytes;
        int first = start + from * width;
        for (int i = 0; i < longs; i++) {
            sums[at + i] += (long) LONGS.get(source, first + i * Long.BYTES);
        }
    }

    /** CRC32C of {@code [from, from + count)}; the same for the same numbers, whatever their width. */
    public int checksum(int from, int count) {
        Objects.checkFromIndexSize(from, count, size);
        CRC32C crc = new CRC32C();
        int narrowest = width == SHORT ? SHORT : width(bits(from, count));
        if (narrowest == width) {
            crc.update(bytes, start + from * width, count * width);
        } else {
            byte[] narrow = new byte[count * narrowest];
            for (int i = 0; i < count; i++) {
                put(narrow, i * narrowest, narrowest, at(from + i));
            }
            crc.update(narrow);
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
