package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.SettingsText;
import dev.plimsoll.replay.source.DeploymentPast;
import dev.plimsoll.replay.source.TopicRanges;
import dev.plimsoll.replay.verify.ControlAudit;
import dev.plimsoll.replay.verify.Finding;
import dev.plimsoll.replay.verify.Verification;
import dev.plimsoll.replay.verify.VerifyReport;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Whether what was decided can be decided again. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Decide again what a deployment's planner decided, from its windows and with its settings as the topics have them, and"
                    + " name what is different first where something is: settings, the history's windows, their loads, the"
                    + " settled version, the window time, the plan. Hold what operators asked and were answered against it: every"
                    + " command answered once, answers about decisions that there are, approvals before leave to move, rollbacks by"
                    + " request requested, pins and drains kept by what settled.",
            "Exit code 0 when nothing is different, 1 when something is or nothing could be checked. Writes nothing."
        })
public final class ReplayVerifyCommand implements Callable<Integer>, Validated {
    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Mixin
    private PastOptions past = new PastOptions();

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description =
                    "Insist on a setting whatever the planner's terms say, such as minimum-gain=0.02; may be repeated.")
    private Map<String, String> insisted = new HashMap<>();

    @Option(
            names = "--only-decisions",
            description = "Leave out the windows on which nothing was decided: half of the time, or more.")
    private boolean onlyDecisions;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        past.check(problems);
        Map<String, String> known = SettingsText.named(PlannerSettings.DEFAULTS);
        insisted.forEach((name, value) -> {
            if (!known.containsKey(name) || name.equals("release")) {
                problems.add("--set: no setting '" + name + "': choose of "
                        + String.join(", ", known.keySet().stream().skip(1).toList()));
                return;
            }
            Map<String, String> tried = new HashMap<>(known);
            tried.put(name, value);
            try {
                SettingsText.read(SettingsText.line(tried));
            } catch (IllegalArgumentException e) {
                problems.add("--set: ", e);
            }
        });
    }

    @Override
    public Integer call() throws Exception {
        // A history reaches back before what is asked for, as far as a planner that takes over would look.
        try (DeploymentPast read = DeploymentPast.open(
                kafka.settings(),
                past.deployment(),
                past.span(),
                past.incarnation(),
                PlannerSettings.DEFAULTS.lookBack())) {
            TopicRanges ranges = read.ranges();
            boolean text = output == OutputForm.TEXT;
            if (text) {
                System.out.println(read.source());
            }
            Verification verification = new Verification(
                    read.members(),
                    read.plan(),
                    read.windows()::next,
                    new Verification.Wanted(insisted, onlyDecisions, ranges.fromMillis(), ranges.toMillis()));
            Optional<DeploymentPast.Control> control = read.control();
            Optional<ControlAudit> audit =
                    control.map(log -> new ControlAudit(read.members(), log.records(), log.lostItsBeginning()));
            audit.ifPresent(held -> verification.onDecision(held::decision));
            VerifyReport report = new VerifyReport();
            for (Optional<Finding> next = verification.next(); next.isPresent(); next = verification.next()) {
                String line = report.add(next.orElseThrow());
                if (text) {
                    System.out.println(line);
                }
            }
            List<String> faults = audit.map(
                            held -> report.control(held.faults(read.plan().lostItsBeginning()), held.summary()))
                    .orElse(List.of());
            if (text) {
                faults.forEach(System.out::println);
                report.summary(verification.tally()).forEach(System.out::println);
                read.notes().forEach(System.out::println);
            } else {
                System.out.println(json(read, report, verification));
            }
            return report.holds() ? 0 : 1;
        }
    }

    private static ObjectNode json(DeploymentPast read, VerifyReport report, Verification verification) {
        ObjectNode root = report.json(verification.tally());
        root.put("deployment", read.members().deployment().id())
                .put("incarnation", read.members().incarnation());
        ObjectNode inputs = root.putObject("inputs");
        read.inputs().forEach(inputs::put);
        var notes = root.putArray("notes");
        read.notes().forEach(notes::add);
        return root;
    }
}
