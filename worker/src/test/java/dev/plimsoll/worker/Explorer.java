package dev.plimsoll.worker;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.worker.World.Scope;
import dev.plimsoll.worker.World.Violation;
import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Goes through every world that a scope allows, nearest first, until an invariant breaks. */
final class Explorer {
    /**
     * What was found.
     *
     * @param states how many worlds there are
     * @param reached phases that ranks were in and ends that decisions had
     * @param stuck a world from which none can be reached that was to be; empty when there is no such world
     */
    record Result(int states, Optional<Violation> violation, Set<String> reached, Optional<String> stuck) {}

    /** Worlds that can be told if they are stuck. */
    private static final int MOST_TOLD = 256;

    private final Scope scope;
    private final Predicate<World> goal;

    private final Map<IntBuffer, Integer> seen = new HashMap<>();
    private final Deque<World> frontier = new ArrayDeque<>();
    /** Pairs of a world and one that can follow. */
    private int[] edges = new int[1024];

    private int edgeCount;
    private final BitSet good = new BitSet();
    private final BitSet needy = new BitSet();
    private final Map<Integer, String> told = new HashMap<>();

    /** @param goal what must be reachable from every world in which a decision is in flight; a lost rank is an end too */
    Explorer(Scope scope, Predicate<World> goal) {
        this.scope = scope;
        this.goal = goal;
    }

    static Result explore(Scope scope) {
        return new Explorer(scope, world -> world.quiet() || Planner.quarantines(world)).run();
    }

    Result run() {
        try {
            meet(new World(scope));
            int from = 0;
            while (!frontier.isEmpty()) {
                for (World next : successors(frontier.poll())) {
                    join(from, meet(next));
                }
                from++;
            }
            return new Result(seen.size(), Optional.empty(), scope.reached, stuck());
        } catch (Violation violation) {
            return new Result(seen.size(), Optional.of(violation), scope.reached, Optional.empty());
        }
    }

    /** The number of a world; a new one is gone on from later. */
    private int meet(World world) {
        int number = seen.size();
        Integer known = seen.putIfAbsent(world.key(), number);
        if (known != null) {
            return known;
        }
        frontier.add(world);
        if (world.over() || goal.test(world)) {
            good.set(number);
        } else if (world.log.proposed() > 0) {
            needy.set(number);
            if (told.isEmpty() || number < MOST_TOLD) {
                told.put(number, world.toString());
            }
        }
        return number;
    }

    private void join(int from, int to) {
        if (edgeCount + 2 > edges.length) {
            edges = Arrays.copyOf(edges, edges.length * 2);
        }
        edges[edgeCount++] = from;
        edges[edgeCount++] = to;
    }

    /** A world from which nothing good can be reached, going backwards from those that are. */
    private Optional<String> stuck() {
        int[] first = new int[seen.size() + 1];
        for (int i = 1; i < edgeCount; i += 2) {
            first[edges[i]]++;
        }
        for (int i = 1; i <= seen.size(); i++) {
            first[i] += first[i - 1];
        }
        int[] before = new int[edgeCount / 2];
        for (int i = 0; i < edgeCount; i += 2) {
            before[--first[edges[i + 1]]] = edges[i];
        }
        int[] queue = new int[seen.size()];
        int end = 0;
        for (int world = good.nextSetBit(0); world >= 0; world = good.nextSetBit(world + 1)) {
            queue[end++] = world;
        }
        for (int at = 0; at < end; at++) {
            int world = queue[at];
            for (int i = first[world]; i < first[world + 1]; i++) {
                if (!good.get(before[i])) {
                    good.set(before[i]);
                    queue[end++] = before[i];
                }
            }
        }
        needy.andNot(good);
        return needy.isEmpty()
                ? Optional.empty()
                : Optional.of(needy.cardinality() + " worlds, first "
                        + told.getOrDefault(needy.nextSetBit(0), "number " + needy.nextSetBit(0)));
    }

    /** All that can happen in the next turn: one rank's boundary, or, between boundaries, a command written. */
    private List<World> successors(World world) {
        List<World> next = new ArrayList<>();
        if (world.over()) {
            return next;
        }
        if (world.turn == 0) {
            next.addAll(Planner.next(world));
        }
        for (World between : between(world)) {
            for (World told : told(between)) {
                for (World ended : transfers(told)) {
                    next.add(to(ended, w -> w.vote(true)));
                    if (ended.losses < scope.powers.losses()
                            && scope.rules.vote(ended.ranks[ended.turn]).level() > 0) {
                        next.add(to(ended, w -> {
                            w.losses++;
                            w.vote(false);
                        }));
                    }
                }
            }
        }
        return next;
    }

