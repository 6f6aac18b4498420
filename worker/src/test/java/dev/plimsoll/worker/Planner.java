package dev.plimsoll.worker;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.worker.World.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** All that a planner that believes only acks may write next, as worlds with a longer log. */
final class Planner {
    private Planner() {}

    static List<World> next(World world) {
        List<World> worlds = new ArrayList<>();
        PlanHeader header = Fixture.header(world.term, world.log.size + 1L);
        if (world.scope.powers.failsOver() && world.term == 1) {
            World next = append(world, new PlanCommand.Term(Fixture.header(2, world.log.size + 1L), "next"));
            next.term = 2;
            worlds.add(next);
        }
        int proposed = world.log.proposed();
        if (world.log.open.isEmpty()) {
            if (proposed < world.scope.decisions.size()) {
                List<Batch> batches = world.scope.decisions.get(proposed);
                worlds.add(append(
                        world, Fixture.propose(header, proposed + 1, world.log.settled(world.log.version()), batches)));
            }
            return worlds;
        }
        Log.Decision decision = world.log.open.get();
        int epoch = decision.propose.epoch();
        List<Reports> said = said(world, decision);
        if (world.log.aborted) {
            stopped(world, decision, header, said, worlds);
            return worlds;
        }
        boolean refused =
                said.stream().anyMatch(of -> of.refused() || of.stopped().isPresent());
        if (refused || world.stops < world.scope.powers.stops()) {
            World stop = append(world, new PlanCommand.Abort(header, epoch, "operator"));
            stop.stops += refused ? 0 : 1;
            worlds.add(stop);
        }
        if (!world.log.permitted && said.stream().allMatch(Reports::accepted)) {
            worlds.add(append(world, new PlanCommand.Permit(header, epoch, decision.propose.planHash())));
        }
        if (said.stream().allMatch(of -> of.flipped() == decision.batches())) {
            world.scope.reached.add("settled " + epoch + (world.missed > 0 ? " after an end was missed" : ""));
            worlds.add(append(world, settled(header, decision, decision.batches())));
        }
        return worlds;
    }

    private static void stopped(
            World world, Log.Decision decision, PlanHeader header, List<Reports> said, List<World> worlds) {
        int epoch = decision.propose.epoch();
        List<Integer> ends = said.stream()
                .map(of -> of.end(decision.batches()))
                .flatMapToInt(OptionalInt::stream)
                .boxed()
                .toList();
        if (ends.stream().distinct().count() > 1) {
            if (world.scope.engineMoves && world.failedTransfers > 0) {
                world.scope.reached.add("quarantined");
                return; // the engine of one rank did not do what it was told to: its map is not that of the others
            }
            throw new Violation("P5 prefix", "ranks stopped after " + ends);
        }
        if (ends.size() == World.RANKS) {
            int end = ends.get(0);
            world.scope.reached.add("stopped after " + end);
            worlds.add(append(
                    world, end == 0 ? new PlanCommand.Void(header, epoch, "aborted") : settled(header, decision, end)));
        }
    }

    /** Whether ranks have stopped after different batches: their engines did not all do what they were told to. */
    static boolean quarantines(World world) {
        if (world.failedTransfers == 0 || !world.scope.engineMoves || !world.log.aborted || world.log.open.isEmpty()) {
            return false;
        }
        Log.Decision decision = world.log.open.get();
        return said(world, decision).stream()
                        .flatMapToInt(of -> of.end(decision.batches()).stream())
                        .distinct()
                        .count()
                > 1;
    }

    private static List<Reports> said(World world, Log.Decision decision) {
        List<Reports> said = new ArrayList<>();
        for (int rank = 0; rank < World.RANKS; rank++) {
            said.add(Reports.of(world.acks(rank), decision.propose.epoch()));
        }
        return said;
    }

    private static PlanCommand settled(PlanHeader header, Log.Decision decision, int batches) {
        return new PlanCommand.Settled(
                header,
                decision.propose.epoch(),
                batches,
                batches == decision.batches(),
                decision.after(batches).hash());
    }

    private static World append(World world, PlanCommand command) {
        World next = world.copy();
        next.log = world.log.and(command);
        return next;
    }
}
