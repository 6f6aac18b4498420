package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlAnswer.Verdict;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Operators' commands as records in, and answers and effects as records out. */
class OperatorTest extends PlannerTaskFixture {
    private static final PlannerSettings ASKING =
            PlannerSettings.DEFAULTS.withApproval(new ApprovalChoice(true, Duration.ofMinutes(30)));

    private int commands;

    private Control command(ControlAction action) {
        return command(action, OptionalInt.empty());
    }

    private Control command(ControlAction action, OptionalInt basedOn) {
        Control control =
                new Control(DEPLOYMENT, "id-" + commands++, partition.now, "alice", "as asked", basedOn, action);
        partition.append(Topic.CONTROL, control);
        return control;
    }

    /** Gives a command and has it answered. */
    private ControlAnswer give(ControlAction action) {
        return give(action, OptionalInt.empty());
    }

    private ControlAnswer give(ControlAction action, OptionalInt basedOn) {
        Control control = command(action, basedOn);
        partition.poll(true);
        List<ControlAnswer> answers = answers(control);
        assertThat(answers).as("answers to %s", control).hasSize(1);
        return answers.get(0);
    }

    private List<ControlAnswer> answers(Control control) {
        return partition.values(Topic.CONTROL).stream()
                .filter(ControlAnswer.class::isInstance)
                .map(ControlAnswer.class::cast)
                .filter(answer -> answer.id().equals(control.id()))
                .toList();
    }

    private void nextWindow(int version) {
        window(nextIndex(), true, PlacementState.settled(version));
    }

    private long nextIndex() {
        return partition.values(Topic.WINDOW_SUMMARIES).size();
    }

    /** Steps of the newest window's end: where ranks are now. */
    private long now() {
        return 8 * nextIndex();
    }

    private void stopped(int batches, int... ranks) {
        Propose decision = decision();
        for (int rank : ranks) {
            partition.append(
                    Topic.ACKS,
                    new RankAck(
                            DEPLOYMENT,
                            1,
                            new RankId(rank),
                            decision.epoch(),
                            RankAck.Kind.ABORTED,
                            batches,
                            Optional.empty(),
                            decision.planHash(),
                            now()));
        }
        partition.poll(true);
    }

    private PlanCommand last() {
        List<PlanCommand> commands = partition.values(Topic.PLAN);
        return commands.get(commands.size() - 1);
    }

    private Placement settledPlacement() {
        var placements = PlanLog.of(partition.values(Topic.PLAN)).placements(members(1));
        return Objects.requireNonNull(placements.get(placements.lastKey()));
    }

    // ---- pause

    @Test
    void pausedDeploymentKeepsItsPlacementAndSaysWhoWantsItAndWhy() {
        assertThat(give(new ControlAction.Pause()).verdict()).isEqualTo(Verdict.DONE);
        proposed();

        assertThat(log()).containsExactly("Term");
        assertThat(refused).containsOnly(KeepReason.PAUSED);
        assertThat(details.get(0)).contains("by alice").contains("as asked");

        give(new ControlAction.Resume());
        nextWindow(0);
        assertThat(log()).containsExactly("Term", "Propose");
    }

    @Test
    void pauseOutlivesItsPlannerAndItsIncarnation() {
        give(new ControlAction.Pause());
        restart(Policy.named("plimsoll"));
        partition.append(Topic.MEMBERS, members(2));
        for (long index = 0; index < 3; index++) {
            rows(index, 2, PlacementState.settled(0));
            summary(index, 2, CloseReason.COMPLETE, PlacementState.settled(0));
            partition.poll(true);
        }
        assertThat(log()).doesNotContain("Propose");
        assertThat(refused).endsWith(KeepReason.PAUSED);
    }

    @Test
    void decisionInFlightGoesOnWhilePaused() {
        proposed();
        assertThat(give(new ControlAction.Pause()).text()).contains("decision 1, which is in flight, goes on");
        settle();
        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled");
    }

    // ---- approval

    @Test
    void proposalThatNeedsApprovalIsPermittedOnceSomebodyApproves() {
        restart(Policy.named("plimsoll"), ASKING);
        proposed();
        assertThat(decision().origin().needsApproval()).isTrue();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        assertThat(log()).endsWith("Propose");

        ControlAnswer answer = give(new ControlAction.Approve(1));

        assertThat(answer.verdict()).isEqualTo(Verdict.DONE);
        assertThat(answer.epoch()).hasValue(1);
        assertThat(log()).endsWith("Permit");
        assertThat(partition.lastTransaction())
                .as("answer and effect are one transaction")
                .extracting(output -> output.topic().name())
                .contains(Topic.CONTROL.name(), Topic.PLAN.name());
        assertThat(give(new ControlAction.Approve(1)).text()).contains("ranks have leave to move");
    }

