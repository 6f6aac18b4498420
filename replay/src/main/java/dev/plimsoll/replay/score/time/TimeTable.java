package dev.plimsoll.replay.score.time;

import dev.plimsoll.replay.score.Decimals;
import dev.plimsoll.replay.score.Table;
import java.util.ArrayList;
import java.util.List;

/**
 * Several reports of the same policies side by side: a row for each, expert time per step in microseconds, and by how much ours differs
 * from the best of the others.
 */
public record TimeTable(List<TimeReport> reports) {
    public TimeTable {
        reports = List.copyOf(reports);
    }

    /** A table for a page. */
    public String markdown() {
        return reports.isEmpty() ? "" : table().markdown();
    }

    private Table table() {
        TimeReport first = reports.get(0);
        List<Contender> contenders =
                first.lines().stream().map(TimeScores::contender).toList();
        List<String> head = new ArrayList<>(List.of(first.subject().kind(), "ranks + redundant", "batch", "a slot"));
        contenders.forEach(contender -> head.add(contender.name()));
        head.addAll(List.of("bound", "best other"));
        contenders.stream().filter(Contender::ours).forEach(ours -> {
            head.add(ours.name() + " against it");
            head.add("moved");
        });
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < reports.size(); i++) {
            rows.add(row(reports.get(i)));
            List<TimeReport> alike = alike(reports.get(i));
            if (alike.size() > 1 && alike.get(alike.size() - 1) == reports.get(i)) {
                rows.add(row(TimeReport.mean(alike)));
            }
        }
        return new Table(head, rows, 2);
    }

    /** Those that differ in the subject's name only. */
    private List<TimeReport> alike(TimeReport report) {
        return reports.stream()
                .filter(other -> other.subject().batch() == report.subject().batch()
                        && other.configuration().equals(report.configuration()))
                .toList();
    }

    private static List<String> row(TimeReport report) {
        List<String> row = new ArrayList<>(List.of(
                report.subject().name().replaceFirst("\\.npy(\\.gz)?$", ""),
                report.configuration().ranks() + " + " + report.configuration().redundant(),
                TimeReport.whole(report.subject().batch()),
                Decimals.text("%.1f", report.subject().tokensPerSlot())));
        report.lines().forEach(line -> row.add(TimeReport.micros(line.mean())));
        row.add(TimeReport.micros(report.bound()));
        row.add(report.bestOfOthers().map(line -> line.contender().name()).orElse("–"));
        double best = report.bestOfOthers().map(TimeScores::mean).orElse(Double.NaN);
        report.lines().stream().filter(line -> line.contender().ours()).forEach(line -> {
            row.add(Decimals.text("%+.1f %%", (line.mean() / best - 1) * 100));
            row.add(Decimals.text("%.1f %%", line.movedShare() * 100));
        });
        return row;
    }
}
