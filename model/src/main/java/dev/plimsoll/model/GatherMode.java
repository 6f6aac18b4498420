package dev.plimsoll.model;

/** How the ranks of a deployment bring their heat and votes together. */
public enum GatherMode {
    /** Collective on the device, issued by the engine's dispatch thread. */
    DEVICE,
    /** Shared memory or sockets, on the library's own thread. */
    HOST,
    /** No gather: each rank publishes its own heat, the aggregator joins; flips are impossible, observe only. */
    NONE
}
