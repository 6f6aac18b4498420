package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankAck.Kind;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.planner.protocol.Served.Segment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** How an operator ends what does not end by itself. */
class WayOutTest {
    private static final Membership MEMBERS = SmallDeployment.members(1);
    private static final PlacementState BEFORE = PlacementState.settled(0);
    private static final PlacementState HALF = new PlacementState(0, 1, 1);
    private static final PlacementState ALL = PlacementState.settled(1);
    private static final Moment NOW = new Moment(0, 0, false);

    private final DecisionProtocol protocol = new DecisionProtocol(new Patience(100, 100, 150), "planner");
    private final List<PlanCommand> log = new ArrayList<>();
    private final TreeMap<Integer, SettledPlacement> kept = new TreeMap<>();
    private PlannerState state = takeOver();

    private PlannerState takeOver() {
        take(protocol.takeOver(PlanLog.of(log), List.copyOf(kept.values()), MEMBERS, NOW));
        return state;
    }

    private void take(Transition transition) {
        state = transition.state();
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                log.add(write.command());
            } else if (effect instanceof Effect.Settle settle) {
                kept.put(settle.placement().layer(), settle.placement());
            }
        }
    }

    private void apply(Event event) {
        take(protocol.apply(state, event, NOW));
    }

    private void running() {
        List<Batch> batches = new ArrayList<>();
        for (int layer = 0; layer < 2; layer++) {
            Move move = new Move(new LayerId(layer), new SlotId(5), new ExpertId(1), new SlotId(1));
            batches.add(new Batch(layer + 1, List.of(move)));
        }
        apply(new Event.Offer(0, batches, 1, 0.5, 0.9, "test", "it pays", PlanReasons.NONE));
        for (int rank = 0; rank < 3; rank++) {
            said(rank, Kind.ACCEPTED, 0);
        }
        assertThat(state.stage()).isInstanceOf(Stage.Running.class);
    }

    private void aborting() {
        running();
        apply(new Event.OperatorAbort("asked"));
    }

    private void said(int rank, Kind kind, int batch) {
        Propose decision = log.stream()
                .filter(Propose.class::isInstance)
                .map(Propose.class::cast)
                .findFirst()
                .orElseThrow();
        apply(new Event.Acked(new RankAck(
                MEMBERS.deployment(), 1, new RankId(rank), 1, kind, batch, Optional.empty(), decision.planHash(), 7)));
    }

    private static Served window(long from, PlacementState... states) {
        return new Served(
                new StepRange(from, from + 8),
                List.of(),
                Arrays.stream(states)
                        .map(found -> new Segment(found, List.of(new RankId(0))))
                        .toList());
    }

    private static Sight seen(Served whole, long stoppedAt) {
        return new Sight(Optional.of(whole), Optional.of(whole), OptionalLong.of(stoppedAt));
    }

    private static Sight nobodyStopped(Served whole) {
        return new Sight(Optional.of(whole), Optional.of(whole), OptionalLong.empty());
    }

    private WayOut wayOut(Sight sight) {
        return WayOut.of(state, sight);
    }

    private String refused(Sight sight) {
        assertThat(wayOut(sight)).isInstanceOf(WayOut.Refused.class);
        PlannerState before = state;
        int written = log.size();
        apply(new Event.OperatorVoid(sight, "asked"));
        assertThat(state).isEqualTo(before);
        assertThat(log).hasSize(written);
        return ((WayOut.Refused) wayOut(sight)).why();
    }

    private void end(Sight sight) {
        apply(new Event.OperatorVoid(sight, "alice: it hangs"));
        assertThat(state.stage()).isInstanceOf(Stage.Idle.class);
    }

    private PlanCommand last() {
        return log.get(log.size() - 1);
    }

    @Test
    void prefixThatAllRanksServeAfterOneHasStoppedIsSettled() {
        aborting();
        said(0, Kind.FLIPPED, 1);
        said(0, Kind.ABORTED, 1);

        end(seen(window(7, HALF), 7));

        assertThat(last()).isInstanceOfSatisfying(PlanCommand.Settled.class, settled -> {
            assertThat(settled.batchesFlipped()).isEqualTo(1);
            assertThat(settled.placementHash()).isEqualTo(state.settled().hash());
        });
        assertThat(state.settled().layer(0)[5]).isEqualTo(1);
        assertThat(state.settled().layer(1)[5]).isZero();
    }

    @Test
    void decisionOfWhichNobodyServesAnythingIsVoid() {
        aborting();
        said(1, Kind.ABORTED, 0);

        end(seen(window(7, BEFORE), 7));

        assertThat(last().summary())
                .isEqualTo("VOID 1: operator: alice: it hangs; all ranks serve v0 in steps (7, 15], after ranks have"
                        + " stopped at step 7");
    }

    @Test
    void decisionThatAllRanksServeToItsEndIsSettledWhoeverHasStopped() {
        aborting();
        end(nobodyStopped(window(0, ALL)));
        assertThat(last())
                .isInstanceOfSatisfying(
                        PlanCommand.Settled.class,
                        settled -> assertThat(settled.complete()).isTrue());
    }

    @Test
    void whoMayStillFlipMoreIsWaitedFor() {
        aborting();
        assertThat(refused(nobodyStopped(window(7, HALF))))
                .contains("how far ranks 0, 1, 2 got")
                .contains("all ranks serve v0+1.1")
                .contains("no rank has said that it has stopped")
                .contains("start the workers");
    }

    @Test
    void windowThatBeganBeforeRanksStoppedShowsNothing() {
        aborting();
        said(0, Kind.ABORTED, 0);
        assertThat(refused(seen(window(6, BEFORE), 7)))
                .contains("ranks have stopped at step 7")
                .contains("begins before, at step 6")
                .contains("try again");
    }

    @Test
    void ranksThatAreInNoWindowAreNamed() {
        aborting();
        said(0, Kind.ABORTED, 0);
        Served partial = new Served(new StepRange(8, 16), List.of(new RankId(1), new RankId(2)), List.of());
        assertThat(refused(new Sight(Optional.empty(), Optional.of(partial), OptionalLong.of(7))))
                .contains("how far ranks 1, 2 got")
                .contains("no complete window")
                .contains("in the newest, of steps (8, 16], samples are missing of ranks 1, 2")
                .contains("start the collectors beside them");
    }

    @Test
    void ranksThatServeDifferentPlacementsAreNamedAndNothingIsEnded() {
        aborting();
        said(0, Kind.ABORTED, 0);
        said(1, Kind.ABORTED, 1);
        assertThat(state.stage()).isInstanceOf(Stage.Quarantined.class);
        Served split = new Served(
                new StepRange(8, 16),
                List.of(),
                List.of(
                        new Segment(BEFORE, List.of(new RankId(0), new RankId(2))),
                        new Segment(HALF, List.of(new RankId(1)))));
        assertThat(refused(seen(split, 7)))
                .contains("ranks disagree about decision 1")
                .contains("v0 by ranks 0, 2 and v0+1.1 by rank 1")
                .contains("only a new incarnation");
    }

    @Test
    void ranksThatDisagreedAndServeOneThingAreBroughtBack() {
        aborting();
        said(0, Kind.ABORTED, 0);
        said(1, Kind.ABORTED, 1);

        end(seen(window(8, HALF), 7));

        assertThat(last())
                .isInstanceOfSatisfying(
                        PlanCommand.Settled.class,
                        settled -> assertThat(settled.batchesFlipped()).isEqualTo(1));
        said(2, Kind.ABORTED, 0);
        assertThat(state.stage()).as("a late word changes nothing").isInstanceOf(Stage.Idle.class);
    }

    @Test
    void stateThatTheDecisionCannotHaveLedToIsRefused() {
        aborting();
        said(0, Kind.ABORTED, 0);
        for (PlacementState other :
                List.of(PlacementState.settled(9), new PlacementState(0, 9, 1), new PlacementState(0, 1, 3))) {
            assertThat(refused(seen(window(8, other), 7)))
                    .contains("all ranks serve " + other)
                    .contains("cannot have led");
        }
    }

    @Test
    void whoFlipsWhatWasNotPermittedStopsAllBeforeTheQuarantine() {
        running();
        apply(new Event.Acked(
                new RankAck(MEMBERS.deployment(), 1, new RankId(2), 1, Kind.FLIPPED, 1, Optional.empty(), 77, 7)));

        Stage quarantined = state.stage();
        assertThat(quarantined).isInstanceOf(Stage.Quarantined.class);
        assertThat(last()).isInstanceOf(PlanCommand.Abort.class);
        assertThat(takeOver().stage()).as("who takes over knows of it").isEqualTo(quarantined);
    }

    @Test
    void whatIsOnItsWayIsNotVoided() {
        assertThat(wayOut(Sight.NONE)).isInstanceOf(WayOut.Nothing.class);
        running();
        assertThat(wayOut(nobodyStopped(window(7, HALF))))
                .isInstanceOfSatisfying(
                        WayOut.Nothing.class,
                        nothing -> assertThat(nothing.why()).contains("decision 1 is on its way: abort it"));
    }

    @Test
    void keptPlacementThatIsNotTheLogsIsWrittenAnewFromTheLog() {
        settled();
        Placement logged = state.settled();
        keep(Placement.initial(MEMBERS.shape(), MEMBERS.topology()).withVersion(1));
        takeOver();
        assertThat(state.stage()).isInstanceOf(Stage.Quarantined.class);

        assertThat(refused(nobodyStopped(window(7, BEFORE)))).contains("all ranks serve v0, which is not v1");
        end(nobodyStopped(window(7, ALL)));

        assertThat(state.settled()).isEqualTo(logged);
        assertThat(kept.values()).allMatch(record -> record.placementHash() == logged.hash());
        assertThat(takeOver().stage()).as("the next one finds them equal").isInstanceOf(Stage.Idle.class);
        assertThat(state.settled()).isEqualTo(logged);
    }

    @Test
    void decisionInFlightIsStoppedWhereTheKeptPlacementIsNotTheLogs() {
        running();
        keep(Placement.initial(MEMBERS.shape(), MEMBERS.topology()).withVersion(1));
        takeOver();

        assertThat(state.stage()).isInstanceOf(Stage.Quarantined.class);
        assertThat(last()).isInstanceOf(PlanCommand.Abort.class);
        end(seen(window(7, HALF), 7));

        assertThat(state.settled().layer(0)[5]).isEqualTo(1);
        assertThat(takeOver().stage()).isInstanceOf(Stage.Idle.class);
    }

    @Test
    void placementThatNeitherLogNorRecordsTellIsOnlyKnownToANewIncarnation() {
        settled();
        keep(Placement.initial(MEMBERS.shape(), MEMBERS.topology()).withVersion(1));
        log.removeIf(command -> command instanceof Propose);
        takeOver();
        assertThat(refused(nobodyStopped(window(7, ALL))))
                .contains("the plan log does not say any more what")
                .contains("new incarnation");
    }

    private void settled() {
        running();
        for (int rank = 0; rank < 3; rank++) {
            said(rank, Kind.FLIPPED, 2);
        }
        assertThat(last()).isInstanceOf(PlanCommand.Settled.class);
    }

    private void keep(Placement placement) {
        for (int layer = 0; layer < 2; layer++) {
            kept.put(layer, SettledPlacement.of(MEMBERS.deployment(), 1, placement, layer, placement.hash()));
        }
    }
}
