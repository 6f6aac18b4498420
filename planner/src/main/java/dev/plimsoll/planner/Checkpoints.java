package dev.plimsoll.planner;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.KeptPlacement;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanRestart;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.PlanStretches.Needed;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlanPositions;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.RecoveryRead.Range;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * How much of a partition's plan log and outcomes a successor reads: every settled placement that is kept says where to go on for its
 * deployment, so that it takes over by the decisions of the last while, however long the log is.
 *
 * <p>A deployment that decides nothing while others do would say so of a place long ago; once the log is {@value #FAR} offsets further,
 * the placement that it has is kept again, with the same version and a newer place. For one thread.
 */
final class Checkpoints {
    static final long FAR = 1_024;

    /** One deployment. */
    private static final class Kept {
        private final KeptPlacement placement = new KeptPlacement();
        private Optional<PlanLog> log = Optional.empty();
        private Optional<PlanPositions> positions = Optional.empty();
        private final OutcomePositions outcomes = new OutcomePositions();
        private final WindowVersions windows = new WindowVersions();
        /** What the newest layer says of where to read on; long ago where it says nothing. */
        private long from = -FAR;

        void put(SettledPlacement layer) {
            placement.add(layer);
            from = layer.restart()
                    .filter(at -> at.outcomes().size() > 0)
                    .map(PlanRestart::from)
                    .orElse(-FAR);
        }

        PlanLog begin() {
            return placement
                    .restart()
                    .map(at -> PlanLog.since(
                            at,
                            placement.incarnation().orElseThrow(),
                            placement.before().orElseThrow()))
                    .orElseGet(PlanLog::new);
        }

        boolean isOf(long incarnation) {
            return placement.incarnation().isPresent()
                    && placement.incarnation().getAsLong() == incarnation;
        }
    }

    private final TreeMap<Deployment, Kept> deployments = new TreeMap<>();
    private long position;
    private long outcomesPosition;

    private Kept of(Deployment deployment) {
        return deployments.computeIfAbsent(deployment, none -> new Kept());
    }

    /** A settled placement as it is kept; the newest of its layer. */
    void kept(SettledPlacement record) {
        of(record.deployment()).put(record);
    }

    /** The settled placement that is kept, all layers of it that there are. */
    List<SettledPlacement> kept(Deployment deployment) {
        return of(deployment).placement.layers();
    }

    /**
     * What of the plan log has to be read, in ascending order; asked when all that is kept has been told.
     *
     * @param newest memberships in force
     */
    List<Range> reads(Collection<Membership> newest) {
        newest.forEach(members -> of(members.deployment()).positions = Optional.of(begin(members)));
        return ranges(restart -> Optional.of(Needed.ofPlan(restart)));
    }

    /** The same of the outcomes, after that. */
    List<Range> outcomeReads() {
        return ranges(restart ->
                Optional.of(restart).filter(at -> at.outcomes().size() > 0).map(Needed::ofOutcomes));
    }

    private List<Range> ranges(Function<PlanRestart, Optional<Needed>> what) {
        List<Needed> needed = deployments.values().stream()
                .flatMap(kept -> kept.placement.restart().flatMap(what).stream())
                .toList();
        // Nobody knows of a deployment without one when it has begun.
        return needed.size() < deployments.size() ? List.of(Range.ALL) : PlanStretches.of(needed);
    }

    private PlanPositions begin(Membership members) {
        Kept kept = of(members.deployment());
        return kept.placement
                .restart()
                .map(restart -> new PlanPositions(
                        members,
                        restart,
                        kept.isOf(members.incarnation()) ? kept.placement.before() : Optional.empty()))
                .orElseGet(() -> new PlanPositions(members));
    }

    /** A record of the plan log; returns whether it is one of those that are to be read. */
    boolean read(Received<PlanCommand> record) {
        Kept kept = of(record.value().header().deployment());
        boolean covered =
                kept.placement.restart().map(at -> at.covers(record.offset())).orElse(true);
        if (covered) {
            PlanLog log = kept.log.orElseGet(kept::begin);
            kept.log = Optional.of(log);
            log.add(record.value());
            add(kept, record);
        }
        return covered;
    }

    /** A record of the plan log that was written since. */
    void follow(Received<PlanCommand> record) {
        add(of(record.value().header().deployment()), record);
        reached(record.offset() + 1);
    }

    private static void add(Kept kept, Received<PlanCommand> record) {
        kept.positions.ifPresent(positions -> positions.add(record.value(), record.offset(), kept.placement::at));
    }

    /** All of the log before the offset is known. */
    void reached(long offset) {
        position = Math.max(position, offset);
    }

    /** A record of the outcomes. */
    void outcome(Received<Outcome> record) {
        of(record.value().deployment()).outcomes.add(record.value(), record.offset());
        outcomesReached(record.offset() + 1);
    }

    /** All outcomes before the offset are known. */
    void outcomesReached(long offset) {
        outcomesPosition = Math.max(outcomesPosition, offset);
    }

    /** The plan log of a deployment as it was read; afterwards it is followed only. */
    PlanLog takeLog(Deployment deployment) {
        Kept kept = of(deployment);
        PlanLog log = kept.log.orElseGet(kept::begin);
        kept.log = Optional.empty();
        return log;
    }

    /** The membership in force, before anything is written for it. */
    void began(Membership members) {
        Kept kept = of(members.deployment());
        kept.positions.ifPresentOrElse(
                positions -> positions.began(members), () -> kept.positions = Optional.of(new PlanPositions(members)));
    }

    /** A window that is planned from. */
    void window(WindowJoin.Whole whole) {
        of(whole.summary().deployment()).windows.add(whole);
    }

    /**
     * What a deployment's planner writes, with where to read on; and what it kept long ago once more, where it writes nothing.
     *
     * @param oldest of the windows that it looks back on
     */
    List<Output<?>> complete(Deployment deployment, List<Output<?>> outputs, OptionalLong oldest) {
        Kept kept = of(deployment);
        OptionalInt lowest = kept.windows.lowest(oldest);
        if (outputs.isEmpty() && position - kept.from < FAR) {
            return outputs;
        }
        Optional<PlanPositions.Restart> restart = kept.positions.flatMap(it -> it.restart(position, lowest));
        List<Output<?>> complete = new ArrayList<>();
        boolean settles = false;
        for (Output<?> output : outputs) {
            if (output.value() instanceof SettledPlacement placement && !output.removal()) {
                settles = true;
                complete.add(keep(kept, placement, restart));
            } else if (output.value() instanceof PlanCommand command) {
                complete.add(Output.of(Topic.PLAN, deployment, noted(command, restart)));
            } else {
                complete.add(output);
            }
        }
        boolean current = kept.positions
                .filter(positions -> kept.isOf(positions.members().incarnation()))
                .isPresent();
        if (!settles && current && restart.isPresent() && position - kept.from >= FAR) {
            kept.placement.layers().forEach(placement -> complete.add(keep(kept, placement, restart)));
        }
        return complete;
    }

    private Output<SettledPlacement> keep(
            Kept kept, SettledPlacement placement, Optional<PlanPositions.Restart> restart) {
        SettledPlacement noted = noted(kept, placement, restart);
        kept.put(noted);
        return Output.of(Topic.PLACEMENTS, noted.deployment(), noted);
    }

    private static PlanCommand noted(PlanCommand command, Optional<PlanPositions.Restart> restart) {
        if (restart.isEmpty()) {
            return command;
        }
        OptionalLong first = OptionalLong.of(restart.orElseThrow().at().first());
        if (command instanceof PlanCommand.Settled end) {
            return new PlanCommand.Settled(
                    end.header(),
                    end.epoch(),
                    end.batchesFlipped(),
                    end.complete(),
                    end.placementHash(),
                    end.lastWindow(),
                    first);
        }
        return command instanceof PlanCommand.Void end
                ? new PlanCommand.Void(end.header(), end.epoch(), end.reason(), end.lastWindow(), first)
                : command;
    }

    private SettledPlacement noted(Kept kept, SettledPlacement placement, Optional<PlanPositions.Restart> restart) {
        boolean same = kept.positions
                .filter(positions -> positions.members().incarnation() == placement.incarnation())
                .isPresent();
        return same && restart.isPresent()
                ? placement.restartingAt(restart.orElseThrow()
                        .at()
                        .beside(placement.marked(), restart.orElseThrow().base().marked()[placement.layer()])
                        .withOutcomes(kept.outcomes.readOn(outcomesPosition)))
                : placement;
    }
}
