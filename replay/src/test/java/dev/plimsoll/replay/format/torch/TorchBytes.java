package dev.plimsoll.replay.format.torch;

import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Files as {@code torch.save} makes them, right ones and wrong ones, pickles opcode by opcode. */
public final class TorchBytes {
    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    private final Map<String, byte[]> entries = new LinkedHashMap<>();
    private String root = "archive";
    private int method = ZipEntry.STORED;
    private int storages;

    /** A pickle that has begun. */
    public static TorchBytes begun() {
        return new TorchBytes().op(0x80, 2);
    }

    /** A pickle of another protocol, with nothing else in it. */
    static TorchBytes ofProtocol(int protocol) {
        return new TorchBytes().op(0x80, protocol);
    }

    public TorchBytes op(int... bytes) {
        for (int b : bytes) {
            code.write(b);
        }
        return this;
    }

    public TorchBytes ascii(String bytes) {
        code.writeBytes(bytes.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    public TorchBytes little(int bytes, long number) {
        for (int i = 0; i < bytes; i++) {
            code.write((int) (number >> 8 * i));
        }
        return this;
    }

    public TorchBytes text(String text) {
        return op('X').little(4, text.length()).ascii(text);
    }

    public TorchBytes number(long number) {
        return op(0x8a, 8).little(8, number);
    }

    public TorchBytes real(double number) {
        return op('G').ascii(new String(ByteBuffer.allocate(8).putDouble(number).array(), StandardCharsets.ISO_8859_1));
    }

    /** A tensor with its own storage, packed. */
    public TorchBytes tensor(NumberType type, int[] shape, long... numbers) {
        return tensor(type, "cuda:0", numbers.length, 0, shape, packed(shape), Numbers.bytes(type, numbers));
    }

    static int[] packed(int[] shape) {
        int[] strides = new int[shape.length];
        int stride = 1;
        for (int d = shape.length - 1; d >= 0; d--) {
            strides[d] = stride;
            stride *= shape[d];
        }
        return strides;
    }

    public TorchBytes tensor(
            NumberType type, String location, long claimed, long offset, int[] shape, int[] strides, byte[] storage) {
        String key = String.valueOf(storages++);
        entry("data/" + key, storage);
        return tensor(type, key, location, claimed, offset, shape, strides);
    }

    /** A tensor of a storage that is there already, or is not there at all. */
    public TorchBytes tensor(
            NumberType type, String key, String location, long claimed, long offset, int[] shape, int[] strides) {
        ascii("ctorch._utils\n_rebuild_tensor_v2\n((").text("storage").ascii("ctorch\n" + type.torch() + "\n");
        text(key).text(location).number(claimed).op('t', 'Q').number(offset);
        return tuple(shape).tuple(strides).op(0x89).ascii("ccollections\nOrderedDict\n)RtR");
    }

    private TorchBytes tuple(int[] numbers) {
        op('(');
        for (int number : numbers) {
            number(number);
        }
        return op('t');
    }

    public TorchBytes entry(String name, byte[] bytes) {
        entries.put(name, bytes);
        return this;
    }

    public TorchBytes root(String name) {
        root = name;
        return this;
    }

    public TorchBytes deflated() {
        method = ZipEntry.DEFLATED;
        return this;
    }

    public byte[] pickle() {
        return code.toByteArray();
    }

    /** The file, when the pickle has stopped. */
    public byte[] file() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            put(zip, root + "/data.pkl", code.toByteArray());
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                put(zip, root + "/" + entry.getKey(), entry.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(method);
        entry.setTimeLocal(LocalDateTime.of(1980, 1, 1, 0, 0, 2)); // the same bytes each time
        if (method == ZipEntry.STORED) {
            CRC32 crc = new CRC32();
            crc.update(bytes);
            entry.setCrc(crc.getValue());
            entry.setSize(bytes.length);
        }
        zip.putNextEntry(entry);
        zip.write(bytes);
        zip.closeEntry();
    }

    /** A stat dump, {@code [row][hidden layer][expert]}. */
    public static TorchBytes stat(int[] shape, long... counts) {
        return begun().op('}', '(')
                .text("rank")
                .number(0)
                .text("logical_count")
                .tensor(NumberType.INT32, shape, counts)
                .text("average_utilization_rate_over_window")
                .real(0.75)
                .ascii("u.");
    }

    /**
     * One rank's file of records.
     *
     * @param counts {@code [pass][hidden layer · slot]}
     * @param chosen {@code [pass][hidden layer · token · choice]} of two choices; none for per_pass
     */
    public static TorchBytes records(int rank, int[] shape, long[] map, long[][] counts, long[]... chosen) {
        TorchBytes file = begun().op('}', '(').text("records").op(']', '(');
        for (int pass = 0; pass < counts.length; pass++) {
            file.op('}', '(')
                    .text("forward_pass_id")
                    .number(pass + 7)
                    .text("rank")
                    .number(rank);
            file.text("gatherer_key").text("primary");
            if (chosen.length > 0) {
                file.text("input_ids").op(']', '(').number(5).number(6).op('e');
                file.text("topk_ids_of_layer")
                        .tensor(
                                NumberType.INT32,
                                new int[] {shape[0], chosen[pass].length / shape[0] / 2, 2},
                                chosen[pass]);
            }
            file.text("global_physical_count")
                    .tensor(NumberType.INT32, shape, counts[pass])
                    .op('u');
        }
        return file.op('e')
                .text("last_physical_to_logical_map")
                .tensor(NumberType.INT64, shape, map)
                .ascii("u.");
    }

    /** The same bytes with a number somewhere set to another. */
    static byte[] with(byte[] bytes, int at, int width, long number) {
        byte[] wrong = bytes.clone();
        ByteBuffer value = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, number);
        for (int i = 0; i < width; i++) {
            wrong[at + i] = value.get(i);
        }
        return wrong;
    }
}