    @Test
    void rejectedProposalIsAbortedWithWhoAndWhy() {
        restart(Policy.named("plimsoll"), ASKING);
        proposed();
        give(new ControlAction.Reject(1));
        assertThat(last().summary()).isEqualTo("ABORT 1: rejected: alice: as asked");
        assertThat(partition.lastTransaction())
                .extracting(output -> output.topic().name())
                .contains(Topic.CONTROL.name(), Topic.PLAN.name());
    }

    @Test
    void proposalThatNobodyApprovesIsAbortedByTheClock() {
        restart(Policy.named("plimsoll"), ASKING);
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        partition.now += Duration.ofMinutes(30).toMillis();
        partition.poll(true);
        assertThat(last().summary()).isEqualTo("ABORT 1: nobody approved it in time");
    }

    @Test
    void whoSpeaksOfADecisionThatIsNotInFlightIsStale() {
        for (ControlAction action :
                List.of(new ControlAction.Approve(4), new ControlAction.Reject(4), new ControlAction.Abort(4))) {
            ControlAnswer answer = give(action);
            assertThat(answer.verdict()).isEqualTo(Verdict.STALE);
            assertThat(answer.text()).isEqualTo("decision 4 is not in flight, and v0 is settled");
        }
        proposed();
        assertThat(give(new ControlAction.Abort(4)).text()).endsWith("decision 1 is");
        assertThat(give(new ControlAction.Approve(1)).text()).isEqualTo("decision 1 needs nobody's approval");
        assertThat(give(new ControlAction.Approve(1)).verdict()).isEqualTo(Verdict.REFUSED);
    }

    @Test
    void whatRestsOnAnotherVersionIsStaleAndDoesNothing() {
        settled();
        ControlAnswer answer = give(new ControlAction.Pause(), OptionalInt.of(0));
        assertThat(answer.verdict()).isEqualTo(Verdict.STALE);
        assertThat(answer.text()).contains("it rests on v0, and v1 is settled");
        assertThat(answer.version()).isEqualTo(1);
        nextWindow(1);
        assertThat(refused).doesNotContain(KeepReason.PAUSED);
        assertThat(give(new ControlAction.Pause(), OptionalInt.of(1)).verdict()).isEqualTo(Verdict.DONE);
    }

    // ---- void

    @Test
    void abortOfWhichRanksDoNotSpeakIsEndedByWhatAllServe() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        assertThat(give(new ControlAction.Abort(1)).verdict()).isEqualTo(Verdict.DONE);
        assertThat(last().summary()).isEqualTo("ABORT 1: operator: alice: as asked");

        assertThat(give(new ControlAction.Void()).text())
                .contains("how far ranks 0, 1, 2, 3 got")
                .contains("no rank has said that it has stopped");
        stopped(0, 1);
        assertThat(give(new ControlAction.Void()).text())
                .contains("how far ranks 0, 2, 3 got")
                .contains("try again");
        nextWindow(0);
        ControlAnswer answer = give(new ControlAction.Void());

