package dev.plimsoll.app.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Received;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two ranks of two layers × two slots; windows of two boundary intervals of four steps. A rank computes 1 + rank tokens per step and cell. */
class AuditTest {
    private static final int RANKS = 2;
    private static final int LAYERS = 2;
    private static final int SLOTS = 2;
    private static final int K = 4;
    private static final int W = 8;
    private static final int INTERVALS = 12;
    private static final PlacementState STATE = PlacementState.settled(0);
    private static final Membership MEMBERS = new Membership(
            new Deployment("r1/decode-0"),
            1,
            ModelShape.of("m", 4, 1, 0, LAYERS),
            Topology.even(RANKS, 2, SLOTS),
            "test",
            Phase.DECODE,
            GatherMode.HOST,
            K,
            W,
            8,
            64);

    private final Truth truth = new Truth(RANKS, LAYERS * SLOTS, K);
    private final List<Received<SampleRecord>> samples = new ArrayList<>();
    private final List<Received<LoadWindow>> loads = new ArrayList<>();
    private final List<Received<WindowSummary>> summaries = new ArrayList<>();
    private long previous = -1;

    @BeforeEach
    void ranksCompute() {
        for (int step = 0; step <= INTERVALS * K; step++) {
            int steps = step;
            truth.note(step, (rank, into) -> Arrays.fill(into, (1L + rank.index()) * steps));
        }
    }

    @Test
    void whatWasComputedAndPublishedOnceIsClean() {
        for (int window = 0; window < 3; window++) {
            sample(2 * window, 2 * window + 1);
            sample(2 * window + 1, 2 * window + 2);
            window(window, CloseReason.COMPLETE, 2, 2, 0);
        }

        Verdict verdict = verdict();

        assertThat(verdict.clean()).as("%s", verdict.findings()).isTrue();
        assertThat(verdict.checked()).isEqualTo(3);
    }

    @Test
    void aWindowTwiceIsADuplicateAndSoIsALayer() {
        sample(0, 1);
        sample(1, 2);
        window(0, CloseReason.COMPLETE, 2, 2, 0);
        summaries.add(summaries.get(0));
        loads.add(loads.get(1));

        assertThat(verdict().duplicate()).isEqualTo(2);
    }

    @Test
    void aSumThatIsOffByOneIsAMismatch() {
        sample(0, 1);
        sample(1, 2);
        window(0, CloseReason.COMPLETE, 2, 2, 0);
        LoadWindow good = loads.get(0).value();
        long[] load = good.load().toArray();
        load[3]++;
        long[] parts = good.subLoad().toArray();
        parts[3]++;
        loads.set(0, received(Topic.WINDOWS, load(0, good.layer(), load, parts)));
        WindowSummary summary = summaries.get(0).value();
        summaries.set(0, received(Topic.WINDOW_SUMMARIES, summary(summary, summary.accepted() + 1)));

        assertThat(verdict().mismatch()).isEqualTo(1);
    }

    @Test
    void aLoadInTheWrongPartOfItsWindowIsAMismatch() {
        sample(0, 1);
        sample(1, 2);
        window(0, CloseReason.COMPLETE, 2, 2, 0);
        LoadWindow good = loads.get(0).value();
        long[] parts = good.subLoad().toArray();
        parts[0]--;
        parts[2 * RANKS]++;
        loads.set(0, received(Topic.WINDOWS, load(0, good.layer(), good.load().toArray(), parts)));

        assertThat(verdict().mismatch()).isEqualTo(1);
    }

    @Test
    void aWindowWithoutOneOfItsLayersIsAMismatch() {
        sample(0, 1);
        sample(1, 2);
        window(0, CloseReason.COMPLETE, 2, 2, 0);
        loads.remove(1);

        assertThat(verdict().mismatch()).isEqualTo(1);
    }

    @Test
    void aSampleThatTellsOtherCountsThanTheRanksIsAMismatch() {
        sample(0, 1);
        LoadSample good = (LoadSample) samples.get(0).value();
        samples.set(0, received(Topic.SAMPLES, sample(good.steps(), 1)));

        assertThat(verdict().mismatch()).isEqualTo(RANKS);
    }

    @Test
    void aGapInTheChainIsMissingUnlessAResyncExplainsIt() {
        sample(0, 1);
        sample(1, 2);
        window(0, CloseReason.COMPLETE, 2, 2, 0);
        sample(4, 5);
        sample(5, 6);
        window(2, CloseReason.COMPLETE, 2, 2, 0);

        assertThat(verdict().missing()).isEqualTo(1);

        WindowSummary first = summaries.get(0).value();
        summaries.set(0, received(Topic.WINDOW_SUMMARIES, summary(first, CloseReason.RESYNC)));
        assertThat(verdict().missing()).isZero();
    }

    @Test
    void samplesThatVanishAreMissingUnlessTheyAreCounted() {
        sample(0, 1);
        sample(1, 2);
        window(0, CloseReason.RESYNC, 2, 2, 0);
        sample(2, 3); // of window 1, which nobody publishes
        sample(4, 5);
        sample(5, 6);
        window(2, CloseReason.COMPLETE, 2, 2, 0);

        assertThat(verdict().missing()).isEqualTo(1);

        WindowSummary last = summaries.remove(1).value();
        summaries.add(received(Topic.WINDOW_SUMMARIES, rejecting(last, 1)));
        assertThat(verdict().missing()).isZero();
    }

