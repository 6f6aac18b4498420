package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.worker.Fixture;
import dev.plimsoll.worker.OrderHeads;

/** What changes nothing at a rank: an order that comes once more, one of a planner that was replaced, the end of another decision. */
final class Noise {
    private Noise() {}

    static void check(World world) {
        int rank = world.turn();
        if (world.mine(OfRank.DEAF) != 0 || world.isGone(rank)) {
            return;
        }
        int read = world.mine(OfRank.READ);
        if (!world.scope.isNewListener(world.mine(OfRank.WORDS), read, rank, world.get(Of.LOG), world.life())) {
            return;
        }
        RankWords words = world.words(rank);
        if (read > 0 && words.at(Word.COMMAND_NUMBER) == read) {
            world.log().event(world.life(), read - 1, rank).ifPresent(order -> check(world, order));
        }
        if (words.at(Word.TERM) > 1) {
            PlanHeader old =
                    new PlanHeader(Fixture.DEPLOYMENT, words.at(Word.INCARNATION), words.at(Word.TERM) - 1, 1_000);
            check(world, RankEvent.order(OrderHeads.of(new PlanCommand.Abort(old, Math.max(1, words.epoch()), "old"))));
        }
        for (int epoch = 1;
                epoch < words.epoch() || (epoch == words.epoch() && words.phase() == RankPhase.SERVING);
                epoch++) {
            world.log().end(epoch).ifPresent(end -> check(world, RankEvent.order(OrderHeads.again(end))));
        }
    }

    private static void check(World world, RankEvent order) {
        int before = world.mine(OfRank.WORDS);
        RankTable.Step step = world.scope.ranks.on(before, order);
        if (step.words() != before) {
            throw new Violation(
                    "noise",
                    order + " changed " + world.scope.ranks.words.value(before) + " to "
                            + world.scope.ranks.words.value(step.words()));
        }
    }
}
