package dev.plimsoll.planner;

import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.Sight;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The planner's own {@link WindowBook} and {@link PlanJob} for simulations: what windows show, ways back, and plans by chance. */
public final class SimulatedBook {
    /** Every change is carried out, whatever it brings. */
    private static final PlannerSettings SETTINGS =
            PlannerSettings.DEFAULTS.withPolicy("rotation").withPlanThreads(1);

    private static final Policy RANDOM = Policy.named("random");

    private final Membership members;
    private final WindowBook book;

    /**
     * @param log read when the planner took over; empty for an incarnation that began since
     * @param settled what is settled now
     */
    public SimulatedBook(PlanLog log, Membership members, Placement settled) {
        this.members = members;
        book = new WindowBook(SETTINGS, members, new KnownPlacements(log, members, settled), new BoundaryWatch(0));
    }

    public void saw(WindowSummary window) {
        book.saw(new WindowJoin.Whole(window, 0, List.of()));
    }

    public void heard(RankAck ack) {
        book.flipped(ack);
    }

    /** @param settled what is settled once it is written */
    public void wrote(PlanCommand command, Placement settled) {
        if (command instanceof Propose propose) {
            book.known().propose(propose);
        } else if (command instanceof PlanCommand.Settled) {
            book.known().settle(settled);
        }
    }

    public Sight sight(Optional<Propose> inFlight) {
        return book.sight(inFlight);
    }

    public Verdict wayBack(int version, Placement settled, Constraints constraints) {
        return book.wayBack(version, settled, constraints);
    }

    /** @param seed of the placement that is wanted */
    public Verdict plan(PlanOrder order, Placement settled, Constraints constraints, long seed) {
        return new PlanJob(
                        SETTINGS,
                        Objective.TOKENS,
                        Gate.nothing(SETTINGS.gate()),
                        members,
                        settled,
                        List.of(load(0), load(1)),
                        Duration.ofSeconds(1),
                        order.towards(),
                        Conservation.Answer.YES,
                        constraints)
                .verdict(request -> random(request, seed));
    }

    private ExpertLoad load(long window) {
        return ExpertLoad.none(
                window, members.shape().layers(), 1, members.shape().experts());
    }

    private static Plan random(PlanRequest request, long seed) {
        return RANDOM.plan(new PlanRequest(
                request.windows(),
                request.settled(),
                request.shape(),
                request.topology(),
                request.budget(),
                request.prices(),
                request.objective(),
                request.idleSlots(),
                request.parts(),
                seed));
    }
}
