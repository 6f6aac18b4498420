package dev.plimsoll.app.command;

import dev.plimsoll.wire.kafka.TopicAdmin;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Checks what is there. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = "List the topics and how they differ from what they should be. Exits with 1 if any does.")
public final class TopicsListCommand implements Callable<Integer>, Validated {
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
    }

    @Override
    public Integer call() {
        try (TopicAdmin admin = new TopicAdmin(kafka.settings(), TIMEOUT)) {
            boolean asTheyShouldBe = true;
            List<TopicAdmin.Status> found = admin.status();
            System.out.printf("%-32s %10s %8s %12s  %s%n", "TOPIC", "PARTITIONS", "REPLICAS", "OFFSETS", "CONTENT");
            for (TopicAdmin.Status status : found) {
                System.out.printf(
                        Locale.ROOT,
                        "%-32s %10s %8s %,12d  %s%n",
                        status.topic().name(),
                        status.partitions() == 0 ? "missing" : status.partitions(),
                        status.partitions() == 0 ? "" : status.replicas(),
                        status.records(),
                        status.topic().description());
                if (status.partitions() > 0) {
                    status.differences().forEach(difference -> System.out.println("    differs: " + difference));
                }
                asTheyShouldBe &=
                        status.partitions() > 0 && status.differences().isEmpty();
            }
            admin.warnings().forEach(warning -> System.err.println("warning: " + warning));
            return asTheyShouldBe ? 0 : 1;
        }
    }
}
