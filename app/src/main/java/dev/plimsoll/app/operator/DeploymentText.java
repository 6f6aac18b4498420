package dev.plimsoll.app.operator;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.control.Said;
import dev.plimsoll.replay.source.Dated;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Where deployments stand, for people. */
public final class DeploymentText {
    private static final String NONE = "-";

    private DeploymentText() {}

    /** One line each. */
    public static List<String> list(List<DeploymentStory> stories, long nowMillis) {
        if (stories.isEmpty()) {
            return List.of("the topics know no deployment yet");
        }
        Table table = new Table(
                "DEPLOYMENT", "INCARNATION", "RANKS", "STAGE", "SETTLED", "PAUSED", "WINDOW", "DECISION", "RANKS OFF");
        for (DeploymentStory story : stories) {
            table.row(
                    story.members().deployment(),
                    story.members().incarnation(),
                    story.members().topology().ranks(),
                    story.stage(),
                    version(story),
                    story.orders().paused().map(said -> "by " + said.by()).orElse("no"),
                    story.newestWindow()
                            .map(window -> Ago.of(window.value().closedAtMillis(), nowMillis))
                            .orElse(NONE),
                    story.newestDecision()
                            .map(decision -> Ago.of(decision.proposed().atMillis(), nowMillis))
                            .orElse(NONE),
                    story.ranksOff().isEmpty()
                            ? "0"
                            : story.ranksOff().size() + ": "
                                    + story.ranksOff().stream()
                                            .map(off ->
                                                    Integer.toString(off.rank().index()))
                                            .limit(8)
                                            .collect(Collectors.joining(",")));
        }
        return table.lines("");
    }

    private static String version(DeploymentStory story) {
        return story.version().isPresent() ? "v" + story.version().getAsInt() : NONE;
    }

    /** All of one. */
    public static List<String> show(DeploymentStory story, String planners, long nowMillis) {
        Membership members = story.members();
        List<String> lines = new ArrayList<>();
        lines.add(members.deployment() + ", incarnation " + members.incarnation() + ", "
                + members.shape().name() + ", engine " + members.engine());
        lines.add("  stage        " + story.stage() + (story.why().isEmpty() ? "" : ": " + story.why()));
        lines.add("  settled      " + version(story)
                + (story.settledAtMillis().isPresent()
                        ? ", since " + time(story.settledAtMillis().getAsLong()) + ", "
                                + Ago.of(story.settledAtMillis().getAsLong(), nowMillis)
                        : ""));
        lines.add("  ranks        " + members.topology().ranks() + " × "
                + members.topology().slotsPerRank() + " slots, "
                + members.shape().experts() + " experts in each of "
                + members.shape().layers() + " layers; gather "
                + members.gather().name().toLowerCase(Locale.ROOT));
        lines.add("  window       "
                + story.newestWindow()
                        .map(window -> window(window, members, nowMillis))
                        .orElse(NONE));
        lines.add("  decision     "
                + story.newestDecision().map(DecisionText::brief).orElse("none yet"));
        lines.add(
                "  paused       " + story.orders().paused().map(Said::toString).orElse("no"));
        List<String> pins = new ArrayList<>();
        story.orders().pins().forEach((pin, said) -> pins.add(pin + ", " + said));
        List<String> drains = new ArrayList<>();
        story.orders().drained().forEach((rank, said) -> drains.add(rank + ", " + said));
        each(lines, "  pinned       ", pins);
        each(lines, "  drained      ", drains);
        story.orders()
                .dormant(members)
                .forEach(order -> lines.add("  dormant      " + order + "; this incarnation does not have it"));
        lines.add("  ranks off    "
                + (story.ranksOff().isEmpty() ? "none" : story.ranksOff().size()));
        story.ranksOff().forEach(off -> lines.add("               " + off));
        story.unanswered()
                .forEach(request ->
                        lines.add("  no answer to " + request.control().value().summary() + ", "
                                + Ago.of(request.control().atMillis(), nowMillis)));
        lines.add("  planners     " + planners);
        return lines;
    }

    private static String window(Dated<WindowSummary> record, Membership members, long nowMillis) {
        WindowSummary window = record.value();
        return window.index()
                + (window.incarnation() == members.incarnation() ? "" : " of incarnation " + window.incarnation())
                + ", " + Ago.of(window.closedAtMillis(), nowMillis) + ", "
                + window.reason().name().toLowerCase(Locale.ROOT) + ", under "
                + window.states().stream().map(PlacementState::toString).collect(Collectors.joining(", "))
                + (window.balance().loaded()
                        ? String.format(
                                Locale.ROOT,
                                ", balancedness %.3f",
                                window.balance().mean())
                        : ", without load");
    }

    private static void each(List<String> lines, String head, List<String> values) {
        (values.isEmpty() ? List.of("none") : values).forEach(value -> lines.add(head + value));
    }

    static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }
}
