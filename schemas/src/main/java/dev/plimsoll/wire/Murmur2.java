package dev.plimsoll.wire;

/** Kafka's hash of record keys: murmur2 of 32 bits by Austin Appleby (public domain), with Kafka's seed. */
final class Murmur2 {
    private static final int SEED = 0x9747b28c;
    private static final int M = 0x5bd1e995;

    private Murmur2() {}

    static int hash(byte[] key) {
        int hash = SEED ^ key.length;
        int whole = key.length & ~3;
        for (int i = 0; i < whole; i += 4) {
            int word = (key[i] & 0xff) | (key[i + 1] & 0xff) << 8 | (key[i + 2] & 0xff) << 16 | key[i + 3] << 24;
            word *= M;
            word ^= word >>> 24;
            hash = hash * M ^ word * M;
        }
        for (int i = key.length - 1; i >= whole; i--) {
            hash ^= (key[i] & 0xff) << 8 * (i - whole);
        }
        if (whole < key.length) {
            hash *= M;
        }
        hash ^= hash >>> 13;
        hash *= M;
        return hash ^ hash >>> 15;
    }
}
