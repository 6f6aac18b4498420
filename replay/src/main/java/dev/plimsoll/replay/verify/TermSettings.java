package dev.plimsoll.replay.verify;

import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.SettingsText;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;

/**
 * How a planner decided in a term, and how this side decides.
 *
 * @param settings this side's
 * @param others what this side has otherwise, in words; empty when nothing
 */
record TermSettings(PlannerSettings settings, String others) {
    private static final String RELEASE = "release";

    /**
     * @param text of the term; empty where it does not say, then the defaults stand in for it if something is insisted on
     * @param insisted settings by name that this side has whatever the term says
     * @throws IllegalArgumentException when they are not known, or no settings of this release
     */
    static TermSettings of(String text, Map<String, String> insisted) {
        if (text.isBlank() && insisted.isEmpty()) {
            throw new IllegalArgumentException(
                    "its term says no settings (it is of a release that did not, or has expired): give them with --set");
        }
        Map<String, String> live =
                text.isBlank() ? SettingsText.named(PlannerSettings.DEFAULTS) : SettingsText.named(text);
        Map<String, String> here = new LinkedHashMap<>(live);
        here.putAll(insisted);
        StringJoiner others = new StringJoiner(", ");
        here.forEach((name, value) -> {
            if (!name.equals(RELEASE) && !value.equals(live.get(name))) {
                others.add(name + " is " + live.get(name) + " in the log, " + value + " here");
            }
        });
        return new TermSettings(SettingsText.read(SettingsText.line(here)), text.isBlank() ? "" : others.toString());
    }
}
