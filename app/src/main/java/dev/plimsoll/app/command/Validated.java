package dev.plimsoll.app.command;

/** A command whose options can contradict each other: asked for all its problems before it runs. */
public interface Validated {
    void check(Problems problems);
}
