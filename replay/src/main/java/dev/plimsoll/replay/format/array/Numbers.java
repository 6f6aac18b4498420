package dev.plimsoll.replay.format.array;

import dev.plimsoll.replay.format.FormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An array of numbers of any shape, seen in the bytes of a file without copying them.
 *
 * <p>Numbers of all types are given as whole ones; {@link #requireCounts} or {@link #requireWithin} has to say first that they are.
 */
public final class Numbers {
    /** More than any array of load or of maps has; keeps every walk over dimensions short. */
    public static final int MOST_DIMENSIONS = 8;

    /** Of all counts of an array together: up to here a double is exact, and sums of thousands of arrays do not overflow. */
    public static final long MOST_IN_ALL = 1L << 53;

    /** Where the bytes are: for messages. */
    private record Place(String file, long position) {}

    private final Place place;
    private final ByteBuffer bytes;
    private final NumberType type;
    private final int[] shape;
    private final int[] strides;
    private final int offset;

    private Numbers(Place place, ByteBuffer bytes, NumberType type, int[] shape, int[] strides, int offset) {
        this.place = place;
        this.bytes = bytes;
        this.type = type;
        this.shape = shape;
        this.strides = strides;
        this.offset = offset;
    }

    /**
     * A view of bytes.
     *
     * @param file and the part of it, for messages
     * @param position in that of the first of the bytes
     * @param bytes from the first number on; its order of bytes counts
     * @param shape the slowest dimension first
     * @param strides from one number to the next of each dimension, in numbers
     * @throws FormatException when it would have numbers outside of the bytes, or more numbers than there are
     */
    public static Numbers strided(
            String file, long position, ByteBuffer bytes, NumberType type, long[] shape, long[] strides)
            throws FormatException {
        if (shape.length > MOST_DIMENSIONS || strides.length != shape.length) {
            throw new FormatException(
                    file,
                    position,
                    "has " + shape.length + " dimensions and " + strides.length + " strides: at most " + MOST_DIMENSIONS
                            + " dimensions are read");
        }
        long there = bytes.remaining() / type.bytes();
        long last = 0;
        for (int d = 0; d < shape.length; d++) {
            if (shape[d] < 0 || shape[d] > Integer.MAX_VALUE || strides[d] < 0 || strides[d] > Integer.MAX_VALUE) {
                throw new FormatException(
                        file,
                        position,
                        "is of shape " + Arrays.toString(shape) + " with strides " + Arrays.toString(strides)
                                + ": neither can be negative, or above 2147483647");
            }
            // Below 2^62 each, and no sum of eight is taken unless all before it are within the file.
            last = Math.min(last, there) + Math.max(0, shape[d] - 1) * strides[d];
        }
        long count = product(shape);
        if (count > there || (count > 0 && last >= there)) {
            throw new FormatException(
                    file,
                    position,
                    "is of shape " + Arrays.toString(shape) + " with strides " + Arrays.toString(strides)
                            + ", more than the " + there + " numbers that are there");
        }
        return new Numbers(
                new Place(file, position),
                bytes.slice().order(bytes.order()),
                type,
                ints(shape),
                ints(count == 0 ? new long[shape.length] : strides),
                0);
    }

    /**
     * A view of bytes in which the last dimension is the fastest ({@code fortran}: the first).
     *
     * @throws FormatException when the bytes have another length than the shape needs
     */
    public static Numbers packed(
            String file, long position, ByteBuffer bytes, NumberType type, long[] shape, boolean fortran)
            throws FormatException {
        long needed = product(shape) > Integer.MAX_VALUE ? Long.MAX_VALUE : product(shape) * type.bytes();
        if (needed > bytes.remaining()) {
            throw new FormatException(
                    file,
                    position + bytes.remaining(),
                    "ends before its last value: its shape says " + Arrays.toString(shape) + ", and it has "
                            + bytes.remaining() + " bytes of values");
        }
        if (needed < bytes.remaining()) {
            throw new FormatException(
                    file, position + needed, "goes on behind its last value: its shape says " + Arrays.toString(shape));
        }
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = 0; i < shape.length; i++) {
            int d = fortran ? i : shape.length - 1 - i;
            strides[d] = Math.min(stride, Integer.MAX_VALUE);
            stride = strides[d] * Math.max(1, shape[d]);
        }
        return strided(file, position, bytes, type, shape, strides);
    }

    /** As many numbers as a shape has; {@link Long#MAX_VALUE} where they are too many for one. */
    public static long product(long[] shape) {
        if (Arrays.stream(shape).anyMatch(size -> size == 0)) {
            return 0;
        }
        long product = 1;
        for (long size : shape) {
            if (size < 0 || product > Long.MAX_VALUE / size) {
                return Long.MAX_VALUE;
            }
            product *= size;
        }
        return product;
    }

    private static int[] ints(long[] values) {
        return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
    }

    public NumberType type() {
        return type;
    }

    /** The slowest dimension first. */
    public List<Integer> shape() {
        return IntStream.of(shape).boxed().toList();
    }

    public int dimensions() {
        return shape.length;
    }

    public int size(int dimension) {
        return shape[dimension];
    }

    /** Of all numbers. */
    public long count() {
        return product(Arrays.stream(shape).asLongStream().toArray());
    }

    /** The file that it is in, and the part of it, for messages. */
    public String file() {
        return place.file;
    }

    /** Where it stands, for messages about it. */
    public FormatException wrong(String reason) {
        return new FormatException(place.file, place.position + (long) offset * type.bytes(), reason);
    }

    /** The part at an index of the first dimension: one dimension less. */
    public Numbers at(int index) {
        return new Numbers(
                place,
                bytes,
                type,
                Arrays.copyOfRange(shape, 1, shape.length),
                Arrays.copyOfRange(strides, 1, strides.length),
                offset + index * strides[0]);
    }

    /** The number at an index of the only dimension. */
    public long get(int index) {
        return type.whole(bytes, (offset + index * strides[0]) * type.bytes());
    }

    /** A copy of the numbers of the only dimension. */
    public long[] row() {
        long[] row = new long[shape[0]];
        row(row);
        return row;
    }

    /** Copies the numbers of the only dimension to the beginning of an array. */
    public void row(long[] into) {
        if (type
                == NumberType
                        .INT32) { // nearly all recordings: without a choice for each number it is several times as fast
            for (int i = 0; i < shape[0]; i++) {
                into[i] = bytes.getInt((offset + i * strides[0]) * Integer.BYTES);
            }
            return;
        }
        for (int i = 0; i < shape[0]; i++) {
            into[i] = get(i);
        }
    }

    /** Whether all numbers are 0. */
    public boolean zero() {
        if (shape.length == 1) {
            for (int i = 0; i < shape[0]; i++) {
                if (get(i) != 0) {
                    return false; // mostly the first
                }
            }
            return true;
        }
        for (int i = 0; i < shape[0]; i++) {
            if (!at(i).zero()) {
                return false;
            }
        }
        return true;
    }

    /**
     * Refuses anything but counts, whole numbers that are not negative, and sums of them that a double does not hold.
     *
     * @return the sum
     */
    public long requireCounts() throws FormatException {
        return requireWithin(0, MOST_IN_ALL, "is no count of tokens");
    }

    /**
     * Refuses any number that is not whole or is outside of a range, and sums above {@link #MOST_IN_ALL}.
     *
     * @param otherwise what is said of such a number
     * @return the sum
     */
    public long requireWithin(long least, long most, String otherwise) throws FormatException {
        long sum = 0;
        if (shape.length > 1) {
            for (int i = 0; i < shape[0]; i++) {
                sum += at(i).requireWithin(least, most, otherwise);
                requireSum(sum);
            }
            return sum;
        }
        int count = shape.length == 0 ? 1 : shape[0];
        int stride = shape.length == 0 ? 0 : strides[0];
        boolean whole = type.alwaysWhole();
        for (int i = 0; i < count; i++) {
            int at = (offset + i * stride) * type.bytes();
            long number = type == NumberType.INT32 ? bytes.getInt(at) : type.whole(bytes, at);
            if (number < least || number > most || !(whole || type.isWhole(bytes, at))) {
                throw new FormatException(place.file, place.position + at, type.text(bytes, at) + " " + otherwise);
            }
            sum += number;
            requireSum(sum);
        }
        return sum;
    }

    private void requireSum(long sum) throws FormatException {
        if (sum > MOST_IN_ALL) {
            throw wrong("adds up to more than 2^53 tokens");
        }
    }

    /**
     * Bytes of numbers, little-endian, the last dimension the fastest.
     *
     * @throws IllegalArgumentException when the type has no such number
     */
    public static byte[] bytes(NumberType type, long[] numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(numbers.length, type.bytes()))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < numbers.length; i++) {
            type.put(bytes, i * type.bytes(), numbers[i]);
        }
        return bytes.array();
    }

    @Override
    public String toString() {
        return type + Arrays.toString(shape);
    }
}
