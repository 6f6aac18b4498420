package dev.plimsoll.app.chaos;

/** How far a decision has come, as the plan log and the acks tell; a fault of decisions strikes when one of these is seen. */
enum DecisionPhase {
    PROPOSED("after PROPOSE"),
    /** One rank has said so. */
    ACCEPTED("after the first ACCEPTED"),
    PERMITTED("after PERMIT"),
    /** A batch is flipped and another is to come. */
    BETWEEN_BATCHES("between batches"),
    /** One rank has flipped the last batch. */
    ALL_FLIPPED("before SETTLED"),
    ABORTING("while ABORTING");

    private final String words;

    DecisionPhase(String words) {
        this.words = words;
    }

    @Override
    public String toString() {
        return words;
    }
}
