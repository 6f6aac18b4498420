package dev.plimsoll.app.chaos;

/** Processes of a kind, which at most one fault befalls at a time. */
enum Family {
    BROKERS,
    AGGREGATORS,
    COLLECTORS,
    PLANNER,
    WORKERS,
    RANKS,
    /** People, who write commands. */
    OPERATORS
}
