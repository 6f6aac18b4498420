package dev.plimsoll.replay.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableWriterTest {
    private static final TableSchema SCHEMA = new TableSchema(
            "things",
            "A thing.",
            List.of(
                    Column.text("name", "its name").orNone(),
                    Column.real("size", "its size, in m").orNone(),
                    Column.time("at", "when")));

    @TempDir
    Path directory;

    private final StringWriter text = new StringWriter();

    private String rows(TableWriter to) throws IOException {
        try (to) {
            to.text("a \"b\", c\nd").real(0.1).time(0).end();
            to.text("").real(Double.NaN).time(1_795_000_000_001L).end();
            to.none().none().time(0).end();
        }
        return text.toString();
    }

    @Test
    void csvQuotesWhatNeedsItAndTellsNoneFromEmpty() throws IOException {
        assertThat(rows(new CsvTable(SCHEMA, text))).isEqualTo("""
                        name,size,at
                        "a ""b"", c
                        d",0.1,1970-01-01T00:00:00Z
                        "",,2026-11-18T11:06:40.001Z
                        ,,1970-01-01T00:00:00Z
                        """);
    }

    @Test
    void jsonHasNullForNone() throws IOException {
        assertThat(rows(new JsonLinesTable(SCHEMA, text)).lines())
                .containsExactly(
                        "{\"name\":\"a \\\"b\\\", c\\nd\",\"size\":0.1,\"at\":\"1970-01-01T00:00:00Z\"}",
                        "{\"name\":\"\",\"size\":null,\"at\":\"2026-11-18T11:06:40.001Z\"}",
                        "{\"name\":null,\"size\":null,\"at\":\"1970-01-01T00:00:00Z\"}");
    }

    @Test
    void aCellThatDoesNotFitItsColumnIsAFault() {
        TableWriter to = new JsonLinesTable(SCHEMA, text);

        assertThatThrownBy(() -> to.integer(1)).hasMessageContaining("things has no INT in column 0");
        assertThatThrownBy(() -> new JsonLinesTable(SCHEMA, text).none().none().none())
                .hasMessageContaining("needs a value in column 2");
        assertThatThrownBy(() -> new JsonLinesTable(SCHEMA, text).none().end()).hasMessageContaining("has 1 cells");
    }

    @Test
    void everyTableHasDocumentedColumnsThatAvroCanName() {
        for (Table table : Table.values()) {
            assertThat(table.schema().columns())
                    .allSatisfy(column -> assertThat(column.name()).matches("[a-z][A-Za-z]*"))
                    .allSatisfy(column -> assertThat(column.doc()).isNotBlank().doesNotContain("|"));
            assertThat(table.schema().avro()).contains("\"namespace\":\"dev.plimsoll.export\"");
        }
    }

    @Test
    void aFileTakesItsPlaceOnlyWhenItIsWhole() throws IOException {
        Path target = directory.resolve("out.csv");
        Files.writeString(target, "before");

        try (PendingFile file = PendingFile.of(target)) {
            Files.writeString(file.path(), "half");
        }
        assertThat(target).hasContent("before");

        try (PendingFile file = PendingFile.of(target)) {
            Files.writeString(file.path(), "whole");
            file.commit();
        }
        assertThat(target).hasContent("whole");
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left).containsExactly(target);
        }
    }
}
