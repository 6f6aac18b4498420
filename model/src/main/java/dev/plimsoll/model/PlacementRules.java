package dev.plimsoll.model;

import dev.plimsoll.model.PlanCommand.Propose;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The independent check of placements and decisions: run by the planner before it proposes and by every worker before its
 * ranks hear of it.
 *
 * <p>Shares no code with any planner. Nothing is repaired here: one fault and the whole plan is refused. Valid is a placement of the right
 * shape in which every expert of every layer has at least one slot in use and no rank holds an expert twice in a layer, idle or not.
 *
 * <p>No expert is lost while a decision is carried out, because three things hold together. Within a batch, all weights arrive in
 * staging memory, on all ranks, before any slot is overwritten, so a slot may be the source of one move and the target of
 * another. A layer's moves are all in one batch, so no later batch reads what an earlier one overwrote. And after every batch,
 * where a decision may be stopped, the placement is valid. The last two are checked here; the first is the ranks' part.
 *
 * <p>Stateless; the methods that tests override are each a rule that safety rests on.
 */
public class PlacementRules {
    private static final int MOST_VIOLATIONS = 20;
    private static final PlacementRules RULES = new PlacementRules();

    PlacementRules() {}

    /** What is wrong with a placement, about 20 lines at most; empty when it may be served. */
    public static List<String> violations(Placement placement, ModelShape shape, Topology topology) {
        return RULES.check(placement, shape, topology);
    }

    /**
     * Experts that no slot holds, idle or not, about 20 lines at most: what no moves can mend, as there is nowhere to take the weights
     * from.
     */
    public static List<String> lost(Placement placement, ModelShape shape) {
        List<String> found = new ArrayList<>();
        for (int layer = 0; layer < placement.layers(); layer++) {
            BitSet held = new BitSet(shape.experts());
            for (int expert : placement.layer(layer)) {
                held.set(expert);
            }
            for (int expert = held.nextClearBit(0);
                    expert < shape.experts() && found.size() < MOST_VIOLATIONS;
                    expert = held.nextClearBit(expert + 1)) {
                found.add("layer " + layer + " holds expert " + expert + " nowhere");
            }
        }
        return found;
    }

    /**
     * What is wrong with a decision: its moves and switches against the placement they start from, its batches against staging memory,
     * what its ranks send against what they wait for, its result after every batch, its hash ({@link PlanHash}). An engine that moves
     * weights by itself has no staging memory to fill and is given one map: one batch of moves.
     */
    public static List<String> violations(Propose propose, Placement settled, Membership members) {
        return RULES.check(propose, settled, members);
    }

    /**
     * What is wrong with a decision whose result is known, as it is where it is made: {@link #violations(Propose, Placement,
     * Membership)}, and moves and switches that are not exactly the difference between the two placements.
     *
     * @param target the result, under any version
     */
    public static List<String> violations(Propose propose, Placement settled, Placement target, Membership members) {
        return RULES.check(propose, settled, target, members);
    }

    List<String> check(Placement placement, ModelShape shape, Topology topology) {
        List<String> found = new ArrayList<>();
        if (shapeFits(placement, shape, topology, found)) {
            for (int layer = 0; layer < placement.layers() && found.size() < MOST_VIOLATIONS; layer++) {
                checkLayer(placement.layer(layer), placement.idle(layer), layer, shape, topology, found);
            }
        }
        return found;
    }

    private static boolean shapeFits(Placement placement, ModelShape shape, Topology topology, List<String> found) {
        if (placement.layers() == shape.layers() && placement.slots() == topology.slots()) {
            return true;
        }
        found.add("shape is " + placement.layers() + " layers × " + placement.slots() + " slots, must be "
                + shape.layers() + " × " + topology.slots());
        return false;
    }

    private void checkLayer(
            int[] expertOfSlot, BitSet idle, int layer, ModelShape shape, Topology topology, List<String> found) {
        BitSet held = new BitSet(shape.experts());
        BitSet served = new BitSet(shape.experts());
        for (int rank = 0; rank < topology.ranks(); rank++) {
            BitSet onRank = new BitSet(shape.experts());
            for (int local = 0; local < topology.slotsPerRank(); local++) {
                int slot = rank * topology.slotsPerRank() + local;
                int expert = expertOfSlot[slot];
                if (!isBelow(expert, shape.experts())) {
                    found.add(
                            "layer " + layer + " slot " + slot + " holds expert " + expert + " of " + shape.experts());
                } else if (isTwice(onRank, expert)) {
                    found.add("layer " + layer + " rank " + rank + " holds expert " + expert + " twice");
                } else {
                    onRank.set(expert);
                    held.set(expert);
                    if (isServing(idle.get(slot))) {
                        served.set(expert);
                    }
                }
            }
        }
        for (int expert = nextUnserved(served, 0);
                expert < shape.experts();
                expert = nextUnserved(served, expert + 1)) {
            found.add(
                    "layer " + layer + " has no slot " + (held.get(expert) ? "in use " : "") + "for expert " + expert);
        }
    }

