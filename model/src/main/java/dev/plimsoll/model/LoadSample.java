package dev.plimsoll.model;

/**
 * Load of a block of ranks and layers, summed over a range of steps, under one placement state.
 *
 * @param emitter who sent it, for people
 * @param firstRank ranks {@code [firstRank, firstRank + ranks)} are covered
 * @param firstLayer layers {@code [firstLayer, firstLayer + layers)} are covered
 * @param slotsPerRank counters that a rank has in a layer: of its own slots, or of the slots of all ranks where the kind is
 *     {@link LoadKind#ROUTED_TO}
 * @param state the placement state that all steps of the range ran under
 * @param mixed whether the range spans a flip, so that {@code state} holds for its end only; such a sample belongs to no window
 * @param routed {@code [layer]} assignments (tokens × top-k) that the routers of these ranks made, to slots of any rank; empty
 *     where the engine does not know
 * @param elapsedNanos {@code [rank]} what the steps took on the rank's dispatch thread, from boundary to boundary, without stretches where
 *     no step ran; empty where a rank does not say, and in a sample without the first layer, so that nothing counts twice
 * @param idleNanos {@code [rank]} stretches between these boundaries where no step ran; empty where {@code elapsedNanos} is
 * @param kind {@link LoadKind#COMPUTED}, or {@link LoadKind#ROUTED_TO}: what the routers of these ranks sent, which is what was computed
 *     when it is summed over all ranks
 * @param load {@code [rank][layer][slot]} flattened, tokens; differences, not totals
 */
public record LoadSample(
        Deployment deployment,
        long incarnation,
        StepRange steps,
        Phase phase,
        String emitter,
        int firstRank,
        int ranks,
        int firstLayer,
        int layers,
        int slotsPerRank,
        PlacementState state,
        boolean mixed,
        LongVector routed,
        LongVector elapsedNanos,
        LongVector idleNanos,
        LoadKind kind,
        Counters load)
        implements SampleRecord {
    /** Of tokens computed. */
    public LoadSample(
            Deployment deployment,
            long incarnation,
            StepRange steps,
            Phase phase,
            String emitter,
            int firstRank,
            int ranks,
            int firstLayer,
            int layers,
            int slotsPerRank,
            PlacementState state,
            boolean mixed,
            LongVector routed,
            LongVector elapsedNanos,
            LongVector idleNanos,
            Counters load) {
        this(
                deployment,
                incarnation,
                steps,
                phase,
                emitter,
                firstRank,
                ranks,
                firstLayer,
                layers,
                slotsPerRank,
                state,
                mixed,
                routed,
                elapsedNanos,
                idleNanos,
                LoadKind.COMPUTED,
                load);
    }

    /** The same of ranks that do not say how long their steps took. */
    public LoadSample(
            Deployment deployment,
            long incarnation,
            StepRange steps,
            Phase phase,
            String emitter,
            int firstRank,
            int ranks,
            int firstLayer,
            int layers,
            int slotsPerRank,
            PlacementState state,
            boolean mixed,
            LongVector routed,
            Counters load) {
        this(
                deployment,
                incarnation,
                steps,
                phase,
                emitter,
                firstRank,
                ranks,
                firstLayer,
                layers,
                slotsPerRank,
                state,
                mixed,
                routed,
                LongVector.empty(),
                LongVector.empty(),
                load);
    }

    public LoadSample {
        if (firstRank < 0 || ranks < 1 || firstLayer < 0 || layers < 1 || slotsPerRank < 1) {
            throw new IllegalArgumentException("sample covers nothing: ranks " + firstRank + "+" + ranks + ", layers "
                    + firstLayer + "+" + layers + ", slots " + slotsPerRank);
        }
        if (kind == LoadKind.REPLICATED) {
            throw new IllegalArgumentException("a rank's own columns of what all ranks route are tokens computed");
        }
        // Step by step, as the product of all three may come round to a small number.
        if ((long) ranks * layers > load.size() || (long) ranks * layers * slotsPerRank != load.size()) {
            throw new IllegalArgumentException("load has " + load.size() + " counters, its layout says " + ranks + " × "
                    + layers + " × " + slotsPerRank);
        }
        if (routed.size() != 0 && routed.size() != layers) {
            throw new IllegalArgumentException("routed has " + routed.size() + " layers, the sample " + layers);
        }
        if (elapsedNanos.size() != idleNanos.size() || (elapsedNanos.size() != 0 && elapsedNanos.size() != ranks)) {
            throw new IllegalArgumentException(
                    "times of " + elapsedNanos.size() + " and " + idleNanos.size() + " ranks in a sample of " + ranks);
        }
        if (elapsedNanos.size() != 0 && firstLayer != 0) {
            throw new IllegalArgumentException(
                    "times belong to the sample with the first layer, not to that from " + firstLayer);
        }
        if (elapsedNanos.anyNegative() || idleNanos.anyNegative()) {
            throw new IllegalArgumentException("a sample's times must not be negative");
        }
        if (load.bits() < 0 || routed.anyNegative()) {
            throw new IllegalArgumentException("a sample's counters must not be negative");
        }
    }

    /** Load of one slot; rank and layer count from the block's first, the slot from the rank's first. */
    public long load(int rank, int layer, int slot) {
        return load.at((rank * layers + layer) * slotsPerRank + slot);
    }

    /** Whether it says how long its steps took. */
    public boolean timed() {
        return elapsedNanos.size() != 0;
    }
}
