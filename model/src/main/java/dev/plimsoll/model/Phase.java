package dev.plimsoll.model;

/** What kind of steps a load was measured in. Loads of different phases are never added. */
public enum Phase {
    PREFILL,
    DECODE,
    ALL
}