    List<String> check(Propose propose, Placement settled, Membership members) {
        List<String> found = new ArrayList<>();
        if (!shapeFits(settled, members.shape(), members.topology(), found)) {
            return found;
        }
        if (!isBase(propose.basedOn(), settled.version())) {
            found.add("decision " + propose.epoch() + " is based on v" + propose.basedOn() + ", settled is v"
                    + settled.version());
            return found;
        }
        if (!isLater(propose.epoch(), settled.version())) {
            found.add("epoch " + propose.epoch() + " must be above the settled version " + settled.version());
        }
        if (members.traits().movesWeights() && !isOneMap(propose)) {
            found.add(propose.batches().size() + " batches with " + propose.switches() + " switches, and "
                    + members.engine() + " moves weights by itself: it takes one batch of moves");
        }
        BitSet layersBefore = new BitSet();
        int[][] serving = settled.toArray();
        BitSet[] idle = idle(settled);
        for (int i = 0; i < propose.batches().size() && found.size() < MOST_VIOLATIONS; i++) {
            Batch batch = propose.batches().get(i);
            if (!isNumber(batch.number(), i + 1)) {
                found.add("batch number " + batch.number() + " at place " + (i + 1));
            }
            if (!movesAreInBounds(batch, members, found) || !switchesAreInBounds(batch, members, found)) {
                return found;
            }
            checkMoves(batch, settled, serving, layersBefore, found);
            checkTransfers(batch, members, found);
            BitSet layers = new BitSet();
            for (Move move : batch.moves()) {
                serving[move.layer().index()][move.slot().index()] =
                        move.expert().index();
                idle[move.layer().index()].clear(move.slot().index());
                layers.set(move.layer().index());
            }
            for (Switch change : batch.switches()) {
                checkSwitch(change, idle, layersBefore, members, found);
                idle[change.layer().index()].set(change.slot().index(), !change.inUse());
                layers.set(change.layer().index());
            }
            layers.stream()
                    .forEach(layer ->
                            checkLayer(serving[layer], idle[layer], layer, members.shape(), members.topology(), found));
            layersBefore.or(layers);
        }
        if (found.isEmpty()) {
            long hash = hash(propose, serving, idle);
            if (!isPromised(hash, propose.planHash())) {
                found.add(String.format(
                        "the batches of decision %d have hash %016x, it promises %016x",
                        propose.epoch(), hash, propose.planHash()));
            }
        }
        return found;
    }

    private boolean movesAreInBounds(Batch batch, Membership members, List<String> found) {
        int slots = members.topology().slots();
        for (Move move : batch.moves()) {
            if (!isBelow(move.layer().index(), members.shape().layers())
                    || !isBelow(move.slot().index(), slots)
                    || !isBelow(move.source().index(), slots)
                    || !isBelow(move.expert().index(), members.shape().experts())) {
                found.add("out of bounds: " + move);
                return false;
            }
        }
        return true;
    }

    private boolean switchesAreInBounds(Batch batch, Membership members, List<String> found) {
        for (Switch change : batch.switches()) {
            if (!isBelow(change.layer().index(), members.shape().layers())
                    || !isBelow(change.slot().index(), members.topology().slots())) {
                found.add("out of bounds: " + change);
                return false;
            }
        }
        return true;
    }

    /** @param idle as the batch's moves leave it */
    private void checkSwitch(
            Switch change, BitSet[] idle, BitSet layersBefore, Membership members, List<String> found) {
        if (isRepeated(layersBefore, change.layer().index())) {
            found.add("layer " + change.layer().index() + " is in more than one batch");
        }
        if (switchesNothing(!idle[change.layer().index()].get(change.slot().index()), change)) {
            found.add(change.slot() + " of " + change.layer() + " is " + (change.inUse() ? "in use" : "idle")
                    + " already");
        }
        if (!isAllowed(change, members)) {
            found.add(change.slot() + " of " + change.layer() + " is to stand idle, and " + members.engine()
                    + " cannot leave slots idle");
        }
    }

    private static BitSet[] idle(Placement placement) {
        BitSet[] idle = new BitSet[placement.layers()];
        for (int layer = 0; layer < idle.length; layer++) {
            idle[layer] = placement.idle(layer);
        }
        return idle;
    }

