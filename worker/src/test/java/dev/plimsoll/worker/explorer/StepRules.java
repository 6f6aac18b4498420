package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.worker.Fixture;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** What must hold of ranks, whatever happens: P1 to P3 and P5 to P9. */
final class StepRules {
    private static final RankEvent PENDING = RankEvent.verdict(PlimsollApi.PLM_OUTCOME_PENDING, 0, 0, 0);

    private StepRules() {}

    /** A vote of 0 is not waited for: what the gather comes to is nothing to its rank. */
    static void checkPending(World world, RankEvent verdict) {
        int state = world.mine(OfRank.WORDS);
        if (world.words(world.turn()).castLevel() > 0) {
            return;
        }
        RankTable.Step late = world.scope.ranks.on(state, PENDING);
        if (!late.equals(world.scope.ranks.on(state, verdict))) {
            throw new Violation("P8 serves on", "rank " + world.turn() + " has voted 0 and depends on " + verdict);
        }
    }

    static void checkMixed(World world, boolean spansChange) {
        int rank = world.turn();
        if (world.isGone(rank)) {
            return;
        }
        boolean mixed = world.words(rank).staged().mixed();
        if (mixed != spansChange) {
            throw new Violation(
                    "mixed samples",
                    "rank " + rank + (mixed ? " calls a sample mixed that" : " does not call a sample mixed that")
                            + (mixed ? " ran under one map: " : " spans a change: ") + world.words(rank));
        }
    }

    static void checkVote(World world, int level) {
        int rank = world.turn();
        if (level == 0) {
            return;
        }
        if (world.mine(OfRank.ENGINE) != 0) {
            throw new Violation("busy engines", "rank " + rank + " votes " + level + " while its engine moves");
        }
        if (world.mine(OfRank.TOUCHED) != 0 && world.words(rank).phase() == RankPhase.WILLING) {
            throw new Violation("staging", "rank " + rank + " is willing while its staging memory is touched");
        }
        if (world.mine(OfRank.DEAF) != 0) {
            throw new Violation("deafness", "rank " + rank + " votes " + level + " though nobody can stop it");
        }
    }

    /** P8: a gather lacks a vote only where one was lost, or a rank is lost or alone. */
    static void checkGather(World world) {
        for (int rank = 0; rank < World.RANKS; rank++) {
            if (world.get(rank, OfRank.GATHERED) == 0
                    && !world.isGone(rank)
                    && world.words(rank).intAt(Word.OBSERVES) == 0
                    && world.used(Power.LOSE_GATHER) == 0) {
                throw new Violation(
                        "P8 serves on",
                        "rank " + world.turn() + " waits for a gather that rank " + rank + " is not in");
            }
        }
    }

    static void checkStart(World world) {
        if (world.mine(OfRank.MOVING) != 0 || world.mine(OfRank.TOUCHED) != 0) {
            throw new Violation("staging", "rank " + world.turn() + " starts while staging memory is touched");
        }
    }

    static void checkFree(World world) {
        if (world.mine(OfRank.MOVING) != 0) {
            throw new Violation("staging", "rank " + world.turn() + " frees memory that bytes still come to");
        }
    }

    /** Who may load other weights has none under way, and none staged. */
    static void checkReload(World world) {
        boolean free = world.mine(OfRank.MOVING) == 0
                && world.mine(OfRank.TOUCHED) == 0
                && world.mine(OfRank.STAGING) == world.scope.array(Weights.nothingStaged())
                && world.words(world.turn()).castLevel() < 1;
        if (!free) {
            throw new Violation(
                    "reload", "rank " + world.turn() + " may load other weights: " + world.words(world.turn()));
        }
    }

    static void checkMonotone(RankWords before, RankWords after) {
        if (after.intAt(Word.SETTLED_VERSION) < before.intAt(Word.SETTLED_VERSION) || after.epoch() < before.epoch()) {
            throw new Violation("P7 monotone", before + " became " + after);
        }
    }

    static void checkFatal(RankWords before, RankEvent event) {
        if (before.intAt(Word.RELOADING) == PlimsollApi.PLM_RELOAD_LATE
                && before.castLevel() == 2
                && event.outcome() == PlimsollApi.PLM_OUTCOME_RESOLVED) {
            // The others flip what it has no weights for any more.
            return;
        }
        if (before.castLevel() < 2 || event.outcome() != PlimsollApi.PLM_OUTCOME_TIMED_OUT) {
            throw new Violation("P8 serves on", before + " became fatal though nobody can have flipped without it");
        }
    }

