package dev.plimsoll.app.docs;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why something was dropped, refused or left, in the words of the sources: each value of an enum has a comment there. */
final class ReasonTables {
    /** @param file where the enum stands, from the root, in {@code src/main/java/dev/plimsoll} of its module */
    private record Reasons(String title, String module, String file, String name) {}

    private static final List<Reasons> ALL = List.of(
            new Reasons(
                    "Why a window was closed: `plimsoll_windows_total{completeness}`, `reason` in a SUMMARY",
                    "model",
                    "model/CloseReason.java",
                    "CloseReason"),
            new Reasons(
                    "What became of samples: `plimsoll_cells_received_total{fate}`, `plimsoll_records_rejected_total{reason}`",
                    "aggregator",
                    "aggregator/window/Fate.java",
                    "Fate"),
            new Reasons(
                    "Why a sample was dropped: `plimsoll_samples_dropped_total{reason}`",
                    "collector",
                    "collector/CollectorListener.java",
                    "Dropped"),
            new Reasons(
                    "How a heat ring ended: `plimsoll_collector_rings_ended_total{reason}`",
                    "collector",
                    "collector/CollectorListener.java",
                    "RingEnd"),
            new Reasons(
                    "Why a window led to no decision: `plimsoll_proposals_refused_total{reason}`",
                    "planner",
                    "planner/placement/KeepReason.java",
                    "KeepReason"),
            new Reasons(
                    "Why a layer has no more moves: `stop` in a PROPOSE", "model", "model/LayerReason.java", "Stop"),
            new Reasons(
                    "Why a rank refused a decision: `plimsoll_decisions_rejected_total{reason}`, REFUSED in an ACK",
                    "model",
                    "model/Refusal.java",
                    "Refusal"),
            new Reasons(
                    "Why an ack changed nothing: `plimsoll_acks_ignored_total{reason}`",
                    "planner",
                    "planner/protocol/Effect.java",
                    "IgnoreReason"),
            new Reasons(
                    "Why windows were given up by the planner: `plimsoll_windows_dropped_total{reason}`",
                    "planner",
                    "planner/WindowJoin.java",
                    "Drop"),
            new Reasons(
                    "Why a record was quarantined: the word behind QUARANTINED",
                    "schemas",
                    "wire/WireException.java",
                    "Reason"));

    private static final Pattern VALUE =
            Pattern.compile("(?s)(?:/\\*\\*((?:(?!\\*/).)*)\\*/\\s*)?\\b([A-Z][A-Z0-9_]+)\\b[^,;/]*");

    private ReasonTables() {}

    static String text() {
        StringBuilder page = new StringBuilder();
        for (Reasons reasons : ALL) {
            page.append("### ").append(reasons.title()).append("\n\n| reason | what |\n|---|---|\n");
            values(reasons)
                    .forEach(value -> page.append(
                            "| `%s` | %s |\n".formatted(value.group(2).toLowerCase(Locale.ROOT), comment(value))));
            page.append('\n');
        }
        return page.toString();
    }

    private static List<MatchResult> values(Reasons reasons) {
        Path file = Documents.ROOT.resolve(reasons.module() + "/src/main/java/dev/plimsoll/" + reasons.file());
        String source = Documents.read(file);
        Matcher start =
                Pattern.compile("\\benum " + reasons.name() + "\\b[^{]*\\{").matcher(source);
        if (!start.find()) {
            throw new AssertionError(
                    "no enum " + reasons.name() + " in " + file + ": say in ReasonTables where it is now");
        }
        String body = source.substring(start.end());
        return VALUE.matcher(body.substring(0, end(body))).results().toList();
    }

    /** Where the list of values ends: at the first semicolon or closing brace outside of a comment. */
    private static int end(String body) {
        Matcher end = Pattern.compile("(?s)/\\*.*?\\*/|[;}]").matcher(body);
        while (end.find()) {
            if (end.group().length() == 1) {
                return end.start();
            }
        }
        return body.length();
    }

    /** The comment without its mark-up, or the name in words. */
    private static String comment(MatchResult value) {
        if (value.group(1) == null) {
            String words = value.group(2).replace('_', ' ');
            return words.charAt(0) + words.substring(1).toLowerCase(Locale.ROOT) + ".";
        }
        return value.group(1)
                .replaceAll("\\s*\n\\s*\\* ?", " ")
                .replaceAll("\\{@(?:link|code) #?([^}]*)}", "`$1`")
                .replaceAll("</?\\w+>", "")
                .replace("|", "\\|")
                .strip();
    }
}
