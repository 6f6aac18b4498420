package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** What a planner that takes over finds settled in an incarnation: in the plan log, and kept beside it. Pure. */
final class LastSettled {
    private final PlanLog log;
    private final Membership members;
    private final boolean begins;
    private final Optional<Placement> kept;

    /**
     * @param kept the deployment's settled placement records, last one per layer
     * @param idle the idle slots of one
     */
    LastSettled(PlanLog log, List<SettledPlacement> kept, Membership members, Function<SettledPlacement, BitSet> idle) {
        this.log = log;
        this.members = members;
        this.begins = kept.stream().noneMatch(record -> record.incarnation() == members.incarnation());
        this.kept = whole(kept, members, idle);
    }

    /** Whether nothing was kept in this incarnation yet. */
    boolean begins() {
        return begins;
    }

    /** What is kept; empty when the records are not one whole. */
    Optional<Placement> kept() {
        return kept;
    }

    /** Whether what is kept is what the plan log settled last. */
    boolean agrees() {
        var last = log.lastSettled(members.incarnation());
        if (begins || kept.isEmpty()) {
            return begins && last.isEmpty();
        }
        Placement placement = kept.orElseThrow();
        return last.map(end -> end.epoch() == placement.version() && end.placementHash() == placement.hash())
                .orElse(placement.version() == log.settledVersion(members.incarnation()));
    }

    /** What the plan log settled last, where it still tells that. */
    Optional<Placement> logged() {
        var placements = log.placements(members);
        return log.lastSettled(members.incarnation())
                .map(end -> Optional.ofNullable(placements.get(end.epoch()))
                        .filter(placement -> placement.hash() == end.placementHash()))
                .orElseGet(() -> Optional.of(members.start()));
    }

    private static Optional<Placement> whole(
            List<SettledPlacement> kept, Membership members, Function<SettledPlacement, BitSet> idleSlots) {
        int layers = members.shape().layers();
        int[][] experts = new int[layers][];
        BitSet[] idle = new BitSet[layers];
        int found = 0;
        SettledPlacement any = null;
        for (SettledPlacement record : kept) {
            if (record.incarnation() != members.incarnation() || record.layer() >= layers) {
                continue;
            }
            if (any != null && any.placementHash() != record.placementHash()) {
                return Optional.empty();
            }
            any = record;
            found += experts[record.layer()] == null ? 1 : 0;
            experts[record.layer()] = toInts(record.experts());
            idle[record.layer()] = idleSlots.apply(record);
        }
        if (any == null || found < layers) {
            return Optional.empty();
        }
        Placement placement = Placement.of(any.version(), experts, idle);
        return placement.hash() == any.placementHash() ? Optional.of(placement) : Optional.empty();
    }

    private static int[] toInts(LongVector values) {
        int[] ints = new int[values.size()];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = Math.toIntExact(values.at(i));
        }
        return ints;
    }
}
