package dev.plimsoll.wire.kafka;

/** What can go wrong in a simulation. Each kind has to happen in the build's seeds. */
enum SimFault {
    /** The process is killed before a call has an effect. */
    CRASH_BEFORE_CALL,
    /** The process is killed when a call has had its effect, before it knows. */
    CRASH_AFTER_CALL,
    /** The process is killed at any other moment. */
    CRASH,
    /** The process is asked to end. */
    STOP,
    /** The process stands still for a moment. */
    PAUSE,
    /** It stands still until its group has given it up. */
    ZOMBIE,
    /** It stands still until its transactions have been given up too. */
    ZOMBIE_BEYOND_TRANSACTION,
    /** A task stands still, while its process goes on, until the group has given it up. */
    STUCK_TASK,
    /** A request arrives late, or its answer does, within the time of the call. */
    DELAYED,
    /** A request arrives twice. */
    DUPLICATED,
    /** A call times out whose request never arrives. */
    TIMED_OUT_LOST,
    /** A call times out whose request has had its effect. */
    TIMED_OUT_DONE,
    /** A call times out whose request has its effect later. */
    TIMED_OUT_LATE,
    /** A commit times out and has happened, or happens. */
    COMMIT_TIMED_OUT_COMMITTED,
    /** A commit times out and never arrived. */
    COMMIT_TIMED_OUT_OPEN,
    /** The producer says that this transaction has to be aborted. */
    ABORTABLE,
    /** The producer says that it will not work any more. */
    BROKEN_PRODUCER,
    /** Rights are gone: the loop stops. */
    FORBIDDEN,
    /** A record is said to be too large. */
    TOO_LARGE,
    /** A poll fails and can be tried again. */
    POLL_RETRIABLE,
    /** A poll fails with something unheard of. */
    POLL_BROKEN,
    /** A position is not known in time. */
    POSITION_UNKNOWN,
    /** A question to the brokers is not answered. */
    QUESTION_UNANSWERED,
    /** The group shares its partitions anew though nobody has come or gone. */
    REBALANCE,
    /** The group has given a member up. */
    SESSION_EXPIRED,
    /** A commit of a member of an older generation was refused. */
    GENERATION_REFUSED,
    /** A producer was fenced while it worked. */
    FENCED,
    /** The brokers have ended a transaction that took too long. */
    TRANSACTION_TIMED_OUT,
    /** A commit's markers come late. */
    MARKERS_LATE,
    /** The committed offset was asked for while a commit was pending. */
    UNSTABLE_OFFSET,
    /** Retention takes what was committed from the log. */
    LOG_CUT,
    /** Retention takes what nobody has read. */
    LOG_CUT_AHEAD,
    /** Retention takes what was read of another topic, or more. */
    COMPANION_CUT,
    /** A position was below the log's start. */
    OUT_OF_RANGE,
    /** Transactions of others in the input, some aborted. */
    OTHERS_TRANSACTION,
    /** No broker answers for a while. */
    BROKERS_AWAY,
    /** A task throws. */
    TASK_THREW,
    /** A task throws an error of the machine. */
    TASK_BROKE,
    /** A record at which every task throws. */
    POISON,
    /** A record that cannot be read. */
    UNREADABLE,
    /** A record that stands in another partition than its deployment's. */
    MISPLACED
}
