package dev.plimsoll.app.command;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.source.SettledNow;
import java.io.IOException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Whose settled placement. */
public final class SettledOptions {
    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Option(names = "--deployment", required = true, paramLabel = "ID", description = "Whose, such as demo/decode-0.")
    @Nullable
    private String deployment;

    @Option(
            names = "--incarnation",
            paramLabel = "N",
            description = "Which life of the deployment (default: the newest).")
    @Nullable
    private Long incarnation;

    void check(Problems problems) {
        kafka.require(problems);
        if (deployment == null) {
            problems.add(
                    "--deployment is missing: 'plimsoll topics tail members --from-beginning' lists those that are there");
            return;
        }
        try {
            new Deployment(deployment);
        } catch (IllegalArgumentException e) {
            problems.add("--deployment: ", e);
        }
    }

    SettledNow read() throws IOException {
        if (deployment == null) {
            throw new IllegalStateException("options were not checked");
        }
        return SettledNow.read(
                kafka.settings(),
                new Deployment(deployment),
                incarnation == null ? OptionalLong.empty() : OptionalLong.of(incarnation));
    }

    /** Why there is no placement to show or to write. */
    static String none(SettledNow now) {
        String who =
                now.members().deployment() + ", incarnation " + now.members().incarnation();
        return now.newestVersion().isPresent()
                ? who + ": version " + now.newestVersion().getAsInt()
                        + " is not whole in the topics: layers are missing or" + " contradict their hash"
                : who + " has no settled placement yet: its planner writes one when it has taken the deployment over";
    }
}
