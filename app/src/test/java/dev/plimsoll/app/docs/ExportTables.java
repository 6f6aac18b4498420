package dev.plimsoll.app.docs;

import dev.plimsoll.replay.export.Table;
import dev.plimsoll.replay.export.TableSchema;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The columns of exported tables. */
final class ExportTables {
    private ExportTables() {}

    static String text() {
        return Stream.of(Table.values())
                .map(Table::schema)
                .map(ExportTables::text)
                .collect(Collectors.joining("\n"));
    }

    private static String text(TableSchema schema) {
        return "### " + schema.name() + "\n\n" + schema.doc() + "\n\n" + schema.markdown();
    }
}
