package dev.plimsoll.app.chaos;

/** What an incarnation of the ranks starts with when the one before has lost somebody. */
enum RankStart {
    /** All ranks, and the placement of the first day. */
    INITIAL("all ranks with the first placement"),
    /** As many ranks as before, with what they had settled. */
    SETTLED("as many ranks with what was settled"),
    /** Those that are left, with what they hold and what the others held; or, where ranks are missing already, these join. */
    OTHER_RANKS("other ranks with what was settled");

    private final String words;

    RankStart(String words) {
        this.words = words;
    }

    @Override
    public String toString() {
        return words;
    }
}
