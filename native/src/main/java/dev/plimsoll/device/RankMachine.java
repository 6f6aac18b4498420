package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.device.api.plm_rank;
import dev.plimsoll.device.api.plm_rank_effects;
import dev.plimsoll.device.api.plm_rank_event;
import dev.plimsoll.device.api.plm_rank_state;
import dev.plimsoll.device.api.plm_verdict;
import dev.plimsoll.device.api.plm_vote;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;

/**
 * The rules of one rank, as engines run them: {@code plm_rank_*} and the verdict on values. Pure; an instance reuses its memory,
 * so one thread at a time may call it.
 */
public final class RankMachine {
    private final plm_rank rank = new plm_rank();
    private final plm_rank_event event = new plm_rank_event();
    private final plm_rank_effects effects = new plm_rank_effects();
    private final plm_rank_state state = new plm_rank_state();
    private final plm_verdict verdict = new plm_verdict();
    private final plm_vote votes = new plm_vote(MOST_VOTES);
    private final ByteBuffer rankBytes = buffer(rank, RankWords.BYTES);
    private final ByteBuffer eventBytes = buffer(event, RankEvent.BYTES);
    private final ByteBuffer effectBytes = buffer(effects, effects.sizeof());
    private final ByteBuffer voteBytes = buffer(votes, MOST_VOTES * RankVote.BYTES);

    private static final int MOST_VOTES = 1024;
    private static final int EFFECT_COUNT = StructBytes.offsetof(plm_rank_effects.class, "count");
    private static final int EFFECTS = StructBytes.offsetof(plm_rank_effects.class, "effects");

    public RankMachine() {
        Native.load();
        effects.size(effects.sizeof());
        state.zero();
        state.size(state.sizeof());
        verdict.size(verdict.sizeof());
    }

    private static ByteBuffer buffer(Pointer pointer, int bytes) {
        return Native.borrowed(pointer.address(), bytes).asByteBuffer().order(StructBytes.ORDER);
    }

    /**
     * A rank at the start of its incarnation.
     *
     * @param observes gather mode {@code none}
     * @param engineMoves the engine moves weights by itself
     */
    public RankWords begin(long incarnation, int settledVersion, boolean observes, boolean engineMoves) {
        rank.size(rank.sizeof());
        int flags =
                (observes ? PlimsollApi.PLM_RANK_OBSERVES : 0) | (engineMoves ? PlimsollApi.PLM_RANK_ENGINE_MOVES : 0);
        Native.check(PlimsollApi.plm_rank_begin(rank, incarnation, settledVersion, flags));
        return words();
    }

    /** What an event makes of a rank. */
    public RankTurn on(RankWords words, RankEvent happened) {
        words.copyTo(rankBytes);
        happened.copyTo(eventBytes);
        Native.check(PlimsollApi.plm_rank_on(rank, event, effects));
        int count = effectBytes.getInt(EFFECT_COUNT);
        List<RankEffect> todo = new ArrayList<>(count);
        for (int i = 0, at = EFFECTS; i < count; i++, at += 4 * Integer.BYTES) {
            todo.add(RankEffect.of(
                    effectBytes.getInt(at),
                    effectBytes.getInt(at + 4),
                    effectBytes.getInt(at + 8),
                    effectBytes.getInt(at + 12)));
        }
        return new RankTurn(words(), todo);
    }

    /** What a rank votes now. */
    public RankVote vote(RankWords words) {
        words.copyTo(rankBytes);
        Native.check(PlimsollApi.plm_rank_vote(rank, votes));
        byte[] vote = new byte[RankVote.BYTES];
        voteBytes.get(0, vote);
        return new RankVote(vote);
    }

    /** What of a rank stands in its heat ring. */
    public RankState describe(RankWords words, long step) {
        words.copyTo(rankBytes);
        Native.check(PlimsollApi.plm_rank_describe(rank, state));
        return new RankState(
                state.incarnation(),
                state.settled_version(),
                state.epoch(),
                RankPhase.of(state.phase()),
                state.batches_flipped(),
                state.plan_hash(),
                state.refusal(),
                state.fatal() != 0,
                state.command_number(),
                step,
                state.refused_epoch(),
                state.refused_hash(),
                state.refused_stopped() != 0,
                state.flags(),
                state.refused_peer() - 1);
    }

    /** What the votes of all ranks decide, as the event that tells a rank of it. */
    public RankEvent verdict(List<RankVote> cast) {
        byte[] bytes = new byte[RankVote.BYTES * cast.size()];
        for (int i = 0; i < cast.size(); i++) {
            System.arraycopy(cast.get(i).copy(), 0, bytes, i * RankVote.BYTES, RankVote.BYTES);
        }
        voteBytes.put(0, bytes);
        Native.check(PlimsollApi.plm_votes_verdict(votes, cast.size(), verdict));
        return RankEvent.verdict(verdict.outcome(), verdict.epoch(), verdict.batch(), verdict.level());
    }

    private RankWords words() {
        byte[] bytes = new byte[RankWords.BYTES];
        rankBytes.get(0, bytes);
        return new RankWords(bytes);
    }
}
