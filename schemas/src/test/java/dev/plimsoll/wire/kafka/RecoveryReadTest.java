package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.wire.kafka.RecoveryRead.Range;
import org.junit.jupiter.api.Test;

class RecoveryReadTest {
    @Test
    void readingBeginsWhereWasAskedOrWhereTheLogBegins() {
        assertThat(Range.ALL.begin(5, -1, 90)).isEqualTo(5);
        assertThat(Range.from(40).begin(5, -1, 90)).isEqualTo(40);
        assertThat(Range.from(90).begin(5, -1, 90)).isEqualTo(90);
        assertThat(Range.between(2, 40).begin(5, -1, 90)).isEqualTo(5);
    }

    @Test
    void anOffsetBehindTheEndIsOfAnotherLogWhichIsReadWhole() {
        assertThat(Range.from(91).begin(5, -1, 90)).isEqualTo(5);
        assertThat(Range.from(91).orSince(1).begin(5, 60, 90)).isEqualTo(5);
    }

    @Test
    void ofATimeAndAnOffsetTheEarlierCounts() {
        assertThat(Range.since(1).begin(5, 60, 90)).isEqualTo(60);
        assertThat(Range.since(1).begin(5, -1, 90)).as("nothing is as young").isEqualTo(90);
        assertThat(Range.from(70).orSince(1).begin(5, 60, 90)).isEqualTo(60);
        assertThat(Range.from(40).orSince(1).begin(5, 60, 90)).isEqualTo(40);
        assertThat(Range.from(40).orSince(1).begin(5, -1, 90)).isEqualTo(40);
    }
}
