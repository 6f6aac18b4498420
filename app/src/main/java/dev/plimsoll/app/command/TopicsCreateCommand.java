package dev.plimsoll.app.command;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes what is missing. */
@Command(name = "create", mixinStandardHelpOptions = true, description = "Make the topics that are missing.")
public final class TopicsCreateCommand implements Callable<Integer>, Validated {
    /** Of a cluster of one's own. */
    static final int PARTITIONS = 64;

    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Option(
            names = "--partitions",
            description = "Partitions of each topic (default: as many as those that are there have, else 64).")
    @Nullable
    private Integer partitions;

    @Option(
            names = "--replicas",
            description = "Replicas of each partition, 3 where data matters (default: the cluster's own default).")
    @Nullable
    private Integer replicas;

    @Override
    public void check(Problems problems) {
        kafka.require(problems);
        problems.require(
                partitions == null || (partitions >= 1 && partitions <= 1024),
                "--partitions must be 1 to 1024, not " + partitions);
        problems.require(
                replicas == null || (replicas >= 1 && replicas <= 9), "--replicas must be 1 to 9, not " + replicas);
    }

    @Override
    public Integer call() {
        try (TopicAdmin admin = new TopicAdmin(kafka.settings(), TIMEOUT)) {
            OptionalInt there = admin.partitions();
            if (partitions != null && there.isPresent() && there.getAsInt() != partitions) {
                System.err.println("plimsoll: --partitions " + partitions
                        + " contradicts the topics that are there, which have " + there.getAsInt()
                        + ": all topics must have the same number; leave the option out");
                return ExitCode.USAGE;
            }
            List<String> made = admin.create(
                    partitions == null ? PARTITIONS : partitions,
                    replicas == null ? OptionalInt.empty() : OptionalInt.of(replicas));
            made.forEach(name -> System.out.println("created " + name));
            System.out.println(made.size() + " topics created, " + (Topic.all().size() - made.size()) + " were there");
            admin.warnings().forEach(warning -> System.err.println("warning: " + warning));
            return 0;
        }
    }
}
