package dev.plimsoll.model;

import java.util.Arrays;

/** An immutable array of longs with value equality; the record that holds it says what its axes are. */
public final class LongVector {
    private static final LongVector EMPTY = new LongVector(new long[0]);

    private final long[] values;

    private LongVector(long[] values) {
        this.values = values;
    }

    public static LongVector of(long... values) {
        return values.length == 0 ? EMPTY : new LongVector(values.clone());
    }

    /** The array itself, which nobody writes to from now on: for those who have made it. */
    public static LongVector wrapping(long[] values) {
        return values.length == 0 ? EMPTY : new LongVector(values);
    }

    public static LongVector empty() {
        return EMPTY;
    }

    public int size() {
        return values.length;
    }

    public long at(int index) {
        return values[index];
    }

    public long sum() {
        long sum = 0;
        for (long value : values) {
            sum = Math.addExact(sum, value);
        }
        return sum;
    }

    public boolean anyNegative() {
        for (long value : values) {
            if (value < 0) {
                return true;
            }
        }
        return false;
    }

    /** A copy of the values. */
    public long[] toArray() {
        return values.clone();
    }

    void copyTo(long[] target, int at) {
        System.arraycopy(values, 0, target, at, values.length);
    }

    /** The values {@code [from, to)}. */
    public LongVector slice(int from, int to) {
        return from == 0 && to == values.length ? this : new LongVector(Arrays.copyOfRange(values, from, to));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LongVector vector && Arrays.equals(values, vector.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return Arrays.toString(values);
    }
}
