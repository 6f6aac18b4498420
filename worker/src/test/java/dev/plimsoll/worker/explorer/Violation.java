package dev.plimsoll.worker.explorer;

/** An invariant that does not hold. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final String invariant;
    /** What happened in the step that broke it, where that was told. */
    private String told = "";

    Violation(String invariant, String message) {
        super(invariant + ": " + message);
        this.invariant = invariant;
    }

    String told() {
        return told;
    }

    Violation after(String step) {
        if (told.isEmpty()) {
            told = step;
        }
        return this;
    }
}
