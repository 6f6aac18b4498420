package dev.plimsoll.app.command;

import dev.plimsoll.app.EndedException;
import dev.plimsoll.app.Failures;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.OperatorTopics;
import dev.plimsoll.app.operator.OperatorTopics.Want;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Whose decisions an operator asks for or acts on, and how the answer is printed. */
public final class OperatorOptions {
    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Option(
            names = "--deployment",
            paramLabel = "ID",
            description = "Whose, such as demo/decode-0 (default: the only one there is).")
    @Nullable
    private String deployment;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Spec(Spec.Target.MIXEE)
    @Nullable
    private CommandSpec command;

    void check(Problems problems) {
        kafka.require(problems);
        if (deployment != null) {
            try {
                new Deployment(deployment);
            } catch (IllegalArgumentException e) {
                problems.add("--deployment: ", e);
            }
        }
    }

    KafkaSettings settings() {
        return kafka.settings();
    }

    boolean json() {
        return output == OutputForm.JSON;
    }

    PrintWriter out() {
        return Objects.requireNonNull(command).commandLine().getOut();
    }

    /** The newest incarnation of the deployment that was named, or of the only one there is. */
    Membership members() {
        SortedMap<Deployment, Membership> known = OperatorTopics.deployments(settings());
        if (deployment != null) {
            Membership members = known.get(new Deployment(deployment));
            if (members == null) {
                throw new EndedException(
                        Failures.TOO_EARLY,
                        "no membership of " + deployment + " is in the topics: they know "
                                + (known.isEmpty() ? "no deployment yet" : known.keySet()));
            }
            return members;
        }
        if (known.isEmpty()) {
            throw new EndedException(
                    Failures.TOO_EARLY,
                    "the topics know no deployment yet: the worker beside its ranks writes it there");
        }
        if (known.size() > 1) {
            throw new EndedException(
                    ExitCode.USAGE,
                    "there are " + known.size() + " deployments, name one with --deployment: " + known.keySet());
        }
        return Objects.requireNonNull(known.get(known.firstKey()));
    }

    /** The deployment that was named; all there are where none was. */
    List<Membership> all() {
        return deployment == null
                ? List.copyOf(OperatorTopics.deployments(settings()).values())
                : List.of(members());
    }

    /** Where it stands, and the decisions that are wanted. */
    DeploymentStory story(Want want) {
        return story(members(), want);
    }

    DeploymentStory story(Membership members, Want want) {
        try (OperatorTopics topics = new OperatorTopics(settings(), members.deployment())) {
            return DeploymentStory.of(topics.read(members, want));
        }
    }
}
