package dev.plimsoll.replay.format.torch;

import dev.plimsoll.replay.format.FormatException;

/**
 * Memory that a file may take before it is known to be right: nearly twice as much as the file itself, and most of a MiB however small it is.
 *
 * <p>A pickle makes objects of single bytes. Counting what they cost is what keeps a small file from filling the heap. Real dumps are
 * nearly all numbers, which are left where they lie, and use a hundredth of it; dumps of toys use nearly all.
 */
final class Allowance {
    static final long ALWAYS = (1 << 20) - (1 << 17);

    private final String file;
    private final long all;
    private long left;

    Allowance(String file, long size) {
        this.file = file;
        all = Math.max(ALWAYS, 2 * size - size / 8);
        left = all;
    }

    /** @param position of what needs the bytes */
    void charge(String part, long position, long bytes) throws FormatException {
        left -= bytes;
        if (left < 0) {
            throw new FormatException(
                    part,
                    position,
                    "needs more memory for what it builds than " + file + " may take, " + all + " bytes");
        }
    }
}
