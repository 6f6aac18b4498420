package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PartitionLoopsTest {
    private static final int PARTITIONS = 4;

    @TempDir
    Path directory;

    @Test
    void membersOfOneProcessShareThePartitionsAndEachHasAThread() throws Exception {
        try (TestBroker broker = new TestBroker(directory)) {
            try (TopicAdmin topics = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
                topics.create(PARTITIONS, 1);
                Chain.await(() -> topics.missing().isEmpty());
            }
            KafkaSettings named =
                    new KafkaSettings(broker.client().bootstrapServers(), Map.of("group.instance.id", "node-7"));
            Map<Integer, Set<Thread>> threads = new ConcurrentHashMap<>();
            List<Deployment> deployments = IntStream.range(0, PARTITIONS)
                    .mapToObj(partition -> Chain.deploymentOf("shared", partition, PARTITIONS))
                    .toList();
            try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                    PartitionLoops<SampleRecord> loops = new PartitionLoops<>(
                            2,
                            named,
                            "shared",
                            Topic.SAMPLES,
                            partition -> new ChainTask(
                                    () -> threads.computeIfAbsent(partition, none -> ConcurrentHashMap.newKeySet())
                                            .add(Thread.currentThread())),
                            PartitionLoop.Listener.NONE)) {
                // when
                loops.start();
                Chain.await(() -> loops.joined()
                        && threads.values().stream()
                                        .flatMap(Set::stream)
                                        .distinct()
                                        .count()
                                == 2);
                for (int n = 1; n <= 5; n++) {
                    int next = n;
                    deployments.forEach(deployment -> Chain.write(broker.client(), deployment, next, 1));
                }

                // then
                Chain.await(() -> plan.values().size() == PARTITIONS * 5);
                Chain.await(loops::settled);
                assertThat(loops.alive()).isTrue();
            }
            Chain.assertChains(
                    broker.client(), deployments.stream().collect(Collectors.toMap(Function.identity(), each -> 5)));
        }
    }

    @Test
    void everyMemberWithANameOfItsOwnTellsTheSameListener() {
        // given
        ClientListener listener = new ClientListener() {};
        KafkaSettings settings = new KafkaSettings("127.0.0.1:1", Map.of("group.instance.id", "node-7")).told(listener);

        // when
        KafkaSettings third = PartitionLoops.named(settings, 2);

        // then
        assertThat(third.properties()).containsEntry("group.instance.id", "node-7-2");
        assertThat(third.listener()).isSameAs(listener);
    }

    @Test
    void eachMemberHasTasksAndAListenerOfItsOwn() {
        // given
        List<PartitionLoops.Member<SampleRecord>> made = new ArrayList<>();

        // when
        try (PartitionLoops<SampleRecord> loops =
                new PartitionLoops<>(3, KafkaSettings.of("127.0.0.1:1"), "each", Topic.SAMPLES, () -> {
                    PartitionLoops.Member<SampleRecord> member = new PartitionLoops.Member<>(
                            partition -> new ChainTask(() -> {}), new PartitionLoop.Listener() {});
                    made.add(member);
                    return member;
                })) {
            assertThat(loops.alive()).as("none has started").isFalse();
        }

        // then
        assertThat(made).hasSize(3).extracting(PartitionLoops.Member::listener).doesNotHaveDuplicates();
    }

    @Test
    void aProcessHasAtLeastOneMember() {
        assertThatThrownBy(() -> new PartitionLoops<>(
                        0,
                        KafkaSettings.of("127.0.0.1:1"),
                        "none",
                        Topic.SAMPLES,
                        partition -> new ChainTask(() -> {}),
                        PartitionLoop.Listener.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0 loops");
    }
}
