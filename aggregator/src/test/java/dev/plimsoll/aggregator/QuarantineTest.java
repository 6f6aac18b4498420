package dev.plimsoll.aggregator;

import static dev.plimsoll.aggregator.window.Samples.ONE;
import static dev.plimsoll.aggregator.window.Samples.gathered;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.aggregator.window.Samples;
import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.InputLog;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.RecoveryRead;
import dev.plimsoll.wire.kafka.RefusedException;
import dev.plimsoll.wire.kafka.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Quarantine in the aggregator's transactions: whatever crashes, the same records are told once. */
class QuarantineTest {
    private static final int PARTITION = 3;
    private static final Membership MEMBERS = Samples.members(ONE, 1, 2, 2, 2, 2);
    private static final long NOON = 1_700_000_040_000L;

    /** A record of the log: readable, or why not. */
    private record Entry(long offset, long atMillis, Optional<SampleRecord> record, String reason) {}

    private final List<Entry> log = new ArrayList<>();
    private final List<Object> committed = new ArrayList<>();
    private OptionalLong position = OptionalLong.empty();
    private String note = "";
    private final List<Quarantined> leftOut = new ArrayList<>();
    private AggregatorSettings settings = AggregatorSettings.DEFAULT;

    private void readable(long atMillis, SampleRecord record) {
        log.add(new Entry(log.size(), atMillis, Optional.of(record), ""));
    }

    private void unreadable(int records, String reason, long atMillis) {
        for (int i = 0; i < records; i++) {
            log.add(new Entry(log.size(), atMillis, Optional.empty(), reason));
        }
    }

    private AggregatorTask recover() {
        AggregatorTask task = new AggregatorTask(PARTITION, settings, new AggregatorListener() {
            @Override
            public void leftOut(Quarantined record) {
                leftOut.add(record);
            }
        });
        InputLog input = new InputLog(PARTITION, 4, "samples", 0, Long.MAX_VALUE, position, note);
        for (Optional<RecoveryRead<?>> asked = task.nextRead(input); asked.isPresent(); asked = task.nextRead(input)) {
            deliver(asked.get());
        }
        at = (int) task.recovered(input);
        return task;
    }

    private int at;

    @SuppressWarnings("unchecked")
    private <T> void deliver(RecoveryRead<T> asked) {
        for (AggregatorState state : of(AggregatorState.class)) {
            asked.each().accept(new Received<>(asked.topic(), PARTITION, 0, 0, (T) state));
        }
    }

    /** Feeds what one poll brings and commits what the task wants committed. */
    private void poll(AggregatorTask task, int records) {
        for (int i = 0; i < records && at < log.size(); i++, at++) {
            feed(task, log.get(at));
        }
        commit(task);
    }

    private static void feed(AggregatorTask task, Entry entry) {
        if (entry.record().isPresent()) {
            task.onRecord(new Received<>(
                    Topic.SAMPLES,
                    PARTITION,
                    entry.offset(),
                    entry.atMillis(),
                    entry.record().get()));
        } else {
            task.onUnreadable(
                    new Quarantined(
                            Topic.SAMPLES.name(),
                            PARTITION,
                            entry.offset(),
                            entry.atMillis(),
                            "",
                            entry.reason(),
                            "why",
                            "0102",
                            2),
                    entry.atMillis());
        }
    }

    private void commit(AggregatorTask task) {
        for (Optional<Transaction> next = task.takeTransaction(); next.isPresent(); next = task.takeTransaction()) {
            next.get().outputs().stream()
                    .filter(output -> !output.removal())
                    .map(Output::value)
                    .forEach(committed::add);
            position = OptionalLong.of(next.get().nextInputOffset());
            note = next.get().note();
        }
    }

    private <T> List<T> of(Class<T> type) {
        return committed.stream().filter(type::isInstance).map(type::cast).toList();
    }

