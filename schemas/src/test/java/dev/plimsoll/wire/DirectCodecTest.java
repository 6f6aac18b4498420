package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;

/** The short cut writes and reads what Avro's own writer and reader do, and refuses what they refuse, for the same reason. */
class DirectCodecTest {
    private static final int VALUES = 400;
    private static final int MUTATIONS = 60;

    @Test
    void samplesAreWrittenAndReadAsByAvro() throws WireException {
        assertSame(new RecordFormat<>(LoadSample.class, "LoadSample", new LoadSampleCodec()), RandomValues::sample);
    }

    @Test
    void windowsAreWrittenAndReadAsByAvro() throws WireException {
        assertSame(new RecordFormat<>(LoadWindow.class, "LoadWindow", new LoadWindowCodec()), RandomValues::window);
    }

    /** For a day after an upgrade topics have samples of releases before, which come at the same rate. */
    @Test
    void samplesOfTheVersionsBeforeAreReadWithoutAvroToo() throws WireException {
        RecordFormat<LoadSample> format = new RecordFormat<>(LoadSample.class, "LoadSample", new LoadSampleCodec());
        for (int version : new int[] {LoadSampleDirect.TIMED, 2}) {
            SchemaTable.Entry before = format.entries().get(version - 1);
            assertThat(before.version()).isEqualTo(version);
            for (int i = 0; i < VALUES; i++) {
                LoadSample sample = new RandomValues(i).sample();
                byte[] bytes = inVersion(before.schema(), format, sample);

                LoadSample direct = new LoadSampleDirect(version).read(new WireReader(bytes, 0, bytes.length));

                assertThat(direct).isEqualTo(format.decode(before.id(), bytes, 0, bytes.length));
                assertThat(direct).isEqualTo(format.decodeByFields(before.id(), bytes, 0, bytes.length));
                assertThat(direct.load()).isEqualTo(sample.load());
                assertThat(direct.timed()).isEqualTo(sample.timed() && version == LoadSampleDirect.TIMED);
                assertThat(direct.kind()).isEqualTo(LoadKind.COMPUTED);
            }
        }
    }

    /** The value's bytes, without a frame, as a release would have written them that knew this version. */
    private static byte[] inVersion(Schema version, RecordFormat<LoadSample> format, LoadSample sample) {
        byte[] newest = format.encode(sample);
        Schema written = format.entries().get(format.entries().size() - 1).schema();
        try {
            GenericRecord record = new GenericDatumReader<GenericRecord>(written, version)
                    .read(
                            null,
                            DecoderFactory.get()
                                    .binaryDecoder(
                                            newest,
                                            RecordFormat.FRAME_BYTES,
                                            newest.length - RecordFormat.FRAME_BYTES,
                                            null));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
            new GenericDatumWriter<GenericRecord>(version).write(record, encoder);
            encoder.flush();
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static <T> void assertSame(RecordFormat<T> format, Function<RandomValues, T> values) throws WireException {
        Random random = new Random(5);
        int readable = 0;
        for (int i = 0; i < VALUES; i++) {
            T value = values.apply(new RandomValues(i));
            byte[] bytes = format.encode(value);
            assertThat(bytes).isEqualTo(format.encodeByFields(value));
            assertThat(outcome(format, bytes)).isEqualTo(value);
            for (int m = 0; m < MUTATIONS; m++) {
                byte[] mutated = mutate(bytes, random);
                Object direct = outcome(format, mutated);
                assertThat(direct).isEqualTo(outcomeByFields(format, mutated));
                readable += direct instanceof WireException.Reason ? 0 : 1;
            }
        }
        assertThat(readable).as("mutated records that can be read").isBetween(VALUES, VALUES * (MUTATIONS - 1));
    }

    private static Object outcome(RecordFormat<?> format, byte[] bytes) {
        try {
            return format.decode(format.writtenId(), bytes, RecordFormat.FRAME_BYTES, bytes.length);
        } catch (WireException e) {
            return e.reason();
        }
    }

    private static Object outcomeByFields(RecordFormat<?> format, byte[] bytes) {
        try {
            return format.decodeByFields(format.writtenId(), bytes, RecordFormat.FRAME_BYTES, bytes.length);
        } catch (WireException e) {
            return e.reason();
        }
    }

    /** Changes a byte of the value, most often near its beginning, where lengths and ranges are; or cuts it, or adds to it. */
    private static byte[] mutate(byte[] bytes, Random random) {
        int header = Math.min(bytes.length, 80) - RecordFormat.FRAME_BYTES;
        int length = bytes.length - RecordFormat.FRAME_BYTES;
        byte[] mutated = Arrays.copyOf(
                bytes, random.nextInt(10) == 0 ? RecordFormat.FRAME_BYTES + random.nextInt(length + 8) : bytes.length);
        int changes = mutated.length == bytes.length ? 1 + random.nextInt(2) : 0;
        for (int i = 0; i < changes; i++) {
            int at = RecordFormat.FRAME_BYTES + random.nextInt(random.nextInt(3) == 0 ? length : header);
            mutated[at] =
                    random.nextBoolean() ? (byte) (mutated[at] ^ 1 << random.nextInt(8)) : (byte) random.nextInt();
        }
        return mutated;
    }
}
