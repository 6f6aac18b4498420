package dev.plimsoll.app.command;

import dev.plimsoll.planner.ApprovalChoice;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.MovePrices;
import dev.plimsoll.planner.placement.Policy;
import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How placements are made, what one decision may take, what moves cost, and how many threads plan. */
final class PlanningOptions {
    @Option(
            names = "--policy",
            paramLabel = "NAME",
            defaultValue = "plimsoll",
            description =
                    "How placements are made: plimsoll, deepseek, deepseek-hierarchical, swift, flashlb, random, or"
                            + " static, which never moves (default: ${DEFAULT-VALUE}).")
    private String policy = "plimsoll";

    @Option(
            names = "--max-moves",
            paramLabel = "N",
            description = "Most slots that one decision gives another expert (default: no limit).")
    private int moves = Budget.UNLIMITED.moves();

    @Option(
            names = "--max-bytes",
            paramLabel = "BYTES",
            description =
                    "Most bytes of weights that one decision brings to ranks, copies within a rank too (default: no"
                            + " limit).")
    private long bytes = Budget.UNLIMITED.bytes();

    @Option(
            names = "--max-layers",
            paramLabel = "N",
            description = "Most layers that one decision touches (default: no limit).")
    private int layers = Budget.UNLIMITED.layers();

    @Option(
            names = "--other-node-price",
            paramLabel = "PRICE",
            description =
                    "What a move from another node costs where one within a node costs 1 (default: 1.0, the same).")
    private double otherNodePrice = MovePrices.EQUAL.otherNode();

    @Option(
            names = "--plan-threads",
            paramLabel = "N",
            description =
                    "Threads that plan layers side by side; plans do not depend on it (default: one per processor).")
    private int threads = PlannerSettings.DEFAULTS.planThreads();

    @Option(
            names = "--accept-boundaries",
            paramLabel = "N",
            description = "Boundaries that all ranks have to accept a decision (default: as memberships say, else 60).")
    @Nullable
    private Integer accept;

    @Option(
            names = "--progress-boundaries",
            paramLabel = "N",
            description = "Boundaries that ranks have to flip the next batch, or to stop (default: as memberships say,"
                    + " else 200).")
    @Nullable
    private Integer progress;

    @Option(
            names = "--rollback",
            paramLabel = "WHEN",
            defaultValue = "worse",
            description =
                    "Whether a decision is taken back by itself: worse, once windows have shown that it is worse than"
                            + " what was before by more than their noise, or never (default: ${DEFAULT-VALUE}).")
    private String rollback = "worse";

    /** Whether people have a say in each decision. */
    enum Say {
        NONE,
        REQUIRED
    }

    @Option(
            names = "--approval",
            paramLabel = "none|required",
            defaultValue = "none",
            description = "Whether each decision of the planner's own waits until somebody approves of it (default:"
                    + " ${DEFAULT-VALUE}).")
    private Say approval = Say.NONE;

    @Option(
            names = "--approve-within",
            paramLabel = "TIME",
            defaultValue = "30m",
            description =
                    "How long a decision waits for that, by the clock, until it is aborted, such as 30m, 12h or an ISO"
                            + " duration (default: ${DEFAULT-VALUE}).")
    private Duration approveWithin = ApprovalChoice.NONE.within();

    void check(Problems problems) {
        problems.require(
                !approveWithin.isNegative() && !approveWithin.isZero(),
                "--approve-within must be some time, not " + approveWithin);
        problems.require(
                rollback.equals("worse") || rollback.equals("never"),
                "--rollback must be worse or never, not " + rollback);
        problems.require(accept == null || accept >= 1, "--accept-boundaries must be at least 1, not " + accept);
        problems.require(
                progress == null || progress >= 1, "--progress-boundaries must be at least 1, not " + progress);
        problems.require(moves >= 1, "--max-moves must be at least 1, not " + moves);
        problems.require(bytes >= 1, "--max-bytes must be at least 1, not " + bytes);
        problems.require(layers >= 1, "--max-layers must be at least 1, not " + layers);
        problems.require(threads >= 1, "--plan-threads must be at least 1, not " + threads);
        problems.require(
                otherNodePrice >= 1 && otherNodePrice < Double.POSITIVE_INFINITY,
                "--other-node-price must be a number of at least 1, not " + otherNodePrice);
        try {
            Policy.named(policy);
        } catch (IllegalArgumentException e) {
            problems.add("--policy: ", e);
        }
    }

    /** The settings, with this policy and these limits. */
    PlannerSettings limit(PlannerSettings settings) {
        return settings.withPolicy(policy)
                .within(new Budget(moves, bytes, layers, Integer.MAX_VALUE), new MovePrices(1, otherNodePrice))
                .withPlanThreads(threads)
                .withBoundaries(optional(accept), optional(progress))
                .withRollback(rollback.equals("worse"))
                .withApproval(new ApprovalChoice(approval == Say.REQUIRED, approveWithin));
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }
}
