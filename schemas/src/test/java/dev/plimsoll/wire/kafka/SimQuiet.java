package dev.plimsoll.wire.kafka;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** Keeps loops from the log: in a simulation nearly everything that they have to say is wanted. */
final class SimQuiet {
    private SimQuiet() {}

    static void during(Runnable simulation) {
        Logger logger = (Logger) LoggerFactory.getLogger(SimQuiet.class.getPackageName());
        Level before = logger.getLevel();
        logger.setLevel(Level.OFF);
        try {
            simulation.run();
        } finally {
            logger.setLevel(before);
        }
    }
}
