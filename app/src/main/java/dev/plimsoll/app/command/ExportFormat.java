package dev.plimsoll.app.command;

import dev.plimsoll.replay.export.AvroTable;
import dev.plimsoll.replay.export.CsvTable;
import dev.plimsoll.replay.export.JsonLinesTable;
import dev.plimsoll.replay.export.TableSchema;
import dev.plimsoll.replay.export.TableWriter;
import dev.plimsoll.replay.parquet.ParquetTable;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** How {@code plimsoll export} writes a table. */
enum ExportFormat {
    JSONL,
    CSV,
    PARQUET,
    AVRO,
    /** A workload of {@code bench planner}: an array, not a table. */
    NPY;

    /** The ending of files. */
    String ending() {
        return "." + name().toLowerCase(Locale.ROOT);
    }

    /** Whether it can be read on a terminal. */
    boolean isText() {
        return this == JSONL || this == CSV;
    }

    /** Begins a table. */
    TableWriter open(TableSchema schema, OutputStream out) throws IOException {
        return switch (this) {
            case JSONL -> new JsonLinesTable(schema, text(out));
            case CSV -> new CsvTable(schema, text(out));
            case PARQUET -> new ParquetTable(schema, out);
            case AVRO -> new AvroTable(schema, out);
            case NPY -> throw new IllegalArgumentException(this + " holds no table");
        };
    }

    private static Writer text(OutputStream out) {
        return new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8), 1 << 16);
    }
}
