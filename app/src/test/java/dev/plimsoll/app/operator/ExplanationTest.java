package dev.plimsoll.app.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** What a person reads of a decision, and of a window that led to none. */
class ExplanationTest {
    private final MadeUpDeployment made = new MadeUpDeployment("demo/decode-0");

    private List<String> explained(int epoch, Optional<WindowSummary> window, int top) {
        DeploymentStory story = made.story();
        DecisionStory decision = Objects.requireNonNull(story.decisions().get(epoch));
        return Explanation.of(
                decision,
                story.members(),
                window,
                List.copyOf(story.decisions().tailMap(epoch, false).values()),
                top);
    }

    @Test
    void decisionIsExplainedFromItsRecords() {
        made.takenOver();
        WindowSummary window = made.window(4);
        int epoch = made.decided(4);
        made.outcomes.add(outcome(epoch, 6));

        List<String> lines = explained(epoch, Optional.of(window), 5);

        assertThat(lines)
                .contains(
                        "decision 1 of demo/decode-0, incarnation 1: SETTLED",
                        "  it pays",
                        "  balancedness 0.600 in window 4; 0.800 is expected after it, of load that the plan has not"
                                + " seen",
                        "  4 layers left as they are, OPTIMUM: no single step makes it more even",
                        "  planned from 3 complete windows of 12.0 s, 2 to 4; none was passed over since the decision"
                                + " before");
        // The layer that gains most comes first, and so do its moves.
        assertThat(lines.indexOf("which layers")).isPositive();
        assertThat(lines.get(lines.indexOf("which layers") + 2))
                .contains("layer 1 (the model's 5)")
                .contains("0.800");
        assertThat(lines.get(lines.indexOf("which layers") + 3))
                .contains("layer 0 (the model's 3)")
                .contains("PRICE");
        int moves = lines.indexOf("top moves, with the balancedness of its layer that each brings");
        assertThat(lines.get(moves + 1))
                .isEqualTo("  +0.1500  layer 1 (the model's 5): expert 2 to slot 0 of rank 0, from slot 2 of rank 1");
        assertThat(lines)
                .anyMatch(line ->
                        line.contains("window 4, steps (128, 160]: COMPLETE, 4 of 4 cells; conservation unknown"))
                .anyMatch(line -> line.endsWith("accepted by 2 of 2 ranks, the last rank 1, 1.0 s after the first"))
                .anyMatch(line ->
                        line.endsWith("flipped batch 2 by 2 of 2 ranks, the last rank 0, 1.0 s after the first"))
                .anyMatch(line -> line.contains("measured: v1: 4 moves, gain 12.0 % of 25.0 % promised"));
    }

    @Test
    void onlyAsMuchIsToldAsWasAskedForAndTheRestIsCounted() {
        made.takenOver();
        int epoch = made.decided(4);

        List<String> lines = explained(epoch, Optional.empty(), 1);

        assertThat(lines)
                .contains(
                        "  and 1 layers more that gain less; --top tells more",
                        "  and 3 more, together +0.3500",
                        "  window 4 is not in the topics any more",
                        "  measured: nothing yet; the first complete window wholly under it tells");
    }

    @Test
    void wayBackIsToldOfTheDecisionThatItUndoes() {
        made.takenOver();
        int epoch = made.decided(4);
        String id = made.ask(new ControlAction.Rollback(0));
        made.propose(new Origin(false, Optional.of(id)), 7, "rollback");

        assertThat(explained(epoch, Optional.empty(), 5)).contains("  rolled back by decision 2 (PROPOSED): it pays");
    }

    @Test
    void stoppedDecisionTellsWhoStoppedItAndWhatRanksSaid() {
        made.takenOver();
        int epoch = made.propose(4);
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0);
        made.done(new ControlAction.Abort(epoch));
        made.abort(epoch, "operator: ada: INC-0").ack(epoch, RankAck.Kind.ABORTED, 0, 0, 1);
        made.voided(epoch, "operator: ada: INC-0", 4);

        List<String> lines = explained(epoch, Optional.empty(), 5);

