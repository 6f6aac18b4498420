package dev.plimsoll.replay.score.time;

import dev.plimsoll.replay.score.time.TokenTrace.Request;
import java.util.List;

/**
 * Requests of a trace that run side by side, each giving one token per step; when one ends, the next of the trace takes its row, and
 * after the last the first again.
 *
 * <p>An engine that has run for a while has requests of all ages: row i begins behind the fractional part of i · 0.618… of its
 * request, which spreads any number of rows evenly. So two rows that run the same request are at different tokens of it. Nothing is
 * drawn by chance. One thread.
 */
final class ContinuousBatch {
    /** The part of a circle that spreads any number of points on it about evenly, added again and again. */
    static final double GOLDEN = 0.6180339887498949;

    private final List<Request> requests;
    /** {@code [row]}, the token that is next. */
    private final int[] at;
    /** {@code [row]}, behind the last token of its request. */
    private final int[] end;

    private int nextRequest;

    ContinuousBatch(List<Request> requests, int rows) {
        this.requests = requests;
        at = new int[rows];
        end = new int[rows];
        for (int row = 0; row < rows; row++) {
            take(row);
            double age = row * GOLDEN % 1;
            at[row] += (int) (age * (end[row] - at[row]));
        }
    }

    /** The token of every row in the next step. */
    int[] step() {
        int[] tokens = at.clone();
        for (int row = 0; row < at.length; row++) {
            at[row]++;
            if (at[row] == end[row]) {
                take(row);
            }
        }
        return tokens;
    }

    private void take(int row) {
        Request request = requests.get(nextRequest);
        nextRequest = (nextRequest + 1) % requests.size();
        at[row] = request.first();
        end[row] = request.first() + request.tokens();
    }
}
