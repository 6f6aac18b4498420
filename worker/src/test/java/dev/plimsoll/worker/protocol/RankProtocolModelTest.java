package dev.plimsoll.worker.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.worker.protocol.World.Scope;
import dev.plimsoll.worker.protocol.World.Violation;
import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every state that three ranks can reach with one decision of two batches, whatever is delayed, lost, aborted or failed over;
 * and wrong variants of the rules, each of which must lead to a state that breaks an invariant.
 */
class RankProtocolModelTest {
    private static final Rules RULES = Rules.of(new RankProtocol(Fixture.MEMBERS));

    /** What the adversary may do. */
    private record Powers(int losses, int failedTransfers, boolean failsOver, boolean splitLog) {}

    private record Result(int states, Optional<Violation> violation, Set<String> reached) {}

    @Test
    void noInvariantBreaksWhateverIsDelayedOrAborted() {
        Result result = explore(RULES, true, new Powers(0, 1, false, false));

        assertThat(result.violation()).isEmpty();
        assertThat(result.reached())
                .contains("DONE", "ABORTED", "REFUSED", "stopped after 0", "stopped after 1", "stopped after 2");
    }

    /** The first batch brings no weights to any rank: it is voted on and flipped like any other. */
    @Test
    void noInvariantBreaksWhereSlotsFallIdle() {
        Result result = explore(RULES, true, new Powers(0, 1, false, false), Fixture.SWITCHES);

        assertThat(result.violation()).isEmpty();
        assertThat(result.reached())
                .contains("DONE", "ABORTED", "REFUSED", "stopped after 0", "stopped after 1", "stopped after 2");
    }

    @Test
    void noInvariantBreaksWhenAGatherIsLost() {
        Result result = explore(RULES, true, new Powers(1, 1, false, false));

        assertThat(result.violation()).isEmpty();
        assertThat(result.reached()).contains("FATAL", "REFUSED", "stopped after 1", "stopped after 2");
    }

    @Test
    void noInvariantBreaksWhenThePlannerFailsOver() {
        Result result = explore(RULES, true, new Powers(0, 1, true, false));

        assertThat(result.violation()).isEmpty();
    }

    @Test
    void ranksThatReadDifferentPlansNeverFlip() {
        Result result = explore(RULES, true, new Powers(0, 0, false, true));

        assertThat(result.violation()).isEmpty();
        assertThat(result.reached()).contains("WILLING").doesNotContain("TRANSFERRING");
    }

    @Tag("mutant")
    @Test
    void mutantThatFlipsWithoutTheOthersIsCaught() {
        assertCaught(
                mutant((before, event) -> {
                    boolean ready =
                            before.cast().isPresent() && before.cast().get().level() == 2;
                    return ready && event instanceof RankEvent.Verdict
                            ? new RankEvent.Verdict(RankEvent.Gather.RESOLVED, before.epoch(), before.nextBatch(), 2)
                            : event;
                }),
                new Powers(0, 0, false, false),
                "P1 lock step");
    }

    @Tag("mutant")
    @Test
    void mutantThatWithdrawsAVoteOnAbortIsCaught() {
        assertCaught(
                mutant(
                        (before, event, transition) -> {
                            if (!isAbort(event)) {
                                return transition;
                            }
                            ProtocolState.Edit edit = transition.state().edit();
                            edit.cast = Optional.empty();
                            return new Transition(edit.done(), transition.effects());
                        },
                        (before, event) -> event instanceof RankEvent.Verdict
                                        && before.cast().isEmpty()
                                ? RankEvent.Verdict.NOTHING
                                : event),
                new Powers(0, 0, false, false),
                "P1 lock step",
                "start together",
                "P5 prefix");
    }

    @Tag("mutant")
    @Test
    void mutantThatFreesStagingAtAbortIsCaught() {
        assertCaught(
                mutant(
                        (before, event, transition) -> {
                            if (!isAbort(event) || before.transferring() == 0 || before.transferRuns()) {
                                return transition;
                            }
                            List<RankEffect> effects = new ArrayList<>(transition.effects());
                            effects.add(new RankEffect.FreeStaging(before.epoch(), before.transferring()));
                            return new Transition(transition.state(), effects);
                        },
                        (before, event) -> event),
                new Powers(0, 0, false, false),
                "P2 weights before map");
    }

    @Tag("mutant")
    @Test
    void mutantThatServesOnWithAReadyVoteUnresolvedIsCaught() {
        assertCaught(
                mutant(
                        (before, event, transition) -> {
                            if (transition.state().phase() != RankPhase.FATAL) {
                                return transition;
                            }
                            ProtocolState.Edit edit = transition.state().edit();
                            edit.phase = RankPhase.REFUSED;
                            edit.observeOnly = true;
                            return new Transition(edit.done(), List.of(new RankEffect.AbandonGroup()));
                        },
                        (before, event) -> event),
                new Powers(1, 0, false, false),
                "P1 lock step",
                "P5 prefix");
    }

    @Tag("mutant")
    @Test
    void mutantThatReportsAFlipBeforeItIsCaught() {
        assertCaught(
                mutant(
                        (before, event, transition) -> {
                            boolean becameReady =
                                    transition.state().phase() == RankPhase.READY && before.phase() != RankPhase.READY;
                            if (!becameReady) {
                                return transition;
                            }
                            ProtocolState.Edit edit = transition.state().edit();
                            edit.batchesFlipped++;
                            return new Transition(edit.done(), transition.effects());
                        },
                        (before, event) -> event),
                new Powers(0, 0, false, false),
                "reports");
    }

