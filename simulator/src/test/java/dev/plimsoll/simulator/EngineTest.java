package dev.plimsoll.simulator;

import static dev.plimsoll.simulator.Engines.K;
import static dev.plimsoll.simulator.Engines.TOKENS;
import static dev.plimsoll.simulator.Engines.rank;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.device.BoundaryHook;
import dev.plimsoll.model.RankId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineTest {
    private final FakeHardware hardware = new FakeHardware();
    private final Engine engine = Engines.engine(hardware);

    @AfterEach
    void everythingIsClosed() {
        engine.close();
        assertThat(hardware.open()).isZero();
    }

    @Test
    void everyTokenRoutedIsComputedInEveryLayer() {
        Ending ending = engine.run(50);

        assertThat(ending.reason()).isEqualTo(Ending.Reason.REACHED);
        assertThat(engine.totals()).isEqualTo(new Totals(50, 50 * TOKENS, 50 * TOKENS * 6, 50 * TOKENS * 6, 0));
        for (int layer = 0; layer < 3; layer++) {
            long load = 0;
            long routed = 0;
            for (int r = 0; r < 4; r++) {
                routed += rank(engine, r).routed(layer);
                for (int slot = 0; slot < 3; slot++) {
                    load += rank(engine, r).load(layer, slot);
                }
            }
            assertThat(load).as("layer %d", layer).isEqualTo(routed).isEqualTo(50 * TOKENS * 2);
        }
    }

    @Test
    void lanesBelongToRanksInTurn() {
        engine.run(1);

        assertThat(List.of(
                        rank(engine, 0).tokens(),
                        rank(engine, 1).tokens(),
                        rank(engine, 2).tokens(),
                        rank(engine, 3).tokens()))
                .containsExactly(3L, 3L, 2L, 2L);
    }

    @Test
    void replicasShareAnExpertsTokensEvenlyPerSource() {
        engine.run(200);

        // Expert 0 is in slot 0 (rank 0) and slot 8 (rank 2); 4 sources may each be one off.
        for (int layer = 0; layer < 3; layer++) {
            long first = rank(engine, 0).load(layer, 0);
            long second = rank(engine, 2).load(layer, 2);
            assertThat(first).as("layer %d", layer).isPositive();
            assertThat(Math.abs(first - second)).isLessThanOrEqualTo(4);
        }
    }

    @Test
    void hooksAreCalledInOrderOfRanksAtEveryBoundaryAndSeeExactlyTheStepsBefore() {
        List<String> calls = new ArrayList<>();
        for (int r = 0; r < 4; r++) {
            SimulatedRank rank = rank(engine, r);
            engine.hook(new RankId(r), step -> {
                // Enqueued, not run: the stream is still busy with the step before.
                rank.compute().launch(() -> calls.add(step + "/" + rank.rank() + " " + rank.routed(0)));
                return BoundaryHook.Order.GO_ON;
            });
        }

        engine.run(2 * K);

        // Ranks 0 and 1 have 3 lanes of the 10, ranks 2 and 3 have 2; top-2.
        assertThat(calls)
                .containsExactly("4/0 24", "4/1 24", "4/2 16", "4/3 16", "8/0 48", "8/1 48", "8/2 32", "8/3 32");
    }

    @Test
    void aBoundaryIsNotRepeatedWhenTheEngineGoesOn() {
        List<Long> boundaries = new ArrayList<>();
        engine.hook(new RankId(0), step -> {
            boundaries.add(step);
            return BoundaryHook.Order.GO_ON;
        });

        engine.run(K);
        engine.run(K + 1);
        engine.run(3 * K);

        assertThat(boundaries).containsExactly(4L, 8L, 12L);
        assertThat(engine.totals().steps()).isEqualTo(12);
    }

    @Test
    void anOrderToLeaveEndsTheEngineAfterAllHooksOfThatBoundary() {
        List<Integer> called = new ArrayList<>();
        for (int r = 0; r < 4; r++) {
            int rank = r;
            engine.hook(new RankId(r), step -> {
                called.add(rank);
                return rank == 1 && step == 8 ? BoundaryHook.Order.LEAVE_GROUP : BoundaryHook.Order.GO_ON;
            });
        }

        Ending ending = engine.run(100);

        assertThat(ending.reason()).isEqualTo(Ending.Reason.LEFT_GROUP);
        assertThat(ending.step()).isEqualTo(8);
        assertThat(ending.detail()).contains("rank 1").contains("boundary 8");
        assertThat(called).containsExactly(0, 1, 2, 3, 0, 1, 2, 3);
        assertThatThrownBy(() -> engine.run(200)).hasMessageContaining("OVER");
    }

    @Test
    void stopEndsTheStepUnderWayAndTheEngineCanGoOn() {
        engine.hook(new RankId(0), step -> {
            engine.stop();
            return BoundaryHook.Order.GO_ON;
        });

        assertThat(engine.run(1000).reason()).isEqualTo(Ending.Reason.STOPPED);
        assertThat(engine.totals().steps()).isEqualTo(K);
        assertThat(engine.run(K + 2).reason()).isEqualTo(Ending.Reason.REACHED);
        assertThat(engine.totals().computed()).isEqualTo((K + 2) * TOKENS * 6);
    }

    @Test
    void aHookThatFailsEndsTheEngineAndSaysWhy() {
        engine.hook(new RankId(2), step -> {
            throw new IllegalStateException("no such thing");
        });

        Ending ending = engine.run(100);

        assertThat(ending.reason()).isEqualTo(Ending.Reason.FAILED);
        assertThat(ending.detail()).contains("no such thing");
    }

    @Test
    void boundaryTimesAreToldPerRankAndInTotal() {
        List<String> told = new ArrayList<>();
        EngineListener listener = new EngineListener() {
            private long sum;

            @Override
            public void boundary(long step, int rank, long nanos) {
                sum += nanos;
                told.add(step + "/" + rank);
            }

            @Override
            public void boundaryDone(long step, long nanos) {
                told.add(step + " " + (nanos == sum && nanos > 0));
            }
        };
        try (Engine timed = Engines.engine(new FakeHardware(), listener)) {
            timed.run(K);
        }

        assertThat(told).containsExactly("4/0", "4/1", "4/2", "4/3", "4 true");
    }

    @Test
    void flipsAreRefusedOnOtherThreads() {
        assertThatThrownBy(() -> rank(engine, 0).flipMap(0, new int[] {0}, new int[] {1}, new boolean[] {true}))
                .hasMessageContaining("dispatch thread");
    }

    @Test
    void trafficOfAnotherShapeIsRefused() {
        EngineSettings settings = Engines.settings();
        Traffic other = new GeneratedTraffic(Engines.TINY, TOKENS + 1, 1);

        assertThatThrownBy(() -> new Engine(
                        hardware,
                        settings,
                        Engines.INITIAL,
                        other,
                        EngineListener.NONE,
                        AssignmentExchange.alone(settings)))
                .hasMessageContaining("11 tokens per step, the engine 3 layers");
    }
}
