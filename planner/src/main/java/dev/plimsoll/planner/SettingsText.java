package dev.plimsoll.planner;

import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.MovePrices;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.Function;

/**
 * The settings that decisions depend on as one line, {@code name=value} with spaces between, as a planner writes them at the head of
 * its term. Same settings, same text; numbers are written so that they come back to the last bit.
 */
public final class SettingsText {
    /** The release whose policies are meant. */
    public static final String RELEASE = "0.1.0";

    private static final String NO_LIMIT = "none";
    private static final String PROFILE = "device-profile";

    private SettingsText() {}

    /** The settings as text. */
    public static String of(PlannerSettings settings) {
        return line(named(settings));
    }

    /** {@code name → value} as text, in the map's order. */
    public static String line(Map<String, String> named) {
        StringJoiner text = new StringJoiner(" ");
        named.forEach((name, value) -> text.add(name + "=" + value));
        return text.toString();
    }

    /** {@code name → value}, in the order of the text. */
    public static Map<String, String> named(PlannerSettings settings) {
        Map<String, String> named = new LinkedHashMap<>();
        named.put("release", RELEASE);
        named.put("policy", settings.policy());
        named.put("seed", Long.toString(settings.seed()));
        named.put("history", Integer.toString(settings.historyWindows()));
        named.put("cooldown", Integer.toString(settings.cooldownWindows()));
        named.put("max-moves", limit(settings.budget().moves(), Integer.MAX_VALUE));
        named.put("max-bytes", limit(settings.budget().bytes(), Long.MAX_VALUE));
        named.put("max-layers", limit(settings.budget().layers(), Integer.MAX_VALUE));
        named.put("max-into-rank", limit(settings.budget().intoRank(), Integer.MAX_VALUE));
        named.put("same-node-price", Double.toString(settings.prices().sameNode()));
        named.put("other-node-price", Double.toString(settings.prices().otherNode()));
        named.put("minimum-gain", Double.toString(settings.gate().minimumGain()));
        named.put("minimum-held-out-gain", Double.toString(settings.gate().minimumHeldOutGain()));
        named.put("horizon-windows", Integer.toString(settings.gate().horizonWindows()));
        named.put("expert-time-share", Double.toString(settings.gate().expertTimeShare()));
        named.put("link-bytes-per-second", Double.toString(settings.gate().linkBytesPerSecond()));
        named.put("flip-ms", Double.toString(settings.gate().flipTime().toNanos() / 1e6));
        named.put("look-back", settings.lookBack().toString());
        named.put("plan-within", settings.planWithin().toString());
        named.put("objective", settings.objective().name().toLowerCase(Locale.ROOT));
        named.put("experience", settings.experience() ? "on" : "off");
        named.put("rollback", settings.rollback() ? "on" : "off");
        settings.profile().ifPresent(profile -> named.put(PROFILE, profile.text()));
        return named;
    }

    private static String limit(long limit, long none) {
        return limit == none ? NO_LIMIT : Long.toString(limit);
    }

    /** {@code name → value} of a text, whoever wrote it. */
    public static Map<String, String> named(String text) {
        Map<String, String> named = new LinkedHashMap<>();
        for (String pair : text.strip().split(" +", -1)) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                named.put(pair.substring(0, equals), pair.substring(equals + 1));
            }
        }
        return named;
    }

    /**
     * The settings of a text; what no decision depends on is as by default.
     *
     * @throws IllegalArgumentException when a setting is missing, is not one that this release has, or makes no sense
     */
    public static PlannerSettings read(String text) {
        Map<String, String> named = named(text);
        Map<String, String> ours = named(PlannerSettings.DEFAULTS);
        for (String name : named.keySet()) {
            if (!ours.containsKey(name) && !name.equals(PROFILE)) {
                throw new IllegalArgumentException("setting " + name + "=" + named.get(name) + " of release "
                        + named.getOrDefault("release", "unknown") + " is not one of release " + RELEASE);
            }
        }
        Fields from = new Fields(named);
        PlannerSettings other = PlannerSettings.DEFAULTS;
        return new PlannerSettings(
                        from.value("policy", name -> name),
                        from.value("history", Integer::parseInt),
                        from.value("cooldown", Integer::parseInt),
                        new Budget(
                                from.limit("max-moves", Integer.MAX_VALUE, Integer::parseInt),
                                from.limit("max-bytes", Long.MAX_VALUE, Long::parseLong),
                                from.limit("max-layers", Integer.MAX_VALUE, Integer::parseInt),
                                from.limit("max-into-rank", Integer.MAX_VALUE, Integer::parseInt)),
                        new MovePrices(
                                from.value("same-node-price", Double::parseDouble),
                                from.value("other-node-price", Double::parseDouble)),
                        new Gate.Settings(
                                from.value("minimum-gain", Double::parseDouble),
                                from.value("minimum-held-out-gain", Double::parseDouble),
                                from.value("horizon-windows", Integer::parseInt),
                                from.value("expert-time-share", Double::parseDouble),
                                from.value("link-bytes-per-second", Double::parseDouble),
                                from.value("flip-ms", SettingsText::millis)),
                        other.acceptWithin(),
                        other.progressWithin(),
                        other.abortWithin(),
                        from.value("look-back", Duration::parse),
                        other.planThreads(),
                        from.value("plan-within", Duration::parse),
                        from.value("seed", Long::parseLong),
                        // Planners before this release knew tokens only, and did not say so.
                        named.containsKey("objective")
                                ? from.value(
                                        "objective", name -> ObjectiveChoice.valueOf(name.toUpperCase(Locale.ROOT)))
                                : ObjectiveChoice.TOKENS,
                        named.containsKey(PROFILE)
                                ? Optional.of(from.value(PROFILE, ProfileChoice::read))
                                : Optional.empty(),
                        // Nor did they learn.
                        named.containsKey("experience") && from.value("experience", SettingsText::on))
                // Nor did they take anything back.
                .withRollback(named.containsKey("rollback") && from.value("rollback", SettingsText::on));
    }

    private static boolean on(String text) {
        return switch (text) {
            case "on" -> true;
            case "off" -> false;
            default -> throw new IllegalArgumentException("on or off, not " + text);
        };
    }

    private static Duration millis(String text) {
        return Duration.ofNanos(Math.round(Double.parseDouble(text) * 1e6));
    }

    private record Fields(Map<String, String> named) {
        <V> V value(String name, Function<String, V> parse) {
            String text = Optional.ofNullable(named.get(name))
                    .orElseThrow(() -> new IllegalArgumentException("setting " + name + " is missing"));
            try {
                return parse.apply(text);
            } catch (RuntimeException e) {
                throw new IllegalArgumentException("setting " + name + "=" + text + " cannot be read", e);
            }
        }

        <V> V limit(String name, V none, Function<String, V> parse) {
            return value(name, text -> text.equals(NO_LIMIT) ? none : parse.apply(text));
        }
    }
}
