package dev.plimsoll.bench.race.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.bench.load.LoadShape;
import dev.plimsoll.bench.load.NodeSamples;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Tick;
import dev.plimsoll.wire.Topic;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What the contestants on Kafka Streams read by hand is what our codec writes today. */
class SampleViewTest {
    private static final LoadShape LOAD = new LoadShape(5, 2, 3, 2, 10, 8, 1);
    private static final Deployment DEPLOYMENT = new Deployment("race");
    private static final Membership MEMBERS = LOAD.members(DEPLOYMENT, 3);

    @Test
    void aSampleOfTodayHasItsRangeItsRanksAndItsCounters() {
        LoadSample written = new NodeSamples(LOAD, MEMBERS, 1, 7).at(4);
        byte[] record = Topic.SAMPLES.encode(written);
        SampleView view = new SampleView();

        assertThat(SampleView.isSample(SampleView.schema(record))).isTrue();
        view.read(record);

        assertThat(view.isOf("race".getBytes(StandardCharsets.UTF_8))).isTrue();
        assertThat(view.incarnation).isEqualTo(3);
        assertThat(view.stepTo).isEqualTo(written.steps().to());
        assertThat(view.firstRank).isEqualTo(written.firstRank());
        long[] sums = new long[view.counters];
        WindowSums.add(view, sums, 0);
        assertThat(sums).isEqualTo(written.load().toArray());
    }

    @Test
    void aMembershipOfTodayIsOneAndATickIsNeither() {
        byte[] membership = Topic.SAMPLES.encode(MEMBERS);
        byte[] tick = Topic.SAMPLES.encode(new Tick(DEPLOYMENT));

        assertThat(SampleView.isMembership(SampleView.schema(membership))).isTrue();
        assertThat(SampleView.isSample(SampleView.schema(membership))).isFalse();
        assertThat(SampleView.isMembership(SampleView.schema(tick))).isFalse();
        assertThat(SampleView.isSample(SampleView.schema(tick))).isFalse();
    }

    /** A schema that came later was passed over in silence, and the race stood still for two minutes without a word. */
    @Test
    void aSchemaThatCameLaterIsRefusedByItsNumber() {
        byte[] record = Topic.SAMPLES.encode(new NodeSamples(LOAD, MEMBERS, 0, 7).at(0));
        ByteBuffer.wrap(record).putInt(1, 170_999);

        assertThatThrownBy(() -> SampleView.isSample(SampleView.schema(record)))
                .hasMessageContaining("schema 170999")
                .hasMessageContaining("SampleView");
    }
}
