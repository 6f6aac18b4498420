package dev.plimsoll.replay;

import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.MovePrices;
import dev.plimsoll.planner.placement.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * A policy with settings, as it is asked for: {@code NAME[:key=value,…]}.
 *
 * @param name as it was asked for
 * @param settings with the planner's defaults for what was not said
 */
public record PolicyChoice(String name, PlannerSettings settings) {
    /** Values as they are read, and the setting that each is. */
    private static final class Values {
        private String policy = "";
        private int history = PlannerSettings.DEFAULTS.historyWindows();
        private int cooldown = PlannerSettings.DEFAULTS.cooldownWindows();
        private int moves = PlannerSettings.DEFAULTS.budget().moves();
        private long bytes = PlannerSettings.DEFAULTS.budget().bytes();
        private int layers = PlannerSettings.DEFAULTS.budget().layers();
        private double otherNodePrice = PlannerSettings.DEFAULTS.prices().otherNode();
        private double minimumGain = PlannerSettings.DEFAULTS.gate().minimumGain();
        private double minimumHeldOutGain = PlannerSettings.DEFAULTS.gate().minimumHeldOutGain();
        private int horizon = PlannerSettings.DEFAULTS.gate().horizonWindows();
        private double expertTimeShare = PlannerSettings.DEFAULTS.gate().expertTimeShare();
        private double linkSpeed = PlannerSettings.DEFAULTS.gate().linkBytesPerSecond();
        private double flipMillis = PlannerSettings.DEFAULTS.gate().flipTime().toNanos() / 1e6;
        private long seed = PlannerSettings.DEFAULTS.seed();

        private static Values of(PlannerSettings settings) {
            Values values = new Values();
            values.policy = settings.policy();
            values.history = settings.historyWindows();
            values.cooldown = settings.cooldownWindows();
            values.moves = settings.budget().moves();
            values.bytes = settings.budget().bytes();
            values.layers = settings.budget().layers();
            values.otherNodePrice = settings.prices().otherNode();
            values.minimumGain = settings.gate().minimumGain();
            values.minimumHeldOutGain = settings.gate().minimumHeldOutGain();
            values.horizon = settings.gate().horizonWindows();
            values.expertTimeShare = settings.gate().expertTimeShare();
            values.linkSpeed = settings.gate().linkBytesPerSecond();
            values.flipMillis = settings.gate().flipTime().toNanos() / 1e6;
            values.seed = settings.seed();
            return values;
        }

        private PlannerSettings settings() {
            PlannerSettings defaults = PlannerSettings.DEFAULTS;
            return new PlannerSettings(
                    policy,
                    history,
                    cooldown,
                    new Budget(moves, bytes, layers, Integer.MAX_VALUE),
                    new MovePrices(1, otherNodePrice),
                    new Gate.Settings(
                            minimumGain,
                            minimumHeldOutGain,
                            horizon,
                            expertTimeShare,
                            linkSpeed,
                            Duration.ofNanos(Math.round(flipMillis * 1e6))),
                    defaults.acceptWithin(),
                    defaults.progressWithin(),
                    defaults.abortWithin(),
                    defaults.lookBack(),
                    1,
                    defaults.planWithin(),
                    seed);
        }
    }

    private record Key(BiConsumer<Values, String> set, Function<Values, String> get, String words) {}

    private static final Map<String, Key> KEYS = keys();

    private static Map<String, Key> keys() {
        Map<String, Key> keys = new LinkedHashMap<>();
        keys.put("minimum-gain", real((v, n) -> v.minimumGain = n, v -> v.minimumGain, "0 to 1"));
        keys.put(
                "minimum-held-out-gain", real((v, n) -> v.minimumHeldOutGain = n, v -> v.minimumHeldOutGain, "0 to 1"));
        keys.put("horizon-windows", whole((v, n) -> v.horizon = n, v -> v.horizon, "at least 1"));
        keys.put("history", whole((v, n) -> v.history = n, v -> v.history, "windows, 2 to 64"));
        keys.put("cooldown", whole((v, n) -> v.cooldown = n, v -> v.cooldown, "windows, at least 0"));
        keys.put("max-moves", whole((v, n) -> v.moves = n, v -> v.moves, "of a decision, at least 1"));
        keys.put(
                "max-bytes",
                new Key(
                        (v, text) -> v.bytes = Long.parseLong(text),
                        v -> Long.toString(v.bytes),
                        "of a decision, at least 1"));
        keys.put("max-layers", whole((v, n) -> v.layers = n, v -> v.layers, "of a decision, at least 1"));
        keys.put("other-node-price", real((v, n) -> v.otherNodePrice = n, v -> v.otherNodePrice, "at least 1"));
        keys.put("expert-time-share", real((v, n) -> v.expertTimeShare = n, v -> v.expertTimeShare, "above 0, to 1"));
        keys.put("link-bytes-per-second", real((v, n) -> v.linkSpeed = n, v -> v.linkSpeed, "above 0"));
        keys.put("flip-ms", real((v, n) -> v.flipMillis = n, v -> v.flipMillis, "at least 0"));
        keys.put(
                "seed",
                new Key((v, text) -> v.seed = Long.parseLong(text), v -> Long.toString(v.seed), "a whole number"));
        return keys;
    }

