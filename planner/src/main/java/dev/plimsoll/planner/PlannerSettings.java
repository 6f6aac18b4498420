package dev.plimsoll.planner;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.MovePrices;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Policy;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How the planner decides.
 *
 * @param policy name of a {@link Policy}
 * @param historyWindows most complete windows that are kept to plan from: one more than the forecast looks back on, or the plan without
 *     the newest is never the one of the window before; a successor reads them again, so they hold the
 *     partition's offset back
 * @param cooldownWindows complete windows that must pass after a decision has ended before the next is made
 * @param budget what the moves of one decision may take together
 * @param prices what a move costs a policy, by where its weights come from
 * @param gate when a change pays
 * @param acceptWithin least time for all ranks to accept a proposal; they have more where their boundaries are longer
 * @param progressWithin least time between a permit and the first flip, and from flip to flip
 * @param abortWithin least time for all ranks to say how far they got after an abort
 * @param lookBack how far back recovery reads summaries: a successor sees no more windows than closed within it
 * @param planThreads threads that plan layers side by side
 * @param planWithin time to plan after a window, all layers, with and without that window; what takes longer is given up
 * @param seed of policies that draw by chance
 * @param objective what is to be even
 * @param profile what experts take on the ranks' devices; empty where nobody says
 * @param experience whether the gate learns from what earlier decisions have brought
 * @param acceptBoundaries boundaries for all ranks to accept a proposal; empty as memberships say
 * @param progressBoundaries boundaries until the next flip, or until all ranks have stopped; empty as memberships say
 * @param rollback whether a decision is taken back that has made it worse
 * @param approval whether a person has to approve of what is decided
 */
