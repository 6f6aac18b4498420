package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Candidate;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Patience;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class DecisionDriverTest {
    private static final int COOLDOWN = 1;
    private static final int RANKS = 2;

    private final DecisionDriver driver =
            new DecisionDriver(new DecisionProtocol(new Patience(100, 100, 100), "test"), COOLDOWN);
    private final List<PlanCommand> log = new ArrayList<>();
    private final Map<Integer, SettledPlacement> kept = new TreeMap<>();
    private final List<PlanOrder> ordered = new ArrayList<>();
    private final List<DriverEffect> effects = new ArrayList<>();
    private long millis;
    private long boundaries;
    private DriverState state;

    DecisionDriverTest() {
        takeOver();
    }

    private static Membership members(long incarnation) {
        return new Membership(
                new Deployment("r1/decode-0"),
                incarnation,
                ModelShape.of("small", 4, 1, 0, 1),
                Topology.even(RANKS, 1, 2),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                4,
                8,
                100,
                400);
    }

    private Moment now() {
        return new Moment(millis, boundaries, false);
    }

    private void takeOver() {
        Setbacks setbacks = Setbacks.NONE;
        for (PlanCommand command : log) {
            setbacks = setbacks.after(command);
        }
        long incarnation = state == null ? 1 : members().incarnation();
        carryOut(driver.takeOver(PlanLog.of(log), setbacks, List.copyOf(kept.values()), members(incarnation), now()));
    }

    private Membership members() {
        return state.protocol().members();
    }

    private void apply(DriverEvent event) {
        carryOut(driver.apply(state, event, now()));
    }

    private void carryOut(DriverStep step) {
        state = step.state();
        effects.addAll(step.effects());
        for (DriverEffect effect : step.effects()) {
            if (effect instanceof DriverEffect.Write write) {
                log.add(write.command());
            } else if (effect instanceof DriverEffect.Settle settle) {
                kept.put(settle.placement().layer(), settle.placement());
            } else if (effect instanceof DriverEffect.Plan plan) {
                ordered.add(plan.order());
            }
        }
    }

    private void window(long index) {
        apply(new DriverEvent.Window(index, Optional.empty()));
    }

    private PlanOrder order() {
        return ordered.get(ordered.size() - 1);
    }

    /** Exchanges the experts of two slots of different ranks. */
    private Verdict.Change change(int one, int other) {
        int[] experts = state.protocol().settled().layer(0);
        Batch batch = new Batch(1, List.of(move(one, experts[other], other), move(other, experts[one], one)));
        return new Verdict.Change(
                new Candidate(
                        state.protocol()
                                .settled()
                                .withBatches(state.protocol().settled().version(), List.of(batch)),
                        List.of(batch),
                        List.of(),
                        List.of(),
                        PlanReasons.NONE),
                new Verdict.Numbers(0.5, 0.75, 0.1, 0.1, 1, 0, 2, Optional.empty()),
                "it pays");
    }

    private static Move move(int slot, int expert, int source) {
        return new Move(new LayerId(0), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    private void planned(PlanOrder order, Verdict verdict) {
        apply(new DriverEvent.Planned(order, verdict, "test", Optional.empty()));
    }

    private Propose decision() {
        return log.stream()
                .filter(Propose.class::isInstance)
                .map(Propose.class::cast)
                .reduce((earlier, later) -> later)
                .orElseThrow();
    }

    private void ack(int rank, RankAck.Kind kind, int batch, Optional<Refusal> refusal) {
        Propose decision = decision();
        apply(new DriverEvent.Happened(new Event.Acked(new RankAck(
                members().deployment(),
                decision.header().incarnation(),
                new RankId(rank),
                decision.epoch(),
                kind,
                batch,
                refusal,
                decision.planHash(),
                boundaries * 4))));
    }

    private void all(RankAck.Kind kind, int batch) {
        for (int rank = 0; rank < RANKS; rank++) {
            ack(rank, kind, batch, Optional.empty());
        }
    }

    private void propose(long window) {
        window(window);
        apply(new DriverEvent.Look());
        planned(order(), change(0, 2));
    }

    private List<String> written() {
        return log.stream().map(command -> command.getClass().getSimpleName()).toList();
    }

    private List<DriverEffect.Drop> drops() {
        return effects.stream()
                .filter(DriverEffect.Drop.class::isInstance)
                .map(DriverEffect.Drop.class::cast)
                .toList();
    }

    @Test
    void oneLookAtAWindowOrdersOnePlanForWhatIsSettled() {
        window(7);
        apply(new DriverEvent.Look());
        apply(new DriverEvent.Look());

        assertThat(ordered).containsExactly(new PlanOrder(1, 0, 7, List.of(), Optional.empty()));
        assertThat(state.ordered()).contains(order());
    }

    @Test
    void planBecomesADecisionOnTheWindowThatItWasOrderedFor() {
        propose(7);

        assertThat(written()).containsExactly("Term", "Propose");
        assertThat(decision().windowIndex()).isEqualTo(7);
        assertThat(state.ordered()).isEmpty();
    }

    @Test
    void planThatComesTwiceIsOneDecision() {
        propose(7);
        all(RankAck.Kind.ACCEPTED, 0);
        all(RankAck.Kind.FLIPPED, 1);
        planned(order(), change(1, 3));

        assertThat(written()).containsExactly("Term", "Propose", "Permit", "Settled");
    }

    @Test
    void planForAnIncarnationThatIsOverIsDroppedAndChangesNothing() {
        window(7);
        apply(new DriverEvent.Look());
        apply(new DriverEvent.Happened(new Event.Began(members(2))));
        assertThat(drops()).containsExactly(new DriverEffect.Drop(order(), PlanDrop.STALE));
        DriverState before = state;
        planned(order(), change(0, 2));

        assertThat(state).isEqualTo(before);
        assertThat(written()).containsExactly("Term");
    }

    @Test
    void planThatTheRulesForbidKeepsThePlacement() {
        window(7);
        apply(new DriverEvent.Look());
        Verdict.Change sound = change(0, 2);
        // The target is not what the moves lead to.
        planned(
                order(),
                new Verdict.Change(
                        new Candidate(
                                Placement.of(0, new int[][] {{3, 2, 1, 0}}),
                                sound.candidate().batches(),
                                List.of(),
                                List.of(),
                                PlanReasons.NONE),
                        sound.numbers(),
                        "wrong"));

        assertThat(written()).containsExactly("Term");
        assertThat(effects)
                .last()
                .isInstanceOfSatisfying(
                        DriverEffect.Refuse.class,
                        refuse -> assertThat(refuse.keep().reason()).isEqualTo(KeepReason.INVALID));
    }

    @Test
    void windowsWithoutAVerdictAreInTheNextOrder() {
        window(1);
        window(2);
        apply(new DriverEvent.Look());
        planned(order(), Verdict.Keep.because(KeepReason.TIMEOUT, ""));
        window(3);
        apply(new DriverEvent.Look());
        apply(new DriverEvent.Superseded(order()));
        window(4);
        apply(new DriverEvent.Look());

        assertThat(order().unjudged()).containsExactly(1L, 2L, 3L);
        planned(order(), change(0, 2));
        assertThat(state.unjudged()).isEmpty();
    }

    private List<DriverEffect.Alarm> alarms() {
        return effects.stream()
                .filter(DriverEffect.Alarm.class::isInstance)
                .map(DriverEffect.Alarm.class::cast)
                .toList();
    }

    @Test
    void ranksThatHaveLostTheirGroupAreNotPlannedForAndThatIsOneAlarm() {
        propose(1);
        ack(1, RankAck.Kind.REFUSED, 0, Optional.of(Refusal.OBSERVE_ONLY));
        assertThat(alarms()).hasSize(1);
        all(RankAck.Kind.ABORTED, 0);
        assertThat(written()).endsWith("Abort", "Void");
        for (long window = 2; window < 600; window++) {
            window(window);
            apply(new DriverEvent.Look());
        }

        assertThat(ordered).hasSize(1);
        assertThat(alarms()).hasSize(1);
        takeOver();
        assertThat(alarms()).as("a successor has nothing new to say").hasSize(1);
        window(600);
        apply(new DriverEvent.Look());
        assertThat(ordered).hasSize(1);
        assertThat(effects).last().isInstanceOfSatisfying(DriverEffect.Refuse.class, refuse -> {
            assertThat(refuse.keep().reason()).isEqualTo(KeepReason.OBSERVE_ONLY);
            assertThat(refuse.keep().detail())
                    .contains("REFUSED 1: OBSERVE_ONLY")
                    .endsWith("until the next incarnation");
        });

        apply(new DriverEvent.Happened(new Event.Began(members(2))));
        window(0);
        apply(new DriverEvent.Look());
        assertThat(ordered).hasSize(2);
    }

    @Test
    void worsePlacementIsGoneBackFromAtTheNextWindowThatMayBeDecidedOnOnce() {
        propose(1);
        all(RankAck.Kind.ACCEPTED, 0);
        all(RankAck.Kind.FLIPPED, 1);
        PlanTarget before = new PlanTarget(members().start(), Rollback.POLICY, "it was better");
        apply(new DriverEvent.Worse(1, before));
        window(2);
        apply(new DriverEvent.Look());
        assertThat(ordered).as("cooldown").hasSize(1);
        window(3);
        apply(new DriverEvent.Look());
        assertThat(order().towards()).contains(before);
        planned(order(), Verdict.Keep.because(KeepReason.BUDGET, ""));
        apply(new DriverEvent.Worse(1, before));
        window(4);
        apply(new DriverEvent.Look());

        assertThat(order().towards()).as("that was looked into").isEmpty();
        assertThat(order().unjudged()).as("no policy was asked on window 3").containsExactly(3L);
    }

    @Test
    void placementThatIsNotSettledAnyMoreIsNotGoneBackFrom() {
        propose(1);
        apply(new DriverEvent.Worse(0, new PlanTarget(members().start(), Rollback.POLICY, "of the one before")));
        all(RankAck.Kind.ACCEPTED, 0);
        all(RankAck.Kind.FLIPPED, 1);
        apply(new DriverEvent.Worse(0, new PlanTarget(members().start(), Rollback.POLICY, "late")));
        window(3);
        apply(new DriverEvent.Look());

        assertThat(order().towards()).isEmpty();
    }

    /** Whatever comes, in whatever order. */
    @Test
    void whateverComesPlansAreOneAtATimeAndDecisionsAreMadeOnlyWhenTheyMayBe() {
        for (long seed = 0; seed < 200; seed++) {
            new DecisionDriverTest().walk(seed);
        }
    }

    private void walk(long seed) {
        Random random = new Random(seed);
        long index = 0;
        for (int step = 0; step < 300; step++) {
            effects.clear();
            DriverState before = state;
            int kind = random.nextInt(20);
            if (kind < 5) {
                index = random.nextInt(60) == 0 ? random.nextInt(1_000) : index + 1;
                apply(new DriverEvent.Window(
                        index,
                        random.nextInt(8) == 0
                                ? Optional.of(Verdict.Keep.because(KeepReason.INCOMPLETE, "GAP"))
                                : Optional.empty()));
            } else if (kind < 9) {
                apply(new DriverEvent.Look());
            } else if (kind < 12 && !ordered.isEmpty()) {
                PlanOrder of = ordered.get(Math.max(0, ordered.size() - 1 - random.nextInt(3)));
                planned(of, verdict(random));
            } else if (kind < 17 && log.stream().anyMatch(Propose.class::isInstance)) {
                ackAtRandom(random);
            } else if (kind == 17) {
                atRandom(random);
            } else if (kind == 18) {
                millis += random.nextInt(150);
                boundaries += random.nextInt(80);
                apply(new DriverEvent.Happened(new Event.TimePassed()));
            } else {
                apply(new DriverEvent.Worse(
                        random.nextInt(3), new PlanTarget(members().start(), Rollback.POLICY, "it was better")));
            }
            check(before, seed, step);
        }
    }

    private Verdict verdict(Random random) {
        return switch (random.nextInt(5)) {
            case 0 -> Verdict.Keep.because(KeepReason.BALANCED, "");
            case 1 -> Verdict.Keep.because(KeepReason.TIMEOUT, "");
            default -> change(random.nextInt(2), 2 + random.nextInt(2));
        };
    }

    private void ackAtRandom(Random random) {
        int rank = random.nextInt(RANKS);
        switch (random.nextInt(8)) {
            case 0 -> {
                Refusal[] all = Refusal.values();
                Refusal refusal = all[random.nextInt(all.length)];
                // Rarely, or little else would happen.
                ack(
                        rank,
                        RankAck.Kind.REFUSED,
                        0,
                        Optional.of(refusal == Refusal.OBSERVE_ONLY && random.nextInt(4) > 0 ? Refusal.BUSY : refusal));
            }
            case 1 -> all(RankAck.Kind.ABORTED, 0);
            case 2 -> all(RankAck.Kind.FLIPPED, 1);
            case 3 -> ack(rank, RankAck.Kind.ABORTED, 0, Optional.empty());
            default -> all(RankAck.Kind.ACCEPTED, 0);
        }
    }

    private void atRandom(Random random) {
        switch (random.nextInt(8)) {
            case 0 ->
                apply(new DriverEvent.Happened(new Event.Began(members(members().incarnation() + 1))));
            case 1, 2 -> takeOver();
            case 3 -> apply(new DriverEvent.Forgotten());
            default -> state.ordered().ifPresent(order -> apply(new DriverEvent.Superseded(order)));
        }
    }

    private void check(DriverState before, long seed, int step) {
        String at = "seed " + seed + ", step " + step;
        boolean reign = effects.stream()
                .anyMatch(effect ->
                        effect instanceof DriverEffect.Write write && write.command() instanceof PlanCommand.Term);
        for (DriverEffect effect : effects) {
            if (effect instanceof DriverEffect.Plan plan) {
                assertThat(before.ordered()).as(at).isEmpty();
                assertMayPlan(before, plan.order().window(), at);
                assertThat(plan.order().version())
                        .as(at)
                        .isEqualTo(before.protocol().settled().version());
            } else if (effect instanceof DriverEffect.Drop drop) {
                assertThat(before.ordered()).as(at).contains(drop.order());
            } else if (effect instanceof DriverEffect.Write write && write.command() instanceof Propose propose) {
                assertThat(before.ordered().map(PlanOrder::window)).as(at).contains(propose.windowIndex());
                assertMayPlan(before, propose.windowIndex(), at);
                assertThat(propose.basedOn())
                        .as(at)
                        .isEqualTo(before.protocol().settled().version());
            }
        }
        if (before.ordered().isPresent() && state.ordered().isEmpty() && !reign) {
            assertThat(effects)
                    .as(
                            "%s: what became of the plan for window %d",
                            at, before.ordered().orElseThrow().window())
                    .anyMatch(effect -> effect instanceof DriverEffect.Drop
                            || effect instanceof DriverEffect.Refuse
                            || effect instanceof DriverEffect.Write);
        }
        assertThat(state.ordered()
                        .filter(order ->
                                order.version() != state.protocol().settled().version()
                                        || order.incarnation() != members().incarnation()
                                        || !(state.protocol().stage() instanceof Stage.Idle)))
                .as("%s: a plan that cannot become a decision", at)
                .isEmpty();
        Setbacks told = Setbacks.NONE;
        for (PlanCommand command : log) {
            told = told.after(command);
        }
        assertThat(state.setbacks())
                .as("%s: what a successor would know", at)
                .isEqualTo(told.within(members().incarnation()));
        long alarms = effects.stream()
                .filter(effect -> effect instanceof DriverEffect.Alarm alarm
                        && alarm.text().startsWith("ranks cannot vote"))
                .count();
        boolean newlyMute = state.setbacks().observeOnly().isPresent()
                && before.setbacks().observeOnly().isEmpty();
        assertThat(alarms).as(at).isEqualTo(newlyMute ? 1 : 0);
    }

    private static void assertMayPlan(DriverState before, long window, String at) {
        assertThat(before.protocol().stage()).as(at).isInstanceOf(Stage.Idle.class);
        assertThat(before.setbacks().observeOnly()).as(at).isEmpty();
        assertThat(before.setbacks().pause().filter(pause -> pause.covers(window)))
                .as(at)
                .isEmpty();
        long left = before.planFrom() - window;
        assertThat(left <= 0 || left > COOLDOWN + 2).as(at).isTrue();
    }
}
