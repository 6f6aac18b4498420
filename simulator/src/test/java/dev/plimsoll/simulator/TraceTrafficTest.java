package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.simulator.TraceTraffic.Order;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceTrafficTest {
    @TempDir
    Path directory;

    @Test
    void lanesDecodeRequestsTokenByTokenAndTakeTheNextInOrder() {
        // Requests: tokens 0-2, 3, 4-5.
        Traffic traffic = traffic(Order.DOMAINS, 2, 1, "a", 3, "a", 1, "a", 2);

        assertThat(tokens(traffic, 3)).containsExactly(List.of(0, 3), List.of(1, 4), List.of(2, 5));
    }

    @Test
    void theTraceBeginsAgainWhenAllRequestsAreTaken() {
        Traffic traffic = traffic(Order.DOMAINS, 2, 1, "a", 3, "a", 1, "a", 2);

        assertThat(tokens(traffic, 6).subList(3, 6)).containsExactly(List.of(0, 3), List.of(1, 4), List.of(2, 5));
    }

    @Test
    void moreLanesThanRequestsShareThem() {
        Traffic traffic = traffic(Order.DOMAINS, 3, 1, "a", 2);

        assertThat(tokens(traffic, 2)).containsExactly(List.of(0, 0, 0), List.of(1, 1, 1));
    }

    @Test
    void domainsComeOneAfterAnotherHoweverTheTraceListsThem() {
        Traffic traffic = traffic(Order.DOMAINS, 1, 1, "b", 1, "a", 1, "b", 1, "a", 1);

        assertThat(tokens(traffic, 4)).containsExactly(List.of(0), List.of(2), List.of(1), List.of(3));
    }

    @Test
    void mixedDecodesEveryTokenOncePerPassInAnotherOrderEachTime() {
        Object[] requests = new Object[20];
        for (int i = 0; i < 10; i++) {
            requests[2 * i] = "a";
            requests[2 * i + 1] = 1 + i % 3;
        }
        Traffic traffic = traffic(Order.MIXED, 1, 42, requests);

        List<List<Integer>> first = tokens(traffic, 19);
        List<List<Integer>> second = tokens(traffic, 19, 19);

        List<Integer> all = first.stream().map(lanes -> lanes.get(0)).sorted().toList();
        assertThat(all).hasSize(19).doesNotHaveDuplicates();
        assertThat(second).containsExactlyInAnyOrderElementsOf(first).isNotEqualTo(first);
    }

    @Test
    void equalSeedsMakeEqualTrafficAndOthersDoNot() {
        Object[] requests = new Object[20];
        for (int i = 0; i < 10; i++) {
            requests[2 * i] = "a";
            requests[2 * i + 1] = 2;
        }

        List<List<Integer>> one = tokens(traffic(Order.MIXED, 3, 42, requests), 100);

        assertThat(tokens(traffic(Order.MIXED, 3, 42, requests), 100)).isEqualTo(one);
        assertThat(tokens(traffic(Order.MIXED, 3, 43, requests), 100)).isNotEqualTo(one);
    }

    @Test
    void stepsOutOfOrderAreRefused() {
        Traffic traffic = traffic(Order.MIXED, 1, 1, "a", 2);

        assertThatThrownBy(() -> traffic.step(1, new short[4])).hasMessageContaining("the next one is 0");
    }

    private Traffic traffic(Order order, int lanes, long seed, Object... requests) {
        return new TraceTraffic(Trace.open(Traces.write(directory, requests)), order, lanes, seed);
    }

    private static List<List<Integer>> tokens(Traffic traffic, int steps) {
        return tokens(traffic, 0, steps);
    }

    /** {@code [step][lane]}: which token was decoded. */
    private static List<List<Integer>> tokens(Traffic traffic, int from, int steps) {
        List<List<Integer>> tokens = new ArrayList<>();
        short[] picks = new short[traffic.picksPerStep()];
        for (int step = from; step < from + steps; step++) {
            traffic.step(step, picks);
            List<Integer> lanes = new ArrayList<>();
            for (int lane = 0; lane < traffic.lanes(); lane++) {
                lanes.add((int) picks[lane * 4]);
                assertThat(picks[lane * 4 + 2]).as("layer 1").isEqualTo((short) (picks[lane * 4] + 1));
            }
            tokens.add(lanes);
        }
        return tokens;
    }
}
