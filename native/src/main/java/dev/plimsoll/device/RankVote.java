package dev.plimsoll.device;

import dev.plimsoll.device.api.plm_vote;

/** The 32 bytes of {@code plm_vote} that a rank brings into a gather, as its machine gave them. */
public final class RankVote extends StructBytes {
    static final int BYTES = sizeof(plm_vote.class);
    static final int INCARNATION = offsetof(plm_vote.class, "incarnation");
    private static final int SETTLED_VERSION = offsetof(plm_vote.class, "settled_version");
    private static final int EPOCH = offsetof(plm_vote.class, "epoch");
    private static final int BATCHES_FLIPPED = offsetof(plm_vote.class, "batches_flipped");
    private static final int BATCH = offsetof(plm_vote.class, "batch");
    static final int LEVEL = offsetof(plm_vote.class, "level");
    static final int FLAGS = offsetof(plm_vote.class, "flags");
    private static final int PLAN_HASH = offsetof(plm_vote.class, "plan_hash");

    RankVote(byte[] bytes) {
        super(bytes);
    }

    /** Of words that {@link #words} gave. */
    public static RankVote of(int... words) {
        byte[] bytes = bytes(words);
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException(words.length + " words of a vote, expected " + BYTES / Integer.BYTES);
        }
        return new RankVote(bytes);
    }

    /** 0 where there is no vote. */
    public long incarnation() {
        return int64(INCARNATION);
    }

    public int settledVersion() {
        return int32(SETTLED_VERSION);
    }

    /** Of the state and of the level. */
    public int epoch() {
        return int32(EPOCH);
    }

    public int batchesFlipped() {
        return int16(BATCHES_FLIPPED);
    }

    public int batch() {
        return int16(BATCH);
    }

    /** 0 nothing, 1 willing, 2 ready. */
    public int level() {
        return int8(LEVEL);
    }

    /** Whether the steps before it ran under more than one map. */
    public boolean mixed() {
        return (int8(FLAGS) & 2) != 0;
    }

    public long planHash() {
        return int64(PLAN_HASH);
    }

    /** The same without a word of what hash it speaks of, as a verdict would see it that compares none. */
    public RankVote withPlanHash(long hash) {
        byte[] bytes = copy();
        put(bytes, PLAN_HASH, Long.BYTES, hash);
        return new RankVote(bytes);
    }
}
