package dev.plimsoll.worker;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.model.PlacementState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The library's machine for many schedules that are much alike: what it said once it says again, for it is a function. For one thread,
 * as the machine is.
 */
final class RememberedMachine {
    private static final int MOST_STATES = 50_000;

    /** A state of a rank, and what the machine has said of it so far; one for equal words, so that they need not be compared. */
    final class Known {
        final RankWords words;
        final RankPhase phase;
        private final Map<RankEvent, Turn> turns = new HashMap<>();
        private Optional<RankState> state = Optional.empty();
        private Optional<PlacementState> served = Optional.empty();
        private Optional<Cast> cast = Optional.empty();

        private Known(RankWords words) {
            this.words = words;
            phase = words.phase();
        }

        Turn on(RankEvent event) {
            Turn known = turns.get(event);
            if (known == null) {
                RankTurn turn = machine.on(words, event);
                known = new Turn(known(turn.words()), turn.effects());
                turns.put(event, known);
            }
            return known;
        }

        /** What it votes, and what it is once it has. */
        Cast cast() {
            if (cast.isEmpty()) {
                Optional<RankVote> vote = votes.computeIfAbsent(machine.vote(words), Optional::of);
                cast = Optional.of(new Cast(vote, on(RankEvent.voted(vote.orElseThrow()))));
            }
            return cast.orElseThrow();
        }

        /** As if it were seen at step 0; one for equal states. */
        RankState state() {
            if (state.isEmpty()) {
                state = Optional.of(described.computeIfAbsent(machine.describe(words, 0), it -> it));
            }
            return state.orElseThrow();
        }

        /** What samples say that it serves. */
        PlacementState served() {
            if (served.isEmpty()) {
                int version = words.intAt(Word.SETTLED_VERSION);
                int flipped = words.batchesFlipped();
                served = Optional.of(
                        flipped == 0
                                ? PlacementState.settled(version)
                                : flipped == words.intAt(Word.BATCHES)
                                        ? PlacementState.settled(words.epoch())
                                        : new PlacementState(version, words.epoch(), flipped));
            }
            return served.orElseThrow();
        }
    }

    /** What an event makes of a rank. */
    record Turn(Known next, List<RankEffect> effects) {}

    record Cast(Optional<RankVote> vote, Turn turn) {}

    private final RankMachine machine = new RankMachine();
    private final Map<RankWords, Known> states = new HashMap<>();
    private final Map<RankState, RankState> described = new HashMap<>();
    private final Map<RankVote, Optional<RankVote>> votes = new HashMap<>();
    private final Map<List<Optional<RankVote>>, RankEvent> verdicts = new HashMap<>();

    Known begin(long incarnation) {
        if (states.size() > MOST_STATES) {
            states.clear();
            described.clear();
            votes.clear();
            verdicts.clear();
        }
        return known(machine.begin(incarnation, 0, false, false));
    }

    private Known known(RankWords words) {
        Known known = states.get(words);
        if (known == null) {
            known = new Known(words);
            states.put(words, known);
        }
        return known;
    }

    /** @param cast by every rank */
    RankEvent verdict(List<Optional<RankVote>> cast) {
        RankEvent known = verdicts.get(cast);
        if (known == null) {
            known = machine.verdict(cast.stream().map(Optional::orElseThrow).toList());
            verdicts.put(cast, known);
        }
        return known;
    }
}
