package dev.plimsoll.model;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What came of comparing, layer by layer, the tokens that the slots computed with those that the routers sent: tokens × top-k on both
 * sides.
 *
 * @param answer whether they are equal
 * @param violations the first layers in which they are not, at most {@link #MOST_VIOLATIONS}; some when the answer is {@link Answer#NO}
 *     by a release that names them
 */
public record Conservation(Answer answer, List<Violation> violations) {
    /** How many layers are named. */
    public static final int MOST_VIOLATIONS = 16;

    /** Whether all tokens were computed that were sent. */
    public enum Answer {
        /** Something was not compared: the engine does not say what its routers sent, or not everything came. */
        UNKNOWN,
        /** All of it was compared, and was equal. */
        YES,
        /** Some layer computed more than was sent, or less. */
        NO
    }

    /**
     * A layer that does not close.
     *
     * @param computed tokens that its slots counted, in the steps that were compared
     * @param routed tokens × top-k that the routers sent in them
     */
    public record Violation(int layer, long computed, long routed) {
        @Override
        public String toString() {
            return "layer " + layer + ": " + computed + " computed, " + routed + " routed × top-k";
        }
    }

    public static final Conservation UNKNOWN = new Conservation(Answer.UNKNOWN, List.of());
    public static final Conservation YES = new Conservation(Answer.YES, List.of());

    public Conservation {
        violations = List.copyOf(violations);
        if (answer != Answer.NO && !violations.isEmpty()) {
            throw new IllegalArgumentException("conserved " + answer + ", and yet not: " + violations);
        }
    }

    /** Not conserved in these layers. */
    public static Conservation violated(List<Violation> layers) {
        return new Conservation(Answer.NO, layers.subList(0, Math.min(layers.size(), MOST_VIOLATIONS)));
    }

    public boolean violated() {
        return answer == Answer.NO;
    }

    /** Says which layers, with their numbers. */
    @Override
    public String toString() {
        return switch (answer) {
            case YES -> "conserved";
            case UNKNOWN -> "conservation unknown";
            case NO ->
                violations.isEmpty()
                        ? "NOT CONSERVED"
                        : "NOT CONSERVED in "
                                + violations.stream().map(Violation::toString).collect(Collectors.joining("; "));
        };
    }
}
