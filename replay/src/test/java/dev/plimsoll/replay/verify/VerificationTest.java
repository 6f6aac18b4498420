package dev.plimsoll.replay.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Term;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.Switch;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.replay.verify.Finding.Different;
import dev.plimsoll.replay.verify.Finding.Explanation;
import dev.plimsoll.replay.verify.Finding.Input;
import dev.plimsoll.replay.verify.Finding.Reproduced;
import dev.plimsoll.replay.verify.Finding.Unchecked;
import dev.plimsoll.replay.verify.Finding.Undecided;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What the service's planner decided over made-up windows, as it was and tampered with. */
class VerificationTest {
    private static final int SECOND = 1;

    private static final MadeUpRun EVERY_WINDOW = MadeUpRun.ofEveryWindow();
    private static final MadeUpRun TRIPLES = MadeUpRun.ofTriples();

    private final MadeUpRun run = EVERY_WINDOW.copy();

    private static List<Finding> verified(MadeUpRun run) {
        return run.verified(Map.of());
    }

    /** What is found on the second decision. */
    private Finding ofSecond() {
        int epoch = run.decisions().get(SECOND).epoch();
        return verified(run).stream()
                .filter(finding -> finding instanceof Different other
                                && other.decision().epoch() == epoch
                        || finding instanceof Reproduced same && same.decision().epoch() == epoch
                        || finding instanceof Unchecked open && open.decision().epoch() == epoch)
                .findFirst()
                .orElseThrow();
    }

    private void assertDifferent(Input first, String... detail) {
        assertThat(ofSecond()).isInstanceOfSatisfying(Different.class, other -> {
            assertThat(other.first()).isEqualTo(first);
            assertThat(other.detail()).contains(List.of(detail));
        });
    }

    private static Propose with(Propose propose, List<Batch> batches, long planHash, Optional<PlanInputs> inputs) {
        return new Propose(
                propose.header(),
                propose.epoch(),
                propose.basedOn(),
                planHash,
                batches,
                propose.windowIndex(),
                propose.currentBalancedness(),
                propose.predictedBalancedness(),
                propose.policy(),
                propose.reason(),
                PlanReasons.NONE,
                inputs);
    }

    private void saying(Input input) {
        run.with(SECOND, propose -> {
            PlanInputs said = propose.inputs().orElseThrow();
            PlanInputs other = switch (input) {
                case WINDOWS ->
                    new PlanInputs(
                            said.windows() - 1,
                            said.oldestWindow() + 1,
                            said.loadsHash(),
                            said.windowTimeMillis(),
                            said.unjudged());
                case LOADS ->
                    new PlanInputs(
                            said.windows(),
                            said.oldestWindow(),
                            said.loadsHash() + 1,
                            said.windowTimeMillis(),
                            said.unjudged());
                default ->
                    new PlanInputs(
                            said.windows(),
                            said.oldestWindow(),
                            said.loadsHash(),
                            said.windowTimeMillis() + 1,
                            said.unjudged());
            };
            return with(propose, propose.batches(), propose.planHash(), Optional.of(other));
        });
    }

    /** With its first move made otherwise. */
    private void moving(UnaryOperator<Move> change) {
        run.with(SECOND, propose -> {
            List<Batch> batches = new ArrayList<>(propose.batches());
            List<Move> moves = new ArrayList<>(batches.get(0).moves());
            moves.set(0, change.apply(moves.get(0)));
            batches.set(0, new Batch(1, moves));
            return with(propose, batches, propose.planHash(), propose.inputs());
        });
    }

    @Test
    void decisionsOfAnEngineThatStartedElsewhereAreReproducedItsRepairToo() {
        MadeUpRun own = MadeUpRun.ofOwnMap();

        assertThat(own.decisions().get(0).reason()).startsWith("mends what the engine began with: layer 0 rank 0");
        assertThat(own.decisions()).hasSizeGreaterThanOrEqualTo(3);
        assertThat(verified(own).stream().filter(Reproduced.class::isInstance)).hasSameSizeAs(own.decisions());
        assertThat(verified(own)).noneMatch(Different.class::isInstance);
    }

