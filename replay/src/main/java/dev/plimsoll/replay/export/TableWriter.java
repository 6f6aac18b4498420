package dev.plimsoll.replay.export;

import java.io.IOException;

/**
 * Writes the rows of a table, cell after cell in the order of the columns, so that a row costs no object. What does not fit the columns
 * is a fault of whoever writes.
 */
public abstract class TableWriter implements AutoCloseable {
    private final TableSchema schema;
    private int next;

    protected TableWriter(TableSchema schema) {
        this.schema = schema;
    }

    public final TableSchema schema() {
        return schema;
    }

    public final TableWriter text(String value) {
        onText(cell(Column.Type.TEXT), value);
        return this;
    }

    public final TableWriter integer(int value) {
        onInteger(cell(Column.Type.INT), value);
        return this;
    }

    public final TableWriter number(long value) {
        onNumber(cell(Column.Type.LONG), value);
        return this;
    }

    /** A number that is not finite is none. */
    public final TableWriter real(double value) {
        if (!Double.isFinite(value)) {
            return none();
        }
        onReal(cell(Column.Type.DOUBLE), value);
        return this;
    }

    public final TableWriter flag(boolean value) {
        onFlag(cell(Column.Type.FLAG), value);
        return this;
    }

    public final TableWriter time(long millis) {
        onTime(cell(Column.Type.TIME), millis);
        return this;
    }

    public final TableWriter none() {
        int at = next++;
        if (at >= schema.columns().size() || !schema.columns().get(at).optional()) {
            throw new IllegalStateException(schema.name() + " needs a value in column " + at);
        }
        onNone(at);
        return this;
    }

    /** Ends the row. */
    public final void end() throws IOException {
        if (next != schema.columns().size()) {
            throw new IllegalStateException("a row of " + schema.name() + " has " + next + " cells");
        }
        next = 0;
        onEnd();
    }

    private int cell(Column.Type type) {
        int at = next++;
        if (at >= schema.columns().size() || schema.columns().get(at).type() != type) {
            throw new IllegalStateException(schema.name() + " has no " + type + " in column " + at);
        }
        return at;
    }

    protected final Column column(int at) {
        return schema.columns().get(at);
    }

    protected abstract void onText(int at, String value);

    protected abstract void onInteger(int at, int value);

    protected abstract void onNumber(int at, long value);

    protected abstract void onReal(int at, double value);

    protected abstract void onFlag(int at, boolean value);

    protected abstract void onTime(int at, long millis);

    protected abstract void onNone(int at);

    protected abstract void onEnd() throws IOException;

    /** Writes what is left; the table is whole only then. */
    @Override
    public abstract void close() throws IOException;
}
