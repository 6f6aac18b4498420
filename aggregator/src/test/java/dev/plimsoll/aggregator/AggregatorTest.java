package dev.plimsoll.aggregator;

import static dev.plimsoll.aggregator.window.Samples.ONE;
import static dev.plimsoll.aggregator.window.Samples.gathered;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.aggregator.window.Samples;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Received;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AggregatorTest {
    private static final Membership MEMBERS = Samples.members(ONE, 1, 2, 2, 2, 2);

    private final List<WindowSummary> closed = new ArrayList<>();
    private final List<Deployment> released = new ArrayList<>();
    private final AggregatorListener listener = new AggregatorListener() {
        @Override
        public void windowClosed(WindowSummary window) {
            closed.add(window);
        }

        @Override
        public void released(Deployment deployment) {
            released.add(deployment);
        }
    };

    private Aggregator.LoopTasks loop() {
        return new Aggregator.LoopTasks(AggregatorSettings.DEFAULT, listener, cause -> {});
    }

    private static void feed(AggregatorTask task, long offset, SampleRecord record) {
        task.onRecord(new Received<>(Topic.SAMPLES, 3, offset, 1000 + offset, record));
    }

    @Test
    void aLoopThatHearsLateOfItsLossTakesNothingFromTheOneThatHasThePartitionNow() {
        // given
        Aggregator.LoopTasks late = loop();
        Aggregator.LoopTasks now = loop();
        late.make(3);
        AggregatorTask task = now.make(3);
        feed(task, 0, MEMBERS);
        feed(task, 1, gathered(MEMBERS, 0, 32, 5));
        assertThat(task.takeTransaction()).isPresent();

        // when
        late.onRevoked(3);
        now.onCommitted(3, 4, Duration.ZERO);

        // then
        assertThat(closed).hasSize(1);
        assertThat(released).isEmpty();

        // when
        now.onRevoked(3);

        // then
        assertThat(released).containsExactly(ONE);
    }
}
