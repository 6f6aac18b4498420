package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.DeploymentText;
import dev.plimsoll.app.operator.OperatorTopics.Want;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;

/** Where deployments stand. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description =
                "List deployments: where their decisions stand, who has paused them, how old their newest window and"
                        + " decision are, and how many ranks do not serve what they should.")
public final class DeploymentListCommand implements Callable<Integer>, Validated {
    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Override
    public void check(Problems problems) {
        where.check(problems);
    }

    @Override
    public Integer call() {
        List<DeploymentStory> stories = where.all().stream()
                .map(members -> where.story(members, new Want.Now()))
                .toList();
        long now = System.currentTimeMillis();
        if (where.json()) {
            ArrayNode list = JsonNodeFactory.instance.arrayNode();
            stories.forEach(story -> list.add(DeploymentJson.brief(story)));
            where.out().println(list);
        } else {
            DeploymentText.list(stories, now).forEach(where.out()::println);
        }
        where.out().flush();
        return ExitCode.OK;
    }
}
