package dev.plimsoll.app.command;

/** How results are printed. */
public enum OutputForm {
    TEXT,
    JSON
}
