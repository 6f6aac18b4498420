package dev.plimsoll.model;

/** How the ranks of a deployment bring their heat and votes together. */
public enum GatherMode {
    /** Collective on the device, issued by the engine's dispatch thread. */
    DEVICE,
    /** Shared memory or sockets, on the library's own thread. */
    HOST,
    /** None: ranks publish what they counted themselves, and the aggregator puts it together by steps. Nothing can be voted on. */
    NONE
}
