package dev.plimsoll.model;

/**
 * Load of a block of ranks and layers, summed over a range of steps, under one placement state.
 *
 * @param emitter who sent it, for people
 * @param firstRank ranks {@code [firstRank, firstRank + ranks)} are covered
 * @param firstLayer layers {@code [firstLayer, firstLayer + layers)} are covered
 * @param state the placement state that all steps of the range ran under
 * @param mixed whether the range spans a flip, so that {@code state} holds for its end only; such a sample belongs to no window
 * @param routed {@code [layer]} assignments (tokens × top-k) that the routers of these ranks made, to slots of any rank; empty
 *     where the engine does not know
 * @param load {@code [rank][layer][slot]} flattened, tokens computed; differences, not totals
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
        Counters load)
        implements SampleRecord {
    public LoadSample {
        if (firstRank < 0 || ranks < 1 || firstLayer < 0 || layers < 1 || slotsPerRank < 1) {
            throw new IllegalArgumentException("sample covers nothing: ranks " + firstRank + "+" + ranks + ", layers "
                    + firstLayer + "+" + layers + ", slots " + slotsPerRank);
        }
        // Step by step, as the product of all three may come round to a small number.
        if ((long) ranks * layers > load.size() || (long) ranks * layers * slotsPerRank != load.size()) {
            throw new IllegalArgumentException("load has " + load.size() + " counters, its layout says " + ranks + " × "
                    + layers + " × " + slotsPerRank);
        }
        if (routed.size() != 0 && routed.size() != layers) {
            throw new IllegalArgumentException("routed has " + routed.size() + " layers, the sample " + layers);
        }
        if (load.bits() < 0 || routed.anyNegative()) {
            throw new IllegalArgumentException("a sample's counters must not be negative");
        }
    }

    /** Load of one slot; rank and layer count from the block's first, the slot from the rank's first. */
    public long load(int rank, int layer, int slot) {
        return load.at((rank * layers + layer) * slotsPerRank + slot);
    }
}
