package dev.plimsoll.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.collector.CollectorListener.Dropped;
import dev.plimsoll.model.Deployment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MetersTest {
    private static final Deployment KNOWN = new Deployment("r1/decode-0");

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

    @Test
    void cellsAreCountedByFateAndRecordsThatAreNoSamplesApart() {
        AggregatorListener aggregator = meters.aggregator();
        aggregator.fate(KNOWN, Fate.ACCEPTED, 8, 100);
        aggregator.fate(KNOWN, Fate.LATE, 2, 10);
        aggregator.fate(KNOWN, Fate.MEMBERS_CONFLICT, 0, 0);

        assertThat(line("plimsoll_cells_received_total{deployment=\"r1/decode-0\",fate=\"accepted\"}"))
                .endsWith("} 8.0");
        assertThat(line("plimsoll_cells_received_total{deployment=\"r1/decode-0\",fate=\"late\"}"))
                .endsWith("} 2.0");
        assertThat(line("plimsoll_records_rejected_total{reason=\"members_conflict\"}"))
                .endsWith("} 1.0");
    }

    @Test
    void deploymentThatNobodyAnnouncedGetsNoSeriesOfItsOwn() {
        AggregatorListener aggregator = meters.aggregator();
        for (int i = 0; i < 1_000; i++) {
            aggregator.fate(new Deployment("made-up-" + i), Fate.UNKNOWN_DEPLOYMENT, 2, 0);
        }

        assertThat(line("plimsoll_cells_received_total"))
                .isEqualTo("plimsoll_cells_received_total{deployment=\"unknown\",fate=\"unknown_deployment\"} 2000.0");
    }

    @Test
    void deploymentsBeyondTheBoundShareATag() {
        AggregatorListener aggregator = meters.aggregator();
        for (int i = 0; i < Series.MOST_DEPLOYMENTS + 2; i++) {
            aggregator.fate(new Deployment("d" + i), Fate.ACCEPTED, 1, 0);
        }
        aggregator.fate(new Deployment("d0"), Fate.ACCEPTED, 1, 0);

        String lines = line("plimsoll_cells_received_total");
        assertThat(lines.lines()).hasSize(Series.MOST_DEPLOYMENTS + 1);
        assertThat(lines)
                .contains("{deployment=\"other\",fate=\"accepted\"} 2.0")
                .contains("{deployment=\"d0\",fate=\"accepted\"} 2.0");
    }

    /** The lines of what is scraped that begin so. */
    private String line(String begin) {
        return meters.registry()
                .scrape()
                .lines()
                .filter(line -> line.startsWith(begin))
                .reduce((a, b) -> a + "\n" + b)
                .orElse("no " + begin);
    }
}
