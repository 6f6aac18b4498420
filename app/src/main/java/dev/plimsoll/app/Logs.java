package dev.plimsoll.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.List;
import org.slf4j.LoggerFactory;

/** What is logged, where a command shows the same things better or they are no news. */
public final class Logs {
    private Logs() {}

    /** Leaves to the live view what it tells anyway; PLIMSOLL_LOG, when set, still decides. */
    public static void leaveToTheView() {
        if (System.getenv("PLIMSOLL_LOG") == null && LoggerFactory.getLogger("dev.plimsoll") instanceof Logger logger) {
            logger.setLevel(Level.WARN);
        }
    }

    /**
     * From a signal on, libraries say at length how they were cut short, and a broker that was given up while it started says that
     * its directory is gone; our own words stay. The same where a cluster is broken on purpose.
     */
    public static void muteLibraries() {
        for (String library : List.of("org.apache.kafka", "kafka", "reactor", "dev.plimsoll.app.broker")) {
            if (LoggerFactory.getLogger(library) instanceof Logger logger) {
                logger.setLevel(Level.OFF);
            }
        }
    }
}
