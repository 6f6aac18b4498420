package dev.plimsoll.app.command;

import dev.plimsoll.app.operator.DecisionStory;
import dev.plimsoll.app.operator.DecisionText;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.OperatorTopics.Want;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** One decision. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description = "Show a decision: its batches, what happened to it and when, and what each rank has said.")
public final class DecisionsShowCommand implements Callable<Integer>, Validated {
    @Mixin
    private OperatorOptions where = new OperatorOptions();

    @Parameters(paramLabel = "EPOCH", description = "The decision's number, as 'decisions list' has it.")
    private int epoch;

    @Override
    public void check(Problems problems) {
        where.check(problems);
        problems.require(epoch >= 1, "a decision's number is at least 1, not " + epoch);
    }

    @Override
    public Integer call() {
        DeploymentStory story = where.story(new Want.Epoch(epoch));
        DecisionStory decision = DecisionsExplainCommand.decision(story, epoch);
        if (where.json()) {
            where.out().println(DeploymentJson.whole(decision));
        } else {
            DecisionText.show(decision, story.members()).forEach(where.out()::println);
        }
        where.out().flush();
        return ExitCode.OK;
    }
}
