package dev.plimsoll.device;

import dev.plimsoll.device.api.plm_rank;
import java.util.Arrays;
import java.util.Locale;
import java.util.StringJoiner;

/** All that a rank knows of its decisions: the words of {@code plm_rank}. Two ranks with equal words behave alike. */
public final class RankWords extends StructBytes {
    static final int BYTES = sizeof(plm_rank.class);

    /** A number among them; its name in {@code plimsoll.h} in lower case, and what it means is said there. */
    public enum Word {
        FLAGS(4),
        INCARNATION(8),
        SETTLED_VERSION(4),
        PHASE(4),
        EPOCH(4),
        BATCHES(4),
        PLAN_HASH(8),
        BATCHES_FLIPPED(4),
        TRANSFERRING(4),
        TRANSFER_RUNS(4),
        STAGING_BUSY(4),
        MOVING(4),
        MOVED(4),
        REFUSAL(4),
        REFUSED_EPOCH(4),
        REFUSED_HASH(8),
        REFUSED_STOPPED(4),
        OBSERVES(4),
        DEAF(4),
        ENGINE_BUSY(4),
        CHANGED(4),
        RELOADING(4),
        TERM(8),
        COMMAND_NUMBER(8),
        GENERATION(8);

        private final int offset;
        private final int width;

        Word(int width) {
            this.offset = StructBytes.offsetof(plm_rank.class, name().toLowerCase(Locale.ROOT));
            this.width = width;
        }
    }

    private static final int STAGED = offsetof(plm_rank.class, "staged");
    private static final int CAST = offsetof(plm_rank.class, "cast");

    RankWords(byte[] bytes) {
        super(bytes);
    }

    /** Of words that {@link #words} gave. */
    public static RankWords of(int... words) {
        byte[] bytes = bytes(words);
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException(words.length + " words of a rank, expected " + BYTES / Integer.BYTES);
        }
        return new RankWords(bytes);
    }

    public long at(Word word) {
        return word.width == Long.BYTES ? int64(word.offset) : int32(word.offset);
    }

    /** The number at {@code word}, where it is one of 32 bits. */
    public int intAt(Word word) {
        return int32(word.offset);
    }

    /** The same rank but for one number. */
    public RankWords with(Word word, long value) {
        byte[] bytes = copy();
        put(bytes, word.offset, word.width, value);
        return new RankWords(bytes);
    }

    public RankPhase phase() {
        return RankPhase.of(intAt(Word.PHASE));
    }

    public RankWords with(RankPhase phase) {
        return with(Word.PHASE, phase.ordinal());
    }

    public int epoch() {
        return intAt(Word.EPOCH);
    }

    public int batchesFlipped() {
        return intAt(Word.BATCHES_FLIPPED);
    }

    /** What the steps before this boundary ran under, as a vote of level 0. */
    public RankVote staged() {
        return new RankVote(Arrays.copyOfRange(copy(), STAGED, STAGED + RankVote.BYTES));
    }

    /** Level of the vote whose gather is unresolved; 0 where there is none. */
    public int castLevel() {
        return voted() ? int8(CAST + RankVote.LEVEL) : 0;
    }

    /** Whether there is a vote whose gather is unresolved. */
    public boolean voted() {
        return int64(CAST + RankVote.INCARNATION) != 0;
    }

    /** The same rank had it cast no vote: what no rank may become. */
    public RankWords withoutCast() {
        byte[] bytes = copy();
        Arrays.fill(bytes, CAST, CAST + RankVote.BYTES, (byte) 0);
        return new RankWords(bytes);
    }

    /** The numbers that are not 0, by name. */
    @Override
    public String toString() {
        StringJoiner text = new StringJoiner(" ", "[" + phase(), "]");
        for (Word word : Word.values()) {
            if (at(word) != 0 && word != Word.PHASE) {
                text.add(word.name().toLowerCase(Locale.ROOT) + "=" + at(word));
            }
        }
        return text.add("cast=" + castLevel()).toString();
    }
}