    @Test
    void whatIsQuarantinedDependsOnTheLogAloneWhateverCrashes() {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            log.clear();
            readable(NOON, MEMBERS);
            long at = NOON;
            long step = 0;
            while (log.size() < 1_200) {
                at += random.nextInt(2_000);
                switch (random.nextInt(6)) {
                    case 0, 1 -> readable(at, gathered(MEMBERS, step, step += 16, 1));
                    case 2 -> unreadable(random.nextInt(130), "FRAME", at);
                    case 3 -> unreadable(random.nextInt(60), "MALFORMED", at);
                    default -> unreadable(1, "INVALID", at);
                }
            }
            readable(at + 120_000, gathered(MEMBERS, step, step + 16, 1));

            List<Object> calm = run(new Random(seed), false);
            List<Object> stormy = run(new Random(seed), true);

            assertThat(stormy).as("seed " + seed).isEqualTo(calm);
            long told = calm.stream()
                    .filter(Quarantined.class::isInstance)
                    .mapToLong(one -> ((Quarantined) one).records())
                    .sum();
            assertThat(told)
                    .as("all of them, seed " + seed)
                    .isEqualTo(log.stream()
                            .filter(entry -> entry.record().isEmpty())
                            .count());
        }
    }

    /** All that a log leads to but states, whose number depends on how often somebody commits. */
    private List<Object> run(Random random, boolean crashes) {
        committed.clear();
        position = OptionalLong.empty();
        note = "";
        AggregatorTask task = recover();
        while (at < log.size()) {
            if (crashes && random.nextInt(4) == 0) {
                // what was folded is lost, what was committed is not
                for (int i = random.nextInt(50); i > 0 && at < log.size(); i--) {
                    feed(task, log.get(at++));
                }
                task = recover();
            }
            poll(task, 1 + random.nextInt(60));
        }
        List<Object> windows = new ArrayList<>(of(WindowSummary.class));
        windows.addAll(of(Quarantined.class));
        return windows;
    }

    @Test
    void aFloodIsCountedWithoutAWriteForEachRecordAndHoldsUpNoWindow() {
        readable(NOON, MEMBERS);
        readable(NOON, gathered(MEMBERS, 0, 16, 1));
        unreadable(20_000, "FRAME", NOON + 1);
        readable(NOON + 2, gathered(MEMBERS, 16, 32, 1));
        AggregatorTask task = recover();

        while (at < log.size()) {
            poll(task, 500);
        }

        assertThat(of(Quarantined.class)).hasSize(Breaker.MOST_RECORDS);
        assertThat(leftOut).hasSize(20_000 - Breaker.MOST_RECORDS);
        assertThat(of(WindowSummary.class)).singleElement().matches(WindowSummary::complete);
    }

    @Test
    void recordsOfALaterReleaseStopThePartitionWhereAnUpgradeFindsThem() {
        // given: a window that is closed by the last record that can be read, and then an upgrade of all collectors
        readable(NOON, MEMBERS);
        readable(NOON, gathered(MEMBERS, 0, 32, 1));
        unreadable(Breaker.MANY_NEWER, "NEWER_SCHEMA", NOON + 1);
        int stop = log.size();
        unreadable(500, "NEWER_SCHEMA", NOON + 60_001);
        AggregatorTask old = recover();

        // when
        assertThatThrownBy(() -> poll(old, 1_000))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("plimsoll.samples.v1-3 is left at offset " + stop)
                .hasMessageContaining("Upgrade this aggregator");

        // then: what came before is committed, and each try stops at the same place
        assertThat(of(WindowSummary.class)).hasSize(1);
        assertThat(of(Quarantined.class)).hasSize(Breaker.MANY_NEWER);
        assertThat(position).hasValue(stop);
        for (int tries = 0; tries < 3; tries++) {
            AggregatorTask again = recover();
            assertThat(at).isEqualTo(stop);
            assertThatThrownBy(() -> poll(again, 1_000)).isInstanceOf(RefusedException.class);
        }
        assertThat(of(Quarantined.class)).hasSize(Breaker.MANY_NEWER);

        // when the aggregator is of the later release too
        while (log.size() > stop) {
            log.remove(stop);
        }
        readable(NOON + 60_001, gathered(MEMBERS, 32, 64, 1));
        poll(recover(), 1_000);

        assertThat(of(WindowSummary.class)).hasSize(2).allMatch(WindowSummary::complete);
    }

    @Test
    void whoeverKnowsThatTheyAreNoneReadsOn() {
        settings = AggregatorSettings.DEFAULT.quarantiningNewer(true);
        readable(NOON, MEMBERS);
        unreadable(Breaker.MANY_NEWER, "NEWER_SCHEMA", NOON);
        unreadable(500, "NEWER_SCHEMA", NOON + 60_001);
        readable(NOON + 180_000, gathered(MEMBERS, 0, 32, 1));

        poll(recover(), 1_000);

        assertThat(of(WindowSummary.class)).hasSize(1);
        assertThat(of(Quarantined.class).stream()
                        .mapToLong(Quarantined::records)
                        .sum())
                .isEqualTo(Breaker.MANY_NEWER + 500);
    }
}
