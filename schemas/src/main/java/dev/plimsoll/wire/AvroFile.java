package dev.plimsoll.wire;

import java.io.IOException;
import java.io.OutputStream;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;

/**
 * An Avro object container file, which has its schema in it: records of plain fields, for other programs. Packed with deflate, which every
 * reader knows. One thread.
 */
public final class AvroFile implements AutoCloseable {
    private static final int FAST = 1;

    private final Schema schema;
    private final DataFileWriter<GenericRecord> writer;
    private GenericData.Record record;

    /**
     * Begins a file.
     *
     * @param schema of a record, as JSON
     * @param out closed with this
     */
    public AvroFile(String schema, OutputStream out) throws IOException {
        this.schema = new Schema.Parser().parse(schema);
        this.record = new GenericData.Record(this.schema);
        this.writer = new DataFileWriter<>(new GenericDatumWriter<>(this.schema));
        writer.setCodec(CodecFactory.deflateCodec(FAST));
        var unused = writer.create(this.schema, out);
    }

    /** Sets a field of the next record; of one that is optional nothing need be set. */
    public void set(int field, String value) {
        record.put(field, value);
    }

    public void set(int field, int value) {
        record.put(field, value);
    }

    public void set(int field, long value) {
        record.put(field, value);
    }

    public void set(int field, double value) {
        record.put(field, value);
    }

    public void set(int field, boolean value) {
        record.put(field, value);
    }

    /** Writes the record of the fields that were set and begins the next one. */
    public void append() throws IOException {
        writer.append(record);
        record = new GenericData.Record(schema);
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }
}
