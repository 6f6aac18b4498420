package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Ranks that say nothing for long, because their worker, the cluster or the planner's own process was away. */
class SilenceTest {
    private static final Patience PATIENCE = new Patience(100, 100, 150);
    private static final Membership MEMBERS = new Membership(
                    new Deployment("silence"),
                    1,
                    ModelShape.of("small", 3, 1, 0, 1),
                    Topology.even(2, 1, 2),
                    "test",
                    Phase.ALL,
                    GatherMode.HOST,
                    1,
                    2,
                    1,
                    1)
            .withTraits(EngineTraits.USUAL.withDeadlines(new Deadlines(10, 20)));

    private final DecisionProtocol protocol = new DecisionProtocol(PATIENCE, "planner");
    private PlannerState state = protocol.takeOver(PlanLog.of(List.of()), List.of(), MEMBERS, new Moment(0, 0, false))
            .state();

    @Test
    void silenceAfterAnAbortIsAnAlarmAndLateAcksStillEndIt() {
        offer();
        apply(new Event.TimePassed(), 100);
        assertThat(state.stage()).isInstanceOf(Stage.Aborting.class);

        List<Effect> silent = apply(new Event.TimePassed(), 250);
        List<Effect> stillSilent = apply(new Event.TimePassed(), 400);

        assertThat(silent).hasAtLeastOneElementOfType(Effect.Alarm.class);
        assertThat(stillSilent).hasAtLeastOneElementOfType(Effect.Alarm.class);
        assertThat(state.stage()).isInstanceOf(Stage.Aborting.class);
        assertThat(apply(new Event.TimePassed(), 401))
                .as("one alarm per deadline")
                .isEmpty();

        apply(aborted(0, 0), 10_000);
        List<Effect> end = apply(aborted(1, 0), 10_001);
        assertThat(end)
                .anySatisfy(effect -> assertThat(effect)
                        .isInstanceOfSatisfying(
                                Effect.Write.class,
                                write -> assertThat(write.command()).isInstanceOf(PlanCommand.Void.class)));
        assertThat(state.stage()).isInstanceOf(Stage.Idle.class);
    }

    @Test
    void lateDisagreementStillQuarantines() {
        offer();
        apply(new Event.TimePassed(), 100);
        apply(new Event.TimePassed(), 250);

        apply(aborted(0, 0), 10_000);
        apply(aborted(1, 1), 10_001);

        assertThat(state.stage()).isInstanceOf(Stage.Quarantined.class);
    }

    @Test
    void engineThatStandsStillIsNotAborted() {
        offer();

        apply(new Event.TimePassed(), 1_000_000, 9);
        assertThat(state.stage()).isInstanceOf(Stage.Proposed.class);

        apply(new Event.TimePassed(), 1_000_001, 10);
        assertThat(state.stage()).isInstanceOf(Stage.Aborting.class);
        assertThat(apply(new Event.TimePassed(), 2_000_000, 29))
                .as("no alarm of an engine that stands still")
                .isEmpty();
        assertThat(apply(new Event.TimePassed(), 2_000_001, 30)).hasAtLeastOneElementOfType(Effect.Alarm.class);
    }

    @Test
    void fastEngineHasItsTimeWhateverItsBoundaries() {
        offer();

        apply(new Event.TimePassed(), 99, 1000);

        assertThat(state.stage()).isInstanceOf(Stage.Proposed.class);
    }

    @Test
    void deploymentThatIsGoneIsGivenUpWithoutAnAlarm() {
        offer();

        List<Effect> given = apply(new Event.TimePassed(), new Moment(100, 0, true));

        assertThat(state.stage())
                .isInstanceOfSatisfying(
                        Stage.Aborting.class,
                        aborting -> assertThat(aborting.reason())
                                .contains("nothing is heard of the ranks' steps any more"));
        assertThat(given).noneMatch(effect -> effect instanceof Effect.Alarm);
        assertThat(apply(new Event.TimePassed(), new Moment(100_000, 0, true))).isEmpty();
    }

    @Test
    void operatorsBoundariesGoBeforeTheMemberships() {
        DecisionProtocol patient =
                new DecisionProtocol(new Patience(100, 100, 150, OptionalInt.of(50), OptionalInt.of(60)), "planner");
        offer();
        state = patient.apply(state, aborted(0, 0), new Moment(0, 0, false)).state();
        assertThat(state.stage())
                .isInstanceOfSatisfying(
                        Stage.Aborting.class,
                        aborting -> assertThat(aborting.due()).isEqualTo(new Due(150, 60)));
    }

    private void offer() {
        Move move = new Move(new LayerId(0), new SlotId(3), new ExpertId(1), new SlotId(1));
        apply(
                new Event.Offer(0, List.of(new Batch(1, List.of(move))), 1, 0.5, 0.9, "test", "test", PlanReasons.NONE),
                0);
        assertThat(state.stage()).isInstanceOf(Stage.Proposed.class);
    }

    /** At a time at which ranks have passed a boundary each millisecond. */
    private List<Effect> apply(Event event, long nowMillis) {
        return apply(event, nowMillis, nowMillis);
    }

    private List<Effect> apply(Event event, long nowMillis, long boundaries) {
        return apply(event, new Moment(nowMillis, boundaries, false));
    }

    private List<Effect> apply(Event event, Moment now) {
        Transition transition = protocol.apply(state, event, now);
        state = transition.state();
        return transition.effects();
    }

    private static Event aborted(int rank, int flipped) {
        return new Event.Acked(new RankAck(
                MEMBERS.deployment(), 1, new RankId(rank), 1, RankAck.Kind.ABORTED, flipped, Optional.empty(), 0, 7));
    }
}
