package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.EndedException;
import dev.plimsoll.app.Failures;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.Foresight;
import dev.plimsoll.app.operator.Foretold;
import dev.plimsoll.app.operator.OperatorTopics;
import dev.plimsoll.app.operator.OperatorTopics.Want;
import dev.plimsoll.app.operator.PlannerLife;
import dev.plimsoll.app.operator.Request;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.GroupStatus;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine.ExitCode;
import reactor.core.publisher.Mono;

/**
 * An operator's command on its way: looked at, said or written, answered.
 *
 * <p>What can be seen to fail is not written. What is written is the planner's to judge, as the topics may be behind it by a moment.
 */
final class ControlRun {
    private static final Duration WRITING = Duration.ofSeconds(15);
    private static final Duration ASKING = Duration.ofSeconds(5);

    private final OperatorOptions where;
    private final ControlOptions how;
    private final ControlAction action;
    private final PrintWriter out;

    private ControlRun(OperatorOptions where, ControlOptions how, ControlAction action) {
        this.where = where;
        this.how = how;
        this.action = action;
        this.out = where.out();
    }

    /** Returns the exit code. */
    static int of(OperatorOptions where, ControlOptions how, ControlAction action) {
        return new ControlRun(where, how, action).run();
    }

    private int run() {
        DeploymentStory story =
                where.story(action instanceof ControlAction.Rollback ? new Want.Incarnation() : new Want.Now());
        Control control = new Control(
                story.members().deployment(),
                UUID.randomUUID().toString(),
                System.currentTimeMillis(),
                how.by(),
                how.reason(),
                how.basedOn(story.version()),
                action);
        Foretold foretold = Foresight.of(story, control);
        int exitCode = switch (foretold.kind()) {
            case WOULD_DO -> how.execute() ? execute(story, control, foretold) : dryRun(story, control, foretold);
            case NOTHING_TO_DO -> said(control, foretold, ExitCode.OK);
            case WOULD_BE_STALE -> said(control, foretold, Failures.STALE);
            case WOULD_BE_REFUSED -> said(control, foretold, Failures.REFUSED);
            case TOO_EARLY -> said(control, foretold, Failures.TOO_EARLY);
        };
        out.flush();
        return exitCode;
    }

    private int dryRun(DeploymentStory story, Control control, Foretold foretold) {
        if (where.json()) {
            out.println(json(control, foretold, Optional.empty()));
            return ExitCode.OK;
        }
        out.println(control.deployment() + ", incarnation " + story.members().incarnation() + ", "
                + story.version().stream()
                        .mapToObj(version -> "v" + version)
                        .findFirst()
                        .orElse("nothing settled")
                + ", " + story.stage());
        out.println("would write to " + Topic.CONTROL.name() + ": " + control.summary());
        out.println("the planner would do it: " + foretold.text());
        for (Request earlier : story.unanswered()) {
            out.println("not answered yet: " + earlier.control().value().summary());
        }
        out.println("nothing is written: add --execute");
        return ExitCode.OK;
    }

    /** What ends here, whether or not it was to be executed: nothing is written. */
    private int said(Control control, Foretold foretold, int exitCode) {
        if (where.json()) {
            out.println(json(control, foretold, Optional.empty()));
            return exitCode;
        }
        if (exitCode != ExitCode.OK) {
            throw new EndedException(
                    exitCode, control.deployment() + ": cannot " + action.summary() + ": " + foretold.text());
        }
        out.println(control.deployment() + ": nothing to do: " + foretold.text());
        return exitCode;
    }

    private int execute(DeploymentStory story, Control control, Foretold foretold) {
        write(where.settings(), control);
        if (how.waiting().isZero()) {
            out.println(
                    where.json()
                            ? json(control, foretold, Optional.empty()).toString()
                            : control.deployment() + ": written, and not waited for: " + control.summary());
            return ExitCode.OK;
        }
        Optional<ControlAnswer> answer = await(where.settings(), control);
        if (answer.isEmpty()) {
            out.flush();
            throw new EndedException(Failures.NO_ANSWER, silence(story, control));
        }
        ControlAnswer said = answer.orElseThrow();
        out.println(
                where.json()
                        ? json(control, foretold, answer).toString()
                        : control.deployment() + ": " + said.summary() + "; settled: v" + said.version()
                                + (said.epoch().isPresent()
                                        ? "; 'plimsoll decisions show "
                                                + said.epoch().getAsInt() + "' tells how it goes on"
                                        : ""));
        return switch (said.verdict()) {
            case DONE -> ExitCode.OK;
            case STALE -> Failures.STALE;
            case REFUSED -> Failures.REFUSED;
        };
    }

    private static void write(KafkaSettings kafka, Control control) {
        try (TopicWriter writer = new TopicWriter(kafka, "control", 1, WRITING)) {
            writer.write(Output.of(Topic.CONTROL, control.deployment(), (ControlRecord) control))
                    .block();
        }
    }

    /** From the beginning: people write it, so it is short, and no clock has to be believed. */
    private Optional<ControlAnswer> await(KafkaSettings kafka, Control control) {
        return TopicReader.records(
                        kafka, Topic.CONTROL, control.deployment(), new TopicReader.Start.Beginning(), unreadable -> {})
                .filter(record -> record.value() instanceof ControlAnswer answer
                        && answer.id().equals(control.id()))
                .map(record -> (ControlAnswer) record.value())
                .next()
                .timeout(how.waiting(), Mono.empty())
                .blockOptional();
    }

    /** That nobody has answered, and whether anybody could. */
    private String silence(DeploymentStory before, Control control) {
        Deployment deployment = control.deployment();
        DeploymentStory now;
        try (OperatorTopics topics = new OperatorTopics(where.settings(), deployment)) {
            now = DeploymentStory.of(topics.read(before.members(), new Want.Now()));
        }
        GroupStatus group = GroupStatus.of(where.settings(), "planner", Topic.WINDOWS, deployment, ASKING);
        return deployment + ": no answer within " + how.waiting().toSeconds() + " s to command " + control.id() + " ("
                + control.summary() + "), which stays in the log: the next planner answers it. "
                + PlannerLife.words(now, group, System.currentTimeMillis());
    }

    private ObjectNode json(Control control, Foretold foretold, Optional<ControlAnswer> answer) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("deployment", control.deployment().id());
        root.put("dryRun", !how.execute());
        root.put("foretold", foretold.kind().name());
        root.put("text", foretold.text());
        root.set("control", RecordJson.of(Topic.CONTROL, control));
        answer.ifPresent(said -> root.set("answer", RecordJson.of(Topic.CONTROL, said)));
        return root;
    }
}
