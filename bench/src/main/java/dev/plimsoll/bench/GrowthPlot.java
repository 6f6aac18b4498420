package dev.plimsoll.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/**
 * Draws how the time of a layer's plan grows with ranks and with experts, both axes logarithmic: from JMH's results of
 * {@link PlanBenchmark} in CSV ({@code -rf csv}) to an SVG.
 */
public final class GrowthPlot {
    private static final int WIDTH = 360;
    private static final int HEIGHT = 260;
    private static final double LEAST_MICROS = 10;
    private static final double MOST_MICROS = 100_000;
    private static final String[] STARTS = {"steady", "initial"};
    private static final String[] COLOURS = {"#1f6f8b", "#c4572d"};

    private record Point(int ranks, int redundant, int experts, String start, double micros) {}

    private GrowthPlot() {}

    /** @param args CSV file, SVG file */
    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            throw new IllegalArgumentException("arguments are: results.csv growth.svg");
        }
        List<Point> points = points(Files.readAllLines(Path.of(args[0])));
        String svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 340\" font-family=\"sans-serif\" "
                + "font-size=\"12\">\n<rect width=\"900\" height=\"340\" fill=\"white\"/>\n"
                + panel(points, 60, "ranks, as many redundant slots, 256 experts", true)
                + panel(points, 510, "experts, 64 ranks + 64", false)
                + "</svg>\n";
        Files.writeString(Path.of(args[1]), svg);
    }

    private static List<Point> points(List<String> lines) {
        List<String> head = cells(lines.get(0));
        List<Point> points = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            List<String> cells = cells(line);
            if (!cells.get(0).endsWith(".PlanBenchmark.plan")) {
                continue;
            }
            String[] shape = cells.get(head.indexOf("Param: shape")).split("\\+| of ", -1);
            points.add(new Point(
                    Integer.parseInt(shape[0]),
                    Integer.parseInt(shape[1]),
                    Integer.parseInt(shape[2]),
                    cells.get(head.indexOf("Param: start")),
                    Double.parseDouble(cells.get(head.indexOf("Score")))));
        }
        return points;
    }

    private static List<String> cells(String line) {
        List<String> cells = new ArrayList<>();
        for (String cell : line.split(",", -1)) {
            cells.add(cell.replace("\"", ""));
        }
        return cells;
    }

    private static String panel(List<Point> points, int left, String title, boolean byRanks) {
        StringBuilder svg = new StringBuilder();
        svg.append(text(left + WIDTH / 2, 320, "middle", title));
        svg.append(text(left, 22, "start", "microseconds per layer, one thread"));
        for (double micros = LEAST_MICROS; micros <= MOST_MICROS; micros *= 10) {
            double y = y(micros);
            svg.append(line(left, y, left + WIDTH, y, "#dddddd"));
            svg.append(text(left - 6, y + 4, "end", String.format(Locale.ROOT, "%.0f", micros)));
        }
        for (int start = 0; start < STARTS.length; start++) {
            TreeMap<Integer, Double> curve = new TreeMap<>();
            for (Point point : points) {
                boolean fits = byRanks
                        ? point.experts() == 256 && point.redundant() == point.ranks()
                        : point.ranks() == 64 && point.redundant() == 64;
                if (fits && point.start().equals(STARTS[start])) {
                    curve.put(byRanks ? point.ranks() : point.experts(), point.micros());
                }
            }
            svg.append(curve(curve, left, COLOURS[start], start == 0));
            svg.append(text(left + 12, 50 + 16 * start, "start", STARTS[start])
                    .replace("<text", "<text fill=\"" + COLOURS[start] + "\""));
        }
        return svg.toString();
    }

    private static String curve(TreeMap<Integer, Double> curve, int left, String colour, boolean labels) {
        if (curve.isEmpty()) {
            return "";
        }
        StringBuilder svg =
                new StringBuilder("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + colour + "\" points=\"");
        double span = Math.max(1e-9, Math.log(curve.lastKey()) - Math.log(curve.firstKey()));
        StringBuilder marks = new StringBuilder();
        curve.forEach((key, micros) -> {
            double x = left + 10 + (WIDTH - 20) * (Math.log(key) - Math.log(curve.firstKey())) / span;
            svg.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y(micros)));
            marks.append(String.format(
                    Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>%n", x, y(micros), colour));
            marks.append(text(x, y(micros) - 7, "middle", String.format(Locale.ROOT, "%.0f", micros)));
            if (labels) {
                marks.append(text(x, 300, "middle", Integer.toString(key)));
            }
        });
        return svg + "\"/>\n" + marks;
    }

    private static double y(double micros) {
        return 285 - HEIGHT * Math.log(micros / LEAST_MICROS) / Math.log(MOST_MICROS / LEAST_MICROS);
    }

    private static String line(double x1, double y1, double x2, double y2, String colour) {
        return String.format(
                Locale.ROOT,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>%n",
                x1,
                y1,
                x2,
                y2,
                colour);
    }

    private static String text(double x, double y, String anchor, String text) {
        return String.format(
                Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, text);
    }
}
