package dev.plimsoll.model;

/** What stands in the samples topic: everything that the window fold reads, in one log, so that one log decides. */
public sealed interface SampleRecord permits LoadSample, Membership, Tick, End {
    Deployment deployment();
}
