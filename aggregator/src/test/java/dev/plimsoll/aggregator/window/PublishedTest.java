package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.LongVector;
import org.junit.jupiter.api.Test;

class PublishedTest {
    private final Published published = new Published(LongVector.empty());

    @Test
    void neighboursAreOneRangeWhicheverComesFirst() {
        published.add(4);
        published.add(7);
        published.add(5);
        published.add(6);

        assertThat(published.ranges()).isEqualTo(LongVector.of(4, 7));
        assertThat(published.before(4)).isEqualTo(-1);
        assertThat(published.before(6)).isEqualTo(5);
        assertThat(published.nextOpen(5)).isEqualTo(8);
        assertThat(published.nextOpen(3)).isEqualTo(3);
    }

    @Test
    void beyondSixteenRangesTheLowestGapIsGivenUpAndNothingIsForgotten() {
        for (long window = 0; window <= 2 * Published.MOST_RANGES; window += 2) {
            published.add(window);
        }

        assertThat(published.ranges().size()).isEqualTo(2 * Published.MOST_RANGES);
        assertThat(published.contains(1)).as("given up").isTrue();
        assertThat(published.contains(3)).isFalse();
        for (long window = 0; window <= 2 * Published.MOST_RANGES; window += 2) {
            assertThat(published.contains(window)).isTrue();
        }
        assertThat(new Published(published.ranges()).ranges()).isEqualTo(published.ranges());
    }
}
