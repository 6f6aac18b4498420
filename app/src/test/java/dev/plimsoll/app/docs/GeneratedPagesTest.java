package dev.plimsoll.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.metrics.MetricTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Parts of the documents are generated: what stands between {@code <!-- generated: NAME -->} and {@code <!-- end -->}. With
 * {@code -Dplimsoll.docs=write} this test writes them, else it says which are behind.
 */
class GeneratedPagesTest {
    private static final String HOW = "./mvnw -q -pl app -am test -Dtest=GeneratedPagesTest"
            + " -Dsurefire.failIfNoSpecifiedTests=false -Dnative.tests.skip=true -Dplimsoll.docs=write";

    private static final Map<String, Supplier<String>> PARTS = Map.of(
            "commands", CommandPage::text,
            "export", ExportTables::text,
            "topics", TopicTable::text,
            "metrics", MetricTable::text,
            "reasons", ReasonTables::text,
            "refused", RefusedProperties::text);

    private static final Pattern PART = Pattern.compile("(?s)(<!-- generated: (\\w+)[^>]*-->\n)(.*?)(<!-- end -->)");

    @ParameterizedTest
    @ValueSource(strings = {"docs/cli.md", "docs/topics.md", "docs/export.md", "docs/metrics.md", "docs/operating.md"})
    void whatIsGeneratedIsAsTheSourcesHaveIt(String page) throws IOException {
        Path file = Documents.ROOT.resolve(page);
        String is = Documents.read(file);
        Matcher part = PART.matcher(is);
        assertThat(part.find()).as("%s has a generated part", page).isTrue();
        String should = part.replaceAll(found -> {
            Supplier<String> text = PARTS.get(found.group(2));
            assertThat(text)
                    .as("what makes the part '%s' of %s", found.group(2), page)
                    .isNotNull();
            return Matcher.quoteReplacement(found.group(1) + text.get().strip() + "\n" + found.group(4));
        });
        compare(file, is, should);
    }

    @Test
    void tablesOfFlinkAreAsTheSchemasHaveThem() throws IOException {
        Path file = Documents.ROOT.resolve("deploy/flink/tables.sql");
        compare(file, Documents.read(file), FlinkTables.text());
    }

    private static void compare(Path file, String is, String should) throws IOException {
        if ("write".equals(System.getProperty("plimsoll.docs"))) {
            Files.writeString(file, should);
            return;
        }

        assertThat(is)
                .as("%s is behind the sources. Bring it up to date with: %s", Documents.ROOT.relativize(file), HOW)
                .isEqualTo(should);
    }
}