    private void checkMoves(Batch batch, Placement settled, int[][] serving, BitSet layersBefore, List<String> found) {
        for (Move move : batch.moves()) {
            int layer = move.layer().index();
            if (isRepeated(layersBefore, layer)) {
                found.add("layer " + layer + " is in more than one batch");
            }
            if (!holds(settled.expert(move.layer(), move.source()), move)) {
                found.add(move.source() + " of " + move.layer() + " does not hold " + move.expert());
            } else if (isLost(serving[layer][move.source().index()], move)) {
                found.add(move.source() + " of " + move.layer() + " is overwritten before " + move.expert()
                        + " is read from it");
            }
            if (changesNothing(settled.expert(move.layer(), move.slot()), move)) {
                found.add(move.slot() + " of " + move.layer() + " holds " + move.expert() + " already");
            }
        }
    }

    private void checkTransfers(Batch batch, Membership members, List<String> found) {
        TransferLists lists = lists(batch, members.topology());
        found.addAll(lists.problems());
        for (int rank = 0; rank < lists.receives().size(); rank++) {
            if (!fitsStaging(lists.receives().get(rank).size(), members)) {
                found.add("batch " + batch.number() + " brings more than " + members.stagedExpertsPerRank()
                        + " experts to rank " + rank);
            }
        }
    }

    List<String> check(Propose propose, Placement settled, Placement target, Membership members) {
        List<String> found = new ArrayList<>(check(propose, settled, members));
        if (!found.isEmpty() || !shapeFits(target, members.shape(), members.topology(), found)) {
            return found;
        }
        int[][] moved = settled.toArray();
        BitSet[] idle = idle(settled);
        for (Batch batch : propose.batches()) {
            for (Move move : batch.moves()) {
                moved[move.layer().index()][move.slot().index()] = move.expert().index();
                idle[move.layer().index()].clear(move.slot().index());
            }
            batch.switches()
                    .forEach(change ->
                            idle[change.layer().index()].set(change.slot().index(), !change.inUse()));
        }
        for (int layer = 0; layer < moved.length && found.size() < MOST_VIOLATIONS; layer++) {
            int[] wanted = target.layer(layer);
            for (int slot = 0; slot < wanted.length; slot++) {
                if (!isWanted(moved[layer][slot], wanted[slot])) {
                    found.add("layer " + layer + " slot " + slot + " is to hold expert " + wanted[slot]
                            + ", the moves leave it with expert " + moved[layer][slot]);
                }
                if (!isWantedInUse(!idle[layer].get(slot), !target.idle(layer, slot))) {
                    found.add("layer " + layer + " slot " + slot + " is to be "
                            + (target.idle(layer, slot)
                                    ? "idle, the switches leave it in use"
                                    : "in use, the switches leave it idle"));
                }
            }
        }
        return found;
    }

    boolean isBelow(int index, int bound) {
        return index >= 0 && index < bound;
    }

    boolean isTwice(BitSet onRank, int expert) {
        return onRank.get(expert);
    }

    int nextUnserved(BitSet served, int from) {
        return served.nextClearBit(from);
    }

    boolean isServing(boolean idle) {
        return !idle;
    }

    boolean switchesNothing(boolean inUse, Switch change) {
        return inUse == change.inUse();
    }

    boolean isAllowed(Switch change, Membership members) {
        return change.inUse() || members.idleSlots();
    }

    boolean isWantedInUse(boolean inUse, boolean wanted) {
        return inUse == wanted;
    }

    boolean isBase(int basedOn, int settledVersion) {
        return basedOn == settledVersion;
    }

    boolean isLater(int epoch, int settledVersion) {
        return epoch > settledVersion;
    }

    boolean isNumber(int number, int place) {
        return number == place;
    }

    boolean isRepeated(BitSet layersBefore, int layer) {
        return layersBefore.get(layer);
    }

    boolean holds(ExpertId held, Move move) {
        return held.equals(move.expert());
    }

    boolean isLost(int expertNow, Move move) {
        return expertNow != move.expert().index();
    }

    boolean changesNothing(ExpertId held, Move move) {
        return held.equals(move.expert());
    }

    boolean fitsStaging(int incoming, Membership members) {
        return members.traits().movesWeights() || incoming <= members.stagedExpertsPerRank();
    }

    boolean isOneMap(Propose propose) {
        return propose.batches().size() == 1 && propose.switches() == 0;
    }

    TransferLists lists(Batch batch, Topology topology) {
        return TransferLists.of(batch, topology);
    }

    long hash(Propose propose, int[][] serving, BitSet[] idle) {
        return PlanHash.of(Placement.of(propose.epoch(), serving, idle), propose.batches());
    }

    boolean isPromised(long hash, long promised) {
        return hash == promised;
    }

    boolean isWanted(int moved, int wanted) {
        return moved == wanted;
    }
}
