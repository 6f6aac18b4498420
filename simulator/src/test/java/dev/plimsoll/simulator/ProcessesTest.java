package dev.plimsoll.simulator;

import static dev.plimsoll.simulator.Engines.rank;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.BoundaryHook;
import dev.plimsoll.model.RankId;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Two engines as two processes that hold ranks 0 and 1..3 of one deployment. */
class ProcessesTest {

    @Test
    void twoProcessesComputeExactlyWhatOneDoes() {
        FakeGroup group = new FakeGroup(2);
        try (Engine whole = Engines.engine(new FakeHardware());
                Engine first = Engines.member(group.member(0), 0, 1, 0, Engines.traffic());
                Engine second = Engines.member(group.member(1), 1, 3, 1, Engines.traffic())) {
            whole.run(100);
            CompletableFuture<Ending> ending = first.start(100);
            assertThat(Engines.join(second.start(100)).reason()).isEqualTo(Ending.Reason.REACHED);
            assertThat(Engines.join(ending).reason()).isEqualTo(Ending.Reason.REACHED);

            Totals a = first.totals();
            Totals b = second.totals();
            assertThat(new Totals(
                            a.steps(),
                            a.tokens() + b.tokens(),
                            a.routed() + b.routed(),
                            a.computed() + b.computed(),
                            a.misrouted() + b.misrouted()))
                    .isEqualTo(whole.totals());
            for (int r = 0; r < 4; r++) {
                SimulatedRank rank = rank(r < 1 ? first : second, r);
                for (int layer = 0; layer < 3; layer++) {
                    assertThat(rank.routed(layer)).isEqualTo(rank(whole, r).routed(layer));
                    for (int slot = 0; slot < 3; slot++) {
                        assertThat(rank.load(layer, slot))
                                .isEqualTo(rank(whole, r).load(layer, slot));
                    }
                }
            }
        }
    }

    @Test
    void aStopInOneProcessEndsBothAfterTheSameStep() {
        FakeGroup group = new FakeGroup(2);
        try (Engine first = Engines.member(group.member(0), 0, 1, 0, Engines.traffic());
                Engine second = Engines.member(group.member(1), 1, 3, 1, Engines.traffic())) {
            first.hook(new RankId(0), step -> {
                if (step == 8) {
                    first.stop();
                }
                return BoundaryHook.Order.GO_ON;
            });

            CompletableFuture<Ending> ending = first.start(Long.MAX_VALUE);
            assertThat(Engines.join(second.start(Long.MAX_VALUE)))
                    .isEqualTo(new Ending(Ending.Reason.STOPPED, 9, "stopped on request"));
            assertThat(Engines.join(ending)).isEqualTo(Engines.join(ending));
            assertThat(Engines.join(ending).step()).isEqualTo(9);
        }
    }

    @Test
    void aProcessThatLeavesTheGroupTellsTheOther() {
        FakeGroup group = new FakeGroup(2);
        try (Engine first = Engines.member(group.member(0), 0, 1, 0, Engines.traffic());
                Engine second = Engines.member(group.member(1), 1, 3, 1, Engines.traffic())) {
            second.hook(new RankId(2), step -> BoundaryHook.Order.LEAVE_GROUP);

            CompletableFuture<Ending> ending = first.start(100);
            Engines.join(second.start(100));

            assertThat(Engines.join(ending))
                    .isEqualTo(new Ending(Ending.Reason.LEFT_GROUP, 4, "another process left the group"));
        }
    }

    @Test
    void otherTrafficInAnotherProcessEndsBothAtOnce() {
        FakeGroup group = new FakeGroup(2);
        Traffic other = new GeneratedTraffic(Engines.TINY, Engines.TOKENS, 2);
        try (Engine first = Engines.member(group.member(0), 0, 1, 0, Engines.traffic());
                Engine second = Engines.member(group.member(1), 1, 3, 1, other)) {
            CompletableFuture<Ending> ending = first.start(100);
            assertThat(Engines.join(second.start(100)).detail()).contains("process 0 has other traffic at step 0");
            assertThat(Engines.join(ending).detail()).contains("process 1 has other traffic at step 0");
        }
    }

    @Test
    void ranksThatOverlapAreRefused() {
        FakeGroup group = new FakeGroup(2);
        try (Engine first = Engines.member(group.member(0), 0, 2, 0, Engines.traffic());
                Engine second = Engines.member(group.member(1), 1, 3, 1, Engines.traffic())) {
            CompletableFuture<Ending> ending = first.start(100);
            Engines.join(second.start(100));
            assertThat(Engines.join(ending).detail()).contains("process 1 has ranks from 1, not from 2");
        }
    }

    @Test
    void closeDoesNotWaitForAProcessThatNeverCame() {
        FakeGroup group = new FakeGroup(2);
        Engine first = Engines.member(group.member(0), 0, 1, 0, Engines.traffic());
        CompletableFuture<Ending> ending = first.start(100);

        first.close();

        assertThat(Engines.join(ending).reason()).isEqualTo(Ending.Reason.FAILED);
    }

    @Test
    void aProcessThatSurvivesTheOtherServesItsOwnRanksOn() {
        FakeGroup group = new FakeGroup(2);
        try (Engine first = Engines.member(group.member(0), 0, 1, 0, Engines.traffic(), true);
                Engine second = Engines.member(group.member(1), 1, 3, 1, Engines.traffic(), true)) {
            second.hook(new RankId(2), step -> BoundaryHook.Order.LEAVE_GROUP);

            CompletableFuture<Ending> ending = first.start(100);
            assertThat(Engines.join(second.start(100)).step()).isEqualTo(4);

            assertThat(Engines.join(ending).reason()).isEqualTo(Ending.Reason.REACHED);
            assertThat(first.totals().steps()).isEqualTo(100);
            assertThat(first.totals().misrouted()).isZero();
            assertThat(computedUntil(4)).isLessThan(first.totals().computed());
            assertThat(first.totals().computed()).isLessThan(first.totals().routed());
        }
    }

    @Test
    void aProcessWhoseGatherFailsGoesOnFromTheStepThatFailedUnlessItHasToEndWithTheOther() {
        for (boolean survives : List.of(true, false)) {
            FakeGroup group = new FakeGroup(2);
            try (Engine first =
                            Engines.member(group.failing(group.member(0), 6), 0, 1, 0, Engines.traffic(), survives);
                    Engine second = Engines.member(group.failing(group.member(1), 6), 1, 3, 1, Engines.traffic())) {
                CompletableFuture<Ending> other = second.start(20);
                Ending ending = Engines.join(first.start(20));
                assertThat(Engines.join(other).reason()).isEqualTo(Ending.Reason.FAILED);

                assertThat(ending.reason()).isEqualTo(survives ? Ending.Reason.REACHED : Ending.Reason.FAILED);
                assertThat(ending.step()).isEqualTo(survives ? 20 : 6);
                assertThat(first.totals().misrouted()).isZero();
            }
        }
    }

    /** What rank 0 computes in this many steps of an engine that is whole. */
    private static long computedUntil(int steps) {
        try (Engine whole = Engines.engine(new FakeHardware())) {
            whole.run(steps);
            return rank(whole, 0).computed();
        }
    }
}