    @Test
    void windowsInThePauseBehindDecisionsThatCameToNothingAreThePausesAndNoDifference() {
        MadeUpRun refused = MadeUpRun.ofRefusals(2);
        Tally tally = refused.tally();

        assertThat(refused.commands.stream().map(Dated::value).filter(PlanCommand.Void.class::isInstance))
                .hasSize(2);
        // Of the pauses of 2 and 4 windows the first of each are the cooldown's.
        assertThat(tally.of(Tally.Window.BACK_OFF)).isEqualTo(4);
        assertThat(EVERY_WINDOW.tally().of(Tally.Window.BACK_OFF)).isZero();
        assertThat(verified(refused)).noneMatch(Different.class::isInstance);
        assertThat(verified(refused)).noneMatch(Undecided.class::isInstance);
        assertThat(new VerifyReport().summary(tally))
                .anyMatch(line -> line.contains("4 in the pause after decisions that came to nothing"));
    }

    @Test
    void everyDecisionIsToldOnceToWhoeverAsksAlsoTheOneWhoseWindowIsNotThere() {
        List<Integer> told = new ArrayList<>();
        run.rows.clear();
        run.verify(decision -> told.add(decision.epoch()));

        assertThat(told).isEqualTo(run.decisions().stream().map(Propose::epoch).toList());
    }

    @Test
    void everyDecisionIsReproducedAndNothingElseWouldHaveBeenDecided() {
        List<Finding> found = verified(run);

        assertThat(run.decisions()).hasSizeGreaterThanOrEqualTo(4);
        assertThat(found.stream().filter(Reproduced.class::isInstance)).hasSameSizeAs(run.decisions());
        assertThat(found.stream().filter(finding -> !(finding instanceof Reproduced)))
                .as("only of windows behind the last decision the log cannot tell")
                .allSatisfy(finding -> assertThat(finding).isInstanceOfSatisfying(Undecided.class, window -> {
                    assertThat(window.explanation()).isEqualTo(Explanation.NOT_TOLD);
                    assertThat(window.windowIndex())
                            .isGreaterThan(run.decisions()
                                    .get(run.decisions().size() - 1)
                                    .windowIndex());
                }));
    }

    @Test
    void aLogThatHasLostItsBeginningIsCheckedFromWhatIsKeptBesideIt() {
        Propose first = run.decisions().get(0);
        Placement settled = PlanLog.after(
                first,
                first.batches().size(),
                Placement.initial(MadeUpRun.MEMBERS.shape(), MadeUpRun.MEMBERS.topology()),
                first.epoch());
        String settings = ((Term) run.commands.get(0).value()).settings();
        while (!(run.commands.get(0).value() instanceof Settled)) {
            run.commands.remove(0);
        }
        // Its settings are those of a planner that took over.
        run.commands.add(
                0,
                new Dated<>(new Term(run.commands.get(0).value().header(), "next", settings), 0, 1_700_000_000_000L));

        List<Finding> found = run.verified(Map.of(), Optional.of(settled));

        assertThat(found.stream().filter(Different.class::isInstance)).isEmpty();
        assertThat(found.stream().filter(Reproduced.class::isInstance).count())
                .isEqualTo(run.decisions().size());
    }

    @Test
    void whatFollowsADecisionOfWhichAPrefixSettledIsReproducedFromThatPrefix() {
        MadeUpRun prefix = MadeUpRun.ofAPrefix();

        List<Finding> found = verified(prefix);

        assertThat(prefix.decisions().get(0).batches()).hasSizeGreaterThan(1);
        assertThat(found.get(0))
                .isInstanceOfSatisfying(
                        Reproduced.class,
                        first -> assertThat(first.decision().fate()).startsWith("settled up to batch 1 of"));
        assertThat(found.stream().filter(Reproduced.class::isInstance)).hasSameSizeAs(prefix.decisions());
        assertThat(found.stream().filter(Different.class::isInstance)).isEmpty();
    }

    @Test
    void windowsThatCameThreeAtATimeAreFoundAndExplainedByTheLog() {
        List<Finding> found = verified(TRIPLES.copy());

        assertThat(found.stream().filter(Different.class::isInstance)).isEmpty();
        List<Undecided> windows = found.stream()
                .filter(Undecided.class::isInstance)
                .map(Undecided.class::cast)
                .toList();
        assertThat(windows).extracting(Undecided::explanation).contains(Explanation.NOT_JUDGED);
        assertThat(windows).extracting(Undecided::explanation).doesNotContain(Explanation.NONE);
    }

