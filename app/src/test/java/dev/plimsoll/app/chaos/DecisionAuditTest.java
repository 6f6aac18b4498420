package dev.plimsoll.app.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Two ranks with two slots each, three experts in two layers; a decision gives the second slot of rank 1 another expert, a batch a layer. */
class DecisionAuditTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final int K = 4;

    private final List<PlanCommand> plan = new ArrayList<>();
    private final List<RankAck> acks = new ArrayList<>();
    private final MapSkew skew = new MapSkew(K);
    private final Set<String> commands = new HashSet<>();
    private final Map<String, List<ControlAnswer>> answers = new HashMap<>();
    private long number;
    private Placement settled = members(1).start();

    private static Membership members(long incarnation) {
        return new Membership(
                DEPLOYMENT,
                incarnation,
                ModelShape.of("m", 3, 1, 0, 2),
                Topology.even(2, 1, 2),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                K,
                2 * K,
                8,
                64);
    }

    @Test
    void decisionsThatSettleInWholeOrInPartOrEndVoidAreClean() {
        term(1, "a/1");
        settles(1, 1, 2);
        propose(1, 2);
        plan.add(new PlanCommand.Abort(header(1), 2, "too late"));
        plan.add(new PlanCommand.Void(header(1), 2, "nothing flipped"));
        propose(1, 3);
        plan.add(new PlanCommand.Abort(header(1), 3, "too late"));
        stopped(3, 1);
        settled(1, 3, 1);

        DecisionVerdict verdict = verdict();

        assertThat(verdict.clean()).as("%s", verdict.findings()).isTrue();
        assertThat(List.of(verdict.decisions(), verdict.settled(), verdict.aborted(), verdict.failovers()))
                .containsExactly(3, 2, 2, 0);
    }

    @Test
    void decisionWithoutAnEndBeforeTheNextIsLostAndTheLastOneMayStandOpen() {
        term(1, "a/1");
        propose(1, 1);
        propose(1, 2);

        assertThat(verdict().lost()).isEqualTo(1);
        assertThat(verdict().decisions()).isEqualTo(1);
    }

    @Test
    void secondEndOfADecisionIsFound() {
        term(1, "a/1");
        settles(1, 1, 2);
        plan.add(new PlanCommand.Void(header(1), 1, "again"));

        assertThat(verdict().lost()).isEqualTo(1);
    }

    @Test
    void zombieThatWritesInALaterTermIsFoundAndAnotherPlannersTermIsAFailover() {
        term(1, "a/1");
        term(2, "a/2");
        propose(1, 1);

        DecisionVerdict verdict = verdict();

        assertThat(verdict.lost()).isEqualTo(1);
        assertThat(verdict.failovers()).isEqualTo(1);
        assertThat(verdict.findings()).singleElement().asString().contains("still wrote in term 2");
    }

    @Test
    void settlementThatARankDoesNotBearOutIsFound() {
        term(1, "a/1");
        settles(1, 1, 2);
        acks.removeIf(ack -> ack.rank().index() == 1 && ack.batch() == 2);

        assertThat(verdict().lost()).isEqualTo(1);
    }

    @Test
    void settlementAsAnotherPlacementThanItsBatchesLeadToIsFound() {
        term(1, "a/1");
        propose(1, 1);
        flipped(1, 2);
        plan.add(new PlanCommand.Settled(header(1), 1, 2, true, 4711));

        assertThat(verdict().lost()).isEqualTo(1);
    }

    @Test
    void expertWithoutASlotIsUncovered() {
        term(1, "a/1");
        // Slot 2 holds the only copy of expert 2.
        PlanCommand.Propose propose = propose(1, 1, List.of(new Batch(1, List.of(move(0, 2, 1)), List.of())));
        plan.set(plan.size() - 1, propose);
        flipped(1, 1);
        settled(1, 1, 1);

        assertThat(verdict().uncovered()).isEqualTo(1);
        assertThat(verdict().lost()).isZero();
    }

    @Test
    void nextIncarnationBeginsWithItsOwnPlacement() {
        term(1, "a/1");
        settles(1, 1, 2);
        settled = members(2).start();
        propose(2, 2);
        flipped(2, 2);
        settled(2, 2, 2);

        assertThat(verdict().clean()).as("%s", verdict().findings()).isTrue();
    }

    @Test
    void ranksUnderDifferentPlacementsBetweenTheSameBoundariesAreFound() {
        PlacementState before = PlacementState.settled(0);
        PlacementState after = new PlacementState(0, 1, 1);
        skew.add(sample(0, 0, 2 * K, before, false));
        skew.add(sample(1, 0, K, before, false));
        skew.add(sample(1, K, 2 * K, before, false));
        skew.add(sample(0, 2 * K, 3 * K, after, false));
        skew.add(sample(1, 2 * K, 3 * K, after, false));
        assertThat(skew.findings(Map.of())).isEmpty();
        assertThat(skew.compared()).isEqualTo(3);

        skew.add(sample(0, 3 * K, 4 * K, after, false));
        skew.add(sample(1, 3 * K, 4 * K, before, false));

        assertThat(verdict().mapSkew()).isEqualTo(1);
        assertThat(verdict().clean()).isFalse();
    }

    @Test
    void mapsAreComparedAndNotTheirNames() {
        PlacementState flipped = new PlacementState(0, 1, 1);
        // Rank 1 has heard already that decision 1 is settled as far as it went.
        skew.add(sample(0, 0, K, flipped, false));
        skew.add(sample(1, 0, K, PlacementState.settled(1), false));

        assertThat(skew.findings(Map.of(1, 1))).isEmpty();
        assertThat(skew.findings(Map.of(1, 2))).hasSize(1);
        assertThat(skew.findings(Map.of())).hasSize(1);
    }

    @Test
    void sampleThatSpansAFlipIsComparedAtItsEnd() {
        PlacementState before = PlacementState.settled(0);
        PlacementState after = new PlacementState(0, 1, 1);
        skew.add(sample(0, 0, K, before, false));
        skew.add(sample(0, K, 2 * K, after, false));
        skew.add(sample(1, 0, 2 * K, after, true));

        assertThat(skew.findings(Map.of())).isEmpty();
        assertThat(skew.compared()).isEqualTo(1);
    }

    @Test
    void commandThatNobodyAnswersOrThatIsAnsweredTwiceIsFound() {
        ControlAnswer done =
                new ControlAnswer(DEPLOYMENT, 1, "a", ControlAnswer.Verdict.DONE, "aborted", OptionalInt.of(1), 0);
        commands.addAll(List.of("a", "b", "c"));
        answers.put("a", List.of(done));
        answers.put("c", List.of(done, done));

        assertThat(verdict().lost()).isEqualTo(2);
    }

    private DecisionVerdict verdict() {
        return DecisionAudit.of(List.of(members(1), members(2)), plan, acks, skew, commands, answers);
    }

    private PlanHeader header(long term) {
        return header(1, term);
    }

    private PlanHeader header(long incarnation, long term) {
        return new PlanHeader(DEPLOYMENT, incarnation, term, ++number);
    }

    private void term(long term, String planner) {
        plan.add(new PlanCommand.Term(header(term), planner));
    }

    private static Move move(int layer, int slot, int expert) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(1));
    }

    private void propose(long incarnation, int epoch) {
        int expert = (settled.layer(0)[3] + 1) % 2;
        propose(
                incarnation,
                epoch,
                List.of(
                        new Batch(1, List.of(move(0, 3, expert)), List.of()),
                        new Batch(2, List.of(move(1, 3, expert)), List.of())));
    }

    private PlanCommand.Propose propose(long incarnation, int epoch, List<Batch> batches) {
        PlanCommand.Propose propose = new PlanCommand.Propose(
                header(incarnation, 1),
                epoch,
                settled.version(),
                PlanHash.of(settled.withBatches(epoch, batches), batches),
                batches,
                1,
                0.5,
                0.9,
                "test",
                "test");
        plan.add(propose);
        return propose;
    }

    private void settles(long incarnation, int epoch, int batches) {
        propose(incarnation, epoch);
        plan.add(new PlanCommand.Permit(header(incarnation, 1), epoch, 1));
        flipped(epoch, batches);
        settled(incarnation, epoch, batches);
    }

    private void settled(long incarnation, int epoch, int batches) {
        PlanCommand.Propose propose = (PlanCommand.Propose) plan.stream()
                .filter(command -> command instanceof PlanCommand.Propose one && one.epoch() == epoch)
                .findFirst()
                .orElseThrow();
        settled = settled.withBatches(
                epoch, propose.batches().stream().limit(batches).toList());
        plan.add(new PlanCommand.Settled(
                header(incarnation, 1),
                epoch,
                batches,
                batches == propose.batches().size(),
                settled.hash()));
    }

    private void flipped(int epoch, int batches) {
        for (int rank = 0; rank < 2; rank++) {
            for (int batch = 1; batch <= batches; batch++) {
                ack(rank, epoch, RankAck.Kind.FLIPPED, batch);
            }
        }
    }

    private void stopped(int epoch, int batches) {
        ack(0, epoch, RankAck.Kind.ABORTED, batches);
        ack(1, epoch, RankAck.Kind.ABORTED, batches);
    }

    private void ack(int rank, int epoch, RankAck.Kind kind, int batch) {
        acks.add(new RankAck(DEPLOYMENT, 1, new RankId(rank), epoch, kind, batch, Optional.empty(), 1, 8));
    }

    private static LoadSample sample(int rank, int from, int to, PlacementState state, boolean mixed) {
        return new LoadSample(
                DEPLOYMENT,
                1,
                new StepRange(from, to),
                Phase.DECODE,
                "test",
                rank,
                1,
                0,
                2,
                2,
                state,
                mixed,
                LongVector.empty(),
                Counters.of(new long[4]));
    }
}
