package dev.plimsoll.collector;

import dev.plimsoll.model.Counters;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * By how much absolute counters have grown: looked at first, then packed straight into a sample's bytes. Counters are taken as
 * unsigned: exact beyond 2^63.
 */
final class Growth {
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private Growth() {}

    /**
     * What {@code now[at + i]} has grown by since {@code before[from + i]}, all of them combined by OR: a bound on each, less than twice
     * the largest. Negative when a counter went down, or grew by more than a sample can say.
     */
    static long bits(long[] now, int at, long[] before, int from, int count) {
        long or = 0;
        for (int i = 0; i < count; i++) {
            long counter = now[at + i];
            long earlier = before[from + i];
            long difference = counter - earlier;
            // Its sign is the subtraction's borrow: no branch, so that the loop becomes vectors.
            long fell = (~counter & earlier) | ((~counter | earlier) & difference);
            or |= difference | (fell & Long.MIN_VALUE);
        }
        return or;
    }

    /** Packs the same from {@code into[to]} on, {@code width} bytes each; the caller knows from {@link #bits} that they fit. */
    static void pack(long[] now, int at, long[] before, int from, int count, int width, byte[] into, int to) {
        if (width == Counters.SHORT) {
            for (int i = 0; i < count; i++) {
                SHORTS.set(into, to + i * Counters.SHORT, (short) (now[at + i] - before[from + i]));
            }
        } else if (width == Counters.INT) {
            for (int i = 0; i < count; i++) {
                INTS.set(into, to + i * Counters.INT, (int) (now[at + i] - before[from + i]));
            }
        } else {
            for (int i = 0; i < count; i++) {
                LONGS.set(into, to + i * Counters.LONG, now[at + i] - before[from + i]);
            }
        }
    }
}
