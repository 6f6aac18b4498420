package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final ModelShape SHAPE = ModelShape.of("small", 4, 1, 0, 1);
    private static final Topology TOPOLOGY = Topology.even(2, 1, 2);
    private static final Placement SETTLED = Placement.initial(SHAPE, TOPOLOGY);
    private static final Placement SWAPPED = Placement.of(0, new int[][] {{0, 2, 1, 3}});
    private static final Placement CROSSED = Placement.of(0, new int[][] {{0, 3, 2, 1}});
    private static final Gate.Settings SETTINGS = new Gate.Settings(0.05, 0.05, 10, 0.5, 1000, Duration.ofMillis(100));
    private static final long[] SKEWED = {50, 50, 10, 10};
    private static final long[] EVEN = {30, 30, 30, 30};

    private static Verdict judge(long bytesPerExpert, Placement earlier, long... newest) {
        return judge(Gate.nothing(SETTINGS), bytesPerExpert, earlier, newest);
    }

    private static Verdict judge(Learned learned, long bytesPerExpert, Placement earlier, long... newest) {
        Candidate candidate = BatchCutter.cut(
                PlanRequest.of(List.of(ExpertLoad.none(0, 1, 1, 4)), SETTLED, SHAPE, TOPOLOGY), Plan.of(SWAPPED), 2, 1);
        return Gate.judge(
                SETTINGS,
                Objective.TOKENS,
                learned,
                candidate,
                earlier,
                SETTLED,
                members(bytesPerExpert),
                ExpertLoad.of(1, new long[][] {newest}),
                ReplicaParts.EVEN,
                Duration.ofSeconds(1));
    }

    private static Membership members(long bytesPerExpert) {
        return new Membership(
                new Deployment("gate"),
                1,
                SHAPE,
                TOPOLOGY,
                "test",
                Phase.ALL,
                GatherMode.HOST,
                10,
                100,
                bytesPerExpert,
                8 * bytesPerExpert);
    }

    private static KeepReason reason(Verdict verdict) {
        return ((Verdict.Keep) verdict).reason();
    }

    @Test
    void gainThatTheEarlierPlanShowsTooIsProposedWithItsNumbers() {
        Verdict verdict = judge(100, SWAPPED, SKEWED);

        assertThat(verdict).isInstanceOf(Verdict.Change.class);
        // 100 of 120 tokens on the hottest rank become 60.
        assertThat(verdict.numbers().gain()).isEqualTo(0.4);
        assertThat(verdict.numbers().heldOutGain()).isEqualTo(0.4);
        assertThat(verdict.numbers().currentBalancedness()).isEqualTo(0.6);
        assertThat(verdict.numbers().predictedBalancedness()).isEqualTo(1);
        // 40 % of half a step, ten windows long.
        assertThat(verdict.numbers().pays()).isEqualTo(2);
        // One expert of 100 bytes per rank at 1000 bytes/s and one flip of 0.1 s, in windows of 1 s.
        assertThat(verdict.numbers().cost()).isEqualTo(0.2);
        assertThat(verdict.numbers().moves()).isEqualTo(2);
    }

    @Test
    void promiseAndPayAreThoseOfThePlanThatHasNotSeenTheNewestWindow() {
        Verdict.Numbers numbers = judge(100, CROSSED, 50, 40, 10, 20).numbers();

        // The candidate puts 60 of 120 tokens on the hottest rank, the earlier plan 70, the settled placement 90.
        assertThat(numbers.gain()).isCloseTo(30 / 90.0, within(1e-12));
        assertThat(numbers.heldOutGain()).isCloseTo(20 / 90.0, within(1e-12));
        assertThat(numbers.predictedBalancedness()).isCloseTo(60 / 70.0, within(1e-12));
        assertThat(numbers.pays()).isCloseTo(20 / 90.0 * 0.5 * 10, within(1e-12));
    }

    @Test
    void newestWindowWithoutGainIsRefused() {
        assertThat(reason(judge(100, SWAPPED, EVEN))).isEqualTo(KeepReason.GAIN);
    }

    @Test
    void gainThatTheEarlierPlanDidNotForeseeIsRefused() {
        assertThat(reason(judge(100, SETTLED, SKEWED))).isEqualTo(KeepReason.HELD_OUT);
    }

    @Test
    void transfersThatOutweighTheGainAreRefused() {
        assertThat(reason(judge(2000, SWAPPED, SKEWED))).isEqualTo(KeepReason.COST);
    }

    @Test
    void windowWithoutLoadShowsNoGain() {
        assertThat(reason(judge(100, SWAPPED, 0, 0, 0, 0))).isEqualTo(KeepReason.GAIN);
    }

    @Test
    void nothingToChangeAndNothingThatFitsAreDifferentReasons() {
        PlanRequest request = PlanRequest.of(List.of(ExpertLoad.none(0, 1, 1, 4)), SETTLED, SHAPE, TOPOLOGY);
        PlanRequest oneMove = new PlanRequest(
                request.windows(),
                SETTLED,
                SHAPE,
                TOPOLOGY,
                new Budget(1, Long.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE),
                MovePrices.EQUAL,
                0);

        Verdict same = Gate.judge(
                SETTINGS,
                Objective.TOKENS,
                Gate.nothing(SETTINGS),
                BatchCutter.cut(request, Plan.of(SETTLED), 2, 1),
                SETTLED,
                SETTLED,
                members(1),
                request.newest(),
                ReplicaParts.EVEN,
                Duration.ofSeconds(1));
        Verdict tooMany = Gate.judge(
                SETTINGS,
                Objective.TOKENS,
                Gate.nothing(SETTINGS),
                BatchCutter.cut(oneMove, Plan.of(SWAPPED), 2, 1),
                SETTLED,
                SETTLED,
                members(1),
                request.newest(),
                ReplicaParts.EVEN,
                Duration.ofSeconds(1));

        assertThat(reason(same)).isEqualTo(KeepReason.BALANCED);
        assertThat(reason(tooMany)).isEqualTo(KeepReason.BUDGET);
    }
}
