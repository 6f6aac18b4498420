package dev.plimsoll.worker.protocol;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.worker.protocol.World.Violation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** All that a planner that believes only acks may write next, as worlds with a longer log. It may abort whenever it likes. */
final class Planner {
    private Planner() {}

    static List<World> next(World world, boolean failsOver) {
        List<World> worlds = new ArrayList<>();
        PlanHeader header = Fixture.header(world.term, world.log.size() + 1L);
        if (failsOver && world.term == 1) {
            World next = world.copy();
            next.term = 2;
            worlds.add(append(next, new PlanCommand.Term(Fixture.header(2, world.log.size() + 1L), "next")));
        }
        PlanCommand.Propose propose = Fixture.propose(header, 1, Fixture.INITIAL, world.scope.batches);
        if (!has(world, PlanCommand.Propose.class)) {
            worlds.add(append(world.copy(), propose));
            return worlds;
        }
        boolean over = has(world, PlanCommand.Settled.class) || has(world, PlanCommand.Void.class);
        if (over) {
            return worlds;
        }
        boolean aborted = has(world, PlanCommand.Abort.class);
        if (!aborted) {
            worlds.add(append(world.copy(), new PlanCommand.Abort(header, 1, "operator")));
            if (!has(world, PlanCommand.Permit.class) && all(world, RankAck.Kind.ACCEPTED, 0)) {
                worlds.add(append(world.copy(), new PlanCommand.Permit(header, 1, propose.planHash())));
            }
            if (all(world, RankAck.Kind.FLIPPED, 2)) {
                worlds.add(append(world.copy(), settled(header, propose, 2, true)));
            }
        } else {
            Set<Integer> stops = new HashSet<>();
            int ranks = 0;
            for (int rank = 0; rank < World.RANKS; rank++) {
                for (RankAck ack : world.acks(rank)) {
                    if (ack.kind() == RankAck.Kind.ABORTED) {
                        stops.add(ack.batch());
                        ranks++;
                    }
                }
            }
            if (stops.size() > 1) {
                throw new Violation("P5 prefix", "ranks stopped after " + stops);
            }
            if (ranks == World.RANKS) {
                int stop = stops.iterator().next();
                world.scope.reached.add("stopped after " + stop);
                worlds.add(append(
                        world.copy(),
                        stop == 0
                                ? new PlanCommand.Void(header, 1, "aborted")
                                : settled(header, propose, stop, false)));
            }
        }
        return worlds;
    }

    private static PlanCommand settled(PlanHeader header, PlanCommand.Propose propose, int batches, boolean complete) {
        Placement placement = Fixture.after(propose, Fixture.INITIAL, batches);
        return new PlanCommand.Settled(header, 1, batches, complete, placement.hash());
    }

    private static boolean has(World world, Class<? extends PlanCommand> kind) {
        return world.log.stream().anyMatch(kind::isInstance);
    }

    private static boolean all(World world, RankAck.Kind kind, int batch) {
        for (int rank = 0; rank < World.RANKS; rank++) {
            if (world.acks(rank).stream().noneMatch(ack -> ack.kind() == kind && ack.batch() == batch)) {
                return false;
            }
        }
        return true;
    }

    private static World append(World world, PlanCommand command) {
        List<PlanCommand> log = new ArrayList<>(world.log);
        log.add(command);
        world.log = List.copyOf(log);
        return world;
    }
}
