package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.planner.protocol.Served;
import dev.plimsoll.planner.protocol.Sight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a complete window of samples shows.
 *
 * @param states by rank: what it served
 * @param stopped ranks that had said before it that they have stopped the decision in flight, one bit each
 */
record Window(List<PlacementState> states, int stopped) {
    private static final StepRange STEPS = new StepRange(100, 116);
    private static final long BEFORE = 100;
    private static final long AFTER = 200;

    /** Of the step that was just run, by all ranks. */
    static Window of(World world) {
        List<PlacementState> states = new ArrayList<>();
        for (int rank = 0; rank < World.RANKS; rank++) {
            states.add(state(world.words(rank)));
        }
        return new Window(states, stopped(world));
    }

    private static PlacementState state(RankWords words) {
        int flipped = words.batchesFlipped();
        int version = words.intAt(Word.SETTLED_VERSION);
        if (flipped == 0) {
            return PlacementState.settled(version);
        }
        return flipped == words.intAt(Word.BATCHES)
                ? PlacementState.settled(words.epoch())
                : new PlacementState(version, words.epoch(), flipped);
    }

    private static int stopped(World world) {
        int stopped = 0;
        int epoch = world.log().folded.lastEpoch();
        for (int rank = 0; rank < World.RANKS; rank++) {
            for (RankAck ack : world.scope.ranks.said(world.get(rank, OfRank.SAID))) {
                stopped |= ack.epoch() == epoch && ack.kind() == RankAck.Kind.ABORTED ? 1 << rank : 0;
            }
        }
        return stopped;
    }

    /** All that a planner may know that has seen this window: which acks have reached it is another matter. */
    List<Sight> sights(World world) {
        List<Sight> sights = new ArrayList<>(List.of(sight(OptionalLong.empty())));
        if (stopped != 0) {
            sights.add(sight(OptionalLong.of(BEFORE)));
        }
        if ((stopped(world) & ~stopped) != 0) {
            sights.add(sight(OptionalLong.of(AFTER)));
        }
        return sights;
    }

    private Sight sight(OptionalLong stoppedAt) {
        List<Served.Segment> segments = new ArrayList<>();
        for (PlacementState state : states.stream().distinct().toList()) {
            List<RankId> ranks = new ArrayList<>();
            for (int rank = 0; rank < World.RANKS; rank++) {
                if (states.get(rank).equals(state)) {
                    ranks.add(new RankId(rank));
                }
            }
            segments.add(new Served.Segment(state, ranks));
        }
        Optional<Served> served = Optional.of(new Served(STEPS, List.of(), segments));
        return new Sight(served, served, stoppedAt);
    }
}
