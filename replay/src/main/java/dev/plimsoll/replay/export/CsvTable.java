package dev.plimsoll.replay.export;

import java.io.IOException;
import java.io.Writer;
import java.time.Instant;

/** Comma-separated values as RFC 4180 has them, with a line of names; no value is an empty cell, times are ISO-8601. */
public final class CsvTable extends TableWriter {
    private final Writer out;
    private final StringBuilder row = new StringBuilder();

    /** @param out closed with this */
    public CsvTable(TableSchema schema, Writer out) throws IOException {
        super(schema);
        this.out = out;
        for (int at = 0; at < schema.columns().size(); at++) {
            cell(at).append(schema.columns().get(at).name());
        }
        onEnd();
    }

    private StringBuilder cell(int at) {
        return at == 0 ? row : row.append(',');
    }

    @Override
    protected void onText(int at, String value) {
        StringBuilder cell = cell(at);
        // An empty text is not the same as none.
        if (!value.isEmpty() && value.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')) {
            cell.append(value);
        } else {
            cell.append('"').append(value.replace("\"", "\"\"")).append('"');
        }
    }

    @Override
    protected void onInteger(int at, int value) {
        cell(at).append(value);
    }

    @Override
    protected void onNumber(int at, long value) {
        cell(at).append(value);
    }

    @Override
    protected void onReal(int at, double value) {
        cell(at).append(value);
    }

    @Override
    protected void onFlag(int at, boolean value) {
        cell(at).append(value);
    }

    @Override
    protected void onTime(int at, long millis) {
        cell(at).append(Instant.ofEpochMilli(millis));
    }

    @Override
    protected void onNone(int at) {
        cell(at);
    }

    @Override
    protected void onEnd() throws IOException {
        out.append(row.append('\n'));
        row.setLength(0);
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