    private interface RealSetter {
        void set(Values values, double value);
    }

    private interface WholeSetter {
        void set(Values values, int value);
    }

    private static Key real(RealSetter set, Function<Values, Double> get, String words) {
        return new Key(
                (values, text) -> {
                    double value = Double.parseDouble(text);
                    if (!Double.isFinite(value)) {
                        throw new NumberFormatException(text);
                    }
                    set.set(values, value);
                },
                values -> Double.toString(get.apply(values)),
                words);
    }

    private static Key whole(WholeSetter set, Function<Values, Integer> get, String words) {
        return new Key(
                (values, text) -> set.set(values, Integer.parseInt(text)),
                values -> Integer.toString(get.apply(values)),
                words);
    }

    /**
     * Reads {@code NAME[:key=value,…]}.
     *
     * @throws IllegalArgumentException for what is no policy, no key or no value, with what there is
     */
    public static PolicyChoice parse(String text) {
        int colon = text.indexOf(':');
        String policy = colon < 0 ? text : text.substring(0, colon);
        Policy.named(policy);
        Values values = new Values();
        values.policy = policy;
        List<String> seen = new ArrayList<>();
        for (String pair : colon < 0 ? new String[0] : text.substring(colon + 1).split(",", -1)) {
            int equals = pair.indexOf('=');
            String key = equals < 0 ? pair : pair.substring(0, equals);
            Key known = KEYS.get(key);
            if (known == null || equals < 0) {
                throw new IllegalArgumentException(
                        "'" + text + "' sets '" + pair + "': write key=value with one of " + keysInWords());
            }
            if (seen.contains(key)) {
                throw new IllegalArgumentException("'" + text + "' sets " + key + " twice");
            }
            seen.add(key);
            try {
                known.set().accept(values, pair.substring(equals + 1));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(
                        "'" + text + "' sets " + key + " to '" + pair.substring(equals + 1) + "': must be "
                                + known.words(),
                        e);
            }
        }
        try {
            return new PolicyChoice(text, values.settings());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("'" + text + "': " + e.getMessage(), e);
        }
    }

    private static String keysInWords() {
        StringBuilder words = new StringBuilder();
        KEYS.forEach((key, known) -> words.append(words.length() == 0 ? "" : ", ")
                .append(key)
                .append(" (")
                .append(known.words())
                .append(')'));
        return words.toString();
    }

    /** Keys that can be set. */
    public static List<String> keyNames() {
        return List.copyOf(KEYS.keySet());
    }

    /** Every setting that decisions depend on, by key; with them the same choice can be made again. */
    public Map<String, String> allSettings() {
        Values values = Values.of(settings);
        Map<String, String> all = new TreeMap<>();
        all.put("policy", settings.policy());
        KEYS.forEach((key, known) -> all.put(key, known.get().apply(values)));
        return all;
    }

    /** The choice that was written down so, under the name that it had. */
    public static PolicyChoice of(String name, Map<String, String> allSettings) {
        Values values = new Values();
        values.policy = String.valueOf(allSettings.get("policy"));
        KEYS.forEach((key, known) -> {
            if (!allSettings.containsKey(key)) {
                throw new IllegalArgumentException("policy '" + name + "' lacks its setting " + key);
            }
            known.set().accept(values, String.valueOf(allSettings.get(key)));
        });
        return new PolicyChoice(name, values.settings());
    }
}
