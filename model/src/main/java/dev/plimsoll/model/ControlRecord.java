package dev.plimsoll.model;

/** What stands in the control log: operators' commands and the planner's answers to them, which name the command by its id. */
public sealed interface ControlRecord permits Control, ControlAnswer {
    Deployment deployment();

    /** Of the command, which is unique. */
    String id();

    /** One line for people. */
    String summary();
}
