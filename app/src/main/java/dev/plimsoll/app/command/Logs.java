package dev.plimsoll.app.command;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** What is logged, where a command shows the same things better. */
final class Logs {
    private Logs() {}

    /** Leaves to the live view what it tells anyway; PLIMSOLL_LOG, when set, still decides. */
    static void leaveToTheView() {
        if (System.getenv("PLIMSOLL_LOG") == null && LoggerFactory.getLogger("dev.plimsoll") instanceof Logger logger) {
            logger.setLevel(Level.WARN);
        }
    }
}
