package dev.plimsoll.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What one expert's work on n tokens of a step takes on a device, in microseconds, as a table that was measured or computed.
 *
 * <p>Between two entries time is interpolated, beyond the last it goes on with the slope of the last two, and without tokens it is
 * 0: an expert that nobody chose is not even read. Below the first entry the time of the first holds: one token reads all weights.
 *
 * <p>For example {@code (1, 3.9), (47, 3.9), (94, 7.8)}: up to 47 tokens the weights' way out of memory takes longest, 3.9 µs; from
 * there on each token adds 0.083 µs.
 *
 * @param name of device, model and precision, for people; no spaces
 * @param points in order of tokens, at least one; micros never fall
 * @param receivedMicros what a token that a rank receives costs beside its experts' work
 */
public record DeviceProfile(String name, List<Point> points, double receivedMicros) {
    /** More tokens than a slot gets in any step. */
    private static final int MOST_TOKENS = 1 << 24;

    /** An entry: that many tokens of one expert take so long. */
    public record Point(int tokens, double micros) {
        public Point {
            if (tokens < 1 || !(micros > 0) || Double.isInfinite(micros)) {
                throw new IllegalArgumentException("an entry needs at least 1 token and a time above 0 µs: " + tokens
                        + " tokens, " + micros + " µs");
            }
        }
    }

    public DeviceProfile {
        points = List.copyOf(points);
        if (name.isBlank() || name.chars().anyMatch(c -> c <= ' ' || c == '|' || c == ';')) {
            throw new IllegalArgumentException("a device profile's name is one word without | and ;: '" + name + "'");
        }
        if (points.isEmpty() || !(receivedMicros >= 0) || Double.isInfinite(receivedMicros)) {
            throw new IllegalArgumentException(
                    "device profile '" + name + "' needs an entry and a cost per received token " + "of at least 0 µs: "
                            + points.size() + " entries, " + receivedMicros + " µs");
        }
        for (int i = 1; i < points.size(); i++) {
            Point before = points.get(i - 1);
            Point point = points.get(i);
            if (point.tokens <= before.tokens || point.micros < before.micros) {
                throw new IllegalArgumentException("device profile '" + name
                        + "': tokens must rise and times not fall: " + before + " before " + point);
            }
        }
    }

    /** Time of one expert's work on so many tokens, in microseconds. */
    public double expertMicros(double tokens) {
        if (!(tokens > 0)) {
            return 0;
        }
        int last = points.size() - 1;
        if (tokens <= points.get(0).tokens || last == 0) {
            return points.get(0).micros;
        }
        int from = 0;
        int to = last;
        while (to - from > 1) {
            int middle = (from + to) >>> 1;
            if (points.get(middle).tokens < tokens) {
                from = middle;
            } else {
                to = middle;
            }
        }
        Point a = points.get(from);
        Point b = points.get(to);
        return a.micros + (tokens - a.tokens) * (b.micros - a.micros) / (b.tokens - a.tokens);
    }

    /** Time of a slot that gets so many tokens, in microseconds: its expert's work, and what the tokens cost that the rank receives. */
    public double slotMicros(double tokens) {
        return expertMicros(tokens) + tokens * receivedMicros;
    }

    /**
     * The most tokens that take hardly longer than one does, by 5 % at most: up to here reading the weights takes longest, and a
     * further replica of an expert in use costs time.
     */
    public int kneeTokens() {
        double most = 1.05 * points.get(0).micros;
        int from = points.get(0).tokens;
        int to = from;
        while (expertMicros(to) <= most && to <= MOST_TOKENS / 2) {
            from = to;
            to *= 2;
        }
        if (expertMicros(to) <= most) {
            return to;
        }
        while (to - from > 1) {
            int middle = (from + to) >>> 1;
            if (expertMicros(middle) <= most) {
                from = middle;
            } else {
                to = middle;
            }
        }
        return from;
    }

    /** What each token takes among very many, in microseconds: the slope of the last two entries, 0 where there is one only. */
    public double microsPerToken() {
        int last = points.size() - 1;
        if (last == 0) {
            return 0;
        }
        Point a = points.get(last - 1);
        Point b = points.get(last);
        return (b.micros - a.micros) / (b.tokens - a.tokens);
    }

    /** The profile as one word, from which {@link #read} makes it again to the last bit. */
    public String text() {
        StringBuilder text = new StringBuilder(name).append('|').append(receivedMicros);
        points.forEach(
                point -> text.append(';').append(point.tokens).append('=').append(point.micros));
        return text.toString();
    }

    /**
     * The profile of a {@link #text}.
     *
     * @throws IllegalArgumentException when it is none
     */
    public static DeviceProfile read(String text) {
        try {
            String[] parts = text.split(";", -1);
            int bar = parts[0].indexOf('|');
            List<Point> points = new ArrayList<>();
            for (int i = 1; i < parts.length; i++) {
                int equals = parts[i].indexOf('=');
                points.add(new Point(
                        Integer.parseInt(parts[i].substring(0, equals)),
                        Double.parseDouble(parts[i].substring(equals + 1))));
            }
            return new DeviceProfile(
                    parts[0].substring(0, bar), points, Double.parseDouble(parts[0].substring(bar + 1)));
        } catch (NumberFormatException | StringIndexOutOfBoundsException e) {
            throw new IllegalArgumentException(
                    "not a device profile: '" + text + "'; expected name|receivedMicros;tokens=micros;…", e);
        }
    }

    /** One line for people: the time of 1 token, and of each token among many. */
    public String summary() {
        Point last = points.get(points.size() - 1);
        return String.format(
                Locale.ROOT,
                "%s: %.2f µs for 1 token, %.2f µs for %d, %.3f µs for each received",
                name,
                points.get(0).micros,
                last.micros,
                last.tokens,
                receivedMicros);
    }
}
