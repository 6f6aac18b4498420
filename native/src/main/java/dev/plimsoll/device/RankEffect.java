package dev.plimsoll.device;

/**
 * What a rank has to do now; {@code plimsoll.h} says what each means.
 *
 * @param epoch the decision
 * @param batch of it, 0 where it speaks of none
 * @param code of REFUSED a {@code PLM_REFUSAL_*}, of IGNORED a {@code PLM_IGNORED_*}
 */
public record RankEffect(Kind kind, int epoch, int batch, int code) {

    /** {@code PLM_EFFECT_*}, by ordinal. */
    public enum Kind {
        /** Not used: effects count from 1. */
        NONE,
        START_TRANSFERS,
        FLIP,
        FREE_STAGING,
        CANCEL_TRANSFERS,
        ABANDON_GROUP,
        LEAVE_GROUP,
        REFUSED,
        IGNORED,
        MOVE
    }

    private static final Kind[] KINDS = Kind.values();

    static RankEffect of(int kind, int epoch, int batch, int code) {
        return new RankEffect(KINDS[kind], epoch, batch, code);
    }
}
