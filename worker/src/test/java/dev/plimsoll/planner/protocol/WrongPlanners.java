package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import java.util.BitSet;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The planner's protocol as it runs, for whoever explores it, and wrong variants of it. */
public final class WrongPlanners {
    /** Deadlines pass when the explorer says so. */
    private static final Patience PATIENCE = new Patience(1, 1, 1);

    private WrongPlanners() {}

    public static DecisionProtocol right() {
        return new DecisionProtocol(PATIENCE, "planner");
    }

    private static class Wrong extends DecisionProtocol {
        Wrong() {
            super(PATIENCE, "planner");
        }
    }

    /** What it wrote is what the ranks did: one word of a flip is enough. */
    public static DecisionProtocol believingItself() {
        return new Wrong() {
            @Override
            boolean allFlipped(Evidence evidence, int lastBatch) {
                return evidence.flipped().sum() > 0;
            }
        };
    }

    public static DecisionProtocol permittingOnAMajority() {
        return new Wrong() {
            @Override
            boolean mayPermit(Evidence evidence) {
                return evidence.acceptedCount() > evidence.ranks() / 2;
            }
        };
    }

    public static DecisionProtocol reusingEpochs() {
        return new Wrong() {
            @Override
            int nextEpoch(PlannerState state) {
                return state.settled().version() + 1;
            }
        };
    }

    public static DecisionProtocol withoutTerm() {
        return new Wrong() {
            @Override
            boolean announcesTerm(PlanLog log) {
                return log.term() == 0;
            }
        };
    }

    public static DecisionProtocol settlingOnDisagreement() {
        return new Wrong() {
            @Override
            boolean disagree(Evidence evidence, int lastBatch) {
                return false;
            }
        };
    }

    public static DecisionProtocol endingOnOneWord() {
        return new Wrong() {
            @Override
            OptionalInt commonEnd(Evidence evidence, int lastBatch) {
                for (int rank = 0; rank < evidence.ranks(); rank++) {
                    if (evidence.end(rank, lastBatch).isPresent()) {
                        return evidence.end(rank, lastBatch);
                    }
                }
                return OptionalInt.empty();
            }
        };
    }

    public static DecisionProtocol takingEveryEngineToStartAsUsual() {
        return new Wrong() {
            @Override
            Placement start(Membership members) {
                return Placement.initial(members.shape(), members.topology());
            }
        };
    }

    public static DecisionProtocol permittingWithoutThePerson() {
        return permittingWithoutThePerson(PATIENCE);
    }

    public static DecisionProtocol permittingWithoutThePerson(Patience patience) {
        return new DecisionProtocol(patience, "planner") {
            @Override
            boolean waits(Approval approval) {
                return false;
            }
        };
    }

    /** What an operator wants ended is ended as if nothing had been flipped. */
    public static DecisionProtocol endingWhateverIsAskedFor() {
        return endingWhateverIsAskedFor(PATIENCE);
    }

    public static DecisionProtocol endingWhateverIsAskedFor(Patience patience) {
        return new DecisionProtocol(patience, "planner") {
            @Override
            WayOut wayOut(PlannerState state, Sight sight) {
                return state.stage() instanceof Stage.Aborting
                        ? new WayOut.End(0, "it was asked for")
                        : WayOut.of(state, sight);
            }
        };
    }

    /** What windows show is taken for the end though ranks may flip more. */
    public static DecisionProtocol endingBeforeRanksHaveStopped() {
        return new Wrong() {
            @Override
            WayOut wayOut(PlannerState state, Sight sight) {
                return WayOut.of(state, new Sight(sight.whole(), sight.newest(), OptionalLong.of(0)));
            }
        };
    }

    /** Boundaries that ranks have not had are counted as if they had. */
    public static DecisionProtocol countingTimeAlone(Patience patience) {
        return new DecisionProtocol(patience, "planner") {
            @Override
            boolean arePast(Due due, Moment now) {
                return now.millis() >= due.millis();
            }
        };
    }

    public static DecisionProtocol forgettingIdleSlots() {
        return new Wrong() {
            @Override
            BitSet idle(SettledPlacement record) {
                return new BitSet();
            }
        };
    }
}
