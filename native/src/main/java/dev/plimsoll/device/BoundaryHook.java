package dev.plimsoll.device;

/**
 * What an engine calls on its dispatch thread at every step divisible by K, for every rank, before the step's first layer: all of
 * Plimsoll's work at a boundary (resolve, stage, act, vote, issue).
 */
@FunctionalInterface
public interface BoundaryHook {

    /** What the engine has to do next. */
    enum Order {
        GO_ON,
        /** The rank cannot know whether others flipped: it must not run another step and leaves the group. */
        LEAVE_GROUP
    }

    Order atBoundary(long step);
}
