package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.replay.score.time.TokenTrace.Request;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TokenTraceTest {
    private static final ModelShape SHAPE = ModelShape.of("m", 200, 2, 0, 2);

    @Test
    void picksAreReadByTokenAndLayerAsUnsignedBytes() {
        TokenTrace trace =
                new TokenTrace(SHAPE, new byte[] {1, 2, 3, 4, 5, 6, 7, (byte) 199}, List.of(new Request(0, 2)));

        assertThat(trace.expert(0, 1, 0)).isEqualTo(3);
        assertThat(trace.expert(1, 0, 1)).isEqualTo(6);
        assertThat(trace.expert(1, 1, 1)).isEqualTo(199);
    }

    @Test
    void mixedHasTheSameRequestsAndNeighboursFarApart() {
        for (int requests : new int[] {1, 2, 3, 10, 247}) {
            TokenTrace trace = MadeUpTraces.of(new Random(requests), 1, 4, 1, requests);

            List<Request> mixed = trace.mixed().requests();

            assertThat(mixed).containsExactlyInAnyOrderElementsOf(trace.requests());
            for (int i = 1; requests >= 10 && i < requests; i++) {
                assertThat(Math.abs(trace.requests().indexOf(mixed.get(i))
                                - trace.requests().indexOf(mixed.get(i - 1))))
                        .as("between %d and %d of %d", i - 1, i, requests)
                        .isGreaterThanOrEqualTo(requests / 4);
            }
        }
    }

    @Test
    void whatIsNoTraceIsRefused() {
        byte[] token = new byte[4];
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TokenTrace(SHAPE, new byte[5], List.of(new Request(0, 1))))
                .withMessageContaining("4 experts for each of its tokens");
        assertThatIllegalArgumentException().isThrownBy(() -> new TokenTrace(SHAPE, token, List.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TokenTrace(SHAPE, token, List.of(new Request(0, 2))))
                .withMessageContaining("of a trace of 1 tokens");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TokenTrace(SHAPE, new byte[] {0, 1, 0, (byte) 200}, List.of(new Request(0, 1))))
                .withMessageContaining("picks expert 200 of 200");
    }
}
