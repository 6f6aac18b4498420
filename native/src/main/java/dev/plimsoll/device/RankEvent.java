package dev.plimsoll.device;

import dev.plimsoll.device.api.plm_order;
import dev.plimsoll.device.api.plm_rank_event;

/** What can happen to a rank: a {@code plm_rank_event}. */
public final class RankEvent extends StructBytes {

    /** {@code PLM_EVENT_*}, by ordinal. */
    public enum Kind {
        VERDICT,
        ORDER,
        TRANSFER_ENDED,
        STAGING_FREED,
        VOTED,
        FLIP_FAILED,
        DEAF,
        ENGINE_BUSY,
        MOVED,
        CHANGED,
        RELOAD,
        RELOADED
    }

    static final int BYTES = sizeof(plm_rank_event.class);
    private static final int SIZE = at("size");
    private static final int KIND = at("kind");
    private static final int OUTCOME = at("outcome");
    private static final int EPOCH = at("epoch");
    private static final int BATCH = at("batch");
    private static final int LEVEL = at("level");
    private static final int GOOD = at("good");
    private static final int ORDER = at("order");
    private static final int VOTE = at("vote");
    private static final int GENERATION = at("generation");
    private static final int ORDER_KIND = ORDER + offsetof(plm_order.class, "kind");
    private static final Kind[] KINDS = Kind.values();

    private RankEvent(byte[] bytes) {
        super(bytes);
    }

    private static int at(String name) {
        return offsetof(plm_rank_event.class, name);
    }

    /** Of words that {@link #words} gave. */
    public static RankEvent of(int... words) {
        byte[] bytes = bytes(words);
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException(words.length + " words of an event, expected " + BYTES / Integer.BYTES);
        }
        return new RankEvent(bytes);
    }

    /**
     * A boundary begins.
     *
     * @param outcome {@code PLM_OUTCOME_*} of the gather before
     * @param epoch smallest epoch voted, read from level 1 on, as the batch is
     * @param level smallest level voted, 0 unless all ranks speak of the same
     */
    public static RankEvent verdict(int outcome, int epoch, int batch, int level) {
        return numbers(Kind.VERDICT, outcome, epoch, batch, level, 0);
    }

    /** @param record of the mailbox, of which the head is read */
    public static RankEvent order(byte[] record) {
        byte[] bytes = empty(Kind.ORDER);
        System.arraycopy(record, 0, bytes, ORDER, VOTE - ORDER);
        return new RankEvent(bytes);
    }

    /** No more bytes of a batch come or go. */
    public static RankEvent transferEnded(int epoch, int batch, boolean verified) {
        return numbers(Kind.TRANSFER_ENDED, 0, epoch, batch, 0, verified ? 1 : 0);
    }

    /** A vote was cast and cannot be withdrawn. */
    public static RankEvent voted(RankVote vote) {
        byte[] bytes = empty(Kind.VOTED);
        System.arraycopy(vote.copy(), 0, bytes, VOTE, RankVote.BYTES);
        return new RankEvent(bytes);
    }

    /** The engine begins or ends a move that nobody here decided. */
    public static RankEvent engineBusy(boolean busy) {
        return numbers(Kind.ENGINE_BUSY, 0, 0, 0, 0, busy ? 1 : 0);
    }

    /** @param map {@code PLM_MAP_*}, what the map read back from the engine is */
    public static RankEvent moved(int map) {
        return numbers(Kind.MOVED, 0, 0, 0, 0, map);
    }

    /** The engine is about to load other weights into its slots; it may where that makes {@code PLM_RELOAD_UNDER_WAY}. */
    public static RankEvent reload() {
        return of(Kind.RELOAD);
    }

    /** @param generation of the weights that all slots hold now */
    public static RankEvent reloaded(long generation) {
        byte[] bytes = empty(Kind.RELOADED);
        put(bytes, GENERATION, Long.BYTES, generation);
        return new RankEvent(bytes);
    }

    /** An event of which all is said with its kind. */
    public static RankEvent of(Kind kind) {
        return numbers(kind, 0, 0, 0, 0, 0);
    }

    private static byte[] empty(Kind kind) {
        byte[] bytes = new byte[BYTES];
        put(bytes, SIZE, Integer.BYTES, BYTES);
        put(bytes, KIND, Integer.BYTES, kind.ordinal());
        return bytes;
    }

    private static RankEvent numbers(Kind kind, int outcome, int epoch, int batch, int level, int good) {
        byte[] bytes = empty(kind);
        put(bytes, OUTCOME, Integer.BYTES, outcome);
        put(bytes, EPOCH, Integer.BYTES, epoch);
        put(bytes, BATCH, Integer.BYTES, batch);
        put(bytes, LEVEL, Integer.BYTES, level);
        put(bytes, GOOD, Integer.BYTES, good);
        return new RankEvent(bytes);
    }

    public Kind kind() {
        return KINDS[int32(KIND)];
    }

    /** {@code PLM_OUTCOME_*} of a verdict. */
    public int outcome() {
        return int32(OUTCOME);
    }

    /** {@code PLM_ORDER_*} of an order. */
    public int orderKind() {
        return int16(ORDER_KIND);
    }
}
