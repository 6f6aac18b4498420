package dev.plimsoll.replay.report;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.LongStream;

/**
 * A column of numbers as the report's page carries it: little-endian unsigned integers of the narrowest width that fits, in base64.
 * A value is {@code base + scale · integer}; where values are missing, the largest integer of the width stands for them.
 *
 * @param type {@code u8}, {@code u16}, {@code u24}, {@code u32} or {@code u48}
 * @param base smallest value
 * @param scale difference of neighbouring values
 * @param missing whether the largest integer of the width means that there is no value
 * @param bytes the integers
 */
record Packed(String type, int length, long base, double scale, boolean missing, byte[] bytes) {
    /** What is not known, in columns of whole numbers; no load, step or index is that small. */
    static final long MISSING = Long.MIN_VALUE;

    /** Steps of balancedness: half of one is less than what four decimal places show. */
    private static final double RATIO_STEP = 1.0 / 50_000;

    /** Largest step number of a column of loads that are not whole; a part of 10⁹ of the largest is less than can be seen. */
    private static final double REAL_STEPS = 4e9;

    private static final int[] WIDTHS = {1, 2, 3, 4, 6};

    /** Whole numbers, exactly; {@link #MISSING} for what is not known. */
    static Packed whole(long... values) {
        long base =
                LongStream.of(values).filter(value -> value != MISSING).min().orElse(0);
        return of(base, 1, values);
    }

    /** Numbers from 0 to 1 in steps of 1/50,000; NaN for what is not known. */
    static Packed ratios(double... values) {
        return of(0, RATIO_STEP, rounded(values, RATIO_STEP));
    }

    /** Numbers that are not negative, in steps of the largest ÷ 4·10⁹; NaN for what is not known. */
    static Packed reals(double... values) {
        double max = Arrays.stream(values).filter(Double::isFinite).max().orElse(0);
        double step = max > 0 ? max / REAL_STEPS : 1;
        return of(0, step, rounded(values, step));
    }

    private static long[] rounded(double[] values, double step) {
        return Arrays.stream(values)
                .mapToLong(value -> Double.isFinite(value) ? Math.round(value / step) : MISSING)
                .toArray();
    }

    private static Packed of(long base, double scale, long[] values) {
        long largest = LongStream.of(values)
                .filter(value -> value != MISSING)
                .map(value -> Math.subtractExact(value, base))
                .max()
                .orElse(0);
        boolean missing = LongStream.of(values).anyMatch(value -> value == MISSING);
        int width = Arrays.stream(WIDTHS)
                .filter(bytes -> missing ? largest < largest(bytes) : largest <= largest(bytes))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "the largest value of a column lies " + largest + " above the smallest: at most 2⁴⁸ - 2"));
        ByteBuffer packed = ByteBuffer.allocate(Math.multiplyExact(values.length, width));
        byte[] one = new byte[Long.BYTES];
        for (long value : values) {
            long integer = value == MISSING ? largest(width) : value - base;
            ByteBuffer.wrap(one).order(ByteOrder.LITTLE_ENDIAN).putLong(integer);
            packed.put(one, 0, width);
        }
        return new Packed("u" + 8 * width, values.length, base, scale, missing, packed.array());
    }

    private static long largest(int width) {
        return (1L << 8 * width) - 1;
    }

    /** Characters that it takes in the page, nearly. */
    int size() {
        return 96 + (bytes.length + 2) / 3 * 4;
    }

    ObjectNode json() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("type", type)
                .put("length", length)
                .put("base", base)
                .put("scale", scale)
                .put("missing", missing)
                .put("data", Base64.getEncoder().encodeToString(bytes));
    }
}