public record PlannerSettings(
        String policy,
        int historyWindows,
        int cooldownWindows,
        Budget budget,
        MovePrices prices,
        Gate.Settings gate,
        Duration acceptWithin,
        Duration progressWithin,
        Duration abortWithin,
        Duration lookBack,
        int planThreads,
        Duration planWithin,
        long seed,
        ObjectiveChoice objective,
        Optional<ProfileChoice> profile,
        boolean experience,
        OptionalInt acceptBoundaries,
        OptionalInt progressBoundaries,
        boolean rollback,
        ApprovalChoice approval) {
    /**
     * What {@code plimsoll up} starts with; tuned on the trace and workloads that {@code PlanningNumbersTest} reads.
     *
     * <p>Moves have 1.75 times the price that policies are scored with, and the gate asks for little: as served, the last moves of a plan
     * bring the least, and a decision that is small is no loss where it moves little. {@code docs/planner.md} has the numbers beside
     * those of price 1 with gains of 1 % and 0.5 %. Improvements that are not taken are not lost, as each window's plan starts from
     * the settled placement and has them all again.
     */
    public static final PlannerSettings DEFAULTS = new PlannerSettings(
            "plimsoll",
            25,
            1,
            Budget.UNLIMITED,
            new MovePrices(1.75, 1.75),
            new Gate.Settings(0.005, 0.0025, 20, 0.5, 10e9, Duration.ofMillis(1)),
            Duration.ofSeconds(15),
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            Duration.ofHours(1),
            Runtime.getRuntime().availableProcessors(),
            Duration.ofSeconds(5),
            0);

    /** Settings with deadlines as memberships say. */
    public PlannerSettings(
            String policy,
            int historyWindows,
            int cooldownWindows,
            Budget budget,
            MovePrices prices,
            Gate.Settings gate,
            Duration acceptWithin,
            Duration progressWithin,
            Duration abortWithin,
            Duration lookBack,
            int planThreads,
            Duration planWithin,
            long seed,
            ObjectiveChoice objective,
            Optional<ProfileChoice> profile,
            boolean experience) {
        this(
                policy,
                historyWindows,
                cooldownWindows,
                budget,
                prices,
                gate,
                acceptWithin,
                progressWithin,
                abortWithin,
                lookBack,
                planThreads,
                planWithin,
                seed,
                objective,
                profile,
                experience,
                OptionalInt.empty(),
                OptionalInt.empty(),
                true,
                ApprovalChoice.NONE);
    }

    /** Settings without a device profile. */
    public PlannerSettings(
            String policy,
            int historyWindows,
            int cooldownWindows,
            Budget budget,
            MovePrices prices,
            Gate.Settings gate,
            Duration acceptWithin,
            Duration progressWithin,
            Duration abortWithin,
            Duration lookBack,
            int planThreads,
            Duration planWithin,
            long seed) {
        this(
                policy,
                historyWindows,
                cooldownWindows,
                budget,
                prices,
                gate,
                acceptWithin,
                progressWithin,
                abortWithin,
                lookBack,
                planThreads,
                planWithin,
                seed,
                ObjectiveChoice.AUTO,
                Optional.empty(),
                true);
    }

    public PlannerSettings {
        Policy.named(policy);
        if (objective == ObjectiveChoice.TIME && profile.isEmpty()) {
            throw new IllegalArgumentException("to plan by time a device profile is needed: there is none");
        }
        if (historyWindows < 2) {
            throw new IllegalArgumentException(
                    "a history of " + historyWindows + " windows has none to plan from beside the newest");
        }
        if (historyWindows > WindowJoin.MOST_OPEN) {
            throw new IllegalArgumentException("a successor can put together the last " + WindowJoin.MOST_OPEN
                    + " windows, fewer than a history of " + historyWindows);
        }
        if (cooldownWindows < 0) {
            throw new IllegalArgumentException("cooldown must be at least 0: " + cooldownWindows);
        }
        if (planThreads < 1) {
            throw new IllegalArgumentException("plans need at least one thread, not " + planThreads);
        }
        if (planWithin.isNegative() || planWithin.isZero()) {
            throw new IllegalArgumentException("plans need some time: " + planWithin);
        }
    }

    /** What the deployment is planned by. Making it takes some milliseconds: once is enough. */
    public Objective objectiveFor(Membership members) {
        return objective == ObjectiveChoice.TOKENS || profile.isEmpty()
                ? Objective.TOKENS
                : Objective.time(profile.orElseThrow().of(members.shape(), members.bytesPerExpert()));
    }

    /** These settings by another objective, with another device profile. */
    public PlannerSettings withObjective(ObjectiveChoice other, Optional<ProfileChoice> of) {
        return new PlannerSettings(
                policy,
                historyWindows,
                cooldownWindows,
                budget,
                prices,
                gate,
                acceptWithin,
                progressWithin,
                abortWithin,
                lookBack,
                planThreads,
                planWithin,
                seed,
                other,
                of,
                experience,
                acceptBoundaries,
                progressBoundaries,
                rollback,
                approval);
    }

    /** These settings with other limits. */
    public PlannerSettings within(Budget limits, MovePrices moves) {
        return with(policy, limits, moves, planThreads);
    }

    /** These settings with another policy. */
    public PlannerSettings withPolicy(String name) {
        return with(name, budget, prices, planThreads);
    }

    /** These settings with another number of planning threads. */
    public PlannerSettings withPlanThreads(int threads) {
        return with(policy, budget, prices, threads);
    }

    /** These settings with other deadlines than memberships say, where they are given. */
    public PlannerSettings withBoundaries(OptionalInt accept, OptionalInt progress) {
        return with(accept, progress, rollback, approval);
    }

    /** These settings, taking back what has made it worse or not. */
    public PlannerSettings withRollback(boolean takesBack) {
        return with(acceptBoundaries, progressBoundaries, takesBack, approval);
    }

    /** These settings with another say of people. */
    public PlannerSettings withApproval(ApprovalChoice other) {
        return with(acceptBoundaries, progressBoundaries, rollback, other);
    }

    /** These settings with as much time for ranks and for plans: for those who do not decide by a clock. */
    PlannerSettings within(Duration time) {
        return new PlannerSettings(
                policy,
                historyWindows,
                cooldownWindows,
                budget,
                prices,
                gate,
                time,
                time,
                time,
                lookBack,
                planThreads,
                time,
                seed,
                objective,
                profile,
                experience,
                acceptBoundaries,
                progressBoundaries,
                rollback,
                approval);
    }

    private PlannerSettings with(String name, Budget limits, MovePrices moves, int threads) {
        return new PlannerSettings(
                name,
                historyWindows,
                cooldownWindows,
                limits,
                moves,
                gate,
                acceptWithin,
                progressWithin,
                abortWithin,
                lookBack,
                threads,
                planWithin,
                seed,
                objective,
                profile,
                experience,
                acceptBoundaries,
                progressBoundaries,
                rollback,
                approval);
    }

    private PlannerSettings with(OptionalInt accept, OptionalInt progress, boolean takesBack, ApprovalChoice people) {
        return new PlannerSettings(
                policy,
                historyWindows,
                cooldownWindows,
                budget,
                prices,
                gate,
                acceptWithin,
                progressWithin,
                abortWithin,
                lookBack,
                planThreads,
                planWithin,
                seed,
                objective,
                profile,
                experience,
                accept,
                progress,
                takesBack,
                people);
    }
}
