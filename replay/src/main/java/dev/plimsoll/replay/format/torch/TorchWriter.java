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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a dictionary of numbers and tensors as {@code torch.save} does, so that {@code torch.load(weights_only=True)} reads it: the
 * same pickle, opcode by opcode, and storages at multiples of 64 bytes. The same values give the same bytes.
 */
public final class TorchWriter {
    private static final int ALIGNMENT = 64;
    private static final int LOCAL_HEADER_BYTES = 30;
    private static final int EXTRA_HEADER_BYTES = 4;
    /** What PyTorch pads with: a field that no reader knows. */
    private static final short PADDING = 0x4246;

    /** At the very beginning of 1980 the JDK would add a field with a time that depends on the time zone. */
    private static final LocalDateTime NEVER = LocalDateTime.of(1980, 1, 1, 0, 0, 2);

    private record Tensor(NumberType type, List<Integer> shape, long[] numbers) {}

    /** Of each key its whole number, or empty for None, or its tensor. */
    private final Map<String, Object> values = new LinkedHashMap<>();

    public TorchWriter put(String key, long number) {
        values.put(key, OptionalLong.of(number));
        return this;
    }

    public TorchWriter putNone(String key) {
        values.put(key, OptionalLong.empty());
        return this;
    }

    /** @param numbers the last dimension the fastest; not copied */
    public TorchWriter put(String key, NumberType type, List<Integer> shape, long[] numbers) {
        values.put(key, new Tensor(type, List.copyOf(shape), numbers));
        return this;
    }

    /** @param root the folder that everything is in: torch.save takes the name of the file without its ending */
    public byte[] bytes(String root) {
        List<Tensor> tensors = new ArrayList<>();
        byte[] pickle = new Program(tensors).of(values);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            entry(zip, bytes, root + "/data.pkl", pickle);
            entry(zip, bytes, root + "/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
            for (int i = 0; i < tensors.size(); i++) {
                Tensor tensor = tensors.get(i);
                entry(zip, bytes, root + "/data/" + i, Numbers.bytes(tensor.type, tensor.numbers));
            }
            entry(zip, bytes, root + "/version", "3\n".getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot be written to", e);
        }
        return bytes.toByteArray();
    }

    private static void entry(ZipOutputStream zip, ByteArrayOutputStream so, String name, byte[] content)
            throws IOException {
        zip.flush();
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setTimeLocal(NEVER);
        entry.setSize(content.length);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setCrc(crc.getValue());
        int before = so.size() + LOCAL_HEADER_BYTES + name.getBytes(StandardCharsets.UTF_8).length + EXTRA_HEADER_BYTES;
        int padding = Math.floorMod(-before, ALIGNMENT);
        entry.setExtra(ByteBuffer.allocate(EXTRA_HEADER_BYTES + padding)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(PADDING)
                .putShort((short) padding)
                .array());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    /** The pickle, as CPython's own pickler writes it: everything but small values is remembered once, and recalled. */
    private static final class Program {
        private final ByteArrayOutputStream code = new ByteArrayOutputStream();
        private final Map<String, Integer> memo = new LinkedHashMap<>();
        private final List<Tensor> tensors;
        private int remembered;

        Program(List<Tensor> tensors) {
            this.tensors = tensors;
        }

        byte[] of(Map<String, Object> values) {
            op(0x80, 2);
            op('}');
            remember();
            op('(');
            values.forEach((key, value) -> {
                text(key);
                if (value instanceof Tensor tensor) {
                    tensor(tensor);
                } else if (value instanceof OptionalLong number && number.isPresent()) {
                    number(number.getAsLong());
                } else {
                    op('N');
                }
            });
            op('u');
            op('.');
            return code.toByteArray();
        }

        private void tensor(Tensor tensor) {
            global("torch._utils", "_rebuild_tensor_v2");
            op('(');
            op('(');
            text("storage");
            global("torch", tensor.type.torch());
            text(String.valueOf(tensors.size()));
            tensors.add(tensor);
            text("cpu");
            number(tensor.numbers.length);
            op('t');
            remember();
            op('Q');
            number(0);
            tuple(tensor.shape);
            List<Integer> strides = new ArrayList<>();
            int stride = 1;
            for (int d = tensor.shape.size() - 1; d >= 0; d--) {
                strides.add(0, stride);
                stride *= tensor.shape.get(d);
            }
            tuple(strides);
            op(0x89);
            global("collections", "OrderedDict");
            op(')');
            op('R');
            remember();
            op('t');
            remember();
            op('R');
            remember();
        }

        private void tuple(List<Integer> numbers) {
            if (numbers.size() > 3) {
                op('(');
            }
            numbers.forEach(this::number);
            op(numbers.size() > 3 ? 't' : 0x84 + numbers.size());
            remember();
        }

        private void number(long number) {
            if (number >= 0 && number < 1 << Byte.SIZE) {
                op('K', (int) number);
            } else if (number >= 0 && number < 1 << Short.SIZE) {
                op('M', (int) number & 0xff, (int) number >> Byte.SIZE);
            } else if (number == (int) number) {
                op('J');
                little(Integer.BYTES, number);
            } else {
                op(0x8a, Long.BYTES);
                little(Long.BYTES, number);
            }
        }

        private void text(String text) {
            if (recalls(text)) {
                return;
            }
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            op('X');
            little(Integer.BYTES, utf8.length);
            code.writeBytes(utf8);
            memo.put(text, remember());
        }

        private void global(String module, String name) {
            String key = "\n" + module + "\n" + name + "\n";
            if (!recalls(key)) {
                op('c');
                code.writeBytes(key.substring(1).getBytes(StandardCharsets.US_ASCII));
                memo.put(key, remember());
            }
        }

        private boolean recalls(String key) {
            Integer index = memo.get(key);
            if (index != null) {
                op('h', index);
            }
            return index != null;
        }

        private int remember() {
            op('q', remembered);
            if (remembered > 0xff) {
                throw new IllegalStateException("a dictionary of more values than are ever written");
            }
            return remembered++;
        }

        private void little(int bytes, long number) {
            for (int i = 0; i < bytes; i++) {
                code.write((int) (number >> Byte.SIZE * i));
            }
        }

        private void op(int... bytes) {
            for (int b : bytes) {
                code.write(b);
            }
        }
    }
}
