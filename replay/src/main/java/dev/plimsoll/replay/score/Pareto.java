package dev.plimsoll.replay.score;

import java.util.List;

/** Who is beaten by nobody on balancedness and moves together. */
public final class Pareto {
    private Pareto() {}

    /**
     * A policy's place in the picture.
     *
     * @param movedShare less is better
     * @param next balancedness, more is better
     */
    public record Point(String name, double movedShare, double next) {
        /** Whether it is no worse in both and better in one. */
        boolean beats(Point other) {
            return movedShare <= other.movedShare
                    && next >= other.next
                    && (movedShare < other.movedShare || next > other.next);
        }
    }

    /** Whether each is on the front, {@code [point]}; equal points are on it together. */
    public static boolean[] front(List<Point> points) {
        boolean[] on = new boolean[points.size()];
        for (int i = 0; i < on.length; i++) {
            Point point = points.get(i);
            on[i] = ParetoChart.shown(point) && points.stream().noneMatch(other -> other.beats(point));
        }
        return on;
    }
}