    @Test
    void aWindowThatTheLogSaysWasJudgedAndLeftIsADifference() {
        MadeUpRun triples = TRIPLES.copy();
        for (int i = 0; i < triples.decisions().size(); i++) {
            triples.with(i, propose -> {
                PlanInputs said = propose.inputs().orElseThrow();
                return with(
                        propose,
                        propose.batches(),
                        propose.planHash(),
                        Optional.of(new PlanInputs(
                                said.windows(),
                                said.oldestWindow(),
                                said.loadsHash(),
                                said.windowTimeMillis(),
                                List.of())));
            });
        }

        VerifyReport report = new VerifyReport();
        List<Finding> found = verified(triples);
        found.forEach(report::add);

        assertThat(found)
                .anySatisfy(finding -> assertThat(finding)
                        .isInstanceOfSatisfying(
                                Undecided.class,
                                window -> assertThat(window.explanation()).isEqualTo(Explanation.NONE)));
        assertThat(report.holds()).isFalse();
    }

    /** The same, having learned something else. */
    private static Propose having(Propose propose, UnaryOperator<Learned> change) {
        PlanInputs said = propose.inputs().orElseThrow();
        return new Propose(
                propose.header(),
                propose.epoch(),
                propose.basedOn(),
                propose.planHash(),
                propose.batches(),
                propose.windowIndex(),
                propose.currentBalancedness(),
                propose.predictedBalancedness(),
                propose.policy(),
                propose.reason(),
                propose.reasons(),
                Optional.of(new PlanInputs(
                        said.windows(),
                        said.oldestWindow(),
                        said.loadsHash(),
                        said.windowTimeMillis(),
                        said.unjudged(),
                        said.learned().map(change))),
                propose.step());
    }

    private static Learned noisy(Learned learned, double noise) {
        return new Learned(
                learned.step(),
                learned.transfers(),
                learned.delivered(),
                noise,
                learned.lastingWindows(),
                learned.decisions());
    }

    @Test
    void decisionsByTimeAreReproducedWithWhatTheGateHadLearned() {
        MadeUpRun timed = MadeUpRun.ofTime();

        List<Finding> found = verified(timed);

        assertThat(timed.decisions()).hasSizeGreaterThanOrEqualTo(3);
        assertThat(found.stream().filter(Reproduced.class::isInstance)).hasSameSizeAs(timed.decisions());
        assertThat(found).noneMatch(Different.class::isInstance);
        Propose last = timed.decisions().get(timed.decisions().size() - 1);
        Learned learned = last.inputs().orElseThrow().learned().orElseThrow();
        // 40 bytes in 20 µs.
        assertThat(learned.transfers().bytesPerSecond()).isEqualTo(2e6);
        assertThat(learned.transfers().assumed()).isFalse();
        assertThat(learned.step().orElseThrow().windows()).isGreaterThan(8);
        assertThat(last.step()).isPresent();
        assertThat(last.reason()).contains("step ", " ms", "saves", "transfers 0.00 GB/s");
    }

    @Test
    void decisionsThatSwitchSlotsOffAndOnAsBatchesSwingAreReproduced() {
        MadeUpRun swings = MadeUpRun.ofSwings();

        List<Finding> found = verified(swings);

        List<Switch> switches = swings.decisions().stream()
                .flatMap(propose -> propose.batches().stream())
                .flatMap(batch -> batch.switches().stream())
                .toList();
        assertThat(switches).extracting(Switch::inUse).contains(true, false);
        assertThat(found.stream().filter(Reproduced.class::isInstance)).hasSameSizeAs(swings.decisions());
        assertThat(found).noneMatch(Different.class::isInstance);
    }

    @Test
    void anotherPromiseInTimeIsNamed() {
        MadeUpRun timed = MadeUpRun.ofTime();
        timed.with(
                SECOND,
                propose -> new Propose(
                        propose.header(),
                        propose.epoch(),
                        propose.basedOn(),
                        propose.planHash(),
                        propose.batches(),
                        propose.windowIndex(),
                        propose.currentBalancedness(),
                        propose.predictedBalancedness(),
                        propose.policy(),
                        propose.reason(),
                        propose.reasons(),
                        propose.inputs(),
                        propose.step()
                                .map(step -> new StepPromise(
                                        step.expertMicrosBefore(),
                                        step.expertMicrosPromised(),
                                        step.stepMicrosBefore(),
                                        step.stepMicrosPromised() + 1,
                                        step.assumed()))));

        assertThat(verified(timed).stream().filter(Different.class::isInstance))
                .singleElement()
                .isInstanceOfSatisfying(
                        Different.class, other -> assertThat(other.first()).isEqualTo(Input.PROMISE));
    }

