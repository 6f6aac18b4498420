package dev.plimsoll.model;

import java.util.List;
import java.util.Optional;

/**
 * What a person reads of one window, and the sign that all its {@link LoadWindow} records are there.
 *
 * @param previousIndex index of the window closed before in this incarnation, -1 for the first: the chain has no gaps
 * @param expected cells (rank, boundary interval) that a complete window has per rank
 * @param present {@code [rank]} cells that this window has; a sample over several boundary intervals counts as many
 * @param balance measured balancedness of the window's sums
 * @param states the placement states of the segments, in order
 * @param tokens tokens that the routers saw, per layer on average; 0 where the engine does not know
 * @param conservation whether in every layer tokens computed equal tokens routed × top-k
 * @param accepted load in the window, over all layers
 * @param unattributed load of samples that spanned a border or a flip, since the window before
 * @param late samples behind the first open window, since the window before
 * @param duplicates cells that were there already, and equal, since the window before
 * @param conflicts cells that were there already with other values (the first one counts), since the window before
 * @param rejected records that could not be used, since the window before
 * @param partition partition of the samples topic
 * @param closingOffset offset of the record that closed the window
 * @param closedAtMillis append time of that record
 * @param summary one line
 * @param stepTime how long the steps took; empty where no rank says
 */
public record WindowSummary(
        Deployment deployment,
        long incarnation,
        Phase phase,
        long index,
        long previousIndex,
        StepRange steps,
        CloseReason reason,
        int expected,
        LongVector present,
        Balance balance,
        List<PlacementState> states,
        long tokens,
        Conservation conservation,
        long accepted,
        long unattributed,
        long late,
        long duplicates,
        long conflicts,
        long rejected,
        int partition,
        long closingOffset,
        long closedAtMillis,
        String summary,
        Optional<StepTime> stepTime) {
    /** Of a window whose steps nobody timed. */
    public WindowSummary(
            Deployment deployment,
            long incarnation,
            Phase phase,
            long index,
            long previousIndex,
            StepRange steps,
            CloseReason reason,
            int expected,
            LongVector present,
            Balance balance,
            List<PlacementState> states,
            long tokens,
            Conservation conservation,
            long accepted,
            long unattributed,
            long late,
            long duplicates,
            long conflicts,
            long rejected,
            int partition,
            long closingOffset,
            long closedAtMillis,
            String summary) {
        this(
                deployment,
                incarnation,
                phase,
                index,
                previousIndex,
                steps,
                reason,
                expected,
                present,
                balance,
                states,
                tokens,
                conservation,
                accepted,
                unattributed,
                late,
                duplicates,
                conflicts,
                rejected,
                partition,
                closingOffset,
                closedAtMillis,
                summary,
                Optional.empty());
    }

    public WindowSummary {
        states = List.copyOf(states);
        if (previousIndex >= index) {
            throw new IllegalArgumentException("window " + index + " cannot follow window " + previousIndex);
        }
        if (reason == CloseReason.COMPLETE && completeness(expected, present) < 1) {
            throw new IllegalArgumentException("window " + index + " is not complete: " + present + " of " + expected);
        }
    }

    public boolean complete() {
        return reason == CloseReason.COMPLETE;
    }

    /** Whether it says what the load was: all of it came, and no layer is known to have computed other tokens than were sent. */
    public boolean sound() {
        return complete() && !conservation.violated();
    }

    /** K: steps from boundary to boundary. */
    public int boundarySteps() {
        return (int) (steps.length() / expected);
    }

    /** Cells present ÷ cells expected, over all ranks. */
    public double completeness() {
        return completeness(expected, present);
    }

    private static double completeness(int expected, LongVector present) {
        return present.size() == 0 ? 0 : (double) present.sum() / ((double) expected * present.size());
    }
}