    @Test
    void aWindowWithFewerIntervalsThanTheLogHasTheLastOfThem() {
        sample(0, 1);
        sample(1, 2);
        window(0, CloseReason.GAP, 1, 1, 4);
        WindowSummary first = summaries.get(0).value();
        summaries.set(0, received(Topic.WINDOW_SUMMARIES, rejecting(first, 1)));

        Verdict verdict = verdict();

        assertThat(verdict.clean()).as("%s", verdict.findings()).isTrue();
    }

    @Test
    void samplesBehindTheLastClosedWindowAreMissing() {
        sample(0, 1);
        sample(1, 2);
        window(0, CloseReason.COMPLETE, 2, 2, 0);
        sample(2, 3);

        assertThat(verdict().missing()).isEqualTo(1);
    }

    @Test
    void aSampleOverABorderBelongsToNoWindow() {
        sample(0, 1);
        sample(1, 3);
        window(0, CloseReason.SPANNING, 1, 1, 0);
        sample(3, 4);
        window(1, CloseReason.SPANNING, 1, 1, 4);

        Verdict verdict = verdict();

        assertThat(verdict.clean()).as("%s", verdict.findings()).isTrue();
    }

    private Verdict verdict() {
        return Audit.of(MEMBERS, truth, samples, loads, summaries);
    }

    /** Of both ranks, over boundary intervals. */
    private void sample(int fromInterval, int toInterval) {
        samples.add(received(Topic.SAMPLES, sample(new StepRange((long) fromInterval * K, (long) toInterval * K), 0)));
    }

    private static LoadSample sample(StepRange steps, long wrong) {
        long[] load = new long[RANKS * LAYERS * SLOTS];
        for (int cell = 0; cell < load.length; cell++) {
            load[cell] = (1 + cell / (LAYERS * SLOTS)) * steps.length() + wrong;
        }
        return new LoadSample(
                MEMBERS.deployment(),
                1,
                steps,
                Phase.DECODE,
                "test",
                0,
                RANKS,
                0,
                LAYERS,
                SLOTS,
                STATE,
                false,
                LongVector.empty(),
                Counters.of(load));
    }

    /** Publishes a window with so many intervals of each rank, those behind the first {@code skippedSteps} of the window. */
    private void window(long index, CloseReason reason, int ofFirst, int ofSecond, int skippedSteps) {
        long accepted = 0;
        long[] present = {ofFirst, ofSecond};
        for (int layer = 0; layer < LAYERS; layer++) {
            long[] load = new long[RANKS * SLOTS];
            long[] parts = new long[2 * load.length];
            for (int slot = 0; slot < load.length; slot++) {
                int rank = slot / SLOTS;
                for (int interval = 0; interval < present[rank]; interval++) {
                    int part = (skippedSteps / K) + interval;
                    parts[part * load.length + slot] += (1L + rank) * K;
                    load[slot] += (1L + rank) * K;
                }
                accepted += load[slot];
            }
            loads.add(received(Topic.WINDOWS, load(index, layer, load, parts)));
        }
        summaries.add(received(
                Topic.WINDOW_SUMMARIES,
                new WindowSummary(
                        MEMBERS.deployment(),
                        1,
                        Phase.DECODE,
                        index,
                        previous,
                        new StepRange(index * W, (index + 1) * W),
                        reason,
                        2,
                        LongVector.of(present),
                        Balance.UNLOADED,
                        List.of(STATE),
                        0,
                        Conservation.YES,
                        accepted,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        samples.size() - 1L,
                        0,
                        "window " + index)));
        previous = index;
    }

    private static LoadWindow load(long index, int layer, long[] load, long[] parts) {
        return new LoadWindow(
                MEMBERS.deployment(),
                1,
                Phase.DECODE,
                index,
                new StepRange(index * W, (index + 1) * W),
                layer,
                0,
                STATE,
                0,
                LongVector.of(load),
                2,
                LongVector.of(parts),
                "layer " + layer);
    }

    private static WindowSummary summary(WindowSummary of, long accepted) {
        return summary(of, of.reason(), accepted, of.rejected());
    }

    private static WindowSummary summary(WindowSummary of, CloseReason reason) {
        return summary(of, reason, of.accepted(), of.rejected());
    }

    private static WindowSummary rejecting(WindowSummary of, long rejected) {
        return summary(of, of.reason(), of.accepted(), rejected);
    }

    private static WindowSummary summary(WindowSummary of, CloseReason reason, long accepted, long rejected) {
        return new WindowSummary(
                of.deployment(),
                of.incarnation(),
                of.phase(),
                of.index(),
                of.previousIndex(),
                of.steps(),
                reason,
                of.expected(),
                of.present(),
                of.balance(),
                of.states(),
                of.tokens(),
                of.conservation(),
                accepted,
                of.unattributed(),
                of.late(),
                of.duplicates(),
                of.conflicts(),
                rejected,
                of.partition(),
                of.closingOffset(),
                of.closedAtMillis(),
                of.summary());
    }

    private <T> Received<T> received(Topic<T> topic, T value) {
        return new Received<>(topic, 0, topic.equals(Topic.SAMPLES) ? samples.size() : 0, 0, value);
    }
}