    @Test
    void aDecisionThatWhatTheGateHadLearnedForbidsIsNamed() {
        run.with(SECOND, propose -> having(propose, learned -> noisy(learned, 0.99)));

        assertDifferent(Input.PLAN, "is kept: GAIN", "at least 99.0 %");
    }

    /** The second decision's window, as if it had been judged and left, and what the gate knew before and behind it. */
    private List<Undecided> left(double noiseBefore, double noiseBehind) {
        int epoch = run.decisions().get(SECOND).epoch();
        run.commands.removeIf(record -> record.value() instanceof Propose propose && propose.epoch() == epoch
                || record.value() instanceof Settled settled && settled.epoch() == epoch
                || record.value() instanceof PlanCommand.Permit permit && permit.epoch() == epoch);
        run.with(0, propose -> having(propose, learned -> noisy(learned, noiseBefore)));
        run.with(1, propose -> having(propose, learned -> noisy(learned, noiseBehind)));
        long window = EVERY_WINDOW.decisions().get(SECOND).windowIndex();
        return verified(run).stream()
                .filter(finding -> finding instanceof Undecided && finding.windowIndex() == window)
                .map(Undecided.class::cast)
                .toList();
    }

    @Test
    void aWindowThatTheGateMayHaveKeptByWhatItHadLearnedIsNoDifference() {
        assertThat(left(0, 0.99)).isEmpty();
    }

    @Test
    void aWindowBeforeWhichTheGateLearnedAndThatItWouldDecideOnEitherWayIsNotTold() {
        assertThat(left(0, 1e-9)).singleElement().satisfies(window -> {
            assertThat(window.explanation()).isEqualTo(Explanation.NOT_TOLD);
            assertThat(window.detail()).contains("the gate learned between");
        });
    }

    @Test
    void fewerWindowsInTheLogAreNamed() {
        saying(Input.WINDOWS);

        assertDifferent(Input.WINDOWS, "in the log", "here");
    }

    @Test
    void anotherHashOfLoadsIsNamed() {
        saying(Input.LOADS);

        assertDifferent(Input.LOADS, "in the log", "here");
    }

    @Test
    void oneTokenMoreInOneOldWindowIsNamedAsLoads() {
        PlanInputs said = run.decisions().get(SECOND).inputs().orElseThrow();
        run.rows.replaceAll(record ->
                record.value().index() == said.oldestWindow() && record.value().layer() == 1
                        ? new Dated<>(oneMore(record.value()), record.offset(), record.atMillis())
                        : record);

        assertDifferent(Input.LOADS, "have hash");
    }

    private static LoadWindow oneMore(LoadWindow row) {
        long[] load = row.load().toArray();
        long[] sub = row.subLoad().toArray();
        load[2]++;
        sub[2]++;
        return new LoadWindow(
                row.deployment(),
                row.incarnation(),
                row.phase(),
                row.index(),
                row.steps(),
                row.layer(),
                row.segment(),
                row.state(),
                row.firstSlot(),
                LongVector.of(load),
                row.subWindows(),
                LongVector.of(sub),
                row.summary());
    }

    @Test
    void anotherWindowTimeIsNamed() {
        saying(Input.WINDOW_TIME);

        assertDifferent(Input.WINDOW_TIME, "1000 ms here");
    }

    @Test
    void anotherSettledVersionIsNamed() {
        run.with(
                SECOND,
                propose -> new Propose(
                        propose.header(),
                        propose.epoch(),
                        0,
                        propose.planHash(),
                        propose.batches(),
                        propose.windowIndex(),
                        propose.currentBalancedness(),
                        propose.predictedBalancedness(),
                        propose.policy(),
                        propose.reason(),
                        propose.reasons(),
                        propose.inputs()));

        assertDifferent(Input.SETTLED_VERSION, "based on v0", "v1 was settled");
    }

    @Test
    void aSettlementWithAnotherHashIsNamed() {
        run.commands.replaceAll(record -> record.value() instanceof Settled end && end.epoch() == 1
                ? new Dated<>(
                        new Settled(
                                end.header(),
                                end.epoch(),
                                end.batchesFlipped(),
                                end.complete(),
                                end.placementHash() + 1,
                                end.lastWindow()),
                        record.offset(),
                        record.atMillis())
                : record);

        assertThat(ofSecond()).isNotInstanceOf(Reproduced.class);
    }

