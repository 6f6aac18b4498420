package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankId;
import dev.plimsoll.wire.kafka.Delivery;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

class StateToldTest {
    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeTopics topics = new FakeTopics();
    private final List<String> told = new ArrayList<>();
    private final FakePort zero = new FakePort(0);
    private final NodeSession session = new NodeSession(
            Fixture.MEMBERS,
            topics,
            new WorkerListener() {
                @Override
                public void onState(RankId rank, RankState state, long step, OptionalInt wanted) {
                    told.add(rank + " at step " + step + " wanted " + wanted);
                }
            },
            time,
            Duration.ofMillis(5),
            new Delivery(InstantSource.system()));

    @AfterEach
    void stop() {
        session.close();
        time.dispose();
    }

    /** A state is written when it changes: without decisions it says for hours where the rank was once. */
    @Test
    void everyLookTellsWhatTheRingSaysAndWhatTheLogWants() {
        session.start();
        session.add(List.of(zero));
        zero.stepped = 16;
        time.advanceTimeBy(Duration.ofMillis(5));
        assertThat(told).last().isEqualTo("rank 0 at step 16 wanted OptionalInt.empty");

        topics.append(0, new PlanCommand.Term(Fixture.header(1, 1), "planner"));
        time.advanceTimeBy(Duration.ofMillis(20));
        zero.stepped = 32;
        time.advanceTimeBy(Duration.ofMillis(5));
        assertThat(told).last().isEqualTo("rank 0 at step 32 wanted OptionalInt[0]");

        topics.append(1, Fixture.propose(Fixture.header(1, 2), 1, Fixture.INITIAL, Fixture.BATCHES));
        time.advanceTimeBy(Duration.ofMillis(20));
        assertThat(told).last().isEqualTo("rank 0 at step 32 wanted OptionalInt.empty");
    }
}
