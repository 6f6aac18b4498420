package dev.plimsoll.replay.score.time;

/** What a number of tokens is counted for. */
public enum Batch {
    /** A step: requests that run side by side. */
    STEP("tokensPerStep", "tokens a step"),
    /** A slot and step, on average: picks, of which a token has as many as the router makes. */
    SLOT("tokensPerSlot", "tokens a slot and step"),
    /** An expert and step, on average: the same whatever the redundancy. */
    EXPERT("tokensPerExpert", "tokens an expert and step");

    final String key;
    final String words;

    Batch(String key, String words) {
        this.key = key;
        this.words = words;
    }
}
