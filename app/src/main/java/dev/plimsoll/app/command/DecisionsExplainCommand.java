package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.EndedException;
import dev.plimsoll.app.Failures;
import dev.plimsoll.app.operator.DecisionStory;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.Explanation;
import dev.plimsoll.app.operator.KeptWindow;
import dev.plimsoll.app.operator.OperatorTopics;
import dev.plimsoll.app.operator.OperatorTopics.Want;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.wire.Topic;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Why a decision was made, or none. */
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Explain a decision: why then, which layers, the moves that bring most, what was refused by which rule,"
                    + " how complete the data was, what happened since.",
            "Without a number, explain why the newest window that led to no decision did not."
        })
public final class DecisionsExplainCommand implements Callable<Integer>, Validated {
    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Parameters(
            arity = "0..1",
            paramLabel = "EPOCH",
            description = "The decision's number, as 'decisions list' has it.")
    @Nullable
    private Integer epoch;

    @Option(
            names = "--window",
            paramLabel = "N",
            description = "Explain what this window of the newest incarnation led to, or why to nothing.")
    @Nullable
    private Long window;

    @Option(names = "--top", paramLabel = "N", description = "How many layers and moves are told (default: 5).")
    private int top = 5;

    @Override
    public void check(Problems problems) {
        where.check(problems);
        problems.require(epoch == null || epoch >= 1, "a decision's number is at least 1, not " + epoch);
        problems.require(epoch == null || window == null, "a decision and --window contradict each other");
        problems.require(window == null || window >= 0, "--window must not be below 0, not " + window);
        problems.require(top >= 1, "--top must be at least 1, not " + top);
    }

    @Override
    public Integer call() {
        Membership members = where.members();
        try (OperatorTopics topics = new OperatorTopics(where.settings(), members.deployment())) {
            if (epoch != null) {
                DeploymentStory story = DeploymentStory.of(topics.read(members, new Want.Epoch(epoch)));
                explain(topics, story, decision(story, epoch));
            } else {
                explainWindow(topics, members);
            }
        }
        where.out().flush();
        return ExitCode.OK;
    }

    /** A decision by its number; whoever asks for one that is not there is told which are. */
    static DecisionStory decision(DeploymentStory story, int epoch) {
        DecisionStory decision = story.decisions().get(epoch);
        if (decision == null) {
            throw new EndedException(
                    Failures.TOO_EARLY,
                    story.members().deployment() + " has no decision " + epoch + " in the topics"
                            + (story.decisions().isEmpty()
                                    ? ": it has none yet"
                                    : ": they have " + story.decisions().firstKey() + " to "
                                            + story.decisions().lastKey()));
        }
        return decision;
    }

    private void explain(OperatorTopics topics, DeploymentStory story, DecisionStory decision) {
        long index = decision.proposed().value().windowIndex();
        long incarnation = decision.proposed().value().header().incarnation();
        Optional<WindowSummary> madeFrom = topics.window(
                        summary -> summary.index() == index && summary.incarnation() == incarnation,
                        OptionalLong.of(decision.proposed().atMillis()))
                .map(Dated::value);
        List<DecisionStory> later =
                List.copyOf(story.decisions().tailMap(decision.epoch(), false).values());
        List<String> lines = Explanation.of(decision, story.members(), madeFrom, later, top);
        if (where.json()) {
            ObjectNode root = DeploymentJson.whole(decision);
            madeFrom.ifPresent(summary -> root.set("window", RecordJson.of(Topic.WINDOW_SUMMARIES, summary)));
            put(root.putArray("explanation"), lines);
            where.out().println(root);
        } else {
            lines.forEach(where.out()::println);
        }
    }

    private void explainWindow(OperatorTopics topics, Membership members) {
        Long wanted = window;
        DeploymentStory newest = DeploymentStory.of(topics.read(members, new Want.Newest(2)));
        WindowSummary found = topics.window(
                        summary -> summary.incarnation() == members.incarnation()
                                && (wanted == null
                                        ? KeptWindow.decision(newest, summary).isEmpty()
                                        : summary.index() == wanted),
                        OptionalLong.empty())
                .map(Dated::value)
                .orElseThrow(() -> new EndedException(
                        Failures.TOO_EARLY,
                        members.deployment() + ", incarnation " + members.incarnation() + ", has no "
                                + (wanted == null ? "window that led to no decision" : "window " + wanted)
                                + " in the topics"));
        DeploymentStory story = DeploymentStory.of(topics.read(members, new Want.Around(found.closedAtMillis())));
        Optional<DecisionStory> made = KeptWindow.decision(story, found);
        if (made.isPresent()) {
            explain(topics, story, made.orElseThrow());
        } else if (where.json()) {
            ObjectNode root = JsonNodeFactory.instance.objectNode();
            root.set("window", RecordJson.of(Topic.WINDOW_SUMMARIES, found));
            put(root.putArray("rules"), KeptWindow.rules(story, found));
            put(root.putArray("explanation"), KeptWindow.explain(story, found));
            where.out().println(root);
        } else {
            KeptWindow.explain(story, found).forEach(where.out()::println);
        }
    }

    private static void put(ArrayNode into, List<String> lines) {
        lines.forEach(into::add);
    }
}
