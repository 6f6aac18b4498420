package dev.plimsoll.replay.score.time;

/**
 * Whose turn it is among an expert's replicas, as engines and our simulator take turns: every rank on its own for the tokens of its
 * own requests, the first one from the replica of its own number on. One thread.
 */
final class ReplicaTurns {
    private final int ranks;
    /** {@code [layer][expert][rank]}, the last two flattened: tokens sent to one of several replicas, from the rank's own start. */
    private final int[][] turn;

    ReplicaTurns(int layers, int experts, int ranks) {
        this.ranks = ranks;
        turn = new int[layers][experts * ranks];
        for (int[] ofLayer : turn) {
            for (int i = 0; i < ofLayer.length; i++) {
                ofLayer[i] = i % ranks;
            }
        }
    }

    /**
     * Sends a rank's tokens of a step to an expert's slots, one after the other.
     *
     * @param slots of the expert, ascending; no turn is taken where there is one
     * @param tokensOfSlot added to
     */
    void send(int layer, int expert, int rank, int tokens, int[] slots, int[] tokensOfSlot) {
        int replicas = slots.length;
        if (replicas == 1) {
            tokensOfSlot[slots[0]] += tokens;
            return;
        }
        int at = expert * ranks + rank;
        int first = turn[layer][at];
        turn[layer][at] = (first + tokens) & Integer.MAX_VALUE;
        int each = tokens / replicas;
        for (int i = 0; i < replicas; i++) {
            tokensOfSlot[slots[(first + i) % replicas]] += each + (i < tokens % replicas ? 1 : 0);
        }
    }
}
