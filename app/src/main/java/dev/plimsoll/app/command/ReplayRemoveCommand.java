package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.wire.kafka.RunTopics;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Takes back a replay that was published. */
@Command(
        name = "rm",
        mixinStandardHelpOptions = true,
        description = {
            "List the topics of a replay that was published, and delete them with --execute: those of that run and nothing else."
        })
public final class ReplayRemoveCommand implements Callable<Integer>, Validated {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Parameters(paramLabel = "RUN", description = "Name of the run, as 'replay run --publish' was given it.")
    private String run = "";

    @Option(names = "--execute", description = "Delete them (default: only list them).")
    private boolean execute;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        try {
            RunTopics.require(run);
        } catch (IllegalArgumentException e) {
            problems.add("RUN: ", e);
        }
    }

    @Override
    public Integer call() {
        try (RunTopics topics = new RunTopics(kafka.settings(), TIMEOUT)) {
            Map<String, Long> there = topics.records(run);
            if (there.isEmpty()) {
                Set<String> runs = topics.runs();
                System.err.println("no run " + run + " is published here"
                        + (runs.isEmpty() ? ", nor any other" : "; there are " + String.join(", ", runs)));
                return 1;
            }
            if (execute) {
                topics.delete(run);
            }
            if (output == OutputForm.JSON) {
                ObjectNode root = JsonNodeFactory.instance.objectNode();
                root.put("run", run).put("deleted", execute);
                ObjectNode records = root.putObject("topics");
                there.forEach(records::put);
                System.out.println(root);
            } else {
                there.forEach((topic, records) ->
                        System.out.println((execute ? "deleted " : "") + topic + "  " + records + " records"));
                if (!execute) {
                    System.out.println("nothing is deleted yet: do it with --execute");
                }
            }
            return 0;
        }
    }
}
