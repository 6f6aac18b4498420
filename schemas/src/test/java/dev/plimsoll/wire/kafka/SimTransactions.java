package dev.plimsoll.wire.kafka;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ConcurrentTransactionsException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;

/**
 * The transaction coordinator, as of transaction version 2: the epoch rises with every transaction and every fence, markers are
 * written later than an end is answered, and nothing new begins before the last of them.
 */
final class SimTransactions {
    private enum State {
        EMPTY,
        ONGOING,
        ENDING
    }

    /** What is known of one transactional id. */
    private static final class Transactional {
        private int epoch = -1;
        private State state = State.EMPTY;
        private Map<TopicPartition, SimLog.Piece> pieces = new LinkedHashMap<>();
        private Map<TopicPartition, OffsetAndMetadata> offsets = new LinkedHashMap<>();
        private long number;
        private int markers;
        private long timeoutNanos;
        /** The epoch in which the last transaction was ended by its own producer, and how. */
        private int endedEpoch = -1;

        private boolean endedByCommit;
    }

    private final SimWorld world;
    private final Map<String, Transactional> byId = new HashMap<>();
    private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
    private final Map<TopicPartition, Integer> pending = new HashMap<>();

    SimTransactions(SimWorld world) {
        this.world = world;
    }

    /** Whether a commit is pending for a partition, so that nobody can say what is committed. */
    boolean unstable(TopicPartition partition) {
        return pending.getOrDefault(partition, 0) > 0;
    }

    Map<TopicPartition, OffsetAndMetadata> committed() {
        return committed;
    }

    /** Fences; returns the new epoch. */
    int init(String id, long timeoutNanos) {
        Transactional transactional = byId.computeIfAbsent(id, unknown -> new Transactional());
        transactional.timeoutNanos = timeoutNanos;
        if (transactional.state == State.ONGOING) {
            transactional.epoch++;
            world.trace("coordinator", "fences and aborts", id);
            end(id, transactional, false);
        }
        if (transactional.state == State.ENDING) {
            throw new ConcurrentTransactionsException("markers are being written");
        }
        transactional.endedEpoch = -1;
        transactional.epoch++;
        return transactional.epoch;
    }

    void produce(String id, int epoch, TopicPartition partition, byte[] key, byte[] value, long timestampMillis) {
        Transactional transactional = ongoing(id, epoch);
        SimLog log = world.log(partition);
        SimLog.Piece piece = transactional.pieces.computeIfAbsent(partition, first -> log.begin());
        log.append(key, value, timestampMillis, piece);
    }

    void commitOffset(String id, int epoch, TopicPartition partition, OffsetAndMetadata offset) {
        Transactional transactional = ongoing(id, epoch);
        if (transactional.offsets.put(partition, offset) == null) {
            pending.merge(partition, 1, Integer::sum);
        }
    }

    /** Ends; returns the epoch to go on with. */
    int end(String id, int epoch, boolean commit) {
        Transactional transactional = known(id);
        if (epoch == transactional.epoch - 1
                && epoch == transactional.endedEpoch
                && commit == transactional.endedByCommit) {
            return transactional.epoch;
        }
        if (epoch != transactional.epoch) {
            world.happened(SimFault.FENCED);
            throw new ProducerFencedException(id + " has epoch " + transactional.epoch + " and not " + epoch);
        }
        if (transactional.state == State.ENDING) {
            throw new ConcurrentTransactionsException("markers are being written");
        }
        transactional.endedEpoch = epoch;
        transactional.endedByCommit = commit;
        transactional.epoch++;
        if (transactional.state == State.ONGOING) {
            end(id, transactional, commit);
        }
        return transactional.epoch;
    }

    private Transactional known(String id) {
        Transactional transactional = byId.get(id);
        if (transactional == null) {
            throw new IllegalStateException(id + " was never initialised");
        }
        return transactional;
    }

    private Transactional ongoing(String id, int epoch) {
        Transactional transactional = known(id);
        if (epoch != transactional.epoch) {
            world.happened(SimFault.FENCED);
            throw new InvalidProducerEpochException(id + " has epoch " + transactional.epoch + " and not " + epoch);
        }
        if (transactional.state == State.ENDING) {
            throw new ConcurrentTransactionsException("markers are being written");
        }
        if (transactional.state == State.EMPTY) {
            transactional.state = State.ONGOING;
            long number = ++transactional.number;
            world.scheduler().after(transactional.timeoutNanos, () -> timeOut(id, transactional, number));
        }
        return transactional;
    }

    private void timeOut(String id, Transactional transactional, long number) {
        if (transactional.state == State.ONGOING && transactional.number == number) {
            world.happened(SimFault.TRANSACTION_TIMED_OUT);
            world.trace("coordinator", "times out", id);
            transactional.epoch++;
            end(id, transactional, false);
        }
    }

    private void end(String id, Transactional transactional, boolean commit) {
        Map<TopicPartition, SimLog.Piece> pieces = transactional.pieces;
        Map<TopicPartition, OffsetAndMetadata> offsets = transactional.offsets;
        transactional.pieces = new LinkedHashMap<>();
        transactional.offsets = new LinkedHashMap<>();
        transactional.state = State.ENDING;
        List<Runnable> markers = new ArrayList<>();
        pieces.forEach(
                (partition, piece) -> markers.add(() -> world.log(partition).end(piece, commit, world.millis())));
        if (!offsets.isEmpty()) {
            markers.add(() -> offsets.forEach((partition, offset) -> {
                pending.merge(partition, -1, Integer::sum);
                if (commit) {
                    commit(partition, offset);
                }
            }));
        }
        world.trace("coordinator", commit ? "commits" : "aborts", id);
        transactional.markers = markers.size();
        if (markers.isEmpty()) {
            transactional.state = State.EMPTY;
        }
        for (Runnable marker : markers) {
            world.scheduler().after(world.markerDelay(), () -> {
                marker.run();
                transactional.markers--;
                if (transactional.markers == 0) {
                    transactional.state = State.EMPTY;
                    if (commit) {
                        world.checks().transactionCommitted(pieces.keySet(), offsets.keySet());
                    }
                }
            });
        }
    }

    private void commit(TopicPartition partition, OffsetAndMetadata offset) {
        OffsetAndMetadata before = committed.put(partition, offset);
        world.trace("coordinator", "has committed", partition + "@" + offset.offset());
        if (before != null && before.offset() > offset.offset()) {
            world.violated("E4: the committed offset of " + partition + " fell from " + before.offset() + " to "
                    + offset.offset());
        }
    }
}
