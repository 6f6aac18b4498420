package dev.plimsoll.app.registry;

import dev.plimsoll.wire.Topic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A record of every kind in every version of its schema, as releases wrote it, and what stands in it by Avro's own reader: for readers
 * of others to be compared with.
 */
final class ReleasedRecords {
    private static final Path GOLDEN = Path.of("..", "schemas", "src", "test", "resources", "golden");

    /** One record as bytes. */
    record Released(Topic<?> topic, byte[] bytes) {
        int schemaId() {
            return ByteBuffer.wrap(bytes).getInt(1);
        }
    }

    private ReleasedRecords() {}

    static List<Released> all() {
        try (Stream<Path> files = Files.list(GOLDEN)) {
            List<Released> all = new ArrayList<>();
            for (Path file : files.sorted().toList()) {
                for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                    String[] columns = line.split("\t", -1);
                    all.add(new Released(
                            Topic.all().stream()
                                    .filter(topic -> topic.name().equals(columns[0]))
                                    .findFirst()
                                    .orElseThrow(),
                            HexFormat.of().parseHex(columns[1])));
                }
            }
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes them as loops do, in one transaction, in front of one that is aborted; then some that no transaction has. */
    static void write(String bootstrapServers, List<Released> records) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "transactional.id",
                "released",
                "transaction.timeout.ms",
                "10000");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            records.forEach(record -> producer.send(record(record)));
            producer.commitTransaction();
            producer.beginTransaction();
            records.forEach(record -> producer.send(record(record)));
            producer.flush();
            producer.abortTransaction();
        }
    }

    private static ProducerRecord<byte[], byte[]> record(Released record) {
        return new ProducerRecord<>(record.topic().name(), 0, "a/b".getBytes(StandardCharsets.UTF_8), record.bytes());
    }

    /** What a reader has to say of all of them: a line each, sorted. */
    static List<String> lines(List<Released> records, Catalogue catalogue) {
        return records.stream().map(record -> line(record, catalogue)).sorted().toList();
    }

    /**
     * The topic, the schema's id, and over all fields however deep: how many values there are, the sum of integers and bytes, and how many
     * bytes texts have in UTF-8.
     */
    private static String line(Released record, Catalogue catalogue) {
        Schema schema = new Schema.Parser()
                .parse(catalogue.schema(record.schemaId()).orElseThrow().json());
        byte[] bytes = record.bytes();
        Sums sums = new Sums();
        try {
            GenericRecord value = new GenericDatumReader<GenericRecord>(schema)
                    .read(null, DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, null));
            sums.add(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return record.topic().name() + " " + record.schemaId() + " " + sums.values + " " + sums.numbers + " "
                + sums.texts;
    }

    private static final class Sums {
        private long values;
        private BigInteger numbers = BigInteger.ZERO;
        private long texts;

        private void add(Object value) {
            if (value instanceof GenericRecord record) {
                record.getSchema().getFields().forEach(field -> add(record.get(field.pos())));
                return;
            }
            if (value instanceof List<?> list) {
                list.forEach(this::add);
                return;
            }
            values++;
            if (value instanceof Integer || value instanceof Long) {
                number(((Number) value).longValue());
            } else if (value instanceof ByteBuffer buffer) {
                for (int i = buffer.position(); i < buffer.limit(); i++) {
                    number(buffer.get(i) & 0xff);
                }
            } else if (value != null && !(value instanceof Number) && !(value instanceof Boolean)) {
                texts += value.toString().getBytes(StandardCharsets.UTF_8).length;
            }
        }

        private void number(long number) {
            numbers = numbers.add(BigInteger.valueOf(number));
        }
    }
}
