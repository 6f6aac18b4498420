package dev.plimsoll.model;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A command of the plan log: written by the one planner that owns the deployment, read by the worker beside every rank,
 * kept as the audit log.
 *
 * <p>{@code epoch} numbers decisions of a deployment and only grows; when a decision settles, its epoch is the version of the
 * placement.
 */
public sealed interface PlanCommand {
    PlanHeader header();

    /** One line for people. */
    String summary();

    /**
     * A planner begins its term: the first thing it writes, before it may change anything.
     *
     * @param planner who it is, for people
     * @param settings all that its decisions depend on besides the windows, as text; empty where it does not say
     */
    record Term(PlanHeader header, String planner, String settings) implements PlanCommand {
        /** Of a planner that does not say how it decides. */
        public Term(PlanHeader header, String planner) {
            this(header, planner, "");
        }

        @Override
        public String summary() {
            return "TERM " + header.term() + " by " + planner;
        }
    }

    /**
     * A change of placement, offered to the ranks.
     *
     * @param basedOn the settled version that the moves start from
     * @param planHash {@link PlanHash#of} of the whole result, with version {@code epoch}, and the batches
     * @param windowIndex the newest window that the plan used
     * @param currentBalancedness mean balancedness of that window as it was measured
     * @param predictedBalancedness mean balancedness that is expected of the windows to come: that of the newest window under what
     *     the policy would have decided without it
     * @param reason why this pays, one line
     * @param reasons why these moves and no others, layer by layer; ranks do not look at it
     * @param inputs what it was planned from, for whoever wants to plan it again; empty where the planner does not say
     * @param step what it promises in time; empty where no device profile is known
     * @param origin who asked for it, and whether a person has to approve of it
     */
    record Propose(
            PlanHeader header,
            int epoch,
            int basedOn,
            long planHash,
            List<Batch> batches,
            long windowIndex,
            double currentBalancedness,
            double predictedBalancedness,
            String policy,
            String reason,
            PlanReasons reasons,
            Optional<PlanInputs> inputs,
            Optional<StepPromise> step,
            Origin origin)
            implements PlanCommand {
        public Propose {
            batches = List.copyOf(batches);
            reasons.requireFor(batches);
            requireEpoch(epoch);
            if (batches.isEmpty()) {
                throw new IllegalArgumentException("decision " + epoch + " moves nothing");
            }
        }

        /** A decision of the planner's own that nobody needs to approve of. */
        public Propose(
                PlanHeader header,
                int epoch,
                int basedOn,
                long planHash,
                List<Batch> batches,
                long windowIndex,
                double currentBalancedness,
                double predictedBalancedness,
                String policy,
                String reason,
                PlanReasons reasons,
                Optional<PlanInputs> inputs,
                Optional<StepPromise> step) {
            this(
                    header,
                    epoch,
                    basedOn,
                    planHash,
                    batches,
                    windowIndex,
                    currentBalancedness,
                    predictedBalancedness,
                    policy,
                    reason,
                    reasons,
                    inputs,
                    step,
                    Origin.PLANNER);
        }

        /** A decision of a planner that promises no time. */
        public Propose(
                PlanHeader header,
                int epoch,
                int basedOn,
                long planHash,
                List<Batch> batches,
                long windowIndex,
                double currentBalancedness,
                double predictedBalancedness,
                String policy,
                String reason,
                PlanReasons reasons,
                Optional<PlanInputs> inputs) {
            this(
                    header,
                    epoch,
                    basedOn,
                    planHash,
                    batches,
                    windowIndex,
                    currentBalancedness,
                    predictedBalancedness,
                    policy,
                    reason,
                    reasons,
                    inputs,
                    Optional.empty());
        }

        /** A decision of a planner that does not say what it was planned from. */
        public Propose(
                PlanHeader header,
                int epoch,
                int basedOn,
                long planHash,
                List<Batch> batches,
                long windowIndex,
                double currentBalancedness,
                double predictedBalancedness,
                String policy,
                String reason,
                PlanReasons reasons) {
            this(
                    header,
                    epoch,
                    basedOn,
                    planHash,
                    batches,
                    windowIndex,
                    currentBalancedness,
                    predictedBalancedness,
                    policy,
                    reason,
                    reasons,
                    Optional.empty());
        }

        /** The same of a policy that does not say why it moves what it moves. */
        public Propose(
                PlanHeader header,
                int epoch,
                int basedOn,
                long planHash,
                List<Batch> batches,
                long windowIndex,
                double currentBalancedness,
                double predictedBalancedness,
                String policy,
                String reason) {
            this(
                    header,
                    epoch,
                    basedOn,
                    planHash,
                    batches,
                    windowIndex,
                    currentBalancedness,
                    predictedBalancedness,
                    policy,
                    reason,
                    PlanReasons.NONE);
        }

        /** All moves, in plan order. */
        public List<Move> moves() {
            return batches.stream().flatMap(batch -> batch.moves().stream()).toList();
        }

        /** Slots that come into use or fall idle, over all batches. */
        public int switches() {
            return batches.stream().mapToInt(batch -> batch.switches().size()).sum();
        }

        @Override
        public String summary() {
            return String.format(
                    java.util.Locale.ROOT,
                    "PROPOSE %d on v%d: %d moves%s in %d batches, balancedness %.3f to %.3f; %s",
                    epoch,
                    basedOn,
                    moves().size(),
                    switches() == 0 ? "" : ", " + switches() + " switches",
                    batches.size(),
                    currentBalancedness,
                    predictedBalancedness,
                    reason);
        }
    }

