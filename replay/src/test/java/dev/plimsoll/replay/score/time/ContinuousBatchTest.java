package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.replay.score.time.TokenTrace.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ContinuousBatchTest {
    @Test
    void aRequestThatEndsGivesItsRowToTheNextOfTheTraceAndTheLastOneToTheFirst() {
        ContinuousBatch batch =
                new ContinuousBatch(MadeUpTraces.numbered(2, 1, 3).requests(), 1);

        List<Integer> tokens = new ArrayList<>();
        for (int step = 0; step < 8; step++) {
            tokens.add(batch.step()[0]);
        }

        assertThat(tokens).containsExactly(0, 1, 2, 3, 4, 5, 0, 1);
    }

    @Test
    void rowsBeginAtDifferentAgesOfTheSameRequest() {
        int[] first = new ContinuousBatch(List.of(new Request(0, 1000)), 8).step();

        // 0, 0.618, 0.236, 0.854, 0.472, 0.090, 0.708, 0.326
        assertThat(first).containsExactly(0, 618, 236, 854, 472, 90, 708, 326);
    }

    @Test
    void everyRowReadsRequestsToTheirEndsAndTheyAreTakenInOrder() {
        for (int seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            List<Request> requests =
                    MadeUpTraces.of(random, 1, 4, 1, 1 + random.nextInt(12)).requests();
            int rows = 1 + random.nextInt(30);
            ContinuousBatch batch = new ContinuousBatch(requests, rows);
            int[] request = new int[rows];
            for (int row = 0; row < rows; row++) {
                request[row] = row % requests.size();
            }
            int next = rows % requests.size();
            int[] before = batch.step();
            for (int step = 1; step < 60; step++) {
                int[] tokens = batch.step();
                for (int row = 0; row < rows; row++) {
                    Request of = requests.get(request[row]);
                    if (before[row] + 1 < of.first() + of.tokens()) {
                        assertThat(tokens[row]).as("seed %d row %d", seed, row).isEqualTo(before[row] + 1);
                    } else {
                        assertThat(tokens[row])
                                .as("seed %d row %d takes request %d", seed, row, next)
                                .isEqualTo(requests.get(next).first());
                        request[row] = next;
                        next = (next + 1) % requests.size();
                    }
                }
                before = tokens;
            }
        }
    }
}
