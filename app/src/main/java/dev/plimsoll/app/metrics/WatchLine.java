package dev.plimsoll.app.metrics;

import dev.plimsoll.model.Deployment;

/**
 * What a role sees of one deployment, for people.
 *
 * @param wrong whether somebody has to look
 */
record WatchLine(Deployment deployment, boolean wrong, String text) {
    static WatchLine well(Deployment deployment, String text) {
        return new WatchLine(deployment, false, text);
    }

    /** @param alert that tells the same; its page says what to do */
    static WatchLine wrong(Deployment deployment, String text, String alert) {
        return new WatchLine(deployment, true, text + ": see docs/runbooks/" + alert + ".md");
    }

    /** @param role that sees it */
    String by(String role) {
        return (wrong ? "[!] " : "[i] ") + deployment + ": " + role + ": " + text;
    }
}
