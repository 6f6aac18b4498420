package dev.plimsoll.app.operator;

import dev.plimsoll.wire.kafka.GroupStatus;
import java.util.ArrayList;
import java.util.List;

/** Whether any planner is there for a deployment, in words: from its group, and from what it has written last. */
public final class PlannerLife {
    private PlannerLife() {}

    /** One line. */
    public static String words(DeploymentStory story, GroupStatus group, long nowMillis) {
        List<String> words = new ArrayList<>();
        words.add(
                group.members() == 0
                        ? "no planner is in the group " + group.group()
                        : group.members() + (group.members() == 1 ? " member is" : " members are") + " in the group "
                                + group.group());
        words.add(
                group.behind().isEmpty()
                        ? "nobody has ever planned in its partition"
                        : group.behind().getAsLong() + " records of windows are behind in its partition");
        story.term()
                .ifPresentOrElse(
                        term -> words.add(
                                "the newest TERM (" + term.value().header().term() + ", "
                                        + term.value().planner() + ") is from "
                                        + Ago.of(term.atMillis(), nowMillis)),
                        () -> words.add("the log has no TERM"));
        words.add(story.newestDecision()
                .map(decision -> "the newest decision is from "
                        + Ago.of(decision.proposed().atMillis(), nowMillis))
                .orElse("there is no decision yet"));
        story.newestWindow()
                .ifPresent(window -> words.add(
                        "the newest window from " + Ago.of(window.value().closedAtMillis(), nowMillis)));
        return String.join("; ", words);
    }
}
