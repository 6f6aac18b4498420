package dev.plimsoll.model;

import java.util.Arrays;

/** Numbers of so many bits each, the first in the lowest bits of the first byte. */
final class BitWriter {
    private byte[] bytes;
    private int size;
    private long pending;
    private int pendingBits;

    BitWriter(int capacity) {
        bytes = new byte[Math.max(16, capacity)];
    }

    /** @param width 0 to 64; the value has no higher bits */
    void put(long value, int width) {
        if (width > Integer.SIZE) {
            put(value & 0xFFFF_FFFFL, Integer.SIZE);
            put(value >>> Integer.SIZE, width - Integer.SIZE);
            return;
        }
        pending |= value << pendingBits; // fewer than 8 are pending
        pendingBits += width;
        if (bytes.length - size < Long.BYTES) {
            bytes = Arrays.copyOf(bytes, 2 * bytes.length);
        }
        while (pendingBits >= Byte.SIZE) {
            bytes[size++] = (byte) pending;
            pending >>>= Byte.SIZE;
            pendingBits -= Byte.SIZE;
        }
    }

    void fillByte() {
        if (pendingBits > 0) {
            put(0, Byte.SIZE - pendingBits);
        }
    }

    /** All of it; a byte that is begun has been filled. */
    byte[] bytes() {
        return Arrays.copyOf(bytes, size);
    }
}
