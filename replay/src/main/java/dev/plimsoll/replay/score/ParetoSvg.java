package dev.plimsoll.replay.score;

import dev.plimsoll.replay.score.Pareto.Point;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Charts as SVG: letters at the points, their names and numbers beside. */
public final class ParetoSvg {
    private static final int WIDTH = 960;
    private static final int HEIGHT = 440;
    private static final int LEFT = 64;
    private static final int RIGHT = 280;
    private static final int TOP = 44;
    private static final int BOTTOM = 56;
    private static final int TICKS = 5;
    private static final int LABEL_HEIGHT = 12;
    private static final int LETTER_WIDTH = 9;

    private final ParetoChart chart;
    private final StringBuilder svg;

    private ParetoSvg(ParetoChart chart, StringBuilder svg) {
        this.chart = chart;
        this.svg = svg;
    }

    /** One picture with a panel for each chart, one below the other. */
    public static String of(List<ParetoChart> charts) {
        StringBuilder svg = new StringBuilder();
        line(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">",
                WIDTH,
                HEIGHT * charts.size());
        line(svg, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>");
        for (int i = 0; i < charts.size(); i++) {
            line(svg, "<g transform=\"translate(0,%d)\">", i * HEIGHT);
            new ParetoSvg(charts.get(i), svg).panel();
            line(svg, "</g>");
        }
        return svg.append("</svg>").append('\n').toString();
    }

    private void panel() {
        line(
                svg,
                "<text x=\"%d\" y=\"22\" font-size=\"14\" font-weight=\"bold\">%s</text>",
                LEFT,
                escaped(chart.title()));
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
                    chart.low() + share * (chart.high() - chart.low()));
            line(
                    svg,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f %%</text>",
                    x,
                    HEIGHT - BOTTOM + 16,
                    share * chart.widest() * 100);
        }
        line(
                svg,
                "<text x=\"%d\" y=\"%d\">up: balancedness of the next window, or less at the lower edge; right: moved share of slots"
                        + " per plan after the first; filled: on the front</text>",
                LEFT,
                HEIGHT - BOTTOM + 38);
        boolean[] front = Pareto.front(chart.points());
        frontLine(front);
        List<double[]> labels = new ArrayList<>();
        for (int i = 0; i < chart.points().size(); i++) {
            if (ParetoChart.shown(chart.points().get(i))) {
                mark(i, front[i], labels);
            }
            legend(i, front[i]);
        }
    }

    private void frontLine(boolean[] front) {
        StringBuilder path = new StringBuilder();
        IntStream.range(0, front.length)
                .filter(i -> front[i])
                .mapToObj(chart.points()::get)
                .filter(ParetoChart::shown)
                .sorted(Comparator.comparingDouble(Point::movedShare))
                .forEach(point -> path.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(point), y(point))));
        line(
                svg,
                "<polyline points=\"%s\" fill=\"none\" stroke=\"#1f77b4\" stroke-dasharray=\"4 3\"/>",
                path.toString().trim());
    }

    /** @param labels left end and height of those written before; a new one goes below what it would cover */
    private void mark(int index, boolean onFront, List<double[]> labels) {
        Point point = chart.points().get(index);
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
        line(svg, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", x, y, ParetoChart.letter(index));
    }

    private void legend(int index, boolean onFront) {
        Point point = chart.points().get(index);
        double x = WIDTH - RIGHT + 24;
        double y = TOP + 16.0 * index;
        circle(svg, x, y - 4, onFront);
        line(
                svg,
                "<text x=\"%.1f\" y=\"%.1f\"%s>%s  %s: %s, %s</text>",
                x + 10,
                y,
                onFront ? " font-weight=\"bold\"" : "",
                ParetoChart.letter(index),
                escaped(point.name()),
                Decimals.text("%.4f", point.next()),
                Decimals.text("%.2f %%", point.movedShare() * 100));
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
        return LEFT + chart.across(point) * (WIDTH - LEFT - RIGHT);
    }

    private double y(Point point) {
        return TOP + (1 - chart.up(point)) * (HEIGHT - TOP - BOTTOM);
    }

    private static void line(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
