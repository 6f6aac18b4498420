package dev.plimsoll.app.command;

import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.RankId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which expert, and where. */
public final class PinOptions {
    @Option(
            names = "--layer",
            paramLabel = "L",
            required = true,
            description = "The layer, counted from 0 over those with experts.")
    @Nullable
    private Integer layer;

    @Option(names = "--expert", paramLabel = "E", required = true, description = "The expert of that layer, from 0.")
    @Nullable
    private Integer expert;

    @Option(names = "--rank", paramLabel = "R", required = true, description = "The rank, counted from 0.")
    @Nullable
    private Integer rank;

    void check(Problems problems) {
        problems.require(
                layer != null && layer >= 0, "--layer is missing or below 0: count layers with experts from 0");
        problems.require(expert != null && expert >= 0, "--expert is missing or below 0: count experts from 0");
        problems.require(rank != null && rank >= 0, "--rank is missing or below 0: count ranks from 0");
    }

    LayerId layer() {
        return new LayerId(Objects.requireNonNull(layer));
    }

    ExpertId expert() {
        return new ExpertId(Objects.requireNonNull(expert));
    }

    RankId rank() {
        return new RankId(Objects.requireNonNull(rank));
    }
}
