package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LongVector;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Which windows of an incarnation were published, as ranges: one, unless the fold has jumped. What is in here is never published again.
 *
 * <p>At most {@value #MOST_RANGES} ranges are kept. Beyond that the windows between the two lowest count as published, so that they are
 * given up and not published twice.
 */
final class Published {
    static final int MOST_RANGES = 16;

    private final TreeMap<Long, Long> lastOfFirst = new TreeMap<>();

    /** @param ranges {@code [first, last, first, last…]} */
    Published(LongVector ranges) {
        for (int i = 0; i < ranges.size(); i += 2) {
            lastOfFirst.put(ranges.at(i), ranges.at(i + 1));
        }
    }

    boolean contains(long window) {
        Map.Entry<Long, Long> range = lastOfFirst.floorEntry(window);
        return range != null && range.getValue() >= window;
    }

    /** The largest published window before this one, -1 when there is none. */
    long before(long window) {
        Map.Entry<Long, Long> range = lastOfFirst.lowerEntry(window);
        return range == null ? -1 : Math.min(range.getValue(), window - 1);
    }

    /** The first window from this one on that is not published. */
    long nextOpen(long window) {
        Map.Entry<Long, Long> range = lastOfFirst.floorEntry(window);
        return range == null ? window : Math.max(window, range.getValue() + 1);
    }

    void add(long window) {
        Map.Entry<Long, Long> below = lastOfFirst.lowerEntry(window);
        long first = below != null && below.getValue() == window - 1 ? below.getKey() : window;
        Long last = lastOfFirst.remove(window + 1);
        lastOfFirst.put(first, last == null ? window : last);
        if (lastOfFirst.size() > MOST_RANGES) {
            long lowest = lastOfFirst.pollFirstEntry().getKey();
            lastOfFirst.put(lowest, lastOfFirst.pollFirstEntry().getValue());
        }
    }

    LongVector ranges() {
        return LongVector.of(lastOfFirst.entrySet().stream()
                .flatMap(range -> Stream.of(range.getKey(), range.getValue()))
                .mapToLong(Long::longValue)
                .toArray());
    }
}
