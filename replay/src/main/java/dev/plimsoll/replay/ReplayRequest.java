package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.replay.score.EpConfiguration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a replay is asked for.
 *
 * @param windowSteps of a window in place of the source's own: frames of a recording, sub-samples of a workload
 * @param stepTime of a step, where the source does not say when a window was closed
 * @param bytesPerExpert in place of what the source says
 * @param ranks to replay on; the source's own when empty, as the next two
 * @param redundancy slots beyond the experts
 * @param nodes that ranks are on
 */
public record ReplayRequest(
        HistorySource source,
        OptionalInt windowSteps,
        Duration stepTime,
        OptionalLong bytesPerExpert,
        List<PolicyChoice> policies,
        List<Integer> ranks,
        List<Integer> redundancy,
        List<Integer> nodes) {
    /** What a step takes where nobody says: a decode step of a large model. */
    public static final Duration STEP_TIME = Duration.ofMillis(50);

    public ReplayRequest {
        policies = List.copyOf(policies);
        ranks = List.copyOf(ranks);
        redundancy = List.copyOf(redundancy);
        nodes = List.copyOf(nodes);
        if (policies.isEmpty()) {
            throw new IllegalArgumentException("a replay needs at least one policy");
        }
    }

    /**
     * All combinations of what is asked for, in order.
     *
     * @throws IllegalArgumentException for those that cannot be: all of them at once
     */
    public List<EpConfiguration> configurations(Membership past) {
        EpConfiguration own = RunSpec.configuration(past);
        int experts = past.shape().experts();
        Set<EpConfiguration> found = new LinkedHashSet<>();
        for (int ofRanks : ranks.isEmpty() ? List.of(own.ranks()) : ranks) {
            List<Integer> extra = redundancy.isEmpty() ? List.of(extra(own, ofRanks, experts)) : redundancy;
            for (int redundant : extra) {
                for (int ofNodes : nodes.isEmpty() ? List.of(own.nodes()) : nodes) {
                    found.add(new EpConfiguration(ofRanks, redundant, ofNodes));
                }
            }
        }
        Set<String> problems = new LinkedHashSet<>();
        found.forEach(configuration ->
                problems.addAll(configuration.problems(past.shape().name(), experts, "--grid redundancy=")));
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", problems));
        }
        return new ArrayList<>(found);
    }

    /** The command line that asks for this, but for where results go; ready for a shell. */
    public String command() {
        List<String> words = new ArrayList<>(List.of("plimsoll", "replay", "run"));
        if (source instanceof HistorySource.OfFile file) {
            option(words, "--input", file.path());
            file.format().ifPresent(format -> option(words, "--format", format));
            file.given().experts().ifPresent(experts -> option(words, "--experts", experts));
            file.given().topK().ifPresent(topK -> option(words, "--top-k", topK));
            file.given().layerIds().ifPresent(ids -> option(words, "--layer-ids", joined(ids)));
            file.given().hiddenLayers().ifPresent(layers -> option(words, "--hidden-layers", layers));
            file.given().modelKey().ifPresent(key -> option(words, "--model-key", key));
            file.map().ifPresent(map -> option(words, "--map", map));
        } else if (source instanceof HistorySource.OfTopics topics) {
            option(words, "--bootstrap-servers", topics.bootstrapServers());
            option(words, "--deployment", topics.deployment());
            topics.incarnation().ifPresent(incarnation -> option(words, "--incarnation", incarnation));
            topics.from().ifPresent(from -> option(words, "--from", from));
            topics.to().ifPresent(to -> option(words, "--to", to));
            topics.last().ifPresent(last -> option(words, "--last", last));
            if (topics.ofSamples()) {
                words.add("--from-samples");
            }
        }
        windowSteps.ifPresent(steps -> option(words, "--window", steps));
        if (!stepTime.equals(STEP_TIME)) {
            option(words, "--step-time", stepTime);
        }
        bytesPerExpert.ifPresent(bytes -> option(words, "--bytes-per-expert", bytes));
        policies.forEach(policy -> option(words, "--policy", policy.name()));
        // A table has no name to be asked for by: the manifest has it.
        policies.stream()
                .flatMap(policy -> policy.settings().profile().stream())
                .filter(ProfileChoice.Preset.class::isInstance)
                .findFirst()
                .ifPresent(device -> option(words, "--device-profile", device.text()));
        grid(words, "ranks", ranks);
        grid(words, "redundancy", redundancy);
        grid(words, "nodes", nodes);
        return String.join(" ", words);
    }

    private static void grid(List<String> words, String key, List<Integer> values) {
        if (!values.isEmpty()) {
            option(words, "--grid", key + "=" + joined(values));
        }
    }

    private static String joined(List<Integer> values) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    private static void option(List<String> words, String name, Object value) {
        String text = value.toString();
        words.add(name);
        words.add(text.matches("[A-Za-z0-9@%+=:,./_-]+") ? text : "'" + text.replace("'", "'\\''") + "'");
    }

    /** As many as there were, where they divide evenly, else what makes them. */
    private static int extra(EpConfiguration own, int ranks, int experts) {
        boolean fits = ranks >= 1
                && (experts + own.redundant()) % ranks == 0
                && (experts + own.redundant()) / ranks <= experts;
        return fits ? own.redundant() : Math.floorMod(-experts, Math.max(1, ranks));
    }
}
