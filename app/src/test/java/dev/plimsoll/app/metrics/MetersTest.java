package dev.plimsoll.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.collector.CollectorListener.Dropped;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MetersTest {
    private final Meters meters = new Meters();

    @AfterEach
    void close() {
        meters.close();
    }

    @Test
    void samplesCapturedArePublishedOrDroppedInTheEnd() {
        CollectorListener collector = meters.collector();
        collector.onCaptured(3, 16);
        collector.onPublished(16, 1);
        collector.onPublished(16, 1);
        collector.onDropped(Dropped.CLOSED, 16);

        assertThat(meters.captured()).isEqualTo(3).isEqualTo(meters.published() + meters.dropped());
        assertThat(line("plimsoll_samples_captured_total")).isEqualTo("plimsoll_samples_captured_total 3.0");
    }

    /** The one line of what is scraped that begins so. */
    private String line(String begin) {
        return meters.registry()
                .scrape()
                .lines()
                .filter(line -> line.startsWith(begin))
                .reduce((a, b) -> a + "\n" + b)
                .orElse("no " + begin);
    }
}
