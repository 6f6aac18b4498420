package dev.plimsoll.replay.export;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Void;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.replay.source.SettledLayers;
import dev.plimsoll.wire.Topic;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which expert a slot held when a window of one incarnation was counted: the plan log, read along with the windows and no further than
 * they need, with the newest placements in memory. Where its beginning is not kept any more, the settled placement that stands in the
 * topics begins it.
 */
final class ServedPlacements implements AutoCloseable {
    /** As many as the planner keeps: windows do not look further back than that. */
    private static final int MOST = 32;

    private final long incarnation;
    private final DeploymentRecords.Log<PlanCommand> log;
    private final TreeMap<Integer, Placement> settled = new TreeMap<>();
    private final TreeMap<Integer, Propose> proposals = new TreeMap<>();
    private final Optional<Placement> standing;
    private int newestEpoch;
    private boolean atEnd;

    ServedPlacements(DeploymentRecords history, Membership members) {
        this.incarnation = members.incarnation();
        settled.put(0, members.start());
        this.standing = standing(history, members);
        this.log = history.readFrom(Topic.PLAN, incarnation);
    }

    /** The placement that stands in the topics, if it does so wholly. */
    private static Optional<Placement> standing(DeploymentRecords history, Membership members) {
        SettledLayers layers = new SettledLayers(members);
        try (DeploymentRecords.Log<SettledPlacement> log = history.read(Topic.PLACEMENTS, TimeRange.ALL)) {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                layers.add(next.orElseThrow().value());
            }
        }
        return layers.newest();
    }

    /** The placement that ranks served in that state; empty where the topics do not say any more. */
    Optional<Placement> of(PlacementState state) {
        // What an epoch begins with is settled before it is proposed, so behind it nothing is to be found.
        while (!atEnd
                && ((!settled.containsKey(state.settledVersion()) && newestEpoch <= state.settledVersion())
                        || (state.batchesFlipped() > 0
                                && !proposals.containsKey(state.epoch())
                                && newestEpoch <= state.epoch()))) {
            log.next().ifPresentOrElse(record -> add(record.value()), () -> atEnd = true);
        }
        Optional<Placement> base = Optional.ofNullable(settled.get(state.settledVersion()))
                .or(() -> standing.filter(placement -> placement.version() == state.settledVersion()));
        if (state.batchesFlipped() == 0 || base.isEmpty()) {
            return base;
        }
        return Optional.ofNullable(proposals.get(state.epoch()))
                .filter(decision -> decision.basedOn() == state.settledVersion()
                        && decision.batches().size() >= state.batchesFlipped())
                .map(decision -> PlanLog.after(decision, state.batchesFlipped(), base.orElseThrow(), state.epoch()));
    }

    private void add(PlanCommand command) {
        if (command.header().incarnation() != incarnation) {
            atEnd |= command.header().incarnation() > incarnation;
            return;
        }
        if (command instanceof Propose decision) {
            newestEpoch = Math.max(newestEpoch, decision.epoch());
            proposals.put(decision.epoch(), decision);
            trim(proposals);
        } else if (command instanceof Settled end) {
            Propose decision = proposals.get(end.epoch());
            Placement base = decision == null
                    ? null
                    : settled.getOrDefault(
                            decision.basedOn(),
                            standing.filter(placement -> placement.version() == decision.basedOn())
                                    .orElse(null));
            if (decision != null && base != null) {
                settled.put(end.epoch(), PlanLog.after(decision, end.batchesFlipped(), base, end.epoch()));
                trim(settled);
            }
        } else if (command instanceof Void end) {
            newestEpoch = Math.max(newestEpoch, end.epoch());
        }
    }

    private static void trim(TreeMap<Integer, ?> byNumber) {
        while (byNumber.size() > MOST) {
            byNumber.pollFirstEntry();
        }
    }

    @Override
    public void close() {
        log.close();
    }
}
