package dev.plimsoll.model;

/**
 * The settled expert of every slot of one layer: what a compacted topic keeps.
 *
 * @param version version of the whole placement
 * @param placementHash {@link Placement#hash()} of the whole placement: layers of one version belong together
 * @param experts {@code [slot]}
 */
public record SettledPlacement(
        Deployment deployment,
        long incarnation,
        int version,
        int layer,
        int layers,
        long placementHash,
        LongVector experts) {
    public SettledPlacement {
        if (version < 0 || layer < 0 || layer >= layers || experts.size() == 0 || experts.anyNegative()) {
            throw new IllegalArgumentException("settled placement v" + version + " layer " + layer + " of " + layers
                    + " with " + experts.size() + " slots");
        }
    }

    /** One line for people. */
    public String summary() {
        return "v" + version + " layer " + layer + ": " + experts.size() + " slots";
    }
}
