package dev.plimsoll.wire.life;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class PartitionLifeTest {
    private static final Place RECORD = new Place("input", 7);

    @Test
    void everyRuleHoldsInRandomLives() {
        LifeOracle.check(PartitionLife::on, 1_000, 200);
    }

    /** All states that can be reached with one record that crashes, and all events in each: no exception, and no dead end. */
    @Test
    void everyStateThatCanBeReachedLeadsBackToRunning() {
        List<Event> events = List.of(
                new Event.Due(),
                new Event.TakenOver(true),
                new Event.TakenOver(false),
                new Event.Recovered(),
                new Event.WriterWanted(),
                new Event.LogChanged(),
                new Event.Crashed(RECORD, false),
                new Event.Crashed(RECORD, true),
                new Event.Failed(Event.Remedy.RETRY),
                new Event.Failed(Event.Remedy.RESET),
                new Event.Failed(Event.Remedy.QUARANTINE));
        Set<PartitionLife> seen = new HashSet<>();
        Deque<PartitionLife> open = new ArrayDeque<>(List.of(PartitionLife.assigned()));
        Map<Phase, Integer> phases = new EnumMap<>(Phase.class);
        while (!open.isEmpty()) {
            PartitionLife life = open.pop();
            // Further crashes at a record that is left out change a number only.
            if (life.crashes().getOrDefault(RECORD, 0) > PartitionLife.CRASHES + 1 || !seen.add(life)) {
                continue;
            }
            phases.merge(life.phase(), 1, Integer::sum);
            events.forEach(event -> open.push(life.on(event).next()));
            PartitionLife back = life.on(new Event.Due())
                    .next()
                    .on(new Event.TakenOver(true))
                    .next()
                    .on(new Event.Recovered())
                    .next();
            assertThat(back.phase()).as("from %s", life).isEqualTo(Phase.RUNNING);
        }
        assertThat(phases).as("all phases").containsOnlyKeys(Phase.values());
        assertThat(seen).hasSizeGreaterThan(30);
    }

    @Test
    void aRecordIsLeftOutAfterThreeCrashesWhateverElseHappens() {
        PartitionLife life = running();
        for (int crash = 1; crash <= 3; crash++) {
            assertThat(life.leavesOut(RECORD)).isFalse();
            life = again(life.on(new Event.Crashed(RECORD, false)).next());
            life = again(life.on(new Event.Failed(Event.Remedy.RESET)).next());
        }
        assertThat(life.leavesOut(RECORD)).isTrue();
        assertThat(life.leavesOut(new Place("input", 8))).isFalse();
        assertThat(life.leavesOut(new Place("companion", 7))).isFalse();
    }

    @Test
    void anErrorAtARecordLeavesThePartitionAloneUntilTheRecordIsSpared() {
        PartitionLife life = running();
        assertThat(life.on(new Event.Crashed(RECORD, true)).effects())
                .containsExactly(Effect.DROP, Effect.WAIT_LONG, Effect.TELL_QUARANTINED);
        life = again(life.on(new Event.Crashed(RECORD, true)).next());
        life = again(life.on(new Event.Crashed(RECORD, true)).next());
        assertThat(life.on(new Event.Crashed(RECORD, true)).effects())
                .containsExactly(Effect.DROP, Effect.WAIT, Effect.TELL_RESET);
    }

    private static PartitionLife running() {
        return again(PartitionLife.assigned());
    }

    private static PartitionLife again(PartitionLife life) {
        return life.on(new Event.Due())
                .next()
                .on(new Event.TakenOver(true))
                .next()
                .on(new Event.Recovered())
                .next();
    }
}
