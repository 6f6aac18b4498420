package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class AliasTablesTest {

    @Test
    void outcomesAreDrawnAsOftenAsTheyWeighInEveryTable() {
        AliasTables tables = new AliasTables(2, 4);
        double[][] weights = {{1, 1, 1, 1}, {0.001, 5, 2, 3}};
        tables.build(0, new double[] {9, 1, 1, 1});
        tables.build(1, weights[1]);
        tables.build(0, weights[0]);
        SplitMix random = new SplitMix(1);

        for (int table = 0; table < 2; table++) {
            double sum = weights[table][0] + weights[table][1] + weights[table][2] + weights[table][3];
            int[] drawn = new int[4];
            for (int i = 0; i < 100_000; i++) {
                drawn[tables.draw(table, random.nextLong())]++;
            }
            for (int outcome = 0; outcome < 4; outcome++) {
                assertThat(drawn[outcome] / 1e5)
                        .as("table %d outcome %d", table, outcome)
                        .isCloseTo(weights[table][outcome] / sum, within(0.007));
            }
        }
    }
}
