package dev.plimsoll.replay.export;

import dev.plimsoll.wire.AvroFile;
import java.io.IOException;
import java.io.OutputStream;

/** An Avro object container file, with the documented columns as its schema. */
public final class AvroTable extends TableWriter {
    private final AvroFile file;

    /** @param out closed with this */
    public AvroTable(TableSchema schema, OutputStream out) throws IOException {
        super(schema);
        file = new AvroFile(schema.avro(), out);
    }

    @Override
    protected void onText(int at, String value) {
        file.set(at, value);
    }

    @Override
    protected void onInteger(int at, int value) {
        file.set(at, value);
    }

    @Override
    protected void onNumber(int at, long value) {
        file.set(at, value);
    }

    @Override
    protected void onReal(int at, double value) {
        file.set(at, value);
    }

    @Override
    protected void onFlag(int at, boolean value) {
        file.set(at, value);
    }

    @Override
    protected void onTime(int at, long millis) {
        file.set(at, millis);
    }

    @Override
    protected void onNone(int at) {
        // what is not set is null
    }

    @Override
    protected void onEnd() throws IOException {
        file.append();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
