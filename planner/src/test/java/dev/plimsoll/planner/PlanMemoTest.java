package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Verdicts over random histories, with plans remembered and made anew. */
class PlanMemoTest {
    private static final int LAYERS = 2;
    private static final int EXPERTS = 12;
    private static final Membership MEMBERS = new Membership(
            new Deployment("memo"),
            1,
            ModelShape.of("memo", EXPERTS, 1, 0, LAYERS),
            Topology.even(4, 1, 4),
            "test",
            Phase.ALL,
            GatherMode.HOST,
            1,
            1,
            4,
            16);

    /** A deployment whose windows come, are judged or not, and whose placement changes. */
    private static final class Run {
        private final Random random;
        private final Policy policy;
        private final WindowHistory history;
        private final PlanMemo memo;
        private Placement settled = Placement.initial(MEMBERS.shape(), MEMBERS.topology());
        private long index;
        private int made;

        Run(Policy policy, int historyWindows, long seed) {
            this.random = new Random(seed * 0x9E3779B97F4A7C15L);
            this.policy = policy;
            this.history = new WindowHistory(historyWindows);
            this.memo = new PlanMemo(policy);
        }

        void window() {
            long[][][] tokens = new long[LAYERS][1 + random.nextInt(3)][EXPERTS];
            for (int sample = 0; sample < tokens[0].length; sample++) {
                for (int expert = 0; expert < EXPERTS; expert++) {
                    tokens[0][sample][expert] = random.nextInt(1000 / (1 + expert)) + 1;
                }
            }
            tokens[1] = tokens[0];
            history.add(ExpertLoad.ofSamples(index, tokens), index, index * 1000);
            index++;
        }

        Verdict judge(Function<PlanRequest, Plan> planning) {
            return WindowPlan.judge(
                    PlannerSettings.DEFAULTS,
                    planning,
                    Objective.TOKENS,
                    MEMBERS,
                    settled,
                    history.loads(),
                    Duration.ofSeconds(1));
        }

        Verdict remembered() {
            return judge(request -> memo.plan(request, this::make));
        }

        private Plan make(PlanRequest request) {
            made++;
            return policy.plan(request);
        }

        /** How many plans are made for a verdict. */
        int madeFor(Runnable verdict) {
            int before = made;
            verdict.run();
            return made - before;
        }
    }

    @Test
    void rememberedPlansLeadToTheVerdictsOfFreshOnes() {
        int judged = 0;
        int made = 0;
        for (long seed = 0; seed < 16; seed++) {
            Policy policy = Policy.named(seed % 4 == 0 ? "flashlb" : "plimsoll");
            Run run = new Run(policy, seed % 2 == 0 ? 5 : 30, seed);
            for (int window = 0; window < 32; window++) {
                if (run.random.nextInt(12) == 0) {
                    run.index += run.random.nextInt(200) - 20;
                }
                if (run.random.nextInt(20) == 0) {
                    run.history.clear();
                }
                run.window();
                if (run.random.nextInt(6) == 0) {
                    continue;
                }
                Verdict verdict = run.remembered();

                assertThat(verdict).as("seed %d window %d", seed, window).isEqualTo(run.judge(policy::plan));
                judged++;
                if (verdict instanceof Verdict.Change change && run.random.nextInt(3) == 0) {
                    run.settled = change.candidate().target().withVersion(run.settled.version() + 1);
                }
            }
            made += run.made;
        }
        assertThat(judged).isGreaterThan(350);
        assertThat(made).isGreaterThan(judged);
    }

    @Test
    void planWithoutTheNewestWindowIsTheOneOfTheWindowBefore() {
        Run run = new Run(Policy.named("plimsoll"), PlannerSettings.DEFAULTS.historyWindows(), 1);
        run.window();
        run.window();
        assertThat(run.madeFor(run::remembered)).isEqualTo(2);
        for (int window = 2; window < 40; window++) {
            run.window();
            // The history is as long as it gets, too.
            assertThat(run.madeFor(run::remembered)).as("window %d", window).isEqualTo(1);
        }

        run.settled = run.settled.withVersion(1);
        assertThat(run.madeFor(run::remembered)).as("settled").isEqualTo(2);
        run.window();
        assertThat(run.madeFor(run::remembered)).as("after that").isEqualTo(1);
        run.window();
        run.window();
        assertThat(run.madeFor(run::remembered)).as("skipped one").isEqualTo(2);
    }

    @Test
    void historyThatForgetsAWindowThatAPlanLookedAtHasItMadeAnew() {
        Run run = new Run(Policy.named("plimsoll"), 4, 1);
        for (int window = 0; window < 4; window++) {
            run.window();
        }
        run.remembered();
        run.window();

        assertThat(run.madeFor(run::remembered)).isEqualTo(2);
    }

    @Test
    void planThatFailsIsNotRemembered() {
        Run run = new Run(Policy.named("plimsoll"), 4, 1);
        run.window();
        PlanRequest request = PlanRequest.of(run.history.loads(), run.settled, MEMBERS.shape(), MEMBERS.topology());
        assertThatThrownBy(() -> run.memo.plan(request, asked -> {
                    throw new IllegalStateException("out of time");
                }))
                .hasMessage("out of time");

        assertThat(run.memo.plan(request, run.policy::plan)).isEqualTo(run.policy.plan(request));
    }
}
