package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import reactor.core.publisher.Flux;

/**
 * The oracle of loops: END records number n go in, {@link ChainTask} writes a PERMIT with number n, so that any loss, duplicate or
 * change of order breaks the chain.
 */
final class Chain {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private Chain() {}

    /** One deployment per partition, found by trying names. */
    static Deployment deploymentOf(String test, int partition, int partitions) {
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> new Deployment(test + i))
                .filter(deployment -> Topic.partition(deployment, partitions) == partition)
                .findFirst()
                .orElseThrow();
    }

    static void write(KafkaSettings settings, Deployment deployment, int from, int count) {
        try (TopicWriter writer = new TopicWriter(settings, "test", count, Duration.ofSeconds(10))) {
            List<Long> offsets = Flux.range(from, count)
                    .flatMapSequential(
                            n -> writer.write(
                                    Output.of(Topic.SAMPLES, deployment, (SampleRecord) new End(deployment, n))),
                            count)
                    .collectList()
                    .block(PATIENCE);
            assertThat(offsets).hasSize(count);
        }
    }

    static List<PlanCommand> permits(LiveView<PlanCommand> plan, Deployment deployment) {
        return plan.values().stream()
                .filter(command -> command.header().deployment().equals(deployment))
                .toList();
    }

    /** Everything once, in order, numbered without a gap; read anew and a second longer, so that what came late is seen too. */
    static void assertChain(KafkaSettings settings, Deployment deployment, int length) {
        assertChains(settings, Map.of(deployment, length));
    }

    /** The same of several at once: one reading and one second for all. */
    static void assertChains(KafkaSettings settings, Map<Deployment, Integer> lengths) {
        int all = lengths.values().stream().mapToInt(Integer::intValue).sum();
        List<PlanCommand> permits = Objects.requireNonNull(
                TopicReader.records(settings, Topic.PLAN, new TopicReader.Start.Beginning(), unreadable -> {})
                        .map(Received::value)
                        .filter(command -> lengths.containsKey(command.header().deployment()))
                        .publish(permit -> permit.takeUntilOther(
                                permit.skip(all - 1).next().delayElement(Duration.ofSeconds(1))))
                        .collectList()
                        .block(PATIENCE));
        lengths.forEach((deployment, length) -> assertChain(
                permits.stream()
                        .filter(permit -> permit.header().deployment().equals(deployment))
                        .toList(),
                deployment,
                length));
    }

    private static void assertChain(List<PlanCommand> permits, Deployment deployment, int length) {
        assertThat(permits)
                .as("%s", deployment)
                .extracting(permit -> permit.header().incarnation())
                .containsExactlyElementsOf(
                        LongStream.rangeClosed(1, length).boxed().toList());
        long first = permits.get(0).header().number();
        assertThat(permits)
                .as("%s", deployment)
                .extracting(permit -> permit.header().number())
                .containsExactlyElementsOf(
                        LongStream.range(first, first + length).boxed().toList());
    }

    static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited in vain for " + PATIENCE);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }
}
