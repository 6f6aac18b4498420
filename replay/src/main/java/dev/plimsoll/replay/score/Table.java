package dev.plimsoll.replay.score;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Rows of cells, the same for a terminal and for Markdown.
 *
 * @param head name of every column
 * @param rows {@code [row][column]}
 * @param words columns from the left that are words, aligned left; the others are numbers
 */
public record Table(List<String> head, List<List<String>> rows, int words) {
    public Table {
        head = List.copyOf(head);
        rows = List.copyOf(rows);
        for (List<String> row : rows) {
            if (row.size() != head.size()) {
                throw new IllegalArgumentException(row.size() + " cells under " + head.size() + " columns: " + row);
            }
        }
    }

    /** Columns as wide as their widest cell, two blanks between them. */
    public String text() {
        List<List<String>> all = new ArrayList<>(rows);
        all.add(0, head);
        int[] widths = IntStream.range(0, head.size())
                .map(column -> all.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElse(0))
                .toArray();
        return all.stream()
                .map(row -> IntStream.range(0, head.size())
                        .mapToObj(column -> padded(row.get(column), widths[column], column < words))
                        .collect(Collectors.joining("  "))
                        .stripTrailing())
                .collect(Collectors.joining(System.lineSeparator(), "", System.lineSeparator()));
    }

    public String markdown() {
        StringBuilder text = new StringBuilder();
        text.append(line(head)).append('|');
        for (int column = 0; column < head.size(); column++) {
            text.append(column < words ? "---|" : "---:|");
        }
        text.append(System.lineSeparator());
        rows.forEach(row -> text.append(line(row)));
        return text.toString();
    }

    private static String line(List<String> cells) {
        return cells.stream().collect(Collectors.joining(" | ", "| ", " |" + System.lineSeparator()));
    }

    private static String padded(String cell, int width, boolean left) {
        String blanks = " ".repeat(width - cell.length());
        return left ? cell + blanks : blanks + cell;
    }
}
