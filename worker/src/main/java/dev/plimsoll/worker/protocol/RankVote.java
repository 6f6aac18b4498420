package dev.plimsoll.worker.protocol;

import dev.plimsoll.model.PlacementState;

/**
 * What a rank says at a boundary.
 *
 * @param state what the steps up to this boundary ran under: not yet the flip of this boundary
 * @param epoch the decision that the level speaks of, 0 when the level is 0
 * @param batch 1-based, 0 when the level is 0
 * @param level 0 nothing, 1 willing, 2 ready
 * @param planHash 0 when the level is 0
 */
public record RankVote(PlacementState state, int epoch, int batch, int level, long planHash) {
    /** The vote that wants nothing. */
    public static RankVote none(PlacementState state) {
        return new RankVote(state, 0, 0, 0, 0);
    }
}
