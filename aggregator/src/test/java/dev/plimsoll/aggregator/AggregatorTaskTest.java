package dev.plimsoll.aggregator;

import static dev.plimsoll.aggregator.window.Samples.ONE;
import static dev.plimsoll.aggregator.window.Samples.gathered;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.aggregator.window.Fold;
import dev.plimsoll.aggregator.window.Samples;
import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.InputLog;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.RecoveryRead;
import dev.plimsoll.wire.kafka.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AggregatorTaskTest {
    private static final int PARTITION = 3;
    private static final Membership MEMBERS = Samples.members(ONE, 1, 2, 2, 2, 2);

    private final List<WindowSummary> told = new ArrayList<>();
    private final List<String> lost = new ArrayList<>();
    private final AggregatorListener listener = new AggregatorListener() {
        @Override
        public void windowClosed(WindowSummary window) {
            told.add(window);
        }

        @Override
        public void inputLost(int partition, long neededOffset, long firstOffset) {
            lost.add(neededOffset + " to " + firstOffset);
        }
    };
    private final Cluster cluster = new Cluster();

    /** What is committed, and what a predecessor left. */
    private static final class Cluster {
        final List<Received<?>> records = new ArrayList<>();
        final Set<String> removed = new HashSet<>();
        OptionalLong committed = OptionalLong.empty();
        String topicId = "samples";
        int partitions = 4;
        long firstInput;
        long endInput = Long.MAX_VALUE;

        void commit(Transaction transaction) {
            for (Output<?> output : transaction.outputs()) {
                if (output.removal()) {
                    removed.add(cast(output.topic()).key(output.value()));
                    continue;
                }
                removed.remove(cast(output.topic()).key(output.value()));
                records.add(new Received<>(cast(output.topic()), PARTITION, records.size(), 0, output.value()));
            }
            committed = OptionalLong.of(transaction.nextInputOffset());
        }

        @SuppressWarnings("unchecked")
        private static Topic<Object> cast(Topic<?> topic) {
            return (Topic<Object>) topic;
        }

        /** Commits all that a task has to be written. */
        void commitAll(AggregatorTask task) {
            for (Optional<Transaction> next = task.takeTransaction(); next.isPresent(); next = task.takeTransaction()) {
                commit(next.get());
            }
        }

        List<CloseReason> reasons() {
            return values(Topic.WINDOW_SUMMARIES).stream()
                    .map(WindowSummary::reason)
                    .toList();
        }

        <T> List<T> values(Topic<T> topic) {
            return readAll(topic).stream().map(Received::value).toList();
        }

        @SuppressWarnings("unchecked")
        private <T> List<Received<T>> readAll(Topic<T> topic) {
            List<Received<T>> found = new ArrayList<>();
            for (Received<?> record : records) {
                if (record.topic() == topic) {
                    found.add((Received<T>) record);
                }
            }
            return found;
        }

        /** Has a task read what it asks for, as the loop does; returns where it wants to go on. */
        long recover(AggregatorTask task) {
            InputLog log = new InputLog(PARTITION, partitions, topicId, firstInput, endInput, committed, "");
            for (Optional<RecoveryRead<?>> asked = task.nextRead(log); asked.isPresent(); asked = task.nextRead(log)) {
                deliver(asked.get());
            }
            return task.recovered(log);
        }

        private <T> void deliver(RecoveryRead<T> asked) {
            readAll(asked.topic()).forEach(asked.each());
            if (asked.topic() == Topic.AGGREGATOR_STATE) {
                removed.forEach(asked.removed());
            }
        }
    }

    private AggregatorTask task() {
        return new AggregatorTask(PARTITION, AggregatorSettings.DEFAULT, listener);
    }

    private static void feed(AggregatorTask task, long offset, SampleRecord record) {
        task.onRecord(new Received<>(Topic.SAMPLES, PARTITION, offset, 1000 + offset, record));
    }

    private static Quarantined unreadable(long offset) {
        return new Quarantined("samples", PARTITION, offset, 1000 + offset, "", "FRAME", "too short", "00", 1);
    }

    @Test
    void aCompleteWindowIsWrittenLayersFirstThenSummaryThenState() {
        AggregatorTask task = task();
        assertThat(cluster.recover(task)).isZero();
        feed(task, 0, MEMBERS);
        assertThat(task.takeTransaction().orElseThrow().nextInputOffset()).isEqualTo(1);
        feed(task, 1, gathered(MEMBERS, 0, 16, 5));
        assertThat(task.takeTransaction()).isEmpty();

        feed(task, 2, gathered(MEMBERS, 16, 32, 7));
        Transaction transaction = task.takeTransaction().orElseThrow();

        assertThat(transaction.outputs().stream().map(Output::topic).toList())
                .isEqualTo(List.of(
                        Topic.WINDOWS,
                        Topic.WINDOWS,
                        Topic.WINDOW_SUMMARIES,
                        Topic.AGGREGATOR_STATE,
                        Topic.AGGREGATOR_STATE));
        assertThat(transaction.nextInputOffset()).isEqualTo(3);
        LoadWindow layer = (LoadWindow) transaction.outputs().get(0).value();
        assertThat(layer.load().toArray()).containsOnly(12);
        assertThat(layer.subLoad().toArray()).containsExactly(5, 5, 5, 5, 7, 7, 7, 7);
        WindowSummary summary = (WindowSummary) transaction.outputs().get(2).value();
        assertThat(summary.reason()).isEqualTo(CloseReason.COMPLETE);
        assertThat(summary.conservation()).isEqualTo(Conservation.YES);
        assertThat(summary.tokens()).isEqualTo(48);
        assertThat(transaction.outputs().get(2).timestampMillis()).hasValue(1002);
        assertThat(task.takeTransaction()).isEmpty();
    }

    @Test
    void windowsAreToldOfOnceTheyAreCommitted() {
        AggregatorTask task = task();
        feed(task, 0, MEMBERS);
        feed(task, 1, gathered(MEMBERS, 0, 32, 5));
        assertThat(task.takeTransaction()).isPresent();
        assertThat(told).isEmpty();

        task.onCommitted(4, Duration.ZERO);

        assertThat(told).hasSize(1);
    }

    @Test
    void aSuccessorGoesOnInTheMiddleOfAWindow() {
        AggregatorTask first = task();
        feed(first, 0, MEMBERS);
        feed(first, 1, Samples.ofRank(MEMBERS, 0, 0, 32, 1));
        feed(first, 2, Samples.ofRank(MEMBERS, 0, 32, 48, 1));
        feed(first, 3, Samples.ofRank(MEMBERS, 1, 0, 32, 1));
        cluster.commit(first.takeTransaction().orElseThrow());
        assertThat(cluster.committed).hasValue(2);

        AggregatorTask second = task();
        assertThat(cluster.recover(second)).isEqualTo(2);
        feed(second, 2, Samples.ofRank(MEMBERS, 0, 32, 48, 1));
        feed(second, 3, Samples.ofRank(MEMBERS, 1, 0, 32, 1));
        feed(second, 4, Samples.ofRank(MEMBERS, 1, 32, 64, 1));
        assertThat(second.takeTransaction()).isEmpty();
        feed(second, 5, Samples.ofRank(MEMBERS, 0, 48, 64, 1));
        cluster.commit(second.takeTransaction().orElseThrow());

        assertThat(cluster.values(Topic.WINDOW_SUMMARIES))
                .extracting(WindowSummary::index, WindowSummary::previousIndex, WindowSummary::reason)
                .containsExactly(tuple(0L, -1L, CloseReason.COMPLETE), tuple(1L, 0L, CloseReason.COMPLETE));
    }

    @Test
    void anUnreadableRecordIsQuarantinedOnceWithTheStateThatHasSeenIt() {
        AggregatorTask first = task();
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 16, 1));
        first.onUnreadable(unreadable(2), 1002);
        cluster.commitAll(first);
        assertThat(cluster.committed).hasValue(1);

        AggregatorTask second = task();
        cluster.recover(second);
        feed(second, 1, gathered(MEMBERS, 0, 16, 1));
        second.onUnreadable(unreadable(2), 1002);
        assertThat(second.takeTransaction()).isEmpty();
        feed(second, 3, gathered(MEMBERS, 16, 32, 1));
        cluster.commit(second.takeTransaction().orElseThrow());

        assertThat(cluster.values(Topic.QUARANTINE)).containsExactly(unreadable(2));
        assertThat(cluster.values(Topic.WINDOW_SUMMARIES)).hasSize(1);
    }

    @Test
    void anUnreadableRecordBehindACloseWaitsForItsOwnCheckpoint() {
        AggregatorTask task = task();
        feed(task, 0, MEMBERS);
        feed(task, 1, gathered(MEMBERS, 0, 32, 1));
        task.onUnreadable(unreadable(2), 1002);

        Transaction window = task.takeTransaction().orElseThrow();
        Transaction rest = task.takeTransaction().orElseThrow();

        assertThat(window.outputs()).noneMatch(output -> output.topic() == Topic.QUARANTINE);
        assertThat(window.nextInputOffset()).isEqualTo(2);
        assertThat(rest.outputs()).anyMatch(output -> output.topic() == Topic.QUARANTINE);
        assertThat(rest.nextInputOffset()).isEqualTo(3);
    }

    @Test
    void whatBecameOfCellsIsToldOnceForAllThatAPollBrought() {
        // given
        List<String> told = new ArrayList<>();
        AggregatorTask task = new AggregatorTask(PARTITION, AggregatorSettings.DEFAULT, new AggregatorListener() {
            @Override
            public void fate(Deployment deployment, Fate fate, long cells, long load) {
                told.add(deployment + " " + fate + " " + cells + " cells, load " + load);
            }
        });
        Membership two = Samples.members(ONE, 1, 2, 1, 1, 4);
        feed(task, 0, two);
        feed(task, 1, Samples.ofRank(two, 0, 0, 16, 5));
        feed(task, 2, Samples.ofRank(two, 0, 16, 32, 7));
        feed(task, 3, Samples.ofRank(two, 0, 16, 32, 7));
        assertThat(told).isEmpty();

        // when
        task.onPoll(1_000);
        task.onPoll(2_000);

        // then
        assertThat(told)
                .containsExactly(
                        "%s ACCEPTED 2 cells, load 12".formatted(ONE), "%s DUPLICATE 1 cells, load 7".formatted(ONE));
    }

    @Test
    void silenceWhileAWindowWaitsForTimeIsBrokenByOneTickPerInterval() {
        AggregatorTask task = task();
        Membership three = Samples.members(ONE, 1, 3, 1, 1, 1);
        feed(task, 0, three);
        for (int rank = 0; rank < 3; rank++) {
            feed(task, 1 + rank, Samples.ofRank(three, rank, 16, 32, 1));
        }
        task.onPoll(10_000);
        cluster.commitAll(task); // window 1 is the first and complete
        feed(task, 5, Samples.ofRank(three, 0, 32, 48, 1));
        task.onPoll(10_000);
        task.onPoll(20_000);
        assertThat(ticksOf(task)).isZero(); // one rank is no quorum

        Membership four = Samples.members(ONE, 2, 10, 1, 1, 1);
        feed(task, 6, four);
        cluster.commitAll(task);
        for (int rank = 0; rank < 9; rank++) {
            feed(task, 7 + rank, Samples.ofRank(four, rank, 0, 16, 1));
        }
        task.onPoll(30_000);
        task.onPoll(31_999);
        assertThat(ticksOf(task)).isZero();
        task.onPoll(32_000);
        Transaction tick = task.takeTransaction().orElseThrow();
        task.onPoll(32_001);
        assertThat(task.takeTransaction()).isEmpty();

        assertThat(tick.outputs()).anyMatch(output -> output.value() instanceof Tick);
        task.onRecord(new Received<>(Topic.SAMPLES, PARTITION, 20, 1016 + 5000, new Tick(ONE)));
        Transaction closed = task.takeTransaction().orElseThrow();
        assertThat(closed.outputs())
                .anyMatch(output -> output.value() instanceof WindowSummary s && s.reason() == CloseReason.TIME);
    }

    @Test
    void inputThatWasDeletedTruncatesWindowsUntilOneIsComplete() {
        AggregatorTask first = task();
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 32, 5));
        feed(first, 2, gathered(MEMBERS, 32, 48, 5));
        cluster.commit(first.takeTransaction().orElseThrow());
        cluster.firstInput = 10;

        AggregatorTask second = task();
        assertThat(cluster.recover(second)).isEqualTo(10);
        feed(second, 10, gathered(MEMBERS, 48, 64, 5));
        feed(second, 11, gathered(MEMBERS, 64, 96, 5));
        feed(second, 12, gathered(MEMBERS, 112, 128, 5));
        cluster.commitAll(second);

        assertThat(cluster.values(Topic.WINDOW_SUMMARIES).stream()
                        .map(WindowSummary::reason)
                        .toList())
                .containsExactly(CloseReason.COMPLETE, CloseReason.TRUNCATED, CloseReason.COMPLETE, CloseReason.GAP);
    }

    @Test
    void aTransactionIsFullAfterSoManyBytesButNeverCutsWhatOneRecordClosed() {
        Membership small = Samples.members(ONE, 1, 2, 1, 1, 1);
        AggregatorTask task = new AggregatorTask(
                PARTITION,
                new AggregatorSettings(
                        AggregatorSettings.DEFAULT.windows(),
                        Duration.ofSeconds(1),
                        2 * 600,
                        1000,
                        Duration.ofSeconds(10)),
                listener);
        feed(task, 0, small);
        for (int i = 0; i < 5; i++) {
            feed(task, 1 + i, gathered(small, 16L * i, 16L * (i + 1), 1));
        }
        List<Long> sizes = new ArrayList<>();
        List<Long> offsets = new ArrayList<>();
        Optional<Transaction> next = task.takeTransaction();
        while (next.isPresent()) {
            sizes.add(next.get().outputs().stream()
                    .filter(output -> output.topic() == Topic.WINDOW_SUMMARIES)
                    .count());
            offsets.add(next.get().nextInputOffset());
            next = task.takeTransaction();
        }

        assertThat(sizes).containsExactly(2L, 2L, 1L);
        assertThat(offsets).containsExactly(3L, 5L, 6L);
    }

    @Test
    void anOffsetAheadOfTheStateIsRefusedInsteadOfPublishingTwice() {
        AggregatorTask first = task();
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 32, 5));
        cluster.commitAll(first);
        cluster.committed = OptionalLong.of(7);

        assertThatThrownBy(() -> cluster.recover(task()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("committed offset 7")
                .hasMessageContaining("from 2 on")
                .hasMessageContaining("published twice");
    }

    @Test
    void anOffsetBehindTheStateIsOfNoConsequence() {
        AggregatorTask first = task();
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 32, 5));
        cluster.commitAll(first);
        cluster.committed = OptionalLong.of(0);

        assertThat(cluster.recover(task())).isEqualTo(2);
    }

    @Test
    void aStateRecordThatCannotBeReadFailsTheRecovery() {
        AggregatorTask task = task();

        RecoveryRead<?> read = task.nextRead(new InputLog(PARTITION, 4, "samples", 0, 10, OptionalLong.empty(), ""))
                .orElseThrow();

        assertThat(read.topic()).isEqualTo(Topic.AGGREGATOR_STATE);
        assertThat(read.required()).isTrue();
    }

    @Test
    void theFirstReleasesStateIsGoneOnFromAndThenOutOfItsReach() {
        AggregatorState.Sequence open = new AggregatorState.Sequence(
                MEMBERS,
                3,
                1,
                2,
                LongVector.of(0, 0),
                OptionalLong.empty(),
                false,
                OptionalLong.of(3),
                OptionalLong.empty(),
                OptionalLong.empty(),
                LongVector.empty(),
                List.of(),
                LongVector.empty(),
                AggregatorState.Counts.NONE);
        cluster.records.add(new Received<>(
                Topic.AGGREGATOR_STATE, PARTITION, 0, 0, new AggregatorState.Whole(PARTITION, 3, List.of(open))));
        cluster.committed = OptionalLong.of(3);

        AggregatorTask task = task();
        assertThat(cluster.recover(task)).isEqualTo(3);
        feed(task, 3, gathered(MEMBERS, 32, 48, 1));
        feed(task, 4, gathered(MEMBERS, 48, 64, 1));
        cluster.commitAll(task);

        assertThat(cluster.values(Topic.WINDOW_SUMMARIES))
                .extracting(WindowSummary::index, WindowSummary::previousIndex, WindowSummary::reason)
                .containsExactly(tuple(1L, 0L, CloseReason.COMPLETE));
        // That release goes on at the offset that its newest record names.
        AggregatorState.Whole left = cluster.values(Topic.AGGREGATOR_STATE).stream()
                .filter(AggregatorState.Whole.class::isInstance)
                .map(AggregatorState.Whole.class::cast)
                .reduce((earlier, later) -> later)
                .orElseThrow();
        assertThat(left.nextInputOffset()).isEqualTo(Long.MAX_VALUE);
        assertThat(cluster.recover(task())).isEqualTo(5);
    }

    @Test
    void aTopicThatWasMadeAnewIsLossAndNothingIsPublishedTwice() {
        AggregatorTask first = task();
        cluster.recover(first);
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 32, 5));
        feed(first, 2, gathered(MEMBERS, 32, 48, 5));
        cluster.commitAll(first);
        cluster.topicId = "another";
        cluster.endInput = 4;

        AggregatorTask second = task();
        assertThat(cluster.recover(second)).isZero();
        feed(second, 0, MEMBERS);
        feed(second, 1, gathered(MEMBERS, 0, 32, 5));
        feed(second, 2, gathered(MEMBERS, 48, 64, 5));
        feed(second, 3, gathered(MEMBERS, 64, 96, 5));
        cluster.commitAll(second);
        AggregatorTask third = task();
        assertThat(cluster.recover(third)).isEqualTo(4);

        assertThat(lost).containsExactly("2 to 0");
        assertThat(cluster.values(Topic.WINDOW_SUMMARIES))
                .extracting(WindowSummary::index, WindowSummary::reason)
                .containsExactly(
                        tuple(0L, CloseReason.COMPLETE),
                        tuple(1L, CloseReason.TRUNCATED),
                        tuple(2L, CloseReason.COMPLETE));
    }

    @Test
    void aLogThatEndsBeforeWhatWasFoldedIsLossAndItsNewRecordsAreFolded() {
        AggregatorTask first = task();
        cluster.recover(first);
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 16, 5));
        feed(first, 2, gathered(MEMBERS, 16, 32, 5));
        feed(first, 3, Samples.ofRank(MEMBERS, 0, 32, 48, 5));
        feed(first, 4, Samples.ofRank(MEMBERS, 1, 32, 48, 5));
        first.onUnreadable(unreadable(5), 1005);
        cluster.commitAll(first);
        cluster.endInput = 4;

        AggregatorTask second = task();
        assertThat(cluster.recover(second)).isEqualTo(3);
        feed(second, 3, Samples.ofRank(MEMBERS, 0, 32, 48, 5));
        feed(second, 4, Samples.ofRank(MEMBERS, 1, 32, 48, 5));
        feed(second, 5, gathered(MEMBERS, 48, 64, 5));
        cluster.commitAll(second);

        assertThat(lost).hasSize(1);
        assertThat(cluster.reasons()).containsExactly(CloseReason.COMPLETE, CloseReason.COMPLETE);
    }

    @Test
    void anotherNumberOfPartitionsIsLossAndIsSaidOnce() {
        AggregatorTask first = task();
        cluster.recover(first);
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 16, 5));
        cluster.commitAll(first);
        cluster.partitions = 8;

        AggregatorTask second = task();
        assertThat(cluster.recover(second)).isEqualTo(1);
        feed(second, 1, gathered(MEMBERS, 0, 16, 5));
        feed(second, 2, gathered(MEMBERS, 32, 64, 5));
        cluster.commitAll(second);
        cluster.recover(task());

        assertThat(lost).hasSize(1);
        assertThat(cluster.reasons()).containsExactly(CloseReason.TRUNCATED, CloseReason.COMPLETE);
    }

    @Test
    void aDeploymentThatEndedIsTakenOutOfTheStateWhenAnotherNeedsItsPlace() {
        AggregatorTask first = task();
        cluster.recover(first);
        for (int i = 0; i < Fold.MOST_DEPLOYMENTS; i++) {
            feed(first, i, Samples.members(new Deployment("d" + i), 1, 2, 1, 1, 1));
        }
        feed(first, 256, new End(new Deployment("d7"), 1));
        feed(first, 257, MEMBERS);
        cluster.commitAll(first);

        assertThat(cluster.removed).containsExactly(PARTITION + "/d7");
        AggregatorTask second = task();
        assertThat(cluster.recover(second)).isEqualTo(258);
        feed(second, 258, gathered(MEMBERS, 0, 32, 1));
        cluster.commitAll(second);
        assertThat(cluster.reasons()).containsExactly(CloseReason.COMPLETE);
    }

    @Test
    void aTickBeforeTheLossIsCommittedLeavesTheOffsetWithTheState() {
        AggregatorTask first = task();
        cluster.recover(first);
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 16, 5));
        feed(first, 2, gathered(MEMBERS, 0, 16, 5));
        first.onUnreadable(unreadable(3), 1003);
        cluster.commitAll(first);
        cluster.firstInput = 2;

        AggregatorTask second = task();
        assertThat(cluster.recover(second)).isEqualTo(2);
        feed(second, 2, gathered(MEMBERS, 0, 16, 5));
        second.onPoll(1_000);
        second.onPoll(31_000);
        assertThat(ticksOf(second)).isEqualTo(1);
        assertThat(cluster.committed).hasValue(1);

        AggregatorTask third = task();
        assertThat(cluster.recover(third)).isEqualTo(2);
        feed(third, 2, gathered(MEMBERS, 0, 16, 5));
        feed(third, 4, gathered(MEMBERS, 16, 32, 5));
        cluster.commitAll(third);
        assertThat(cluster.recover(task())).isEqualTo(5);
        assertThat(cluster.reasons()).containsExactly(CloseReason.COMPLETE);
    }

    @Test
    void progressIsCommittedAfterSomeTimeWhenNothingCloses() {
        AggregatorTask task = task();
        cluster.recover(task);
        feed(task, 0, MEMBERS);
        feed(task, 1, gathered(MEMBERS, 0, 32, 5));
        cluster.commitAll(task);
        feed(task, 2, gathered(MEMBERS, 0, 16, 5)); // late
        task.onPoll(1_000);
        task.onPoll(10_999);
        assertThat(task.takeTransaction()).isEmpty();

        task.onPoll(11_000);

        assertThat(task.takeTransaction().orElseThrow().nextInputOffset()).isEqualTo(3);
    }

    @Test
    void aDeploymentThatDiedGetsATickAfterTheIdleTimeAndHoldsNothingBackAfterIt() {
        AggregatorTask task = task();
        cluster.recover(task);
        feed(task, 0, MEMBERS);
        feed(task, 1, gathered(MEMBERS, 0, 16, 5));
        task.onPoll(1_000);
        cluster.commitAll(task);
        task.onPoll(30_999);
        cluster.commitAll(task);
        assertThat(cluster.values(Topic.SAMPLES)).isEmpty();

        task.onPoll(31_000);
        cluster.commitAll(task);
        assertThat(cluster.values(Topic.SAMPLES)).containsExactly(new Tick(ONE));
        task.onRecord(new Received<>(Topic.SAMPLES, PARTITION, 2, 31_001, new Tick(ONE)));
        task.onPoll(31_001);
        task.onPoll(61_001);
        cluster.commitAll(task);
        assertThat(cluster.values(Topic.SAMPLES)).hasSize(2);
        assertThat(cluster.reasons()).isEmpty();
        task.onRecord(new Received<>(Topic.SAMPLES, PARTITION, 3, 61_002, new Tick(ONE)));
        cluster.commitAll(task);

        assertThat(cluster.reasons()).containsExactly(CloseReason.IDLE);
        assertThat(cluster.committed).hasValue(4);
    }

    private long ticksOf(AggregatorTask task) {
        long ticks = 0;
        for (Optional<Transaction> next = task.takeTransaction(); next.isPresent(); next = task.takeTransaction()) {
            ticks += next.get().outputs().stream()
                    .filter(output -> output.value() instanceof Tick)
                    .count();
            cluster.commit(next.get());
        }
        return ticks;
    }

    @Test
    void offsetsWithoutStateAreRefusedInsteadOfPublishingTwice() {
        cluster.committed = OptionalLong.of(7);

        assertThatThrownBy(() -> cluster.recover(task()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("committed offset 7");
    }

    @Test
    void stateWithoutOffsetsIsEnough() {
        AggregatorTask first = task();
        feed(first, 0, MEMBERS);
        feed(first, 1, gathered(MEMBERS, 0, 32, 5));
        cluster.commit(first.takeTransaction().orElseThrow());
        cluster.committed = OptionalLong.empty();

        assertThat(cluster.recover(task())).isEqualTo(2);
        assertThat(cluster.values(Topic.AGGREGATOR_STATE))
                .filteredOn(AggregatorState.OfPartition.class::isInstance)
                .extracting(state -> ((AggregatorState.OfPartition) state).asOf())
                .containsExactly(1L);
    }
}
