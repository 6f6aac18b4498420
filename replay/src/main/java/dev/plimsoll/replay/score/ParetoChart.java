package dev.plimsoll.replay.score;

import dev.plimsoll.replay.score.Pareto.Point;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/**
 * Next balancedness against moved share, as characters for a terminal; {@link ParetoSvg} draws it.
 *
 * @param title what was measured
 * @param points at least one; the letters of the text are theirs in order
 */
public record ParetoChart(String title, List<Point> points) {
    private static final int COLUMNS = 64;
    private static final int ROWS = 14;
    /** Balancedness that the picture spans at most: below, differences at the top could not be seen. */
    private static final double SPAN = 0.15;

    private static final double MARGIN = 0.005;
    /** Stands where several points fall into one place. */
    private static final char SEVERAL = '#';

    public ParetoChart {
        points = List.copyOf(points);
    }

    /** What a point is called in the text: a to z, then A to Z and from the start again. */
    static char letter(int index) {
        int of = index % 52;
        return (char) (of < 26 ? 'a' + of : 'A' + of - 26);
    }

    /** Lines of characters; the meaning of the letters is for the table beside it to say. */
    public String text() {
        char[][] cells = new char[ROWS][COLUMNS];
        for (char[] row : cells) {
            Arrays.fill(row, ' ');
        }
        for (int i = 0; i < points.size(); i++) {
            if (!shown(points.get(i))) {
                continue;
            }
            int column = (int) Math.round(across(points.get(i)) * (COLUMNS - 1));
            int row = (int) Math.round((1 - up(points.get(i))) * (ROWS - 1));
            cells[row][column] = cells[row][column] == ' ' ? letter(i) : SEVERAL;
        }
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                "next balancedness (up, or less at the bottom) against moved share (right); %c: several%n", SEVERAL));
        for (int row = 0; row < ROWS; row++) {
            boolean named = row == 0 || row == ROWS - 1 || row == ROWS / 2;
            double value = high() - (high() - low()) * row / (ROWS - 1);
            text.append(named ? String.format(Locale.ROOT, "%7.4f |", value) : "        |")
                    .append(new String(cells[row]).stripTrailing())
                    .append(System.lineSeparator());
        }
        text.append("        +").append("-".repeat(COLUMNS)).append(System.lineSeparator());
        text.append("         0 %")
                .append(String.format(Locale.ROOT, "%" + (COLUMNS - 3) + ".1f %%%n", widest() * 100));
        return text.toString();
    }

    /** Whether a point has a place: one of a load of zero has no balancedness. */
    static boolean shown(Point point) {
        return Double.isFinite(point.next()) && Double.isFinite(point.movedShare());
    }

    private DoubleStream of(ToDoubleFunction<Point> number) {
        return points.stream().filter(ParetoChart::shown).mapToDouble(number);
    }

    /** Place from left to right, 0 to 1. */
    double across(Point point) {
        return point.movedShare() / widest();
    }

    /** Place from the lower edge up, 0 to 1. */
    double up(Point point) {
        return Math.max(0, (point.next() - low()) / (high() - low()));
    }

    /** The right end, 1 % at least. */
    double widest() {
        return Math.max(0.01, of(Point::movedShare).max().orElse(0));
    }

    /** The lower edge; what is below it stands on it. */
    double low() {
        double min = of(Point::next).min().orElse(0);
        return Math.max(min - MARGIN, high() - SPAN);
    }

    double high() {
        return of(Point::next).max().orElse(1) + MARGIN;
    }
}
