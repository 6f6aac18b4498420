package dev.plimsoll.worker.explorer;

/** What a world holds once: numbers, where a larger thing stands for itself in a {@link Table}. */
enum Of {
    /** The rank whose boundary is next; at 0 the planner may act too. */
    TURN,
    /** The plan log as it was committed: the number of a {@link Log}. */
    LOG,
    /** The settled placement as it was kept in the same transactions. */
    KEPT,
    /** The state of the planner that holds the fence, 0 where none lives. */
    PLANNER,
    /** The state of one that was fenced and has not noticed, 0 where there is none. */
    ZOMBIE,
    /** The log that a planner which is taking over has read already, plus 1; 0 where it reads all after the fence, as it has to. */
    READ_BEFORE,
    /** The same of the control log. */
    CONTROL_READ_BEFORE,
    /** Which life of the deployment the ranks are in: 0 or 1. */
    LIFE,
    WEIGHTS,
    /** The control log as it was committed: the number of a {@link ControlLog}. */
    CONTROL,
    /** The order of a plan that was dropped while it was being made, and may still come; 0 for none. */
    LATE_PLAN,
    /** The last complete window that the planner has seen: the number of a {@link Window}, 0 for none. */
    WINDOW,
    /** 1 once a gather was issued in this life. */
    ANY_GATHER,
    /** 1 once a rank has died that others were being sent weights by. */
    SOURCE_DIED,
    /** The last exchange that some rank will not carry through: those of its peers fail. */
    GAVE_UP,
    /** 1 within a transaction in which an operator ends something. */
    ENDING,
    /** How often each of the first 16 {@link Power powers} was used, two bits each. */
    USED,
    /** The same of the others. */
    USED_TOO
}