    @Tag("mutant")
    @Test
    void mutantThatStartsTransfersOnPermitIsCaught() {
        assertCaught(
                mutant(
                        (before, event, transition) -> {
                            boolean permitted = transition.state().phase() == RankPhase.WILLING
                                    && before.phase() == RankPhase.ACCEPTED;
                            if (!permitted) {
                                return transition;
                            }
                            ProtocolState.Edit edit = transition.state().edit();
                            edit.phase = RankPhase.TRANSFERRING;
                            edit.transferring = 1;
                            edit.transferRuns = true;
                            return new Transition(
                                    edit.done(),
                                    List.of(new RankEffect.StartTransfers(
                                            before.epoch(),
                                            before.decision()
                                                    .orElseThrow()
                                                    .batches()
                                                    .get(0))));
                        },
                        (before, event) -> event),
                new Powers(0, 0, false, false),
                "start together");
    }

    @Tag("mutant")
    @Test
    void mutantWhoseVerdictComparesNoHashesIsCaught() {
        Result result = explore(RULES, false, new Powers(0, 0, false, true));

        assertThat(result.violation()).isPresent();
        assertThat(result.violation().get().invariant).isIn("P1 lock step", "P2 weights before map");
    }

    private static boolean isAbort(RankEvent event) {
        return event instanceof RankEvent.Command command && command.command() instanceof PlanCommand.Abort;
    }

    private static void assertCaught(Rules mutant, Powers powers, String... invariants) {
        Result result = explore(mutant, true, powers);

        assertThat(result.violation())
                .as("the mutant in %d states", result.states())
                .isPresent();
        assertThat(result.violation().get().invariant).isIn((Object[]) invariants);
    }

    private static Result explore(Rules rules, boolean comparesHashes, Powers powers) {
        return explore(rules, comparesHashes, powers, Fixture.BATCHES);
    }

    private static Result explore(Rules rules, boolean comparesHashes, Powers powers, List<Batch> batches) {
        Scope scope = new Scope(rules, comparesHashes, powers.splitLog(), batches);
        Set<IntBuffer> seen = new HashSet<>();
        Deque<World> frontier = new ArrayDeque<>();
        World start = new World(scope);
        seen.add(start.key());
        frontier.add(start);
        try {
            while (!frontier.isEmpty()) {
                for (World next : successors(frontier.poll(), powers)) {
                    if (seen.add(next.key())) {
                        frontier.add(next);
                    }
                }
            }
            return new Result(seen.size(), Optional.empty(), scope.reached);
        } catch (Violation violation) {
            return new Result(seen.size(), Optional.of(violation), scope.reached);
        }
    }

    /** All that can happen in the next turn: one rank's boundary, or, between boundaries, a command written. */
    private static List<World> successors(World world, Powers powers) {
        List<World> next = new ArrayList<>();
        if (world.over()) {
            return next;
        }
        if (world.turn == 0) {
            next.addAll(Planner.next(world, powers.failsOver()));
        }
        List<UnaryOperator<World>> losing = new ArrayList<>();
        losing.add(to(w -> w.resolve(false)));
        if (world.mayLose() && world.losses < powers.losses()) {
            losing.add(to(w -> {
                w.losses++;
                w.resolve(true);
            }));
        }
        for (UnaryOperator<World> lose : losing) {
            for (int early = 0; early <= Math.min(1, world.undelivered()); early++) {
                int before = early;
                World resolved = lose.apply(to(w -> w.deliver(before)).apply(world));
                for (int late = 0; late <= resolved.undelivered(); late++) {
                    int after = late;
                    World told = to(w -> {
                                w.deliver(after);
                                w.deliverNoise();
                            })
                            .apply(resolved);
                    next.add(to(World::vote).apply(told));
                    if (told.mayFinish()) {
                        next.add(to(w -> {
                                    w.endTransfer(true);
                                    w.vote();
                                })
                                .apply(told));
                    }
                    if (told.mayFail() && told.failedTransfers < powers.failedTransfers()) {
                        next.add(to(w -> {
                                    w.failedTransfers++;
                                    w.endTransfer(false);
                                    w.vote();
                                })
                                .apply(told));
                    }
                }
            }
        }
        return next;
    }

    private static UnaryOperator<World> to(java.util.function.Consumer<World> change) {
        return world -> {
            World copy = world.copy();
            change.accept(copy);
            return copy;
        };
    }

    private interface After {
        Transition change(ProtocolState before, RankEvent event, Transition transition);
    }

    private interface Before {
        RankEvent change(ProtocolState before, RankEvent event);
    }

    private static Rules mutant(Before before) {
        return mutant((state, event, transition) -> transition, before);
    }

    private static Rules mutant(After after, Before before) {
        return new Rules() {
            @Override
            public RankVote vote(ProtocolState state) {
                return RULES.vote(state);
            }

            @Override
            public Transition on(ProtocolState state, RankEvent event) {
                return after.change(state, event, RULES.on(state, before.change(state, event)));
            }
        };
    }
}
