package dev.plimsoll.wire.kafka;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A partition's log: records and markers, of transactions or of none, each with an offset of its own. */
final class SimLog {
    /** What one transaction has written into one log. */
    static final class Piece {
        private final long first;
        private boolean ended;
        private boolean committed;

        private Piece(long first) {
            this.first = first;
        }
    }

    /** @param value null for a tombstone and for a marker */
    record Entry(
            byte @Nullable [] key,
            byte @Nullable [] value,
            long timestampMillis,
            @Nullable Piece piece,
            boolean marker) {
        /** Whether readers of committed records see it; true only below the stable end. */
        boolean visible() {
            return !marker && (piece == null || piece.committed);
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    private final Set<Piece> open = new LinkedHashSet<>();
    private long start;

    long start() {
        return start;
    }

    long end() {
        return entries.size();
    }

    /** The first offset that a transaction under way may still decide about; the end where there is none. */
    long stable() {
        for (Piece piece : open) {
            return piece.first;
        }
        return end();
    }

    Entry at(long offset) {
        return entries.get((int) offset);
    }

    Piece begin() {
        Piece piece = new Piece(end());
        open.add(piece);
        return piece;
    }

    void append(byte @Nullable [] key, byte @Nullable [] value, long timestampMillis, @Nullable Piece piece) {
        entries.add(new Entry(key, value, timestampMillis, piece, false));
    }

    void end(Piece piece, boolean commit, long timestampMillis) {
        piece.ended = true;
        piece.committed = commit;
        entries.add(new Entry(null, null, timestampMillis, piece, true));
        open.remove(piece);
    }

    /** Takes everything below an offset away. */
    void cut(long before) {
        start = Math.max(start, Math.min(before, stable()));
    }

    /** The first visible offset from here on, below the stable end; -1 when there is none. */
    long nextVisible(long from) {
        return nextVisibleOfAll(Math.max(from, start));
    }

    /** The same, also where it has been taken away. */
    long nextVisibleOfAll(long from) {
        for (long offset = from; offset < stable(); offset++) {
            if (at(offset).visible()) {
                return offset;
            }
        }
        return -1;
    }

    /** How many visible records there are below an offset, whether or not they have been taken away. */
    long visibleBelow(long to) {
        long count = 0;
        for (long offset = 0; offset < Math.min(to, stable()); offset++) {
            if (at(offset).visible()) {
                count++;
            }
        }
        return count;
    }
}
