package dev.plimsoll.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.metrics.MetricTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What documents say that a program can check: where links lead, whether commands and metrics are there. */
class DocumentsTest {
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#{1,6} +(.*)$");
    private static final Pattern METRIC = Pattern.compile("\\bplimsoll_[a-z0-9_]*[a-z0-9]\\b");
    private static final Pattern WORD = Pattern.compile("\"[^\"]*\"|'[^']*'|\\S+");
    private static final int MOST_LINES = 250;

    @Test
    void everyLinkBetweenDocumentsLeadsSomewhere() {
        List<String> dead =
                Documents.all().stream().flatMap(DocumentsTest::deadLinks).toList();

        assertThat(dead).isEmpty();
    }

    @Test
    void everyCommandThatADocumentShowsIsOne() {
        List<String> wrong = new ArrayList<>();
        int commands = 0;
        for (Path file : Documents.all()) {
            for (String command : Documents.commands(file)) {
                commands++;
                Documents.problem(words(command))
                        .ifPresent(problem -> wrong.add(
                                Documents.ROOT.relativize(file) + ": ./plimsoll " + command + ": " + problem));
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(commands).as("commands found").isGreaterThan(20);
    }

    @Test
    void everyMetricToBeWatchedIsThere() {
        Set<String> named = METRIC.matcher(Documents.read(Documents.ROOT.resolve("docs/operating.md")))
                .results()
                .map(MatchResult::group)
                .collect(Collectors.toSet());

        assertThat(named).isNotEmpty();
        assertThat(MetricTable.names()).containsAll(named);
    }

    @Test
    void theReadmeStaysShort() {
        assertThat(Documents.read(Documents.ROOT.resolve("README.md")).lines().count())
                .as("lines of README.md; reference belongs to docs/")
                .isLessThan(MOST_LINES);
    }

    private static Stream<String> deadLinks(Path file) {
        return LINK.matcher(Documents.prose(file))
                .results()
                .map(link -> link.group(1))
                .filter(target -> !target.matches("[a-z]+:.*"))
                .filter(target -> !leadsSomewhere(file, target))
                .map(target -> Documents.ROOT.relativize(file) + " -> " + target);
    }

    private static boolean leadsSomewhere(Path from, String target) {
        int hash = target.indexOf('#');
        String path = hash < 0 ? target : target.substring(0, hash);
        Path file = path.isEmpty() ? from : from.resolveSibling(path).normalize();
        return Files.exists(file) && (hash < 0 || anchors(file).contains(target.substring(hash + 1)));
    }

    /** As GitHub makes them of headings: lower case, punctuation dropped, blanks to hyphens. */
    private static Set<String> anchors(Path file) {
        return HEADING.matcher(Documents.prose(file))
                .results()
                .map(heading -> heading.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N}\\- _]", "")
                        .strip()
                        .replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    /** As a shell makes them: what is quoted is one word. */
    private static List<String> words(String command) {
        return WORD.matcher(command)
                .results()
                .map(MatchResult::group)
                .filter(word -> !word.matches("\\[.*|.*]"))
                .map(word -> word.replaceAll("^([\"'])(.*)\\1$", "$2"))
                .toList();
    }
}
