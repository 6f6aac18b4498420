package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

/** When a client's silence is the cluster's. */
final class PulseTest {
    private final List<String> told = new ArrayList<>();
    private long nanos;
    private double responses;

    private final Pulse pulse = new Pulse(
            "c",
            new ClientListener() {
                @Override
                public void onAnswer(String client) {
                    told.add("answer");
                }

                @Override
                public boolean onSilence(String client, Instant since, String why) {
                    told.add("silence");
                    return true;
                }

                @Override
                public void onGone(String client) {
                    told.add("gone");
                }
            },
            () -> nanos);

    PulseTest() {
        MetricName ofAll = new MetricName("response-total", "g", "", Map.of("client-id", "c"));
        MetricName ofOneNode = new MetricName("response-total", "g", "", Map.of("client-id", "c", "node-id", "1"));
        pulse.of(() -> Map.of(ofAll, metric(ofAll), ofOneNode, metric(new MetricName("x", "g", "", Map.of()))));
    }

    @Test
    void aClientThatWaitsAndGetsNothingForFiveSecondsIsSilent() {
        looks(50, true);
        assertThat(told).isEmpty();
        looks(1, true);
        assertThat(told).containsExactly("silence");
    }

    @Test
    void aClientThatAsksForNothingIsNeverSilentHoweverLong() {
        looks(1_000, false);
        looks(49, true);
        assertThat(told).isEmpty();
    }

    @Test
    void anAnswerEndsTheSilenceAndItsCountBeginsAnew() {
        looks(51, true);
        responses = 3;
        looks(50, true);
        assertThat(told).containsExactly("silence", "answer");
    }

    @Test
    void aThreadThatWasHeldUpForAMinuteDoesNotTakeItForTheClustersSilence() {
        looks(1, true);
        nanos += Duration.ofMinutes(1).toNanos();
        looks(1, true);
        assertThat(told).isEmpty();
    }

    @Test
    void whileARequestFailsAnswersToOthersMendNothingUntilNothingIsWaitedFor() {
        pulse.failed(new TimeoutException("10 s"));
        responses = 1;
        looks(1, true);
        assertThat(told).containsExactly("silence");

        responses = 2;
        looks(1, false);
        assertThat(told).containsExactly("silence", "answer");
    }

    @Test
    void aClientThatReplacesAnotherCountsFromItsOwnBeginning() {
        responses = 100;
        looks(1, true);
        pulse.of(() -> Map.of());
        looks(51, true);
        assertThat(told).containsExactly("answer", "silence");
    }

    private void looks(int times, boolean waits) {
        for (int i = 0; i < times; i++) {
            nanos += Duration.ofMillis(100).toNanos();
            pulse.look(waits);
        }
    }

    private Metric metric(MetricName name) {
        return new Metric() {
            @Override
            public MetricName metricName() {
                return name;
            }

            @Override
            public Object metricValue() {
                return name.name().equals("x") ? 1_000_000.0 : responses;
            }
        };
    }
}
