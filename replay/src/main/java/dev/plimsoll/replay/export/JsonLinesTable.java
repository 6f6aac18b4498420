package dev.plimsoll.replay.export;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.io.IOException;
import java.io.Writer;
import java.time.Instant;

/** A JSON object per line; no value is null, times are ISO-8601. */
public final class JsonLinesTable extends TableWriter {
    private final Writer out;
    private final StringBuilder row = new StringBuilder();

    /** @param out closed with this */
    public JsonLinesTable(TableSchema schema, Writer out) {
        super(schema);
        this.out = out;
    }

    private StringBuilder cell(int at) {
        return row.append(at == 0 ? "{\"" : ",\"").append(column(at).name()).append("\":");
    }

    @Override
    protected void onText(int at, String value) {
        StringBuilder cell = cell(at).append('"');
        JsonStringEncoder.getInstance().quoteAsString(value, cell);
        cell.append('"');
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
        cell(at).append('"').append(Instant.ofEpochMilli(millis)).append('"');
    }

    @Override
    protected void onNone(int at) {
        cell(at).append("null");
    }

    @Override
    protected void onEnd() throws IOException {
        out.append(row.append("}\n"));
        row.setLength(0);
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