    @Test
    void anotherExpertIsNamedWithItsLayerAndSlot() {
        Move first = run.decisions().get(SECOND).batches().get(0).moves().get(0);
        moving(move ->
                new Move(move.layer(), move.slot(), new ExpertId((move.expert().index() + 1) % 16), move.source()));

        assertDifferent(
                Input.PLAN,
                "batch 1",
                "layer " + first.layer().index() + " slot " + first.slot().index(),
                "expert " + first.expert().index());
    }

    @Test
    void anotherSourceIsNamed() {
        moving(move -> new Move(move.layer(), move.slot(), move.expert(), otherSlot(move)));

        assertDifferent(Input.PLAN, "from slot");
    }

    private static SlotId otherSlot(Move move) {
        for (int slot = 0; ; slot++) {
            if (slot != move.source().index() && slot != move.slot().index()) {
                return new SlotId(slot);
            }
        }
    }

    @Test
    void aMoveThatIsLeftOutIsNamed() {
        run.with(SECOND, propose -> {
            List<Batch> batches = new ArrayList<>(propose.batches());
            List<Move> moves = batches.get(0).moves();
            batches.set(0, new Batch(1, moves.subList(0, moves.size() - 1)));
            return with(propose, batches, propose.planHash(), propose.inputs());
        });

        assertDifferent(Input.PLAN, "moves in the log", "alone is layer");
    }

    @Test
    void aSwitchThatOneSideHasAloneIsNamed() {
        run.with(SECOND, propose -> {
            List<Batch> batches = new ArrayList<>(propose.batches());
            batches.set(
                    0, new Batch(1, batches.get(0).moves(), List.of(new Switch(new LayerId(1), new SlotId(3), false))));
            return with(propose, batches, propose.planHash(), propose.inputs());
        });

        assertDifferent(Input.PLAN, "batch 1: switch 1 is layer 1 slot 3 falls idle in the log, none decided again");
    }

    @Test
    void switchesAreComparedByLayerSlotAndWay() {
        Switch off = new Switch(new LayerId(1), new SlotId(3), false);
        PlanComparison comparison = new PlanComparison();
        List<Batch> had = List.of(new Batch(1, List.of(), List.of(off)));

        assertThat(comparison.batches(had, had)).isEmpty();
        for (Switch other : List.of(
                new Switch(new LayerId(1), new SlotId(3), true),
                new Switch(new LayerId(1), new SlotId(4), false),
                new Switch(new LayerId(2), new SlotId(3), false))) {
            assertThat(comparison.batches(had, List.of(new Batch(1, List.of(), List.of(other)))))
                    .isPresent();
        }
    }

    @Test
    void aBatchThatIsCutInTwoIsNamed() {
        run.with(SECOND, propose -> {
            List<Move> moves =
                    propose.batches().get(propose.batches().size() - 1).moves();
            List<Batch> batches = new ArrayList<>(
                    propose.batches().subList(0, propose.batches().size() - 1));
            batches.add(new Batch(batches.size() + 1, moves));
            batches.add(new Batch(batches.size() + 1, moves.subList(0, 1)));
            return with(propose, batches, propose.planHash(), propose.inputs());
        });

        assertDifferent(Input.PLAN, "batches in the log");
    }

    @Test
    void anotherPlanHashIsNamed() {
        run.with(SECOND, propose -> with(propose, propose.batches(), propose.planHash() + 1, propose.inputs()));

        assertDifferent(Input.PLAN_HASH, "by its moves");
    }

    @Test
    void planHashOfAReleaseBeforeItCoveredTheWayIsNoDifference() {
        int epoch = run.decisions().get(SECOND).epoch();
        long ofTarget = run.commands.stream()
                .map(Dated::value)
                .filter(command -> command instanceof Settled end && end.epoch() == epoch)
                .map(command -> ((Settled) command).placementHash())
                .findFirst()
                .orElseThrow();
        assertThat(ofTarget).isNotEqualTo(run.decisions().get(SECOND).planHash());

        run.with(
                SECOND,
                propose -> new Propose(
                        propose.header(),
                        propose.epoch(),
                        propose.basedOn(),
                        ofTarget,
                        propose.batches(),
                        propose.windowIndex(),
                        propose.currentBalancedness(),
                        propose.predictedBalancedness(),
                        propose.policy(),
                        propose.reason(),
                        propose.reasons(),
                        propose.inputs(),
                        propose.step()));

        assertThat(ofSecond()).isInstanceOf(Reproduced.class);
    }

