package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.KafkaSetupException;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * What a role that has started waits for, in words: a cluster that answers and topics that are there. A role may come up before
 * its broker, so this only tells and never gives up; the consumers meanwhile try by themselves and get on at once.
 */
final class ClusterCheck {
    /** How long an answer may take; short, as a stop waits for it. */
    private static final Duration ANSWER = Duration.ofSeconds(2);

    private static final Duration PAUSE = Duration.ofSeconds(2);
    private static final Duration REPEAT = Duration.ofMinutes(1);

    private final KafkaSettings kafka;
    private final Consumer<String> lines;
    private String last = "";
    private long lastNanos;
    private volatile boolean found;

    /** @param lines told what is wrong, again each minute, and when it is over */
    ClusterCheck(KafkaSettings kafka, Consumer<String> lines) {
        this.kafka = kafka;
        this.lines = lines;
    }

    /** Whether the cluster has answered and had all topics. */
    boolean found() {
        return found;
    }

    /** Whether there is an answer now, so that it need not be waited for in the role's clients; says nothing. */
    void look() {
        try (TopicAdmin admin = new TopicAdmin(kafka, ANSWER)) {
            admin.partitions();
        } catch (RuntimeException e) {
            // The settings' listener has heard of it.
        }
    }

    /** Asks until all is there or the stop is requested. */
    void run(Lifecycle lifecycle) throws InterruptedException {
        while (!lifecycle.stopRequested() && !ask()) {
            if (lifecycle.await(PAUSE)) {
                return;
            }
        }
    }

    /** Asks once; whether all is there. */
    boolean ask() {
        try (TopicAdmin admin = new TopicAdmin(kafka, ANSWER)) {
            List<String> missing = admin.missing();
            if (!missing.isEmpty()) {
                String topics = "topics missing: " + String.join(", ", missing);
                say(
                        topics,
                        topics + "; make them with: plimsoll topics create --bootstrap-servers "
                                + kafka.bootstrapServers());
                return false;
            }
            found = true;
            admin.warnings().forEach(warning -> lines.accept("warning: " + warning));
        } catch (KafkaSetupException e) {
            // Waiting does not mend it.
            throw e;
        } catch (RuntimeException e) {
            // One try fails at the connection, the next at our patience: not news.
            String away = "cannot reach Kafka at " + kafka.bootstrapServers();
            say(away, away + ", trying on: " + e.getMessage());
            return false;
        }
        if (!last.isEmpty()) {
            lines.accept("Kafka at " + kafka.bootstrapServers() + " answers and has all topics");
        }
        return true;
    }

    private void say(String problem, String line) {
        long now = System.nanoTime();
        if (!problem.equals(last) || now - lastNanos > REPEAT.toNanos()) {
            last = problem;
            lastNanos = now;
            lines.accept(line);
        }
    }
}
