package dev.plimsoll.wire.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.Topic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whose a record is, and where an incarnation's begin. */
final class RecordsTest {
    private static final long NOW = 1_795_367_122_443L;
    private static final long SKEW = 600_000;

    @ParameterizedTest
    @CsvSource({"a,a,true", "a,a/1,false", "a/1,a,false", "a/1,a/1,true"})
    void aRecordIsItsKeysDeployments(String deployment, String key, boolean its) {
        assertThat(Records.isOf(Topic.PLAN, new Deployment(deployment), key.getBytes(UTF_8)))
                .isEqualTo(its);
    }

    @ParameterizedTest
    @CsvSource({"a,a/1,true", "a,a/1/1,false", "a/1,a/1,false", "a/1,a/1/7,true"})
    void aPlacementIsOfTheDeploymentBeforeItsLayer(String deployment, String key, boolean its) {
        assertThat(Records.isOf(Topic.PLACEMENTS, new Deployment(deployment), key.getBytes(UTF_8)))
                .isEqualTo(its);
    }

    @Test
    void aRecordWithoutKeyIsNobodys() {
        assertThat(Records.isOf(Topic.PLAN, new Deployment("a"), null)).isFalse();
    }

    @Test
    void anIncarnationThatIsATimeBeginsThereLessWhatClocksMayDiffer() {
        assertThat(TopicReader.Start.ofIncarnation(NOW - 5, NOW))
                .isEqualTo(new TopicReader.Start.Since(NOW - 5 - SKEW));
        assertThat(TopicReader.Start.ofIncarnation(NOW + SKEW, NOW)).isEqualTo(new TopicReader.Start.Since(NOW));
    }

    @ParameterizedTest
    @CsvSource({"1", "1577836799999", "1795367722444", "1795367122443000"})
    void anIncarnationThatIsNoTimeMayBeginAnywhere(long incarnation) {
        assertThat(TopicReader.Start.ofIncarnation(incarnation, NOW)).isEqualTo(new TopicReader.Start.Beginning());
    }
}
