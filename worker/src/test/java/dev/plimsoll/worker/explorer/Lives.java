package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.Membership;
import dev.plimsoll.worker.Fixture;
import java.util.List;

/**
 * The lives of a deployment, and what is decided in each.
 *
 * @param members by life: the second begins with other experts than the first
 * @param decisions by life: what is proposed, one after the other
 */
record Lives(List<Membership> members, List<List<List<Batch>>> decisions) {
    static final int MOST_EPOCHS = 4;

    /** @param engineMoves engines move weights by themselves */
    static Lives of(boolean engineMoves, List<List<Batch>> decisions) {
        Membership first = Fixture.MEMBERS;
        if (engineMoves) {
            first = first.withTraits(EngineTraits.USUAL.withMovesWeights(true));
        }
        Membership second = nextOf(first).startingWith(Fixture.INITIAL.with(0, Fixture.BATCHES.get(1)));
        return new Lives(List.of(first, second), List.of(decisions, List.of(Fixture.NEXT)));
    }

    private static Membership nextOf(Membership before) {
        return new Membership(
                        before.deployment(),
                        before.incarnation() + 1,
                        before.shape(),
                        before.topology(),
                        before.engine(),
                        before.phase(),
                        before.gather(),
                        before.boundarySteps(),
                        before.windowSteps(),
                        before.bytesPerExpert(),
                        before.stagingBytesPerRank())
                .withTraits(before.traits());
    }

    int count() {
        return members.size();
    }

    Membership of(int life) {
        return members.get(life);
    }

    int lifeOf(long incarnation) {
        return (int) (incarnation - members.get(0).incarnation());
    }
}
