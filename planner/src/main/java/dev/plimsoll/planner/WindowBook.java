package dev.plimsoll.planner;

import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Repair;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.planner.placement.Rollback;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Sight;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is known of one incarnation's windows: how far ranks have come, which placements were served, the load of experts to plan from,
 * and what steps and flips took. Pure; for one thread.
 */
final class WindowBook {
    private final PlannerSettings settings;
    private final Membership members;
    private final Objective objective;
    private final KnownPlacements known;
    private final WindowHistory history;
    private final MeasuredTimes times = new MeasuredTimes();
    private final BoundaryWatch watch;
    private final Sightings sightings;
    private long heardWindow = -1;

    WindowBook(PlannerSettings settings, Membership members, KnownPlacements known, BoundaryWatch watch) {
        this.settings = settings;
        this.members = members;
        this.objective = settings.objectiveFor(members);
        this.known = known;
        this.watch = watch;
        this.sightings = new Sightings(members);
        this.history = new WindowHistory(settings.historyWindows());
    }

    Objective objective() {
        return objective;
    }

    /** What ranks served and were to serve. */
    KnownPlacements known() {
        return known;
    }

    Moment moment(long nowMillis) {
        return watch.at(nowMillis, members.boundarySteps());
    }

    /** A window, whole or not, says how far ranks were before anybody watched. */
    void wereAt(WindowSummary summary) {
        if (summary.incarnation() == members.incarnation()) {
            heardWindow = summary.index();
            watch.from(summary.steps().to());
        }
    }

    /** A window, whole or not, says how far ranks are. */
    void areAt(WindowSummary summary, long nowMillis) {
        if (summary.incarnation() != members.incarnation()) {
            return;
        }
        if (summary.index() < heardWindow) {
            watch.from(summary.steps().to());
        }
        heardWindow = summary.index();
        watch.heard(summary.steps().to(), nowMillis);
    }

    /** So does a rank. */
    void isAt(RankAck ack, long nowMillis) {
        if (ack.incarnation() == members.incarnation()) {
            watch.heard(ack.step(), nowMillis);
        }
    }

    /** What an ack tells of flips, whether or not its decision is in flight still. */
    void flipped(RankAck ack) {
        if (ack.incarnation() == members.incarnation()) {
            times.ack(ack);
            sightings.ack(ack);
        }
    }

    /** A window with all its parts shows what ranks serve, whether or not anything can be learnt from its load. */
    void saw(WindowJoin.Whole window) {
        sightings.window(window);
    }

    /** What is known of what ranks serve. */
    Sight sight(Optional<Propose> inFlight) {
        return sightings.of(inFlight);
    }

    /**
     * What the way back to a placement comes to.
     *
     * @param version that was settled in this incarnation
     */
    Verdict wayBack(int version, Placement settled, Constraints constraints) {
        Optional<Placement> target = known.settled(version);
        if (target.isEmpty()) {
            return Verdict.Keep.because(
                    KeepReason.UNKNOWN_STATE,
                    "v" + version + " is not known of this incarnation: what is, are " + known.versions());
        }
        List<ExpertLoad> loads = history.loads().isEmpty()
                ? List.of(ExpertLoad.none(
                        0, members.shape().layers(), 1, members.shape().experts()))
                : history.loads();
        PlanRequest request = new PlanRequest(
                loads,
                settled,
                members.shape(),
                members.topology(),
                Budget.UNLIMITED,
                settings.prices(),
                Objective.TOKENS,
                members.idleSlots(),
                ReplicaParts.of(members, loads),
                settings.seed());
        return Rollback.towards(request, target.orElseThrow(), constraints, members);
    }

    /** Why nothing can be learnt from a window; empty where {@link #add} can be asked. */
    Optional<Verdict.Keep> unfit(WindowJoin.Whole whole) {
        WindowSummary summary = whole.summary();
        if (summary.conservation().violated()) {
            return Optional.of(Verdict.Keep.because(
                    KeepReason.NOT_CONSERVED, summary.conservation().toString()));
        }
        if (!summary.complete()) {
            return Optional.of(
                    Verdict.Keep.because(KeepReason.INCOMPLETE, summary.reason().name()));
        }
        Optional<PlacementState> unknown = WindowLoad.unknown(whole, known);
        return unknown.map(state -> Verdict.Keep.because(KeepReason.UNKNOWN_STATE, state.toString()));
    }

    /** Keeps a window; what it says of the experts. */
    WindowLoad add(WindowJoin.Whole whole) {
        WindowLoad window = WindowLoad.of(whole, known, members);
        history.add(window.load(), whole.firstOffset(), whole.summary().closedAtMillis());
        times.window(members, objective, whole.summary(), window);
        return window;
    }

    /** Whether all of a window was served as by that placement. */
    boolean ranUnder(WindowLoad window, Placement placement) {
        Placement asServed = Repair.asServed(placement, members);
        return !window.served().isEmpty() && window.served().stream().allMatch(served -> served.servesLike(asServed));
    }

    /** What has been measured of the deployment. */
    Learned learned(Experience experience) {
        return times.learned(settings.gate(), objective, experience);
    }

    /** What plans are made from, oldest first. */
    List<ExpertLoad> loads() {
        return history.loads();
    }

    Duration windowTime() {
        return history.windowTime();
    }

    PlanInputs inputs(List<Long> unjudged, Learned learned) {
        return history.inputs(unjudged, learned);
    }

    /** Whether all windows were closed before that. */
    boolean isOlderThan(long millis) {
        OptionalLong newest = history.newestAtMillis();
        return newest.isPresent() && newest.getAsLong() < millis;
    }

    void forgetWindows() {
        history.clear();
    }

    /** Offset of the oldest window record that a successor needs to see what we see. */
    OptionalLong oldestOffset() {
        return history.oldestOffset();
    }
}
