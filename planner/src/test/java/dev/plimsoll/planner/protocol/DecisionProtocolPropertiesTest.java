package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import java.util.BitSet;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random schedules of loss, repetition, reordering and crashes; and the wrong variants that they must catch. */
class DecisionProtocolPropertiesTest {
    private static final int SCHEDULES = 1000;
    private static final Patience PATIENCE = new Patience(40, 40, 60);

    @Test
    void everySettlementIsWhatTheRanksDidOnAnySchedule() {
        Schedules.Seen all = new Schedules.Seen(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        for (long seed = 0; seed < SCHEDULES; seed++) {
            all = plus(all, run(seed, () -> new DecisionProtocol(PATIENCE, "planner")));
        }
        System.out.println("schedules saw " + all);

        assertThat(all.settled()).isGreaterThan(1000);
        assertThat(all.prefixes()).isGreaterThan(50);
        assertThat(all.voided()).isGreaterThan(100);
        assertThat(all.quarantined()).isGreaterThan(100);
        assertThat(all.crashes()).isGreaterThan(1000);
        assertThat(all.incarnations()).isGreaterThan(100);
        assertThat(all.switched()).isGreaterThan(500);
        assertThat(all.late()).isGreaterThan(50);
        assertThat(all.approved()).isGreaterThan(100);
        assertThat(all.rejected()).isGreaterThan(50);
        assertThat(all.operatorEnds()).isGreaterThan(100);
    }

    private static Schedules.Seen plus(Schedules.Seen a, Schedules.Seen b) {
        return new Schedules.Seen(
                a.settled() + b.settled(),
                a.prefixes() + b.prefixes(),
                a.voided() + b.voided(),
                a.quarantined() + b.quarantined(),
                a.crashes() + b.crashes(),
                a.incarnations() + b.incarnations(),
                a.switched() + b.switched(),
                a.late() + b.late(),
                a.approved() + b.approved(),
                a.rejected() + b.rejected(),
                a.operatorEnds() + b.operatorEnds());
    }

    private static Schedules.Seen run(long seed, Supplier<DecisionProtocol> protocols) {
        try {
            return Schedules.run(seed, seed % 3 == 0, protocols);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
        }
    }

    private record Mutant(String name, String breaks, Supplier<DecisionProtocol> protocols) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Mutant> mutants() {
        return Stream.of(
                new Mutant("believes itself: settles without acks", "that a rank flipped", () -> new Mutated() {
                    @Override
                    boolean allFlipped(Evidence evidence, int lastBatch) {
                        return evidence.flipped().sum() > 0;
                    }
                }),
                new Mutant("permits on a majority", "has accepted what is permitted", () -> new Mutated() {
                    @Override
                    boolean mayPermit(Evidence evidence) {
                        return evidence.acceptedCount() > evidence.ranks() / 2;
                    }
                }),
                new Mutant("reuses an epoch after VOID", "an epoch is used once", () -> new Mutated() {
                    @Override
                    int nextEpoch(PlannerState state) {
                        return state.settled().version() + 1;
                    }
                }),
                new Mutant("forgets TERM", "a reign begins with TERM", () -> new Mutated() {
                    @Override
                    boolean announcesTerm(PlanLog log) {
                        return log.term() == 0;
                    }
                }),
                new Mutant("settles on mixed b*", "is one thing", () -> new Mutated() {
                    @Override
                    boolean disagree(Evidence evidence, int lastBatch) {
                        return false;
                    }
                }),
                new Mutant("ends an abort without hearing all ranks", "after its end", () -> new Mutated() {
                    @Override
                    OptionalInt commonEnd(Evidence evidence, int lastBatch) {
                        for (int rank = 0; rank < evidence.ranks(); rank++) {
                            if (evidence.end(rank, lastBatch).isPresent()) {
                                return evidence.end(rank, lastBatch);
                            }
                        }
                        return OptionalInt.empty();
                    }
                }),
                new Mutant(
                        "takes every engine to start as usual",
                        "what is kept is what the log says",
                        () -> new Mutated() {
                            @Override
                            Placement start(Membership members) {
                                return Placement.initial(members.shape(), members.topology());
                            }
                        }),
                new Mutant("counts time and no boundaries", "have had their boundaries", () -> new Mutated() {
                    @Override
                    boolean arePast(Due due, Moment now) {
                        return now.millis() >= due.millis();
                    }
                }),
                new Mutant(
                        "permits without the person that it waits for", "a person has approved", () -> new Mutated() {
                            @Override
                            boolean waits(Approval approval) {
                                return false;
                            }
                        }),
                new Mutant("ends by windows what no rank has stopped", "flip", () -> new Mutated() {
                    @Override
                    WayOut wayOut(PlannerState state, Sight sight) {
                        return WayOut.of(state, new Sight(sight.whole(), sight.newest(), OptionalLong.of(0)));
                    }
                }),
                new Mutant("takes any window of a stopped decision", "when an operator ends it", () -> new Mutated() {
                    @Override
                    WayOut wayOut(PlannerState state, Sight sight) {
                        return WayOut.of(
                                state,
                                new Sight(
                                        sight.whole(),
                                        sight.newest(),
                                        sight.stoppedAt().isPresent() ? OptionalLong.of(0) : OptionalLong.empty()));
                    }
                }),
                new Mutant(
                        "voids what was stopped, whatever ranks serve",
                        "when an operator ends it",
                        () -> new Mutated() {
                            @Override
                            WayOut wayOut(PlannerState state, Sight sight) {
                                return state.stage() instanceof Stage.Aborting
                                        ? new WayOut.End(0, "it was asked for")
                                        : WayOut.of(state, sight);
                            }
                        }),
                new Mutant("forgets idle slots when it takes over", "finds what is settled", () -> new Mutated() {
                    @Override
                    BitSet idle(SettledPlacement record) {
                        return new BitSet();
                    }
                }));
    }

    private static class Mutated extends DecisionProtocol {
        Mutated() {
            super(PATIENCE, "mutant");
        }
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        for (long seed = 0; seed < SCHEDULES; seed++) {
            try {
                run(seed, mutant.protocols());
            } catch (AssertionError caught) {
                assertThat(caught.getMessage()).contains(mutant.breaks());
                return;
            }
        }
        throw new AssertionError("no schedule catches the planner that " + mutant.name());
    }
}
