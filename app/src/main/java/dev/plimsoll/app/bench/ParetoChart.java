package dev.plimsoll.app.bench;

import dev.plimsoll.app.bench.Pareto.Point;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Next balancedness against moved share, as characters for a terminal and as SVG.
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

    private static final int WIDTH = 960;
    private static final int HEIGHT = 440;
    private static final int LEFT = 64;
    private static final int RIGHT = 280;
    private static final int TOP = 44;
    private static final int BOTTOM = 56;
    private static final int TICKS = 5;
    private static final int LABEL_HEIGHT = 12;
    private static final int LETTER_WIDTH = 9;

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

    /** One picture with a panel for each chart, one below the other. */
    public static String svg(List<ParetoChart> charts) {
        StringBuilder svg = new StringBuilder();
        line(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">",
                WIDTH,
                HEIGHT * charts.size());
        line(svg, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>");
        for (int i = 0; i < charts.size(); i++) {
            line(svg, "<g transform=\"translate(0,%d)\">", i * HEIGHT);
            charts.get(i).panel(svg);
            line(svg, "</g>");
        }
        return svg.append("</svg>").append('\n').toString();
    }

    private void panel(StringBuilder svg) {
        line(svg, "<text x=\"%d\" y=\"22\" font-size=\"14\" font-weight=\"bold\">%s</text>", LEFT, escaped(title));
        for (int i = 0; i <= TICKS; i++) {
            double share = (double) i / TICKS;
            double x = LEFT + share * (WIDTH - LEFT - RIGHT);
            double y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
            line(
                    svg,
                    "<path d=\"M%d,%.1f H%d M%.1f,%d V%d\" stroke=\"#e0e0e0\"/>",
                    LEFT,
                    y,
                    WIDTH - RIGHT,
                    x,
                    TOP,
                    HEIGHT - BOTTOM);
            line(
                    svg,
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3f</text>",
                    LEFT - 6,
                    y + 4,
                    low() + share * (high() - low()));
            line(
                    svg,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f %%</text>",
                    x,
                    HEIGHT - BOTTOM + 16,
                    share * widest() * 100);
        }
        line(
                svg,
                "<text x=\"%d\" y=\"%d\">up: balancedness of the next window, or less at the lower edge; right: moved share of slots"
                        + " per plan after the first; filled: on the front</text>",
                LEFT,
                HEIGHT - BOTTOM + 38);
        boolean[] front = Pareto.front(points);
        frontLine(svg, front);
        List<double[]> labels = new ArrayList<>();
        for (int i = 0; i < points.size(); i++) {
            mark(svg, i, front[i], labels);
            legend(svg, i, front[i]);
        }
    }

    private void frontLine(StringBuilder svg, boolean[] front) {
        StringBuilder path = new StringBuilder();
        IntStream.range(0, front.length)
                .filter(i -> front[i])
                .mapToObj(points::get)
                .sorted(Comparator.comparingDouble(Point::movedShare))
                .forEach(point -> path.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(point), y(point))));
        line(
                svg,
                "<polyline points=\"%s\" fill=\"none\" stroke=\"#1f77b4\" stroke-dasharray=\"4 3\"/>",
                path.toString().trim());
    }

    /** @param labels left end and height of those written before; a new one goes below what it would cover */
    private void mark(StringBuilder svg, int index, boolean onFront, List<double[]> labels) {
        Point point = points.get(index);
        circle(svg, x(point), y(point), onFront);
        double x = x(point) + 7;
        double y = y(point) + 4;
        boolean covered = true;
        while (covered) {
            double at = y;
            covered = labels.stream()
                    .anyMatch(other ->
                            Math.abs(other[0] - x) < LETTER_WIDTH && Math.abs(other[1] - at) < LABEL_HEIGHT - 1);
            y += covered ? LABEL_HEIGHT : 0;
        }
        labels.add(new double[] {x, y});
        line(svg, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", x, y, letter(index));
    }

    private void legend(StringBuilder svg, int index, boolean onFront) {
        Point point = points.get(index);
        double x = WIDTH - RIGHT + 24;
        double y = TOP + 16.0 * index;
        circle(svg, x, y - 4, onFront);
        line(
                svg,
                "<text x=\"%.1f\" y=\"%.1f\"%s>%s  %s: %.4f, %.2f %%</text>",
                x + 10,
                y,
                onFront ? " font-weight=\"bold\"" : "",
                letter(index),
                escaped(point.name()),
                point.next(),
                point.movedShare() * 100);
    }

    private static void circle(StringBuilder svg, double x, double y, boolean filled) {
        line(
                svg,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\" stroke=\"#1f77b4\"/>",
                x,
                y,
                filled ? "#1f77b4" : "white");
    }

    private double x(Point point) {
        return LEFT + across(point) * (WIDTH - LEFT - RIGHT);
    }

    private double y(Point point) {
        return TOP + (1 - up(point)) * (HEIGHT - TOP - BOTTOM);
    }

    private double across(Point point) {
        return point.movedShare() / widest();
    }

    private double up(Point point) {
        return Math.max(0, (point.next() - low()) / (high() - low()));
    }

    /** The right end, 1 % at least. */
    private double widest() {
        return Math.max(
                0.01, points.stream().mapToDouble(Point::movedShare).max().orElse(0));
    }

    /** The lower edge; what is below it stands on it. */
    private double low() {
        double min = points.stream().mapToDouble(Point::next).min().orElse(0);
        return Math.max(min - MARGIN, high() - SPAN);
    }

    private double high() {
        return points.stream().mapToDouble(Point::next).max().orElse(1) + MARGIN;
    }

    private static void line(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
