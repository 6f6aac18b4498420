package dev.plimsoll.replay.score.time;

/**
 * Whose turn it is among an expert's replicas, as engines and our simulator take turns: every rank on its own for the tokens of its
 * own requests, the first one from the replica of its own number on. One thread.
 */
final class ReplicaTurns {
    private final int experts;
    /** {@code [layer][rank][expert]} flattened: tokens sent to one of several replicas so far, from the rank's own start. */
    private final int[][] turn;

    ReplicaTurns(int layers, int ranks, int experts) {
        this.experts = experts;
        turn = new int[layers][ranks * experts];
        for (int[] ofLayer : turn) {
            for (int i = 0; i < ofLayer.length; i++) {
                ofLayer[i] = i / experts;
            }
        }
    }

    /** The replica that a rank's next token for an expert goes to; turns are not taken where there is one. */
    int next(int layer, int rank, int expert, int replicas) {
        return replicas == 1 ? 0 : (turn[layer][rank * experts + expert]++ & Integer.MAX_VALUE) % replicas;
    }
}
