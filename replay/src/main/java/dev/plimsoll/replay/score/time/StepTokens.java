package dev.plimsoll.replay.score.time;

import java.util.Arrays;

/**
 * How many tokens of each rank's requests go to each expert in a step; row i of the batch is a request of rank i mod ranks. Filled
 * again for every step. One thread.
 */
final class StepTokens {
    private final TokenTrace trace;
    private final int ranks;
    private final int experts;
    /** {@code [layer][expert][rank]}, the last two flattened. */
    private final int[][] ofRank;
    /** {@code [layer][expert]}, over ranks. */
    private final int[][] of;

    StepTokens(TokenTrace trace, int ranks) {
        this.trace = trace;
        this.ranks = ranks;
        experts = trace.model().experts();
        ofRank = new int[trace.model().layers()][experts * ranks];
        of = new int[trace.model().layers()][experts];
    }

    /** @param tokens of the trace, {@code [row]} */
    void count(int[] tokens) {
        int layers = of.length;
        int topK = trace.model().topK();
        for (int layer = 0; layer < layers; layer++) {
            Arrays.fill(ofRank[layer], 0);
            Arrays.fill(of[layer], 0);
        }
        for (int row = 0; row < tokens.length; row++) {
            int rank = row % ranks;
            for (int layer = 0; layer < layers; layer++) {
                for (int k = 0; k < topK; k++) {
                    int expert = trace.expert(tokens[row], layer, k);
                    ofRank[layer][expert * ranks + rank]++;
                    of[layer][expert]++;
                }
            }
        }
    }

    int of(int layer, int expert) {
        return of[layer][expert];
    }

    int of(int layer, int expert, int rank) {
        return ofRank[layer][expert * ranks + rank];
    }

    int ranks() {
        return ranks;
    }

    int layers() {
        return of.length;
    }

    int experts() {
        return experts;
    }
}
