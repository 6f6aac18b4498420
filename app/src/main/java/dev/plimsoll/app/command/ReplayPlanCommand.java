package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.Logs;
import dev.plimsoll.replay.Histories;
import dev.plimsoll.replay.History;
import dev.plimsoll.replay.ReplayPlan;
import dev.plimsoll.replay.ReplayRequest;
import dev.plimsoll.replay.RunSpec;
import dev.plimsoll.replay.result.ReplayResult.Gap;
import dev.plimsoll.replay.score.EpConfiguration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a replay would find, and how long it would take; writes nothing. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Tell what there is to replay and about how long it would take on this machine; write nothing.")
public final class ReplayPlanCommand implements Callable<Integer>, Validated {
    private static final Duration CALIBRATION = Duration.ofSeconds(3);
    private static final int MOST_GAPS = 10;

    @Mixin
    private ReplayOptions options = new ReplayOptions();

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Override
    public void check(Problems problems) {
        options.check(problems);
    }

    @Override
    public Integer call() throws Exception {
        Logs.leaveToTheView();
        ReplayRequest request = options.request();
        try (Lifecycle lifecycle = new Lifecycle();
                History history = Histories.open(request, options::cluster, Map.of())) {
            lifecycle.stopOnSignal();
            List<EpConfiguration> configurations = request.configurations(history.members());
            List<RunSpec> specs =
                    RunSpec.of(request.policies(), configurations, history.members(), history.placement());
            ReplayPlan plan = ReplayPlan.of(
                    history, specs, request.stepTime(), options.threads(), CALIBRATION, lifecycle::stopRequested);
            if (lifecycle.stopRequested()) {
                return ExitCode.SOFTWARE;
            }
            if (output == OutputForm.JSON) {
                System.out.println(json(history, plan, request, configurations));
            } else {
                text(history, plan, request, configurations).forEach(System.out::println);
            }
            return ExitCode.OK;
        }
    }

    private static List<String> text(
            History history, ReplayPlan plan, ReplayRequest request, List<EpConfiguration> configurations) {
        List<String> lines = new ArrayList<>();
        lines.add(history.source());
        lines.add(String.format(
                Locale.ROOT,
                "windows      %d, %d usable, %.1f %% complete, load %d",
                plan.windows(),
                plan.usable(),
                100 * plan.completeness(),
                plan.load()));
        lines.add(
                "gaps         " + (plan.gaps().isEmpty() ? "none" : plan.gaps().size()));
        plan.gaps().stream().limit(MOST_GAPS).forEach(gap -> lines.add("             " + line(gap)));
        if (plan.gaps().size() > MOST_GAPS) {
            lines.add("             and " + (plan.gaps().size() - MOST_GAPS) + " more");
        }
        lines.add("decisions    "
                + plan.live()
                        .map(live -> live.decisions().size() + " were made when it happened")
                        .orElse("the source has none"));
        lines.add("would run    "
                + request.policies().stream().map(policy -> policy.name()).collect(Collectors.joining(", "))
                + " on "
                + configurations.stream().map(EpConfiguration::toString).collect(Collectors.joining("; ")));
        lines.add(String.format(
                Locale.ROOT,
                "would take   about %s here: %.1f windows/s through all %d runs, after %d",
                seconds(plan.time()),
                plan.windowsPerSecond(),
                plan.runs(),
                plan.calibrated()));
        plan.notes().forEach(note -> lines.add("note         " + note));
        lines.add("nothing was written");
        return lines;
    }

    private static String seconds(Duration time) {
        return time.toSeconds() < 10
                ? String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1e3)
                : time.toSeconds() + " s";
    }

    private static String line(Gap gap) {
        return (gap.fromIndex() == gap.toIndex()
                        ? "window " + gap.fromIndex()
                        : "windows " + gap.fromIndex() + " to " + gap.toIndex())
                + ": " + gap.reason();
    }

    private static ObjectNode json(
            History history, ReplayPlan plan, ReplayRequest request, List<EpConfiguration> configurations) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("source", history.source());
        root.put("windows", plan.windows());
        root.put("usable", plan.usable());
        root.put("completeness", plan.completeness());
        root.put("load", plan.load());
        ArrayNode gaps = root.putArray("gaps");
        plan.gaps()
                .forEach(gap -> gaps.addObject()
                        .put("fromIndex", gap.fromIndex())
                        .put("toIndex", gap.toIndex())
                        .put("reason", gap.reason()));
        plan.live().ifPresent(live -> root.put("liveDecisions", live.decisions().size()));
        ArrayNode policies = root.putArray("policies");
        request.policies().forEach(policy -> policies.add(policy.name()));
        ArrayNode all = root.putArray("configurations");
        configurations.forEach(configuration -> all.addObject()
                .put("ranks", configuration.ranks())
                .put("redundant", configuration.redundant())
                .put("nodes", configuration.nodes()));
        root.put("windowsPerSecond", plan.windowsPerSecond());
        root.put("seconds", plan.time().toMillis() / 1e3);
        ArrayNode notes = root.putArray("notes");
        plan.notes().forEach(notes::add);
        return root;
    }
}
