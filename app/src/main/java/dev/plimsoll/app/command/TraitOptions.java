package dev.plimsoll.app.command;

import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.ReplicaShare;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What an engine is like: as a system that we know is, with what is said besides. */
final class TraitOptions {
    @Option(
            names = "--system",
            paramLabel = "NAME",
            description = "What is known of vllm, sglang, ascend-v1, ascend-v2 or trtllm, for all of the following that"
                    + " is not given: see docs/engines.md (default: an engine of your own).")
    @Nullable
    private String system;

    @Option(
            names = "--engine-moves",
            paramLabel = "BOOLEAN",
            arity = "0..1",
            fallbackValue = "true",
            description =
                    "The engine moves weights by itself: it is given a target map (default: Plimsoll moves them).")
    @Nullable
    private Boolean engineMoves;

    @Option(
            names = "--load",
            paramLabel = "KIND",
            description = "What its counters count: computed, by a rank's own slots; routed-to, by a rank's router to"
                    + " all slots; or replicated, routed-to where every rank routes all tokens (default: computed).")
    @Nullable
    private String load;

    @Option(
            names = "--replica-share",
            paramLabel = "WAY",
            description = "How the tokens of an expert are shared among its replicas: even, by-source, local-first,"
                    + " hashed-row, or fitted to what is measured (default: even).")
    @Nullable
    private String share;

    @Option(
            names = "--accept-boundaries",
            paramLabel = "N",
            description = "Boundaries that all ranks have to accept a decision (default: 60).")
    @Nullable
    private Integer accept;

    @Option(
            names = "--progress-boundaries",
            paramLabel = "N",
            description = "Boundaries that they have to flip the next batch (default: 200).")
    @Nullable
    private Integer progress;

    private EngineTraits traits = EngineTraits.USUAL;

    /** @param boundarySteps steps from boundary to boundary, which a known system's deadlines depend on */
    void check(Problems problems, boolean idleSlots, int boundarySteps) {
        Optional<KnownSystem> known = one(problems, "--system", system, KnownSystem.class);
        Optional<LoadKind> kind = one(problems, "--load", load, LoadKind.class);
        Optional<ReplicaShare> way = one(problems, "--replica-share", share, ReplicaShare.class);
        problems.require(accept == null || accept >= 1, "--accept-boundaries must be at least 1, not " + accept);
        problems.require(
                progress == null || progress >= 1, "--progress-boundaries must be at least 1, not " + progress);
        EngineTraits of = known.map(it -> it.traits(Math.max(1, boundarySteps))).orElse(EngineTraits.USUAL);
        boolean moves = engineMoves == null ? of.movesWeights() : engineMoves;
        problems.require(
                !(moves && idleSlots),
                "--idle-slots is of an engine whose weights Plimsoll moves: one that moves them by itself"
                        + (engineMoves == null ? ", as --system " + system + " does," : "")
                        + " is given a map of experts only");
        if (problems.any()) {
            return;
        }
        traits = new EngineTraits(
                idleSlots,
                moves,
                kind.orElse(of.load()),
                way.orElse(of.share()),
                new Deadlines(
                        accept == null ? of.deadlines().accept() : accept,
                        progress == null ? of.deadlines().progress() : progress));
    }

    EngineTraits traits() {
        return traits;
    }

    /** The value of an option's word; empty where it is not given, and where it is none of them, which is a problem. */
    static <E extends Enum<E>> Optional<E> one(Problems problems, String option, @Nullable String text, Class<E> type) {
        Optional<E> found = Arrays.stream(type.getEnumConstants())
                .filter(value -> word(value).equals(text == null ? "" : text.toLowerCase(Locale.ROOT)))
                .findFirst();
        problems.require(
                text == null || found.isPresent(),
                option + " " + text + " is none of "
                        + Arrays.stream(type.getEnumConstants())
                                .map(TraitOptions::word)
                                .collect(Collectors.joining(", ")));
        return found;
    }

    /** As it is written in options: {@code by-source}. */
    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
