package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.plimsoll.app.operator.DecisionStory;
import dev.plimsoll.app.operator.DecisionText;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.OperatorTopics.Want;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Decisions of a deployment. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description =
                "List the newest decisions of a deployment, the newest last: what became of each, what it promised and"
                        + " what was measured, who asked for it.")
public final class DecisionsListCommand implements Callable<Integer>, Validated {
    private static final int MOST = 100_000;

    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Option(names = "--last", paramLabel = "N", description = "How many (default: 20).")
    private int last = 20;

    @Override
    public void check(Problems problems) {
        where.check(problems);
        problems.require(last >= 1 && last <= MOST, "--last must be 1 to " + MOST + ", not " + last);
    }

    @Override
    public Integer call() {
        DeploymentStory story = where.story(new Want.Newest(last));
        List<DecisionStory> all = new ArrayList<>(story.decisions().values());
        List<DecisionStory> newest = all.subList(Math.max(0, all.size() - last), all.size());
        if (where.json()) {
            ArrayNode list = JsonNodeFactory.instance.arrayNode();
            newest.forEach(decision -> list.add(DeploymentJson.line(decision)));
            where.out().println(list);
        } else if (newest.isEmpty()) {
            where.out().println(story.members().deployment() + ": no decision yet");
        } else {
            DecisionText.list(newest).forEach(where.out()::println);
        }
        where.out().flush();
        return ExitCode.OK;
    }
}
