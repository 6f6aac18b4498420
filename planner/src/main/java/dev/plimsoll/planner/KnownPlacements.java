package dev.plimsoll.planner;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.planner.placement.Repair;
import dev.plimsoll.planner.protocol.PlanLog;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The newest placements and decisions of one incarnation: what is needed to say which expert a slot held in any window. */
public final class KnownPlacements {
    private static final int MOST = 32;

    private final Membership members;
    private final TreeMap<Integer, Placement> settled = new TreeMap<>();
    private final TreeMap<Integer, Propose> proposals = new TreeMap<>();

    /**
     * Those of an incarnation as its log says.
     *
     * @param now what is settled
     */
    public KnownPlacements(PlanLog log, Membership members, Placement now) {
        this.members = members;
        settled.putAll(log.placements(members));
        settled.put(now.version(), now);
        settled.keySet().forEach(version -> log.proposal(version).ifPresent(this::propose));
        log.inFlight().ifPresent(this::propose);
        trim(settled);
    }

    /** A decision that was proposed. */
    public void propose(Propose decision) {
        proposals.put(decision.epoch(), decision);
        trim(proposals);
    }

    /** A placement that settled. */
    public void settle(Placement placement) {
        settled.put(placement.version(), placement);
        trim(settled);
    }

    /** A placement that was settled, as it was. */
    Optional<Placement> settled(int version) {
        return Optional.ofNullable(settled.get(version));
    }

    /** Those that are known, such as {@code v0, v3}. */
    String versions() {
        return settled.keySet().stream().map(version -> "v" + version).collect(Collectors.joining(", "));
    }

    /** The placement that a rank served in that state; a slot whose weights are of no expert stands idle in it. */
    public Optional<Placement> of(PlacementState state) {
        return held(state).map(placement -> Repair.asServed(placement, members));
    }

    private Optional<Placement> held(PlacementState state) {
        Optional<Placement> base = Optional.ofNullable(settled.get(state.settledVersion()));
        if (state.batchesFlipped() == 0) {
            return base;
        }
        Optional<Propose> decision = Optional.ofNullable(proposals.get(state.epoch()));
        if (base.isEmpty()
                || decision.isEmpty()
                || decision.orElseThrow().basedOn() != state.settledVersion()
                || decision.orElseThrow().batches().size() < state.batchesFlipped()) {
            return Optional.empty();
        }
        return Optional.of(
                PlanLog.after(decision.orElseThrow(), state.batchesFlipped(), base.orElseThrow(), state.epoch()));
    }

    private static void trim(TreeMap<Integer, ?> byNumber) {
        while (byNumber.size() > MOST) {
            byNumber.pollFirstEntry();
        }
    }
}
