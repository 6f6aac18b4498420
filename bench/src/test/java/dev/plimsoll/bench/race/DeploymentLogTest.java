package dev.plimsoll.bench.race;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.bench.load.LoadShape;
import dev.plimsoll.model.LoadSample;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeploymentLogTest {
    private static final LoadShape LOAD = new LoadShape(5, 2, 3, 2, 10, 8, 1);
    private static final RaceShape SHAPE = new RaceShape(LOAD, 1, 40, 5);

    private final DeploymentLog log = new DeploymentLog(SHAPE, SHAPE.members(1).get(0), 7);

    @Test
    void everySampleIsAppendedOnceAndLateOnesTwoWindowsBehind() {
        List<LoadSample> appended = new ArrayList<>();
        int late = 0;
        for (long boundary = 0; boundary < SHAPE.boundaries(); boundary++) {
            for (LoadSample sample : log.at(boundary)) {
                appended.add(sample);
                long behind = boundary - sample.steps().from() / LOAD.boundarySteps();
                assertThat(behind).isIn(0L, 2L * LOAD.boundariesPerWindow());
                late += behind > 0 ? 1 : 0;
            }
        }

        assertThat(appended).hasSize((int) SHAPE.samples()).doesNotHaveDuplicates();
        assertThat(late).isBetween(10, 60);
    }

    @Test
    void theExactWindowIsTheSumOfWhatIsInTime() {
        long window = 3;
        long expected = 0;
        for (long boundary = window * 8; boundary < (window + 1) * 8; boundary++) {
            long at = boundary;
            expected += log.at(boundary).stream()
                    .filter(sample -> sample.steps().from() == at * LOAD.boundarySteps())
                    .mapToLong(sample -> sample.load().sum())
                    .sum();
        }

        assertThat(log.window(window).accepted()).isEqualTo(expected);
    }
}
