package dev.plimsoll.model;

/**
 * The load of one layer over one window, under one placement state: the sum of samples, final and published once.
 *
 * @param index windows are numbered per incarnation; window i covers the steps {@code (i·W, (i+1)·W]}
 * @param segment 0, 1, 2… over the placement states that the window has seen; sums never mix states
 * @param state the state that the segment was measured under
 * @param firstSlot slots {@code [firstSlot, firstSlot + load.size())} are covered; 0 unless a wide layer was cut
 * @param load {@code [slot]} tokens computed
 * @param subWindows number of equal parts of the window, 1..16
 * @param firstSubWindow the first part that {@code subSums} has; all counters of those before are zero
 * @param subSums {@code [subWindow - firstSubWindow][slot]}; adds up to {@code load}, and parts behind it have zeros only
 */
public record LoadWindow(
        Deployment deployment,
        long incarnation,
        Phase phase,
        long index,
        StepRange steps,
        int layer,
        int segment,
        PlacementState state,
        int firstSlot,
        LongVector load,
        int subWindows,
        int firstSubWindow,
        SubWindowSums subSums,
        String summary) {
    public LoadWindow {
        if (index < 0 || layer < 0 || segment < 0 || firstSlot < 0) {
            throw new IllegalArgumentException("window " + index + " layer " + layer + " segment " + segment
                    + " first slot " + firstSlot + " must not be negative");
        }
        if (subWindows < 1
                || subWindows > SubWindowSums.MOST_PARTS
                || firstSubWindow < 0
                || subSums.parts() > subWindows - firstSubWindow
                || (subSums.parts() > 0 && subSums.slots() != load.size())) {
            throw new IllegalArgumentException(subWindows + " sub-windows of " + load.size() + " slots, those from "
                    + firstSubWindow + " on, cannot have sums of " + subSums.parts() + " × " + subSums.slots());
        }
        if (load.anyNegative()) {
            throw new IllegalArgumentException("a window's counters must not be negative");
        }
    }

    /** With counters of every part. */
    public LoadWindow(
            Deployment deployment,
            long incarnation,
            Phase phase,
            long index,
            StepRange steps,
            int layer,
            int segment,
            PlacementState state,
            int firstSlot,
            LongVector load,
            int subWindows,
            LongVector subLoad,
            String summary) {
        this(
                deployment,
                incarnation,
                phase,
                index,
                steps,
                layer,
                segment,
                state,
                firstSlot,
                load,
                subWindows,
                0,
                SubWindowSums.of(load, subWindows, subLoad),
                summary);
    }

    /** {@code [subWindow][slot]} of every part, flattened. */
    public LongVector subLoad() {
        long[] sums = subSums.toArray();
        long[] all = new long[subWindows * load.size()];
        System.arraycopy(sums, 0, all, firstSubWindow * load.size(), sums.length);
        return LongVector.wrapping(all);
    }
}
