package dev.plimsoll.worker.explorer;

/** What a world holds of each rank: numbers, where a larger thing stands for itself in a {@link Table}. */
enum OfRank {
    /** The state of its machine. */
    WORDS,
    /** {@code [layer and slot]} expert, its complement where the slot is idle. */
    MAP,
    STAGING,
    /** Its vote of the boundary before, as the others got it; 0 for none. */
    GATHERED,
    /** Its vote of this boundary; 0 for none. */
    CASTING,
    /** Commands of the log that it has heard of. */
    READ,
    /** The acks that its node has written. */
    SAID,
    /** Epoch and batch of the exchange that is under way; 0 for none. */
    MOVING,
    /** 1 while staging memory that was freed is still touched. */
    TOUCHED,
    /** Epoch and batch of the last exchange that it has started. */
    STARTED,
    STARTED_NOW,
    /** {@link World#MOVES}, {@link World#BALANCES}, {@link World#CHANGED}. */
    ENGINE,
    /** 1 where layers may have changed one by one since the boundary before. */
    FLUX,
    /** Which weights its slots hold: 0, or 1 once its engine has loaded others in place. */
    GENERATION,
    /** 1 while its engine asks whether it may. */
    RELOADS,
    /** Batches of each epoch that it has flipped, four bits each from epoch 1 on. */
    FLIPPED,
    /** 1 where its mailbox is broken. */
    DEAF,
    /** 1 where it runs no further step: crashed, or fatal. */
    GONE
}
