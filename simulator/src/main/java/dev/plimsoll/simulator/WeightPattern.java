package dev.plimsoll.simulator;

import java.nio.LongBuffer;

/**
 * The contents of an expert's weights: every 64-bit word is a mixed function of layer, expert and its own index.
 *
 * <p>The function is a bijection, so two experts differ in every word, zeroed memory is nobody's weights, and a wrong word
 * tells whose it is.
 */
final class WeightPattern {
    private static final int WORD_BITS = 25;
    private static final int EXPERT_BITS = 20;
    private static final int MAX_LAYERS = 1 << 12;
    /** Keeps id 0 from becoming word 0, which is what fresh memory holds. */
    private static final long SALT = 0x706c696d736f6c6cL;

    static final int MAX_WORDS = 1 << WORD_BITS;

    private WeightPattern() {}

    static long word(int layer, int expert, int index) {
        return SplitMix.mix(((((long) layer << EXPERT_BITS) | expert) << WORD_BITS | index) + SALT);
    }

    /** Fills {@code words} words of {@code weights} with those of an expert from {@code first} on. */
    static void fill(LongBuffer weights, int words, int layer, int expert, int first) {
        for (int index = 0; index < words; index++) {
            weights.put(index, word(layer, expert, first + index));
        }
    }

    /** Whose word this is, for people. */
    static String owner(long word) {
        long id = unmix(word) - SALT;
        int index = (int) (id & (MAX_WORDS - 1));
        int expert = (int) (id >>> WORD_BITS) & ((1 << EXPERT_BITS) - 1);
        long layer = id >>> (WORD_BITS + EXPERT_BITS);
        return layer < MAX_LAYERS && expert < 1 << 16
                ? "layer " + layer + " expert " + expert + " word " + index
                : "nobody's word 0x" + Long.toHexString(word);
    }

    private static long unmix(long word) {
        long z = unshift(word, 31) * inverse(0x94d049bb133111ebL);
        z = unshift(z, 27) * inverse(0xbf58476d1ce4e5b9L);
        return unshift(z, 30);
    }

    /** Inverse of {@code x ^ (x >>> shift)}: every round makes {@code shift} more of the upper bits right. */
    private static long unshift(long word, int shift) {
        long x = word;
        for (int bits = shift; bits < Long.SIZE; bits += shift) {
            x = word ^ (x >>> shift);
        }
        return x;
    }

    /** Multiplicative inverse of an odd number modulo 2⁶⁴, by Newton: every round doubles the right bits. */
    private static long inverse(long odd) {
        long inverse = odd;
        for (int bits = 3; bits < Long.SIZE; bits *= 2) {
            inverse *= 2 - odd * inverse;
        }
        return inverse;
    }
}
