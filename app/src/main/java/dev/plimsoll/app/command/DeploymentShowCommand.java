package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.DeploymentText;
import dev.plimsoll.app.operator.OperatorTopics.Want;
import dev.plimsoll.app.operator.PlannerLife;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.GroupStatus;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;

/** Where one deployment stands. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description =
                "Show where a deployment stands: its stage and why, its decision in flight, pause, pins and drains"
                        + " with who gave them, ranks that do not serve what they should, commands without an answer, and"
                        + " whether a planner is there.")
public final class DeploymentShowCommand implements Callable<Integer>, Validated {
    private static final Duration ASKING = Duration.ofSeconds(5);

    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Override
    public void check(Problems problems) {
        where.check(problems);
    }

    @Override
    public Integer call() {
        DeploymentStory story = where.story(new Want.Now());
        GroupStatus group = GroupStatus.of(
                where.settings(), "planner", Topic.WINDOWS, story.members().deployment(), ASKING);
        long now = System.currentTimeMillis();
        if (where.json()) {
            ObjectNode root = DeploymentJson.whole(story);
            root.putObject("planners").put("group", group.group()).put("members", group.members());
            group.behind().ifPresent(behind -> ((ObjectNode) root.get("planners")).put("behind", behind));
            where.out().println(root);
        } else {
            DeploymentText.show(story, PlannerLife.words(story, group, now), now)
                    .forEach(where.out()::println);
        }
        where.out().flush();
        return ExitCode.OK;
    }
}
