package dev.plimsoll.simulator;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A trace decoded as a continuous batch: every lane decodes one token of its request per step, and a lane that has finished
 * takes the next request at its next step. When all requests are taken the trace begins again, so lanes are never idle and
 * every token is decoded once per pass.
 */
public final class TraceTraffic implements Traffic {

    /** In which order requests are taken. */
    public enum Order {
        /** Seeded random order, another one at each pass: traffic as mixed as a busy server sees it. */
        MIXED,
        /** One data set after another, as the trace lists them: a shift of domain at each change. */
        DOMAINS
    }

    private final Trace trace;
    private final List<Trace.Request> requests;
    private final Order order;
    private final SplitMix random;
    private final TokensPerStep sizes;

    /** The order of the pass under way, as indexes of {@link #requests}, and how many of them are taken. */
    private final int[] queue;

    private int taken;
    private long nextStep;

    /** {@code [lane]}: next token of the trace, and the end of the request. */
    private final int[] token;

    private final int[] end;

    public TraceTraffic(Trace trace, Order order, int lanes, long seed) {
        this(trace, order, TokensPerStep.of(lanes), seed);
    }

    /** @param sizes lanes that a step does not have stand still within their requests */
    public TraceTraffic(Trace trace, Order order, TokensPerStep sizes, long seed) {
        this.trace = trace;
        this.requests = trace.requests();
        this.order = order;
        this.sizes = sizes;
        random = new SplitMix(seed);
        queue = byDataset(requests);
        taken = queue.length;
        token = new int[sizes.most()];
        end = new int[sizes.most()];
    }

    @Override
    public int lanes() {
        return sizes.most();
    }

    @Override
    public int lanes(long step) {
        return sizes.at(step);
    }

    @Override
    public int layers() {
        return trace.model().layers();
    }

    @Override
    public int experts() {
        return trace.model().experts();
    }

    @Override
    public int topK() {
        return trace.model().topK();
    }

    @Override
    public void step(long step, short[] picks) {
        if (step != nextStep) {
            throw new IllegalArgumentException("step " + step + " asked for, the next one is " + nextStep);
        }
        nextStep++;
        int picksPerLane = layers() * topK();
        int lanes = lanes(step);
        for (int lane = 0; lane < lanes; lane++) {
            if (token[lane] == end[lane]) {
                Trace.Request request = requests.get(takeNext());
                token[lane] = request.offset();
                end[lane] = request.offset() + request.tokens();
            }
            trace.read(token[lane]++, picks, lane * picksPerLane);
        }
    }

    private int takeNext() {
        if (taken == queue.length) {
            taken = 0;
            if (order == Order.MIXED) {
                random.shuffle(queue);
            }
        }
        return queue[taken++];
    }

    /** Data sets in order of their first request, requests of one in the trace's order. */
    private static int[] byDataset(List<Trace.Request> requests) {
        Map<String, Integer> datasets = new LinkedHashMap<>();
        requests.forEach(request -> datasets.putIfAbsent(request.dataset(), datasets.size()));
        return IntStream.range(0, requests.size())
                .boxed()
                .sorted(Comparator.comparing(i -> datasets.get(requests.get(i).dataset())))
                .mapToInt(Integer::intValue)
                .toArray();
    }
}
