package dev.plimsoll.worker;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import java.util.List;

/** What the model runs: the machine of the library, or a wrong variant of it. */
interface Rules {
    RankVote vote(RankWords words);

    RankTurn on(RankWords words, RankEvent event);

    RankEvent verdict(List<RankVote> votes);

    static Rules of(RankMachine machine) {
        return new Rules() {
            @Override
            public RankVote vote(RankWords words) {
                return machine.vote(words);
            }

            @Override
            public RankTurn on(RankWords words, RankEvent event) {
                return machine.on(words, event);
            }

            @Override
            public RankEvent verdict(List<RankVote> votes) {
                return machine.verdict(votes);
            }
        };
    }
}
