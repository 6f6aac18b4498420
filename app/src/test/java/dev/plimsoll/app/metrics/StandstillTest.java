package dev.plimsoll.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.plimsoll.app.metrics.VirtualRoles.Role;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.Standing;
import dev.plimsoll.planner.placement.KeepReason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What stands still becomes visible within a bound, though every process that is there says that it is healthy: in virtual time, from what
 * roles tell to the alert. vLLM's balancer once stopped for ever, with its server healthy, no line in the log and no metric.
 */
class StandstillTest {
    private static final Duration BEFORE = Duration.ofMinutes(10);

    /** A minute without, two that it must last, half a minute for a window, and the scrapes. */
    private static final Duration BOUND = Duration.ofMinutes(4);

    private final VirtualRoles roles;
    private Promtool promtool;

    @TempDir
    Path directory;

    StandstillTest() throws Exception {
        roles = new VirtualRoles();
    }

    @BeforeEach
    void promtool() {
        assumeThat(Promtool.installed()).as(Promtool.MISSING).isPresent();
        promtool = Promtool.installed().orElseThrow();
        roles.runs(BEFORE);
    }

    @AfterEach
    void close() {
        roles.close();
    }

    @Test
    void loopThatGoesOnIsNoAlarm() throws Exception {
        roles.runs(Duration.ofMinutes(20));

        assertOnly(Duration.ofMinutes(29));
    }

    @Test
    void plannerTaskThatHangsIsToldOf() throws Exception {
        roles.hangs(Role.PLANNER);
        roles.runs(BOUND.multipliedBy(2));

        assertOnly(BEFORE);
        assertOnly(BEFORE.plus(BOUND), "WindowsAreNotPlanned");
    }

    @Test
    void policyThatNeverComesToAnEndIsToldOfThoughThePlannerGoesOn() throws Exception {
        roles.refuses(KeepReason.TIMEOUT);
        roles.runs(BOUND.multipliedBy(2));

        assertOnly(BEFORE.plus(BOUND), "PlansFail");
    }

    @Test
    void workerThatIsGoneIsToldOf() throws Exception {
        roles.isGone(Role.WORKER);
        roles.runs(BOUND.multipliedBy(2));

        assertOnly(BEFORE);
        assertOnly(BEFORE.plus(BOUND), "WorkerIsGone");
    }

    @Test
    void workerThatHangsIsToldOf() throws Exception {
        roles.hangs(Role.WORKER);
        roles.runs(BOUND.multipliedBy(2));

        assertOnly(BEFORE.plus(BOUND), "WorkerIsGone");
    }

    @Test
    void aggregatorThatIsPartitionedAwayIsToldOf() throws Exception {
        roles.hangs(Role.AGGREGATOR);
        roles.runs(BOUND.multipliedBy(2));

        assertOnly(BEFORE);
        assertOnly(BEFORE.plus(BOUND), "SamplesAreNotFolded");
    }

    @Test
    void collectorThatIsGoneIsToldOf() throws Exception {
        roles.isGone(Role.COLLECTOR);
        roles.runs(BOUND.multipliedBy(2));

        assertOnly(BEFORE.plus(BOUND), "EngineIsNotSampled");
    }

    @Test
    void engineThatFallsIdleIsNoAlarmHoweverLong() throws Exception {
        roles.engineFallsIdle();
        roles.runs(Duration.ofHours(2));

        assertOnly(BEFORE.plusMinutes(5));
        assertOnly(Duration.ofHours(2));
    }

    @Test
    void decisionWhoseRanksDoNotSayHowFarTheyGotIsToldOfWhileTheyStep() throws Exception {
        roles.stands(stopping());
        roles.runs(Duration.ofMinutes(1));
        roles.planner().alarm(Events.DEPLOYMENT, false, "not all ranks say how far decision 2 got");
        roles.runs(BOUND.multipliedBy(2));

        assertOnly(BEFORE.plusMinutes(1));
        assertOnly(BEFORE.plusMinutes(1).plus(BOUND), "DecisionIsOverdue");
    }

    @Test
    void decisionThatStopsWhileTheEngineIsIdleIsNoAlarm() throws Exception {
        roles.engineFallsIdle();
        roles.stands(stopping());
        roles.runs(Duration.ofHours(2));

        assertOnly(Duration.ofHours(2));
    }

    private static Standing stopping() {
        return new Standing(
                Events.DEPLOYMENT, Set.of(Standing.Word.ABORTING), 1, OptionalInt.of(2), List.of(new RankId(3)), "");
    }

    private void assertOnly(Duration at, String... firing) throws Exception {
        assertThat(roles.refuted(promtool, directory, at, firing)).isEmpty();
    }
}