        assertThat(lines.get(0)).isEqualTo("decision 1 of demo/decode-0, incarnation 1: VOID (operator: ada: INC-0)");
        assertThat(lines)
                .anyMatch(line -> line.contains("asked: abort decision 1 on v0 by ada: INC-0 → DONE so be it"))
                .anyMatch(line -> line.contains("rank 1 ABORTED 1 after batch 0"))
                .contains("  nothing to be measured: none of it is in the placement");
    }

    @Test
    void decisionsAreListedWithPromiseAndMeasurement() {
        made.takenOver();
        int epoch = made.decided(4);
        made.outcomes.add(outcome(epoch, 6));
        made.propose(9);

        List<String> lines = DecisionText.list(made.story().decisions().values());

        assertThat(lines.get(0)).startsWith("EPOCH  ON  STATE");
        assertThat(lines.get(1)).matches("1 +v0 +SETTLED +4 +25\\.0 % +12\\.0 % so far +\\d\\.0 s .*the planner.*");
        assertThat(lines.get(2)).matches("2 +v1 +PROPOSED +4 +25\\.0 % +- +- .*");
    }

    @Test
    void everyRankIsShownWithWhatItSaid() {
        made.takenOver();
        int epoch = made.propose(4);
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 1);

        List<String> lines = DecisionText.show(
                Objects.requireNonNull(made.story().decisions().get(epoch)), made.members());

        assertThat(lines.subList(lines.size() - 2, lines.size()))
                .containsExactly("  0     nothing", "  1     +1.000 s ACCEPTED");
        assertThat(lines).contains("  1      2      0         [0]");
    }

    @Test
    void windowThatWasKeptForARuleSaysWhich() {
        made.takenOver();
        assertThat(kept(made.window(1, CloseReason.GAP, Conservation.UNKNOWN)))
                .anyMatch(line -> line.startsWith("  INCOMPLETE: closed by GAP"));
        assertThat(kept(made.window(2, CloseReason.COMPLETE, Conservation.violated(List.of()))))
                .anyMatch(line -> line.startsWith("  NOT_CONSERVED"));
        int epoch = made.propose(3);
        assertThat(kept(made.window(4))).anyMatch(line -> line.startsWith("  IN_FLIGHT: decision " + epoch));
        made.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0, 1).permit(epoch).settle(epoch, 2, 5);
        assertThat(kept(made.window(5))).anyMatch(line -> line.startsWith("  IN_FLIGHT"));
        assertThat(kept(made.window(7)))
                .contains(
                        "  COOLDOWN: after a decision ended in window 5, the next is made on window 8 at the earliest");
        assertThat(kept(made.window(8)))
                .anyMatch(line -> line.contains("(BALANCED)"))
                .anyMatch(line -> line.contains("a planner writes no record where it keeps the placement"));
        made.done(new ControlAction.Pause());
        assertThat(kept(made.window(9))).contains("  PAUSED: by ada: INC-0");
        assertThat(KeptWindow.rules(made.story(), made.windows.get(5).value()))
                .as("the pause came later")
                .isEmpty();
        assertThat(KeptWindow.decision(made.story(), made.windows.get(2).value()))
                .isEmpty();
    }

    @Test
    void windowOfAPauseAfterDecisionsThatCameToNothingSaysSo() {
        made.takenOver();
        int epoch = made.propose(3);
        made.abort(epoch, "no flip in time; flipped so far [0, 0]").voided(epoch, "no flip in time", 4);

        // Behind the cooldown of two windows comes the back-off of two.
        assertThat(kept(made.window(6)))
                .anyMatch(line -> line.startsWith("  COOLDOWN"))
                .anyMatch(line ->
                        line.startsWith("  BACK_OFF: no_flip, 1 time since a decision settled: a pause of 2 windows"));
        assertThat(KeptWindow.rules(made.story(), made.window(7))).isEmpty();
    }

    @Test
    void windowsOfRanksThatCannotVoteAreKeptForThat() {
        made.restarted(GatherMode.NONE).takenOver();

        assertThat(kept(made.window(1))).anyMatch(line -> line.startsWith("  OBSERVE_ONLY"));
    }

    private List<String> kept(WindowSummary window) {
        return KeptWindow.explain(made.story(), window);
    }

    private Outcome outcome(int epoch, long window) {
        return new Outcome(
                made.members().deployment(),
                made.members().incarnation(),
                epoch,
                window,
                4,
                0.6,
                0.8,
                new Balance(0.75, 0.7, 0, 2),
                OptionalDouble.of(0.25),
                Optional.empty(),
                Optional.of(new MeasuredGain(
                        3,
                        window,
                        window + 2,
                        false,
                        0.12,
                        0.01,
                        3,
                        false,
                        0.75,
                        0.66,
                        OptionalDouble.empty(),
                        OptionalDouble.empty(),
                        OptionalDouble.empty())));
    }
}
