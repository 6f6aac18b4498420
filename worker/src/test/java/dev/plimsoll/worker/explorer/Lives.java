package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.worker.Fixture;
import java.util.List;

/**
 * The lives of a deployment, and what is decided in each.
 *
 * @param members by life: the second begins with other experts than the first
 * @param decisions by life: what is proposed, one after the other
 */
public record Lives(List<Membership> members, List<List<List<Batch>>> decisions) {
    /**
     * Two of them.
     *
     * @param engineMoves engines move weights by themselves
     * @param start what the first begins with
     */
    static Lives of(boolean engineMoves, Placement start, List<List<Batch>> decisions) {
        Membership first = start.equals(Fixture.INITIAL) ? Fixture.MEMBERS : Fixture.MEMBERS.startingWith(start);
        if (engineMoves) {
            first = first.withTraits(EngineTraits.USUAL.withMovesWeights(true));
        }
        Membership second = later(first, 1, true);
        return new Lives(List.of(first, second), List.of(decisions, List.of(Fixture.NEXT)));
    }

    /**
     * A life of the usual engines.
     *
     * @param number counts from 0
     * @param otherwise it begins with other experts than the first
     */
    public static Membership numbered(int number, boolean otherwise) {
        return number == 0 ? Fixture.MEMBERS : later(Fixture.MEMBERS, number, otherwise);
    }

    private static Membership later(Membership first, int number, boolean otherwise) {
        Membership later = new Membership(
                        first.deployment(),
                        first.incarnation() + number,
                        first.shape(),
                        first.topology(),
                        first.engine(),
                        first.phase(),
                        first.gather(),
                        first.boundarySteps(),
                        first.windowSteps(),
                        first.bytesPerExpert(),
                        first.stagingBytesPerRank())
                .withTraits(first.traits());
        return otherwise ? later.startingWith(Fixture.INITIAL.with(0, Fixture.BATCHES.get(1))) : later;
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