    /** P3: the rank has heard that the decision was proposed, on what it serves, and permitted. */
    static void checkAuthority(World world, RankWords before, RankEffect flip) {
        long hash = 0;
        boolean authority = false;
        for (int i = 0; i < world.mine(OfRank.READ); i++) {
            PlanCommand command = world.log().commands.get(i);
            if (world.log().split() && world.turn() == 2) {
                command = SplitLog.otherwise(command);
            }
            if (command.header().incarnation() != before.at(Word.INCARNATION)) {
                continue;
            }
            if (command instanceof PlanCommand.Propose propose
                    && propose.epoch() == flip.epoch()
                    && propose.basedOn() == before.intAt(Word.SETTLED_VERSION)) {
                hash = propose.planHash();
            } else if (command instanceof PlanCommand.Permit permit && permit.epoch() == flip.epoch()) {
                authority = hash != 0 && permit.planHash() == hash;
            }
        }
        if (!authority) {
            throw new Violation("P3 authority", "rank " + world.turn() + " flips " + flip);
        }
    }

    /** No ack is ahead of what was done, nor is taken back. */
    static void checkSaid(World world, int rank) {
        long incarnation = world.scope.lives.of(world.life()).incarnation();
        for (RankAck ack : world.scope.ranks.said(world.get(rank, OfRank.SAID))) {
            if (ack.incarnation() != incarnation) {
                continue;
            }
            int flipped = world.flipped(rank, ack.epoch());
            if (ack.kind() == RankAck.Kind.FLIPPED && ack.batch() > flipped) {
                throw new Violation("reports", "rank " + rank + " says FLIPPED " + ack.batch() + " before it flipped");
            }
            if (ack.kind() == RankAck.Kind.ABORTED && ack.batch() != flipped) {
                throw new Violation(
                        "P5 prefix", "rank " + rank + " said ABORTED " + ack.batch() + " and has flipped " + flipped);
            }
        }
    }

    /** All ranks that are left run the step. */
    static void checkStep(World world) {
        int first = firstAlive(world);
        if (first < 0) {
            return;
        }
        for (int rank = first; rank < World.RANKS; rank++) {
            // A rank that lost a gather has abandoned the group's transfers too: its peers' will fail.
            boolean together = world.used(Power.LOSE_GATHER) > 0 || world.anyGone();
            if (!together && world.get(rank, OfRank.STARTED_NOW) != world.get(first, OfRank.STARTED_NOW)) {
                throw new Violation(
                        "start together",
                        "transfers start on ranks " + first + " and " + rank + " at other boundaries");
            }
        }
        for (int rank = 0; rank < World.RANKS; rank++) {
            world.set(rank, OfRank.STARTED_NOW, 0);
        }
        for (int rank = first; rank < World.RANKS; rank++) {
            if (!world.isGone(rank)) {
                checkRank(world, first, rank);
            }
        }
        if (!world.scope.engineMoves && !weightsAreThere(world, first)) {
            throw new Violation(
                    "P2 weights before map",
                    Arrays.toString(world.scope.array(world.get(Of.WEIGHTS))) + " for "
                            + Arrays.toString(world.map(first)));
        }
        checkCoverage(world, world.get(first, OfRank.MAP));
        if (world.anyGone() && !world.scope.engineMoves) {
            checkSurvivors(world);
        }
    }

    /** P9 of those who are left: what no map that may be served needs a lost rank for, they hold. */
    private static void checkSurvivors(World world) {
        Log log = world.log();
        boolean inFlight = log.folded
                .inFlight()
                .filter(decision -> world.scope.lives.lifeOf(decision.header().incarnation()) == world.life())
                .isPresent();
        List<int[]> maps =
                inFlight ? log.decision(log.folded.lastEpoch()).maps() : List.of(log.settledMap(world.life()));
        for (int[] map : maps) {
            if (!isCovered(world, map)) {
                return;
            }
        }
        world.scope.reached.add("the survivors hold every expert");
        int[] weights = world.scope.array(world.get(Of.WEIGHTS));
        if (!isCovered(world, weights)) {
            throw new Violation("P9 coverage", "the survivors hold " + Arrays.toString(weights));
        }
    }

