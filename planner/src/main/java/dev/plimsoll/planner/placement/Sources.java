package dev.plimsoll.planner.placement;

import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.List;

/**
 * The moves that lead from the settled placement to another, each with the slot that its weights come from.
 *
 * <p>A holder on the same rank comes first (a copy), then one on the same node, then any; among equals the rank that sends the
 * least so far, so that no single holder of a hot expert feeds everybody; then the lowest slot.
 */
final class Sources {
    private final Placement settled;
    private final Topology topology;
    private final int[] sends;

    Sources(Placement settled, Topology topology) {
        this.settled = settled;
        this.topology = topology;
        this.sends = new int[topology.ranks()];
    }

    /** The moves of one layer in order of slots; called layer by layer, as later layers avoid the ranks that earlier ones tax. */
    List<Move> moves(int layer, int[] target) {
        int[] before = settled.layer(layer);
        List<Move> moves = new ArrayList<>();
        for (int slot = 0; slot < target.length; slot++) {
            if (target[slot] != before[slot]) {
                int source = source(before, target[slot], slot);
                sends[source / topology.slotsPerRank()]++;
                moves.add(
                        new Move(new LayerId(layer), new SlotId(slot), new ExpertId(target[slot]), new SlotId(source)));
            }
        }
        return moves;
    }

    private int source(int[] before, int expert, int slot) {
        int best = -1;
        for (int holder = 0; holder < before.length; holder++) {
            if (before[holder] == expert && (best < 0 || better(holder, best, slot))) {
                best = holder;
            }
        }
        if (best < 0) {
            throw new IllegalArgumentException("nobody holds expert " + expert + ", so it cannot come to slot " + slot);
        }
        return best;
    }

    private boolean better(int holder, int best, int slot) {
        int nearer = Integer.compare(distance(holder, slot), distance(best, slot));
        return nearer != 0
                ? nearer < 0
                : sends[holder / topology.slotsPerRank()] < sends[best / topology.slotsPerRank()];
    }

    private int distance(int from, int to) {
        int a = from / topology.slotsPerRank();
        int b = to / topology.slotsPerRank();
        if (a == b) {
            return 0;
        }
        return topology.nodeOfRank().get(a).equals(topology.nodeOfRank().get(b)) ? 1 : 2;
    }
}