    @Test
    void anotherPromiseIsNamed() {
        run.with(
                SECOND,
                propose -> new Propose(
                        propose.header(),
                        propose.epoch(),
                        propose.basedOn(),
                        propose.planHash(),
                        propose.batches(),
                        propose.windowIndex(),
                        propose.currentBalancedness(),
                        Math.nextUp(propose.predictedBalancedness()),
                        propose.policy(),
                        propose.reason(),
                        propose.reasons(),
                        propose.inputs()));

        assertDifferent(Input.PROMISE, "in the log");
    }

    @Test
    void aDecisionBeforeItsCooldownHasPassedIsNamed() {
        long window = run.decisions().get(SECOND).windowIndex();
        run.commands.replaceAll(record -> record.value() instanceof Settled end && end.epoch() == 1
                ? new Dated<>(
                        new Settled(
                                end.header(),
                                end.epoch(),
                                end.batchesFlipped(),
                                end.complete(),
                                end.placementHash(),
                                OptionalLong.of(window - 1)),
                        record.offset(),
                        record.atMillis())
                : record);

        assertDifferent(Input.SETTINGS, "cooldown");
    }

    @Test
    void otherSettingsInTheTermAreFoundByWhatComesOfThem() {
        term(text -> text.replace("minimum-gain=0.005", "minimum-gain=0.9"));

        assertDifferent(Input.PLAN, "GAIN");
    }

    @Test
    void settingsThatAreInsistedOnAreNamedWhereTheyMatter() {
        List<Finding> found = run.verified(Map.of("minimum-gain", "0.9"));

        assertThat(found.get(0)).isInstanceOfSatisfying(Different.class, other -> {
            assertThat(other.first()).isEqualTo(Input.SETTINGS);
            assertThat(other.detail()).contains("minimum-gain is 0.005 in the log, 0.9 here");
        });
        assertThat(run.verified(Map.of("seed", "4")).stream().filter(Reproduced.class::isInstance))
                .as("a policy that draws nothing by chance does not care")
                .hasSameSizeAs(run.decisions());
    }

    @Test
    void aTermWithoutSettingsIsCountedAndNeverPassed() {
        term(text -> "");
        VerifyReport report = new VerifyReport();

        verified(run).forEach(report::add);

        assertThat(ofSecond())
                .isInstanceOfSatisfying(
                        Unchecked.class, open -> assertThat(open.reason()).contains("--set"));
        assertThat(report.holds()).as("nothing was checked").isFalse();
    }

    @Test
    void aPolicyOfALaterReleaseCannotBeChecked() {
        term(text -> text.replace("policy=plimsoll", "policy=oracle"));

        assertThat(ofSecond())
                .isInstanceOfSatisfying(
                        Unchecked.class, open -> assertThat(open.reason()).contains("oracle"));
    }

    @Test
    void aDecisionWithoutInputsIsReproducedFromWhatIsHereAndSaysSo() {
        run.with(SECOND, propose -> with(propose, propose.batches(), propose.planHash(), Optional.empty()));

        assertThat(ofSecond())
                .isInstanceOfSatisfying(
                        Reproduced.class, same -> assertThat(same.note()).contains("does not say"));
    }

    @Test
    void aDecisionWithoutInputsThatComesOutOtherwiseCannotBeChecked() {
        run.with(SECOND, propose -> with(propose, propose.batches(), propose.planHash() + 1, Optional.empty()));

        assertThat(ofSecond())
                .isInstanceOfSatisfying(
                        Unchecked.class, open -> assertThat(open.reason()).contains("does not say"));
    }

    @Test
    void windowsThatHaveExpiredAreCountedWithTheirReason() {
        long window = run.decisions().get(SECOND).windowIndex();
        run.rows.removeIf(record -> record.value().index() < window - 1);
        run.summaries.removeIf(record -> record.value().index() < window - 1);

        assertThat(ofSecond())
                .isInstanceOfSatisfying(
                        Unchecked.class, open -> assertThat(open.reason()).contains("expired"));
        assertThat(verified(run))
                .as("the first decision's own window is gone")
                .anySatisfy(finding -> assertThat(finding).isInstanceOfSatisfying(Unchecked.class, open -> {
                    assertThat(open.decision().epoch()).isEqualTo(1);
                    assertThat(open.reason()).contains("expired");
                }));
    }