    /** Whether those who are left have every expert of every layer in a map, or among weights. */
    private static boolean isCovered(World world, int[] map) {
        int slots = Fixture.INITIAL.slots();
        for (int layer = 0; layer < Fixture.INITIAL.layers(); layer++) {
            BitSet experts = new BitSet();
            for (int slot = 0; slot < slots; slot++) {
                int at = Weights.at(layer, slot);
                if (!world.isGone(Weights.rankOf(at)) && map[at] >= 0) {
                    experts.set(Weights.expert(map[at]));
                }
            }
            if (experts.cardinality() < Fixture.MEMBERS.shape().experts()) {
                return false;
            }
        }
        return true;
    }

    /** Whether each slot of the ranks that are left holds what the map says of it, of the weights that its rank has loaded. */
    private static boolean weightsAreThere(World world, int first) {
        int[] weights = world.scope.array(world.get(Of.WEIGHTS));
        int[] map = world.map(first);
        for (int i = 0; i < map.length; i++) {
            int rank = Weights.rankOf(i);
            if (weights[i] != Weights.of(map[i], world.get(rank, OfRank.GENERATION)) && !world.isGone(rank)) {
                return false;
            }
        }
        return true;
    }

    private static int firstAlive(World world) {
        for (int rank = 0; rank < World.RANKS; rank++) {
            if (!world.isGone(rank)) {
                return rank;
            }
        }
        return -1;
    }

    private static void checkRank(World world, int first, int rank) {
        boolean engines = world.get(first, OfRank.ENGINE) == 0 && world.get(rank, OfRank.ENGINE) == 0;
        boolean sameMap = world.get(rank, OfRank.MAP) == world.get(first, OfRank.MAP);
        if (!world.scope.engineMoves) {
            if (!sameMap) {
                throw new Violation(
                        "P1 lock step", "ranks " + first + " and " + rank + " run a step on different maps");
            }
            if (world.get(rank, OfRank.FLIPPED) != world.get(first, OfRank.FLIPPED)) {
                throw new Violation(
                        "P5 prefix", "ranks " + first + " and " + rank + " flipped different numbers of batches");
            }
        }
        if (world.get(rank, OfRank.ENGINE) == 0 && !Arrays.equals(serves(world, rank), world.map(rank))) {
            throw new Violation("P6 truth", "rank " + rank + " serves other than its state says");
        }
        if (world.get(rank, OfRank.ENGINE) == 0
                && !world.log().inFlight()
                && !world.quarantined()
                && !Arrays.equals(world.log().settledMap(world.life()), world.map(rank))) {
            throw new Violation("P6 truth", "nothing is in flight, and rank " + rank + " serves what was not settled");
        }
        if (engines && named(world.words(rank)) == named(world.words(first)) && !sameMap) {
            throw new Violation("state names map", "equal states, different maps");
        }
    }

    private static void checkCoverage(World world, int map) {
        if (!world.scope.isNewMap(map)
                || Arrays.equals(world.scope.array(map), world.log().startMap(world.life()))) {
            // What an engine begins with may be unsound.
            return;
        }
        int[] routes = world.scope.array(map);
        int[][] layers = new int[Fixture.INITIAL.layers()][Fixture.INITIAL.slots()];
        BitSet[] idle = new BitSet[layers.length];
        for (int layer = 0; layer < layers.length; layer++) {
            idle[layer] = new BitSet();
            for (int slot = 0; slot < layers[layer].length; slot++) {
                layers[layer][slot] = Weights.held(routes[Weights.at(layer, slot)]);
                idle[layer].set(slot, routes[Weights.at(layer, slot)] < 0);
            }
        }
        List<String> uncovered = PlacementRules.violations(
                Placement.of(0, layers, idle), Fixture.MEMBERS.shape(), Fixture.MEMBERS.topology());
        if (!uncovered.isEmpty()) {
            throw new Violation("P9 coverage", uncovered.toString());
        }
    }

    /** The map that a rank's words name. */
    private static int[] serves(World world, int rank) {
        RankWords words = world.words(rank);
        return words.batchesFlipped() > 0
                ? world.log().decision(words.epoch()).maps().get(words.batchesFlipped())
                : world.log().map(world.life(), words.intAt(Word.SETTLED_VERSION));
    }

    /** The placement state in one number, as votes have it: what is flipped to the end is a version of its own. */
    private static long named(RankWords words) {
        int flipped = words.batchesFlipped();
        if (flipped == words.intAt(Word.BATCHES) || flipped == 0) {
            return flipped == 0 ? words.intAt(Word.SETTLED_VERSION) : words.epoch();
        }
        return (long) words.epoch() << 40 | (long) flipped << 32 | words.intAt(Word.SETTLED_VERSION);
    }
}