        assertThat(answer.verdict()).isEqualTo(Verdict.DONE);
        assertThat(answer.epoch()).hasValue(1);
        assertThat(last()).isInstanceOf(PlanCommand.Void.class);
        nextWindow(0);
        nextWindow(0);
        assertThat(decision().epoch()).as("it decides again").isEqualTo(2);
    }

    @Test
    void ranksThatAreMissingInTheNewestWindowAreNamed() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        give(new ControlAction.Abort(1));
        stopped(0, 0, 1, 2);
        long index = nextIndex();
        rows(index, 1, PlacementState.settled(0));
        summary(index, 1, CloseReason.GAP, PlacementState.settled(0));
        partition.poll(true);

        ControlAnswer answer = give(new ControlAction.Void());
        assertThat(answer.verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(answer.text()).contains("samples are missing of rank 3");
    }

    @Test
    void quarantinedDeploymentComesBackWhenAllRanksServeOnePlacement() {
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        give(new ControlAction.Abort(1));
        stopped(0, 0, 1, 2);
        stopped(1, 3);
        assertThat(alarms).anyMatch(text -> text.contains("ranks disagree"));
        nextWindow(0);
        assertThat(refused).endsWith(KeepReason.QUARANTINED);

        assertThat(give(new ControlAction.Void()).verdict()).isEqualTo(Verdict.DONE);
        assertThat(last()).isInstanceOf(PlanCommand.Void.class);

        restart(Policy.named("plimsoll"));
        nextWindow(0);
        nextWindow(0);
        assertThat(log()).as("and so does who takes over").endsWith("Propose");
    }

    @Test
    void keptPlacementThatIsNotTheLogsIsMendedFromTheLog() {
        settled();
        Placement logged = settledPlacement();
        Placement other = members(1).start().withVersion(1);
        for (int layer = 0; layer < LAYERS; layer++) {
            partition.append(Topic.PLACEMENTS, SettledPlacement.of(DEPLOYMENT, 1, other, layer, other.hash()));
        }
        restart(Policy.named("plimsoll"));
        nextWindow(1);
        assertThat(refused).endsWith(KeepReason.QUARANTINED);
        List<String> written = log();

        ControlAnswer answer = give(new ControlAction.Void());

        assertThat(answer.text()).contains("v1 is settled, as all ranks serve v1 in steps");
        assertThat(log()).as("no decision was in flight").isEqualTo(written);
        assertThat(partition.values(Topic.PLACEMENTS))
                .last()
                .extracting(SettledPlacement::placementHash)
                .isEqualTo(logged.hash());
        assertThat(give(new ControlAction.Rollback(0)).verdict()).isEqualTo(Verdict.DONE);
        settle();
        assertThat(settledPlacement().servesLike(members(1).start())).isTrue();
    }

    @Test
    void nothingToEndIsStaleAndWhatIsOnItsWayIsToBeAborted() {
        assertThat(give(new ControlAction.Void()).verdict()).isEqualTo(Verdict.STALE);
        proposed();
        ControlAnswer answer = give(new ControlAction.Void());
        assertThat(answer.verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(answer.text()).contains("abort it");
    }

    @Test
    void lostGroupIsNoQuarantineAndOnlyARestartBringsVotesBack() {
        proposed();
        Propose decision = decision();
        partition.append(
                Topic.ACKS,
                new RankAck(
                        DEPLOYMENT,
                        1,
                        new RankId(3),
                        1,
                        RankAck.Kind.REFUSED,
                        0,
                        Optional.of(Refusal.OBSERVE_ONLY),
                        decision.planHash(),
                        0));
        ack(RankAck.Kind.ABORTED, 0, 0, 1, 2, 3);
        partition.poll(true);

        ControlAnswer answer = give(new ControlAction.Void());
        assertThat(answer.verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(answer.text())
                .contains("their group is lost")
                .contains("go on serving v0")
                .contains("a restart of the ranks");
    }

    // ---- rollback

    @Test
    void rollbackIsADecisionTowardsAnOldPlacement() {
        settled();
        Control control = command(new ControlAction.Rollback(0));
        partition.poll(true);

        assertThat(answers(control)).singleElement().satisfies(answer -> {
            assertThat(answer.verdict()).isEqualTo(Verdict.DONE);
            assertThat(answer.epoch()).hasValue(2);
            assertThat(answer.version()).isEqualTo(1);
            assertThat(answer.text()).contains("pause the deployment to stay there");
        });
        Propose back = decision();
        assertThat(back.policy()).isEqualTo("rollback");
        assertThat(back.origin().control()).contains(control.id());
        assertThat(back.origin().needsApproval()).isFalse();
        assertThat(back.reason()).contains("back to v0").contains("alice: as asked");
        assertThat(partition.lastTransaction())
                .extracting(output -> output.topic().name())
                .contains(Topic.CONTROL.name(), Topic.PLAN.name());
        settle();
        assertThat(settledPlacement().servesLike(members(1).start())).isTrue();
        assertThat(settledPlacement().version()).isEqualTo(2);
    }

    @Test
    void rollbackToWhatIsUnknownOrServedAlreadyIsRefused() {
        settled();
        assertThat(give(new ControlAction.Rollback(7)).text()).contains("what is, are v0, v1");
        assertThat(give(new ControlAction.Rollback(1)).text()).contains("has every expert where v1 had it");
        nextWindow(1);
        assertThat(give(new ControlAction.Rollback(0)).verdict()).isEqualTo(Verdict.DONE);
        assertThat(give(new ControlAction.Rollback(0)).text()).contains("decision 2 is in flight");
    }

    @Test
    void successorRollsBackToPlacementsOfBeforeItsTime() {
        settled();
        restart(Policy.named("plimsoll"));
        assertThat(give(new ControlAction.Rollback(0)).verdict()).isEqualTo(Verdict.DONE);
    }

    @Test
    void whatAPersonWentBackToIsNotTakenBackHoweverItServes() {
        settled();
        restart(Policy.named("static"));
        give(new ControlAction.Rollback(0));
        settle();
        for (int i = 0; i < 12; i++) {
            nextWindow(2);
        }
        assertThat(decision().epoch()).isEqualTo(2);
    }

    @Test
    void drainThatCostsBalanceIsNotTakenBack() {
        settled();
        restart(Policy.named("static"));
        give(new ControlAction.Drain(new RankId(1)));
        for (int i = 0; i < 4; i++) {
            nextWindow(1);
        }
        assertThat(decision().reason()).contains("that is drained");
        settle();
        for (int i = 0; i < 12; i++) {
            nextWindow(2);
        }
        assertThat(decision().epoch()).isEqualTo(2);
    }

    // ---- pins and drains

    @Test
    void pinThatTheSettledPlacementDoesNotKeepIsADecisionPastTheGate() {
        restart(Policy.named("static"));
        ControlAnswer answer = give(new ControlAction.Pin(new LayerId(1), new ExpertId(7), new RankId(0)));
        assertThat(answer.text()).contains("a decision is to follow");
        proposed();

        assertThat(decision().reason())
                .contains("pinned is expert 7 of layer 1 on rank 0")
                .endsWith("; keeps by request 1 pins, 0 drains");
        assertThat(decision().moves()).hasSizeBetween(1, 2);
        settle();
        assertThat(Arrays.copyOf(settledPlacement().layer(1), 3)).contains(7);
    }

    @Test
    void policyThatWantsOtherwiseKeepsWhatIsPinned() {
        settled();
        give(new ControlAction.Pin(new LayerId(0), new ExpertId(7), new RankId(0)));
        for (int i = 0; i < 3; i++) {
            nextWindow(settledPlacement().version());
            if (log().get(log().size() - 1).equals("Propose")) {
                settle();
            }
        }
        assertThat(Arrays.copyOf(settledPlacement().layer(0), 3)).contains(7);
        nextWindow(settledPlacement().version());
        nextWindow(settledPlacement().version());
        if (log().get(log().size() - 1).equals("Propose")) {
            settle();
        }
        assertThat(Arrays.copyOf(settledPlacement().layer(0), 3)).contains(7);
    }

    @Test
    void drainedRankIsLeftWithNoOnlyCopy() {
        restart(Policy.named("static"));
        assertThat(give(new ControlAction.Drain(new RankId(1))).text())
                .contains("a decision is to follow the next window: layer 0 has 2 experts on rank 1 alone");
        proposed();
        assertThat(decision().reason()).contains("that is drained, and 1 more");
        assertThat(decision().moves()).hasSize(2 * LAYERS);
        settle();
        for (int layer = 0; layer < LAYERS; layer++) {
            int[] held = settledPlacement().layer(layer);
            assertThat(IntStream.range(0, held.length)
                            .filter(slot -> slot / 3 != 1)
                            .map(slot -> held[slot])
                            .distinct())
                    .hasSize(8);
        }
    }

    @Test
    void whatCannotHoldTogetherIsRefusedWithItsNumbersAndIsNotInForce() {
        give(new ControlAction.Drain(new RankId(3)));
        ControlAnswer second = give(new ControlAction.Drain(new RankId(2)));
        assertThat(second.verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(second.text())
                .contains("with ranks 2, 3 drained, the other 2 ranks have 6 slots in a layer, for 8 experts");
        ControlAnswer pin = give(new ControlAction.Pin(new LayerId(0), new ExpertId(1), new RankId(3)));
        assertThat(pin.text()).contains("rank 3 is drained");
        ControlAnswer typo = give(new ControlAction.Pin(new LayerId(0), new ExpertId(1), new RankId(44)));
        assertThat(typo.text()).contains("rank 44 is not of incarnation 1, which has 4 ranks");

        give(new ControlAction.Undrain(new RankId(3)));
        assertThat(give(new ControlAction.Drain(new RankId(2))).verdict()).isEqualTo(Verdict.DONE);
    }

    // ---- take-over in the middle

    private record Verb(String name, ControlAction action, int before) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Verb> verbs() {
        return Stream.of(
                new Verb("pause", new ControlAction.Pause(), 0),
                new Verb("resume", new ControlAction.Resume(), 0),
                new Verb("pin", new ControlAction.Pin(new LayerId(0), new ExpertId(7), new RankId(0)), 0),
                new Verb("unpin", new ControlAction.Unpin(new LayerId(0), new ExpertId(7), new RankId(0)), 0),
                new Verb("drain", new ControlAction.Drain(new RankId(3)), 0),
                new Verb("undrain", new ControlAction.Undrain(new RankId(3)), 0),
                new Verb("approve", new ControlAction.Approve(1), 1),
                new Verb("reject", new ControlAction.Reject(1), 1),
                new Verb("abort", new ControlAction.Abort(1), 1),
                new Verb("void", new ControlAction.Void(), 2),
                new Verb("rollback", new ControlAction.Rollback(0), 3));
    }

    /** Brings about what the verb is about. */
    private void before(Verb verb) {
        restart(Policy.named("plimsoll"), ASKING);
        if (verb.before() == 0) {
            return;
        }
        proposed();
        if (verb.before() == 2) {
            give(new ControlAction.Abort(1));
        } else if (verb.before() == 3) {
            ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
            give(new ControlAction.Approve(1));
            ack(RankAck.Kind.FLIPPED, decision().batches().size(), 0, 1, 2, 3);
            partition.poll(true);
            assertThat(log()).endsWith("Settled");
        }
    }

    @ParameterizedTest
    @MethodSource("verbs")
    void commandIsAnsweredAndCarriedOutOnceWhoeverDiesWhen(Verb verb) {
        before(verb);
        List<String> written = log();

        // Dies before it has answered: with it dies what it has done.
        Control control = command(verb.action());
        partition.pollAndLose();
        assertThat(answers(control)).isEmpty();
        assertThat(log()).isEqualTo(written);
        restart(Policy.named("plimsoll"), ASKING);
        partition.poll(true);
        assertThat(answers(control))
                .singleElement()
                .extracting(ControlAnswer::verdict)
                .isEqualTo(Verdict.DONE);
        List<String> once = log();

        // Dies after it has answered: the next one has nothing to do but its TERM.
        restart(Policy.named("plimsoll"), ASKING);
        partition.poll(true);
        partition.poll(true);
        assertThat(answers(control)).hasSize(1);
        assertThat(log())
                .startsWith(once.toArray(new String[0]))
                .hasSize(once.size() + 1)
                .endsWith("Term");
    }

    @Test
    void approvalBeforeTheLastRankAcceptsHoldsForWhoTakesOver() {
        restart(Policy.named("plimsoll"), ASKING);
        proposed();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2);
        give(new ControlAction.Approve(1));
        restart(Policy.named("plimsoll"), ASKING);
        ack(RankAck.Kind.ACCEPTED, 0, 3);
        partition.poll(true);
        assertThat(log()).endsWith("Permit");
    }

    @Test
    void sameCommandWrittenTwiceIsAnsweredOnce() {
        Control control = command(new ControlAction.Pause());
        partition.append(Topic.CONTROL, control);
        partition.poll(true);
        partition.append(Topic.CONTROL, control);
        partition.poll(true);
        assertThat(answers(control)).hasSize(1);
    }

    @Test
    void commandsAreAnsweredInTheirOrder() {
        List<Control> given = List.of(
                command(new ControlAction.Pause()),
                command(new ControlAction.Void()),
                command(new ControlAction.Resume()));
        partition.poll(true);
        assertThat(partition.values(Topic.CONTROL))
                .filteredOn(ControlAnswer.class::isInstance)
                .extracting(ControlRecord::id)
                .containsExactlyElementsOf(given.stream().map(Control::id).toList());
        proposed();
        assertThat(log()).endsWith("Propose");
    }

    @Test
    void commandForADeploymentThatIsNotThereWaitsForIt() {
        Control control = new Control(
                new Deployment("r1/nobody"), "early", 0, "bob", "soon", OptionalInt.empty(), new ControlAction.Pause());
        partition.append(Topic.CONTROL, control);
        partition.poll(true);
        assertThat(answers(control)).isEmpty();
    }
}
