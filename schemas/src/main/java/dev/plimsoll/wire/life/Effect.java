package dev.plimsoll.wire.life;

/** What has to be done for a partition, in the order in which a {@link Step} has it. */
public enum Effect {
    /** Fence the predecessor (where there can be one, or {@link PartitionLife#mustFence} says so) and look at the log. */
    TAKE_OVER,
    /** Make a task from what is committed. */
    RECOVER,
    /** Read the input from where the task wants to go on. */
    RUN,
    /** Stop reading the input; throw task and writer away. */
    DROP,
    /** Throw the writer away that has just been brought: nobody waits for it any more. */
    DISCARD,
    /** Wait for a moment, longer each time, then say {@link Event.Due}. */
    WAIT,
    /** Wait for minutes, then say {@link Event.Due}. */
    WAIT_LONG,
    /** Tell that a task was dropped. */
    TELL_RESET,
    /** Tell that somebody should look. */
    TELL_QUARANTINED
}
