package dev.plimsoll.model;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Numbers of so many bits each, the first in the lowest bits of the first byte. */
final class BitWriter {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[] bytes;
    private int size;
    private long pending;
    private int pendingBits;

    BitWriter(int capacity) {
        bytes = new byte[Math.max(16, capacity)];
    }

    /** @param width 0 to 64; the value has no higher bits */
    void put(long value, int width) {
        pending |= value << pendingBits; // fewer than 64 are pending
        pendingBits += width;
        if (pendingBits >= Long.SIZE) {
            flush(Long.BYTES);
            pendingBits -= Long.SIZE;
            pending = pendingBits == 0 ? 0 : value >>> (width - pendingBits);
        }
    }

    private void flush(int count) {
        if (bytes.length - size < Long.BYTES) {
            bytes = Arrays.copyOf(bytes, 2 * bytes.length);
        }
        LONGS.set(bytes, size, pending);
        size += count;
    }

    /** Fills the last byte up: the next number begins with a byte. */
    void fillByte() {
        flush((pendingBits + Byte.SIZE - 1) / Byte.SIZE);
        pending = 0;
        pendingBits = 0;
    }

    /** All of it, behind a {@link #fillByte}; begins anew. */
    byte[] take() {
        byte[] taken = Arrays.copyOf(bytes, size);
        size = 0;
        return taken;
    }
}
