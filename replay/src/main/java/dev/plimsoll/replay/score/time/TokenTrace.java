package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.ModelShape;
import java.util.ArrayList;
import java.util.List;

/** The experts that a model's routers picked for each token of some requests, in memory. Immutable. */
public final class TokenTrace {
    /**
     * One request's tokens, one after the other.
     *
     * @param first index of its first token
     * @param tokens at least 1
     */
    public record Request(int first, int tokens) {}

    private final ModelShape model;
    private final byte[] picks;
    private final List<Request> requests;

    /**
     * @param picks {@code [token][layer][k]} flattened, unsigned, copied
     * @param requests at least one, in the order in which they come
     */
    public TokenTrace(ModelShape model, byte[] picks, List<Request> requests) {
        this.model = model;
        this.picks = picks.clone();
        this.requests = List.copyOf(requests);
        int ofToken = model.layers() * model.topK();
        if (requests.isEmpty() || picks.length % ofToken != 0) {
            throw new IllegalArgumentException("a trace needs a request and " + ofToken
                    + " experts for each of its tokens: " + requests.size() + " requests, " + picks.length
                    + " experts");
        }
        int tokens = picks.length / ofToken;
        for (Request request : requests) {
            if (request.first < 0 || request.tokens < 1 || request.first > tokens - request.tokens) {
                throw new IllegalArgumentException(request + " of a trace of " + tokens + " tokens");
            }
        }
        for (int i = 0; i < picks.length; i++) {
            if (Byte.toUnsignedInt(picks[i]) >= model.experts()) {
                throw new IllegalArgumentException("token " + i / ofToken + " picks expert "
                        + Byte.toUnsignedInt(picks[i]) + " of " + model.experts());
            }
        }
    }

    /** The model that was traced. */
    public ModelShape model() {
        return model;
    }

    /** In the order in which they are served. */
    public List<Request> requests() {
        return requests;
    }

    /**
     * The same requests in another order, in which neighbours are far apart in this one: traffic as mixed as a busy server sees it. Steps
     * through them by about 0.618… of their number, so that any stretch has requests from everywhere.
     */
    public TokenTrace mixed() {
        int count = requests.size();
        int stride = Math.max(1, (int) Math.round(count * ContinuousBatch.GOLDEN));
        while (gcd(stride, count) != 1) {
            stride++;
        }
        List<Request> mixed = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            mixed.add(requests.get((int) (i * stride % count)));
        }
        return new TokenTrace(model, picks, mixed);
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    /** The {@code k}-th expert that a token has picked in a layer. */
    public int expert(int token, int layer, int k) {
        return picks[(token * model.layers() + layer) * model.topK() + k] & 0xff;
    }
}
