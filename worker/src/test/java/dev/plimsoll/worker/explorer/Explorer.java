package dev.plimsoll.worker.explorer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Goes through every world that a scope allows, nearest first, until an invariant breaks. */
final class Explorer {
    /**
     * What was found.
     *
     * @param states how many worlds there are
     * @param transitions how many ways from one to another
     * @param depth steps to the farthest
     * @param broken the invariant that breaks, or {@code P10 liveness} where a decision cannot end; empty where all hold
     * @param trace how it came to that, step by step
     * @param reached phases that ranks were in and ends that decisions had
     */
    record Result(
            int states, long transitions, int depth, Optional<String> broken, List<String> trace, Set<String> reached) {
        @Override
        public String toString() {
            return states + " states, " + transitions + " transitions, depth " + depth
                    + broken.map(invariant -> ", breaks " + invariant + ":\n  " + String.join("\n  ", trace))
                            .orElse("");
        }
    }

    private final Scope scope;
    private final Predicate<World> goal;

    private final LongIndex seen = new LongIndex();
    private final Deque<World> frontier = new ArrayDeque<>();
    private final Edges edges = new Edges();
    private final BitSet good = new BitSet();
    private final BitSet needy = new BitSet();
    private int depth;

    private Explorer(Scope scope, Predicate<World> goal) {
        this.scope = scope;
        this.goal = goal;
    }

    /**
     * From every world one must be reachable in which no decision is in flight and operators have been answered; a lost rank is an end
     * too.
     */
    static Result explore(Scope scope) {
        return explore(scope, world -> world.answered() && (world.quiet() || world.quarantined()));
    }

    /** @param goal what must be reachable from every world after the first proposal */
    static Result explore(Scope scope, Predicate<World> goal) {
        return new Explorer(scope, goal).run();
    }

    private Result run() {
        int from = 0;
        try {
            meet(World.begin(scope));
            int ofThisDepth = 1;
            for (World world = frontier.poll(); world != null; world = frontier.poll()) {
                for (World next : successors(world)) {
                    edges.add(from, meet(next));
                }
                from++;
                if (--ofThisDepth == 0 && !frontier.isEmpty()) {
                    ofThisDepth = frontier.size();
                    depth++;
                }
            }
        } catch (Violation violation) {
            List<String> trace = trace(from);
            trace.add(violation.getMessage());
            return result(Optional.of(violation.invariant), trace);
        }
        needy.andNot(edges.whence(good, seen.size()));
        if (needy.isEmpty()) {
            return result(Optional.empty(), List.of());
        }
        List<String> trace = trace(needy.nextSetBit(0));
        trace.add("and from here, as from " + (needy.cardinality() - 1) + " other states, no decision ends");
        return result(Optional.of("P10 liveness"), trace);
    }

    private Result result(Optional<String> broken, List<String> trace) {
        return new Result(seen.size(), edges.size(), depth, broken, trace, scope.reached);
    }

    /** The number of a world; a new one is gone on from later. */
    private int meet(World world) {
        int place = seen.put(world.fingerprint());
        if (place >= 0) {
            return place;
        }
        int number = ~place;
        frontier.add(world);
        if (world.over() || goal.test(world)) {
            good.set(number);
        } else if (world.log().folded.lastEpoch() > 0 || !world.answered()) {
            needy.set(number);
        }
        return number;
    }

    private static List<World> successors(World world) {
        List<World> next = new ArrayList<>();
        if (world.turn() == 0) {
            next.addAll(PlannerMoves.of(world));
        }
        next.addAll(RankMoves.of(world));
        return next;
    }

    /** The shortest way to a world, told; and what is told of the step from it that breaks something. */
    private List<String> trace(int to) {
        List<Integer> way = new ArrayList<>();
        for (int world = to; world > 0; world = edges.parent(world)) {
            way.add(world);
        }
        Collections.reverse(way);
        List<String> told = new ArrayList<>();
        scope.telling = true;
        World world = World.begin(scope);
        world.takeNote();
        for (int number : way) {
            world = successors(world).stream()
                    .filter(next -> seen.put(next.fingerprint()) == number)
                    .findFirst()
                    .orElseThrow();
            told.add(told.size() + 1 + ". " + world.takeNote());
        }
        told.add(world.toString());
        try {
            successors(world);
        } catch (Violation violation) {
            told.add("then " + violation.told());
        }
        return told;
    }
}