    /** What an engine does between two boundaries. */
    private List<World> between(World world) {
        List<World> worlds = new ArrayList<>(List.of(world));
        if (!world.engineIs(World.MOVES | World.BALANCES) && world.changes < scope.powers.changes()) {
            worlds.add(to(world, World::beginOwnMove));
        }
        if (world.engineIs(World.MOVES)) {
            worlds.add(to(world, w -> w.endMove(PlimsollApi.PLM_MAP_TARGET)));
            if (world.failedTransfers < scope.powers.failedTransfers()) {
                for (int read : new int[] {PlimsollApi.PLM_MAP_BASE, PlimsollApi.PLM_MAP_OTHER}) {
                    worlds.add(to(world, w -> {
                        w.failedTransfers++;
                        w.endMove(read);
                    }));
                }
            }
        }
        if (world.engineIs(World.BALANCES)) {
            worlds.add(to(world, w -> w.endOwnMove(false)));
            worlds.add(to(world, w -> w.endOwnMove(true)));
        }
        return worlds;
    }

    /** The verdict, with some of the orders that are there before it and some after it. */
    private List<World> told(World world) {
        List<World> worlds = new ArrayList<>();
        for (int early = 0; early <= Math.min(1, world.undelivered()); early++) {
            int before = early;
            World heard = early == 0 ? world : to(world, w -> w.deliver(before));
            for (World resolved : resolved(heard)) {
                for (int late = 0; late <= resolved.undelivered(); late++) {
                    int after = late;
                    World told = to(resolved, w -> {
                        w.deliver(after);
                        w.deliverNoise();
                    });
                    worlds.add(told);
                    if (told.endIsNext() && told.missed < scope.powers.missed()) {
                        worlds.add(to(told, World::miss));
                    }
                    if (!told.isDeaf() && Integer.bitCount(told.deaf) < scope.powers.deaf()) {
                        worlds.add(to(told, World::goDeaf));
                    }
                    told.askedFor().ifPresent(end -> worlds.add(to(told, w -> w.tellAgain(end))));
                }
            }
        }
        return worlds;
    }

    private List<World> resolved(World world) {
        List<World> worlds = new ArrayList<>();
        if (!world.incomplete()) {
            worlds.add(to(world, w -> w.resolve(-1)));
            if (world.mayLose() && world.losses < scope.powers.losses()) {
                worlds.add(to(world, w -> {
                    w.losses++;
                    w.resolve(PlimsollApi.PLM_OUTCOME_TIMED_OUT);
                }));
            }
        } else if (world.unsent()) {
            worlds.add(to(world, w -> w.resolve(PlimsollApi.PLM_OUTCOME_FAILED)));
        } else {
            worlds.add(to(world, w -> w.resolve(PlimsollApi.PLM_OUTCOME_TIMED_OUT)));
            if (world.mayLose()) {
                worlds.add(to(world, w -> w.resolve(PlimsollApi.PLM_OUTCOME_UNDECIDED)));
            }
        }
        return worlds;
    }

    /** Transfers and staging memory, when nobody holds them up. */
    private List<World> transfers(World world) {
        List<World> worlds = new ArrayList<>();
        worlds.add(world);
        if (world.mayFinish()) {
            worlds.add(to(world, w -> w.endTransfer(true)));
        }
        if (world.givenUp()) {
            worlds.add(to(world, w -> w.endTransfer(false)));
        } else if (world.mayFail() && world.failedTransfers < scope.powers.failedTransfers()) {
            worlds.add(to(world, w -> {
                w.failedTransfers++;
                w.endTransfer(false);
            }));
        }
        List<World> freed = new ArrayList<>();
        for (World one : worlds) {
            if (!one.isTouched()) {
                freed.add(one);
                continue;
            }
            freed.add(to(one, World::freeStaging));
            if (one.held < scope.powers.heldStaging()) {
                freed.add(to(one, w -> w.held++));
            }
        }
        return freed;
    }

    private static World to(World world, Consumer<World> change) {
        World copy = world.copy();
        change.accept(copy);
        return copy;
    }
}
