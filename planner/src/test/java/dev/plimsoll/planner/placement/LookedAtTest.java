package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests that a policy says it sees no difference between have equal plans; whatever it looks at makes a difference. */
class LookedAtTest {
    private static final Policy POLICY = Policy.named("plimsoll");

    /** As many windows as asked for, of a random instance's again and again. */
    private static PlanRequest request(long seed, int count) {
        RandomInstance given = RandomInstance.of(seed);
        List<ExpertLoad> windows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            windows.add(given.windows().get(i % given.windows().size()));
        }
        return given.request(0, given.start()).withWindows(windows);
    }

    private static PlanRequest with(PlanRequest request, int window, ExpertLoad load) {
        List<ExpertLoad> windows = new ArrayList<>(request.windows());
        windows.set(window, load);
        return request.withWindows(windows);
    }

    private static void assertAlike(long seed, PlanRequest one, PlanRequest other) {
        assertThat(POLICY.lookedAt(one)).as("seed %d", seed).isEqualTo(POLICY.lookedAt(other));
        assertThat(POLICY.plan(one)).as("seed %d", seed).isEqualTo(POLICY.plan(other));
    }

    @Test
    void whatIsNotLookedAtChangesNoPlan() {
        for (long seed = 0; seed < 200; seed++) {
            PlanRequest request = request(seed, LoadForecast.WINDOWS);
            assertAlike(seed, request, POLICY.lookedAt(request));
            int newest = request.windows().size() - 1;
            while (newest > 0 && !request.windows().get(newest).loadsEveryLayer()) {
                newest--;
            }
            if (newest > 5) {
                assertAlike(
                        seed, request, with(request, 5, request.windows().get(5).withoutSamples()));
            }

            List<ExpertLoad> longer = new ArrayList<>(request.windows());
            longer.add(0, request.windows().get(3));
            assertAlike(seed, request, request.withWindows(longer));
        }
    }

    @Test
    void layerWithoutLoadInTheNewestWindowIsLookedAtInTheOneBefore() {
        PlanRequest request = request(7, LoadForecast.WINDOWS);
        int last = request.windows().size() - 1;
        ExpertLoad newest = request.newest();
        PlanRequest silent =
                with(with(request, last - 1, newest), last, ExpertLoad.none(50, newest.layers(), 1, newest.experts()));

        assertThat(POLICY.lookedAt(with(silent, last - 1, newest.withoutSamples())))
                .isNotEqualTo(POLICY.lookedAt(silent));
    }

    @Test
    void whatIsLookedAtTellsRequestsApart() {
        PlanRequest request = request(7, LoadForecast.WINDOWS);
        ExpertLoad newest = request.newest();
        assertThat(newest.samples()).isGreaterThan(1);
        long[][] loads = new long[newest.layers()][newest.experts()];
        for (int layer = 0; layer < loads.length; layer++) {
            for (int expert = 0; expert < loads[layer].length; expert++) {
                loads[layer][expert] = newest.at(layer, expert);
            }
        }
        int last = request.windows().size() - 1;
        loads[0][0]++;
        for (PlanRequest other : List.of(
                request.withoutNewest(),
                with(request, last, newest.withoutSamples()),
                with(request, last, newest.over(newest.steps() + 1)),
                with(request, 0, ExpertLoad.of(request.windows().get(0).windowIndex(), loads)),
                with(request, 0, ExpertLoad.of(99, loads)))) {
            assertThat(POLICY.lookedAt(other)).isNotEqualTo(POLICY.lookedAt(request));
        }
        assertThat(POLICY.lookedAt(request)).isEqualTo(POLICY.lookedAt(request(7, LoadForecast.WINDOWS)));
    }
}