    /** Leave to transfer and to flip: all ranks have accepted the same hash. */
    record Permit(PlanHeader header, int epoch, long planHash) implements PlanCommand {
        public Permit {
            requireEpoch(epoch);
        }

        @Override
        public String summary() {
            return "PERMIT " + epoch;
        }
    }

    /** Stop: nothing further of this decision is to be flipped. */
    record Abort(PlanHeader header, int epoch, String reason) implements PlanCommand {
        public Abort {
            requireEpoch(epoch);
        }

        @Override
        public String summary() {
            return "ABORT " + epoch + ": " + reason;
        }
    }

    /**
     * The end of a decision: its first {@code batchesFlipped} batches are the placement now, as version {@code epoch}.
     *
     * @param batchesFlipped at least 1
     * @param complete whether these are all of its batches
     * @param placementHash hash of the settled placement, with version {@code epoch}
     * @param lastWindow newest window that the planner had seen, from which its cooldown counts; empty where it has seen none or does not
     *     say
     * @param restartOffset offset in the plan log from which a reader understands all that follows in this deployment; empty where the
     *     planner does not say
     */
    record Settled(
            PlanHeader header,
            int epoch,
            int batchesFlipped,
            boolean complete,
            long placementHash,
            OptionalLong lastWindow,
            OptionalLong restartOffset)
            implements PlanCommand {
        /** Of a planner that does not say from where the log need be read. */
        public Settled(
                PlanHeader header,
                int epoch,
                int batchesFlipped,
                boolean complete,
                long placementHash,
                OptionalLong lastWindow) {
            this(header, epoch, batchesFlipped, complete, placementHash, lastWindow, OptionalLong.empty());
        }

        /** Of a planner that does not say which window it has seen either. */
        public Settled(PlanHeader header, int epoch, int batchesFlipped, boolean complete, long placementHash) {
            this(header, epoch, batchesFlipped, complete, placementHash, OptionalLong.empty());
        }

        public Settled {
            requireEpoch(epoch);
            if (batchesFlipped < 1) {
                throw new IllegalArgumentException(
                        "decision " + epoch + " settles with no batch flipped: that is VOID");
            }
        }

        @Override
        public String summary() {
            return "SETTLED " + epoch + (complete ? "" : " up to batch " + batchesFlipped);
        }
    }

    /**
     * The end of a decision of which nothing was flipped: the placement is what it was.
     *
     * @param lastWindow newest window that the planner had seen, from which its cooldown counts; empty where it has seen none or does not
     *     say
     * @param restartOffset offset in the plan log from which a reader understands all that follows in this deployment; empty where the
     *     planner does not say
     */
    record Void(PlanHeader header, int epoch, String reason, OptionalLong lastWindow, OptionalLong restartOffset)
            implements PlanCommand {
        /** Of a planner that does not say from where the log need be read. */
        public Void(PlanHeader header, int epoch, String reason, OptionalLong lastWindow) {
            this(header, epoch, reason, lastWindow, OptionalLong.empty());
        }

        /** Of a planner that does not say which window it has seen either. */
        public Void(PlanHeader header, int epoch, String reason) {
            this(header, epoch, reason, OptionalLong.empty());
        }

        public Void {
            requireEpoch(epoch);
        }

        @Override
        public String summary() {
            return "VOID " + epoch + ": " + reason;
        }
    }

    private static void requireEpoch(int epoch) {
        if (epoch < 1) {
            throw new IllegalArgumentException("epoch must be at least 1: " + epoch);
        }
    }
}
