package dev.plimsoll.planner.placement;

import io.micrometer.core.instrument.Counter;
import java.time.Clock;
import java.time.Instant;
import java.util.concurrent.Executor;
import org.apache.avro.Schema;
import org.apache.kafka.common.TopicPartition;
import org.apache.parquet.schema.MessageType;
import org.bytedeco.javacpp.Pointer;
import org.slf4j.Logger;
import picocli.CommandLine;
import reactor.core.publisher.Mono;

/** Classes in a pure package that each break one arrow: what the architecture's rules must refuse, to be worth anything. */
public final class WrongOnPurpose {

    private WrongOnPurpose() {}

    public record KnowsKafka(TopicPartition partition) {}

    public record KnowsAvro(Schema schema) {}

    public record KnowsParquet(MessageType schema) {}

    public record KnowsReactor(Mono<String> later) {}

    public record KnowsMicrometer(Counter counter) {}

    public record KnowsLogging(Logger log) {}

    public record KnowsTheCommandLine(CommandLine line) {}

    public record KnowsNativeMemory(Pointer pointer) {}

    public record RunsOnAnExecutor(Executor executor) {}

    public record HoldsAClock(Clock clock) {}

    public static final class StartsAThread {
        public void start() {
            new Thread(() -> {}).start();
        }
    }

    public static final class AsksForTheInstant {
        public String now() {
            return Instant.now().toString();
        }
    }

    public static final class AsksForTheMillis {
        public long now() {
            return System.currentTimeMillis();
        }
    }

    public static final class AsksForTheNanos {
        public long now() {
            return System.nanoTime();
        }
    }

    /** Nothing wrong here: an instant that was given is a value. */
    public record IsPure(Instant given, String name) {}
}
