package dev.plimsoll.worker;

import dev.plimsoll.model.RankAck;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which acks of one rank the broker has, which are under way, which are to be tried again when. Acks of a decision that is over
 * are forgotten: it can only be over because its acks arrived. Not for more than one thread.
 */
final class AckLedger {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    /** What makes two acks the same: not the step at which it was seen. */
    private record Key(int epoch, RankAck.Kind kind, int batch, String refusal) {
        static Key of(RankAck ack) {
            return new Key(
                    ack.epoch(),
                    ack.kind(),
                    ack.batch(),
                    ack.refusal().map(Enum::name).orElse(""));
        }
    }

    private record Pause(long untilNanos, Duration length) {}

    private final Set<Key> underWay = new HashSet<>();
    private final Set<Key> delivered = new HashSet<>();
    private final Map<Key, Pause> pauses = new HashMap<>();

    /** Of the acks that hold now, those to be sent now; they count as under way from here on. */
    List<RankAck> take(List<RankAck> holding, long nowNanos) {
        Set<Key> keys = new HashSet<>();
        List<RankAck> due = new ArrayList<>();
        for (RankAck ack : holding) {
            Key key = Key.of(ack);
            keys.add(key);
            Pause pause = pauses.get(key);
            boolean waits = pause != null && nowNanos - pause.untilNanos() < 0;
            if (!delivered.contains(key) && !waits && underWay.add(key)) {
                due.add(ack);
            }
        }
        delivered.retainAll(keys);
        pauses.keySet().retainAll(keys);
        return due;
    }

    void delivered(RankAck ack) {
        Key key = Key.of(ack);
        underWay.remove(key);
        pauses.remove(key);
        delivered.add(key);
    }

    void failed(RankAck ack, long nowNanos) {
        Key key = Key.of(ack);
        underWay.remove(key);
        Pause before = pauses.get(key);
        Duration length = before == null ? FIRST_PAUSE : before.length().multipliedBy(2);
        if (length.compareTo(LONGEST_PAUSE) > 0) {
            length = LONGEST_PAUSE;
        }
        pauses.put(key, new Pause(nowNanos + length.toNanos(), length));
    }
}