    @Test
    void decisionsFromLongBeforeTheFirstWindowAreCountedTogether() {
        List<Dated<PlanCommand>> old = new ArrayList<>();
        Propose any = run.decisions().get(0);
        for (int epoch = 1; epoch <= 300; epoch++) {
            PlanHeader header =
                    new PlanHeader(any.header().deployment(), any.header().incarnation(), 1, epoch);
            old.add(new Dated<>(
                    new Propose(
                            header,
                            epoch,
                            0,
                            any.planHash(),
                            any.batches(),
                            epoch,
                            0.5,
                            0.9,
                            any.policy(),
                            "",
                            PlanReasons.NONE,
                            any.inputs()),
                    epoch,
                    epoch));
            old.add(new Dated<>(new PlanCommand.Void(header, epoch, "test"), epoch, epoch));
        }
        run.commands.clear();
        run.commands.addAll(old);
        run.summaries.clear();
        run.rows.clear();
        VerifyReport report = new VerifyReport();

        List<Finding> found = verified(run);
        found.forEach(report::add);

        assertThat(found).hasSizeLessThan(100);
        assertThat(report.summary(new Tally()).get(0))
                .isEqualTo("0 of 300 decisions reproduced, 300 that cannot be checked");
        assertThat(report.holds()).isFalse();
    }

    private void term(java.util.function.UnaryOperator<String> change) {
        run.commands.replaceAll(record -> record.value() instanceof Term term
                ? new Dated<PlanCommand>(
                        new Term(term.header(), term.planner(), change.apply(term.settings())),
                        record.offset(),
                        record.atMillis())
                : record);
    }

    private static Propose goingBack(Propose propose, List<Batch> batches) {
        return new Propose(
                propose.header(),
                propose.epoch(),
                propose.basedOn(),
                propose.planHash(),
                batches,
                propose.windowIndex(),
                propose.currentBalancedness(),
                propose.predictedBalancedness(),
                "rollback",
                "takes back decision 1",
                PlanReasons.NONE,
                propose.inputs());
    }

    @Test
    void aDecisionThatGoesBackIsReproducedByThePlacementThatItGoesBackTo() {
        Placement start = MadeUpRun.MEMBERS.start();
        Propose first = run.decisions().get(0);
        Placement after = PlanLog.after(first, first.batches().size(), start, first.epoch());
        List<Move> moves = new ArrayList<>();
        for (Move made : first.moves()) {
            int layer = made.layer().index();
            int expert = start.layer(layer)[made.slot().index()];
            int source = after.slotsOfExperts(layer, MadeUpRun.MEMBERS.shape().experts())[expert][0];
            moves.add(new Move(made.layer(), made.slot(), new ExpertId(expert), new SlotId(source)));
        }
        run.with(SECOND, propose -> goingBack(propose, List.of(new Batch(1, moves))));

        assertThat(ofSecond())
                .isInstanceOfSatisfying(
                        Reproduced.class, same -> assertThat(same.note()).isEqualTo("it goes back to v0"));
    }

    @Test
    void aDecisionThatGoesBackToWhatNeverWasIsNotReproduced() {
        run.with(SECOND, propose -> goingBack(propose, propose.batches()));

        assertThat(ofSecond())
                .isInstanceOfSatisfying(
                        Unchecked.class,
                        open -> assertThat(open.reason()).contains("a placement that the log does not have"));
    }

    @Test
    void aDecisionThatKeepsPinsOrDrainsIsNotCalledWrong() {
        run.with(
                SECOND,
                propose -> new Propose(
                        propose.header(),
                        propose.epoch(),
                        propose.basedOn(),
                        propose.planHash(),
                        propose.batches(),
                        propose.windowIndex(),
                        propose.currentBalancedness(),
                        propose.predictedBalancedness(),
                        propose.policy(),
                        propose.reason() + "; keeps by request 1 pins, 0 drains",
                        propose.reasons(),
                        propose.inputs()));

        assertThat(ofSecond())
                .isInstanceOfSatisfying(
                        Unchecked.class,
                        open -> assertThat(open.reason()).contains("people asked something of every placement"));
    }
}
