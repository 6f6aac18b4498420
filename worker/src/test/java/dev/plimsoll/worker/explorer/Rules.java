package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import java.util.List;

/** What a rank of an exploration runs: the machine of the library. Wrong variants override it. */
class Rules {
    final RankMachine machine = new RankMachine();

    RankVote vote(RankWords words) {
        return machine.vote(words);
    }

    RankTurn on(RankWords words, RankEvent event) {
        return machine.on(words, event);
    }

    RankEvent verdict(List<RankVote> votes) {
        return machine.verdict(votes);
    }

    /** Whether a rank takes part in the gather of its boundary. */
    boolean joins(RankWords words) {
        return true;
    }

    /** What a node sees of a rank. */
    RankWords shown(RankWords words) {
        return words;
    }
}
