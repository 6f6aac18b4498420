package dev.plimsoll.replay;

import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.SettingsText;
import dev.plimsoll.planner.placement.Policy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A policy with settings, as it is asked for: {@code NAME[:key=value,…]}, keys as {@link SettingsText} names them.
 *
 * @param name as it was asked for
 * @param settings with the planner's defaults for what was not said
 */
public record PolicyChoice(String name, PlannerSettings settings) {
    private static final String POLICY = "policy";
    private static final String RELEASE = "release";
    /** Not to be set: the policy stands before the colon, the release is this one, and a replay waits for plans. */
    private static final Set<String> FIXED = Set.of(POLICY, RELEASE, "plan-within");

    /**
     * Reads {@code NAME[:key=value,…]}.
     *
     * @throws IllegalArgumentException for what is no policy, no key or no value, with what there is
     */
    public static PolicyChoice parse(String text) {
        int colon = text.indexOf(':');
        String policy = colon < 0 ? text : text.substring(0, colon);
        Policy.named(policy);
        Map<String, String> named = new LinkedHashMap<>(SettingsText.named(PlannerSettings.DEFAULTS));
        named.put(POLICY, policy);
        List<String> seen = new ArrayList<>();
        for (String pair : colon < 0 ? new String[0] : text.substring(colon + 1).split(",", -1)) {
            int equals = pair.indexOf('=');
            String key = equals < 0 ? pair : pair.substring(0, equals);
            if (equals < 0) {
                throw new IllegalArgumentException(
                        "'" + text + "' sets '" + pair + "': write key=value, with their defaults: " + defaults());
            }
            if (!keys().contains(key)) {
                throw new IllegalArgumentException("'" + text + "': there is no setting '" + key
                        + "'; these are there, with their defaults: " + defaults());
            }
            if (seen.contains(key)) {
                throw new IllegalArgumentException("'" + text + "' sets " + key + " twice");
            }
            seen.add(key);
            named.put(key, pair.substring(equals + 1));
        }
        try {
            return new PolicyChoice(text, SettingsText.read(SettingsText.line(named)));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("'" + text + "': " + e.getMessage(), e);
        }
    }

    /** Keys that can be set. */
    public static List<String> keys() {
        return SettingsText.named(PlannerSettings.DEFAULTS).keySet().stream()
                .filter(key -> !FIXED.contains(key))
                .toList();
    }

    private static String defaults() {
        Map<String, String> named = new LinkedHashMap<>(SettingsText.named(PlannerSettings.DEFAULTS));
        named.keySet().removeAll(FIXED);
        return SettingsText.line(named);
    }

    /** Every setting that decisions depend on, by key; with them the same choice can be made again. */
    public Map<String, String> allSettings() {
        Map<String, String> named = new TreeMap<>(SettingsText.named(settings));
        named.remove(RELEASE);
        return named;
    }

    /**
     * The choice that was written down so, under the name that it had.
     *
     * @throws IllegalArgumentException where a setting is missing or is none that this release has
     */
    public static PolicyChoice of(String name, Map<String, String> allSettings) {
        Map<String, String> named = new LinkedHashMap<>(allSettings);
        named.put(RELEASE, SettingsText.RELEASE);
        try {
            return new PolicyChoice(name, SettingsText.read(SettingsText.line(named)));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("policy '" + name + "': " + e.getMessage(), e);
        }
    }
}
