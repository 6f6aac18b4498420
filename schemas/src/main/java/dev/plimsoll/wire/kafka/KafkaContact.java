package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Whether a role is in touch with its cluster, which is one thing however many clients it has: away as soon as one of them waits in
 * vain, back once one is answered and none waits any more. Tells people one line for each.
 *
 * <p>Any thread.
 */
public final class KafkaContact implements ClientListener {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final String who;
    private final Consumer<String> lines;
    private final InstantSource clock;
    private final Set<String> waiting = new TreeSet<>();
    private volatile @Nullable Instant awaySince;
    private volatile @Nullable Instant lastAnswer;

    /**
     * @param who begins the lines, such as "planner: Kafka at h:9092"
     * @param lines told when the cluster goes away and when it is back
     */
    public KafkaContact(String who, Consumer<String> lines) {
        this(who, lines, InstantSource.system());
    }

    KafkaContact(String who, Consumer<String> lines, InstantSource clock) {
        this.who = who;
        this.lines = lines;
        this.clock = clock;
    }

    /** Since when the cluster has been away; empty while it is not known to be. */
    public Optional<Instant> awaySince() {
        return Optional.ofNullable(awaySince);
    }

    /** Whether no client has been answered for that long: then nothing is known, for they may have had nothing to ask. */
    public boolean quietFor(Duration time) {
        Instant last = lastAnswer;
        return last == null || last.plus(time).isBefore(clock.instant());
    }

    @Override
    public void onAnswer(String client) {
        lastAnswer = clock.instant();
        if (awaySince != null) {
            answered(client);
        }
    }

    private synchronized void answered(String client) {
        waiting.remove(client);
        Instant since = awaySince;
        if (since != null && waiting.isEmpty()) {
            awaySince = null;
            lines.accept("%s is back after %.1f s"
                    .formatted(who, Duration.between(since, clock.instant()).toMillis() / 1000.0));
        }
    }

    @Override
    public synchronized boolean onSilence(String client, Instant since, String why) {
        waiting.add(client);
        if (awaySince == null) {
            awaySince = since;
            lines.accept(who + " is away since " + TIME.format(since) + ", trying on: " + why);
        }
        return true;
    }

    @Override
    public synchronized void onGone(String client) {
        waiting.remove(client);
    }
}
