package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.replay.score.time.TokenTrace.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Traces by chance. */
final class MadeUpTraces {
    private MadeUpTraces() {}

    /** Routers that like experts of low numbers more. */
    static TokenTrace of(Random random, int layers, int experts, int topK, int requests) {
        List<Request> made = new ArrayList<>();
        int tokens = 0;
        for (int i = 0; i < requests; i++) {
            int length = 1 + random.nextInt(9);
            made.add(new Request(tokens, length));
            tokens += length;
        }
        byte[] picks = new byte[tokens * layers * topK];
        for (int row = 0; row < tokens * layers; row++) {
            for (int k = 0; k < topK; k++) {
                int expert = Math.min(random.nextInt(experts), random.nextInt(experts));
                while (holds(picks, row * topK, k, expert)) {
                    expert = (expert + 1) % experts;
                }
                picks[row * topK + k] = (byte) expert;
            }
        }
        return new TokenTrace(ModelShape.of("made-up", experts, topK, 0, layers), picks, made);
    }

    private static boolean holds(byte[] picks, int from, int count, int expert) {
        for (int i = from; i < from + count; i++) {
            if (picks[i] == expert) {
                return true;
            }
        }
        return false;
    }

    /** One request for each length, whose tokens pick their own number in the only layer. */
    static TokenTrace numbered(int... lengths) {
        List<Request> requests = new ArrayList<>();
        int tokens = 0;
        for (int length : lengths) {
            requests.add(new Request(tokens, length));
            tokens += length;
        }
        byte[] picks = new byte[tokens];
        for (int token = 0; token < tokens; token++) {
            picks[token] = (byte) token;
        }
        return new TokenTrace(ModelShape.of("numbered", Math.max(1, tokens), 1, 0, 1), picks, requests);
    }
}
