package dev.plimsoll.model;

/** Reads what a {@link BitWriter} has written, or what only looks like it. */
final class BitReader {
    private final byte[] bytes;
    private int at;
    private long pending;
    private int pendingBits;

    BitReader(byte[] bytes) {
        this.bytes = bytes;
    }

    /** @throws IllegalArgumentException behind the end */
    long take(int width) {
        if (width > Integer.SIZE) {
            long low = take(Integer.SIZE);
            return low | take(width - Integer.SIZE) << Integer.SIZE;
        }
        while (pendingBits < width) {
            if (at == bytes.length) {
                throw new IllegalArgumentException("packed numbers end too early, after " + at + " bytes");
            }
            pending |= (bytes[at++] & 0xFFL) << pendingBits;
            pendingBits += Byte.SIZE;
        }
        long value = pending & ((1L << width) - 1);
        pending >>>= width;
        pendingBits -= width;
        return value;
    }

    void skipToByte() {
        pending = 0;
        pendingBits = 0;
    }

    /** Whether there is nothing more; asked where a byte begins. */
    boolean atEnd() {
        return at == bytes.length;
    }

    /** @throws IllegalArgumentException when there is more */
    void end() {
        if (at != bytes.length) {
            throw new IllegalArgumentException((bytes.length - at) + " bytes behind the packed numbers");
        }
    }
}
