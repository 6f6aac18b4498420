package dev.plimsoll.replay.parquet;

import dev.plimsoll.replay.export.Column;
import dev.plimsoll.replay.export.TableSchema;
import dev.plimsoll.replay.export.TableWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/**
 * A Parquet file of plain columns, packed with zstd. Groups of rows are small: what waits in memory is one of them, and readers may skip
 * those that they do not want.
 */
public final class ParquetTable extends TableWriter {
    private static final long GROUP_BYTES = 16L << 20;

    /** The row as it comes, by column; what is not finite or whole stands where its type has it. */
    private final boolean[] present;

    private final long[] whole;
    private final double[] real;
    private final Binary[] text;
    private final String[] textOf;
    private final ParquetWriter<ParquetTable> writer;

    /** @param out closed with this */
    public ParquetTable(TableSchema schema, OutputStream out) throws IOException {
        super(schema);
        int columns = schema.columns().size();
        present = new boolean[columns];
        whole = new long[columns];
        real = new double[columns];
        text = new Binary[columns];
        textOf = new String[columns];
        Arrays.fill(text, Binary.EMPTY);
        Arrays.fill(textOf, "");
        writer = new Builder(new StreamFile(out), schema)
                .withConf(new PlainParquetConfiguration())
                .withCompressionCodec(CompressionCodecName.ZSTD)
                .withRowGroupSize(GROUP_BYTES)
                .build();
    }

    @Override
    protected void onText(int at, String value) {
        if (!value.equals(textOf[at])) {
            textOf[at] = value;
            text[at] = Binary.fromString(value);
        }
        present[at] = true;
    }

    @Override
    protected void onInteger(int at, int value) {
        onNumber(at, value);
    }

    @Override
    protected void onNumber(int at, long value) {
        whole[at] = value;
        present[at] = true;
    }

    @Override
    protected void onReal(int at, double value) {
        real[at] = value;
        present[at] = true;
    }

    @Override
    protected void onFlag(int at, boolean value) {
        onNumber(at, value ? 1 : 0);
    }

    @Override
    protected void onTime(int at, long millis) {
        onNumber(at, millis);
    }

    @Override
    protected void onNone(int at) {
        present[at] = false;
    }

    @Override
    protected void onEnd() throws IOException {
        writer.write(this);
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }

    private void writeTo(RecordConsumer consumer) {
        List<Column> columns = schema().columns();
        consumer.startMessage();
        for (int at = 0; at < columns.size(); at++) {
            if (!present[at]) {
                continue;
            }
            String name = columns.get(at).name();
            consumer.startField(name, at);
            switch (columns.get(at).type()) {
                case TEXT -> consumer.addBinary(text[at]);
                case INT -> consumer.addInteger((int) whole[at]);
                case LONG, TIME -> consumer.addLong(whole[at]);
                case DOUBLE -> consumer.addDouble(real[at]);
                case FLAG -> consumer.addBoolean(whole[at] != 0);
            }
            consumer.endField(name, at);
        }
        consumer.endMessage();
    }

    private static MessageType message(TableSchema schema) {
        return new MessageType(
                schema.name(), schema.columns().stream().map(ParquetTable::type).toList());
    }

    private static Type type(Column column) {
        return switch (column.type()) {
            case TEXT ->
                field(column, PrimitiveTypeName.BINARY)
                        .as(LogicalTypeAnnotation.stringType())
                        .named(column.name());
            case INT -> field(column, PrimitiveTypeName.INT32).named(column.name());
            case LONG -> field(column, PrimitiveTypeName.INT64).named(column.name());
            case DOUBLE -> field(column, PrimitiveTypeName.DOUBLE).named(column.name());
            case FLAG -> field(column, PrimitiveTypeName.BOOLEAN).named(column.name());
            case TIME ->
                field(column, PrimitiveTypeName.INT64)
                        .as(LogicalTypeAnnotation.timestampType(true, TimeUnit.MILLIS))
                        .named(column.name());
        };
    }

    private static Types.PrimitiveBuilder<PrimitiveType> field(Column column, PrimitiveTypeName type) {
        return column.optional() ? Types.optional(type) : Types.required(type);
    }

    private static final class Builder extends ParquetWriter.Builder<ParquetTable, Builder> {
        private final TableSchema schema;

        Builder(StreamFile file, TableSchema schema) {
            super(file);
            this.schema = schema;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        @SuppressWarnings("deprecation") // it is abstract
        protected WriteSupport<ParquetTable> getWriteSupport(Configuration conf) {
            return new Rows(schema);
        }

        @Override
        protected WriteSupport<ParquetTable> getWriteSupport(ParquetConfiguration conf) {
            return new Rows(schema);
        }
    }

    private static final class Rows extends WriteSupport<ParquetTable> {
        private final TableSchema schema;
        private Optional<RecordConsumer> consumer = Optional.empty();

        Rows(TableSchema schema) {
            this.schema = schema;
        }

        @Override
        @SuppressWarnings("deprecation") // it is abstract
        public WriteContext init(Configuration configuration) {
            return new WriteContext(message(schema), Map.of());
        }

        @Override
        public WriteContext init(ParquetConfiguration configuration) {
            return new WriteContext(message(schema), Map.of());
        }

        @Override
        public void prepareForWrite(RecordConsumer recordConsumer) {
            consumer = Optional.of(recordConsumer);
        }

        @Override
        public void write(ParquetTable row) {
            row.writeTo(consumer.orElseThrow());
        }
    }
}
