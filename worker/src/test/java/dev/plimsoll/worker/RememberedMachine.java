package dev.plimsoll.worker;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The library's machine for many schedules that are much alike: what it said once it says again, for it is a function. */
final class RememberedMachine {
    private static final int MOST = 300_000;

    private record Asked(RankWords words, RankEvent event) {}

    private final RankMachine machine = new RankMachine();
    private final Map<Asked, RankTurn> turns = new HashMap<>();
    private final Map<RankWords, RankVote> votes = new HashMap<>();
    private final Map<RankWords, RankState> states = new HashMap<>();
    private final Map<List<RankVote>, RankEvent> verdicts = new HashMap<>();

    RankWords begin(long incarnation) {
        if (turns.size() > MOST) {
            turns.clear();
            votes.clear();
            states.clear();
            verdicts.clear();
        }
        return machine.begin(incarnation, 0, false, false);
    }

    RankTurn on(RankWords words, RankEvent event) {
        Asked asked = new Asked(words, event);
        RankTurn known = turns.get(asked);
        if (known == null) {
            known = machine.on(words, event);
            turns.put(asked, known);
        }
        return known;
    }

    RankVote vote(RankWords words) {
        return votes.computeIfAbsent(words, machine::vote);
    }

    /** As if it were seen at step 0. */
    RankState describe(RankWords words) {
        return states.computeIfAbsent(words, seen -> machine.describe(seen, 0));
    }

    RankEvent verdict(List<RankVote> cast) {
        return verdicts.computeIfAbsent(cast, machine::verdict);
    }
}
