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
    /** Stands where several points fall into one place. */
    private static final char SEVERAL = '#';

    private static final int WIDTH = 760;
    private static final int HEIGHT = 440;
    private static final int LEFT = 64;
    private static final int RIGHT = 32;
    private static final int TOP = 44;
    private static final int BOTTOM = 56;
    private static final int TICKS = 5;
    private static final int LABEL_HEIGHT = 13;
    private static final int LETTER_WIDTH = 7;

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
                "next balancedness (up) against moved share (right); %c: several in one place%n", SEVERAL));
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
                "<text x=\"%d\" y=\"%d\">moved share of slots per plan after the first</text>",
                LEFT,
                HEIGHT - BOTTOM + 38);
        line(
                svg,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">up: balancedness of the next window; filled: on the front</text>",
                WIDTH - RIGHT,
                HEIGHT - BOTTOM + 38);
        boolean[] front = Pareto.front(points);
        frontLine(svg, front);
        List<double[]> labels = new ArrayList<>();
        for (int i = 0; i < points.size(); i++) {
            mark(svg, points.get(i), front[i], labels);
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

    /** @param labels left end, right end and height of those written before; a new one goes below what it would cover */
    private void mark(StringBuilder svg, Point point, boolean onFront, List<double[]> labels) {
        line(
                svg,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\" stroke=\"#1f77b4\"/>",
                x(point),
                y(point),
                onFront ? "#1f77b4" : "white");
        double width = (double) LETTER_WIDTH * point.name().length();
        boolean leftwards = x(point) + width + 8 > WIDTH;
        double from = leftwards ? x(point) - 8 - width : x(point) + 8;
        double y = y(point) + 4;
        boolean covered = true;
        while (covered) {
            double at = y;
            covered = labels.stream()
                    .anyMatch(other ->
                            from < other[1] && from + width > other[0] && Math.abs(other[2] - at) < LABEL_HEIGHT - 1);
            y += covered ? LABEL_HEIGHT : 0;
        }
        labels.add(new double[] {from, from + width, y});
        line(
                svg,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>%s</text>",
                leftwards ? x(point) - 8 : x(point) + 8,
                y,
                leftwards ? "end" : "start",
                onFront ? " font-weight=\"bold\"" : "",
                escaped(point.name()));
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
        return (point.next() - low()) / (high() - low());
    }

    /** The right end, 1 % at least. */
    private double widest() {
        return Math.max(
                0.01, points.stream().mapToDouble(Point::movedShare).max().orElse(0));
    }

    private double low() {
        return points.stream().mapToDouble(Point::next).min().orElse(0) - 0.005;
    }

    private double high() {
        return points.stream().mapToDouble(Point::next).max().orElse(1) + 0.005;
    }

    private static void line(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
