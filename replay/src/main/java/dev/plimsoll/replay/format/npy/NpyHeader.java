package dev.plimsoll.replay.format.npy;

import dev.plimsoll.replay.format.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The head of an array in NumPy's format, of version 1 to 3: what follows it.
 *
 * <p>Format: numpy.lib.format in NumPy's documentation.
 *
 * @param type as NumPy writes it, such as {@code <u2}
 * @param fortranOrder whether the first dimension is the fastest
 * @param shape size of every dimension, the slowest first unless in Fortran order; none is negative
 * @param bytes of the head itself
 */
public record NpyHeader(String type, boolean fortranOrder, List<Long> shape, int bytes) {
    static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int LONGEST = 65_536;
    private static final int ALIGNMENT = 64;

    /** One key with its value; NumPy writes each once. */
    private static final Pattern ITEM =
            Pattern.compile("\\s*'(\\w*+)'\\s*+:\\s*+('[^']*+'|True|False|\\([0-9,\\s]*+\\))\\s*+(,|(?=}))");

    private static final Pattern SIZES = Pattern.compile("\\(\\s*+(?:[0-9]++\\s*+,\\s*+)*+(?:[0-9]++\\s*+)?+\\)");

    public NpyHeader {
        shape = List.copyOf(shape);
    }

    /**
     * Reads it and leaves the stream at the first value.
     *
     * @throws FormatException when it is not one
     */
    public static NpyHeader read(String file, InputStream in) throws IOException {
        byte[] fixed = in.readNBytes(MAGIC.length + 2);
        if (!Arrays.equals(Arrays.copyOf(fixed, MAGIC.length), MAGIC)) {
            throw new FormatException(file, 0, "is not a NumPy file");
        }
        if (fixed.length < MAGIC.length + 2) {
            throw new FormatException(file, fixed.length, "ends within its header");
        }
        int version = Byte.toUnsignedInt(fixed[MAGIC.length]);
        if (version < 1 || version > 3) {
            throw new FormatException(
                    file,
                    MAGIC.length,
                    "is of NumPy's format " + version + "." + Byte.toUnsignedInt(fixed[MAGIC.length + 1])
                            + ": 1 to 3 are known");
        }
        byte[] field = in.readNBytes(version == 1 ? Short.BYTES : Integer.BYTES);
        int before = fixed.length + field.length;
        if (field.length < (version == 1 ? Short.BYTES : Integer.BYTES)) {
            throw new FormatException(file, before, "ends within its header");
        }
        ByteBuffer length = ByteBuffer.wrap(field).order(ByteOrder.LITTLE_ENDIAN);
        long claimed = version == 1 ? Short.toUnsignedLong(length.getShort()) : Integer.toUnsignedLong(length.getInt());
        if (claimed > LONGEST) {
            throw new FormatException(
                    file, fixed.length, "has a header of " + claimed + " bytes: at most " + LONGEST + " are read");
        }
        byte[] text = in.readNBytes((int) claimed);
        if (text.length < claimed) {
            throw new FormatException(file, before + text.length, "ends within its header");
        }
        return new Parser(file, fixed.length + field.length, new String(text, StandardCharsets.UTF_8))
                .parse(before + text.length);
    }

    /** The text of a header, read key by key. */
    private static final class Parser {
        private final String file;
        private final int position;
        private final String text;
        private String type = "";
        private String order = "";
        private String sizes = "";

        Parser(String file, int position, String text) {
            this.file = file;
            this.position = position;
            this.text = text;
        }

        NpyHeader parse(int bytes) throws FormatException {
            int open = text.indexOf('{');
            int close = text.lastIndexOf('}');
            if (open < 0 || close < open || !(text.substring(0, open) + text.substring(close + 1)).isBlank()) {
                throw wrong("one pair of braces");
            }
            Matcher item = ITEM.matcher(text).useTransparentBounds(true).region(open + 1, close);
            while (item.lookingAt()) {
                set(item.group(1), item.group(2));
                item.region(item.end(), close);
            }
            require(type, "plain type");
            require(order, "order");
            require(sizes, "shape");
            if (!text.substring(item.regionStart(), close).isBlank()) {
                throw wrong("nothing but type, order and shape");
            }
            return new NpyHeader(type, order.equals("True"), shape(), bytes);
        }

        private void set(String key, String value) throws FormatException {
            char first = value.charAt(0);
            switch (key) {
                case "descr" -> type = once(type, first == '\'' ? value.substring(1, value.length() - 1) : "", key);
                case "fortran_order" -> order = once(order, first == 'T' || first == 'F' ? value : "", key);
                case "shape" -> sizes = once(sizes, SIZES.matcher(value).matches() ? value : "", key);
                default -> throw wrong("no key '" + (key.length() > 40 ? key.substring(0, 40) : key) + "'");
            }
        }

        private String once(String before, String value, String key) throws FormatException {
            if (!before.isEmpty()) {
                throw wrong("one '" + key + "'");
            }
            return value;
        }

        private void require(String value, String what) throws FormatException {
            if (value.isEmpty()) {
                throw new FormatException(file, position, "has a header with no " + what + ": " + shown());
            }
        }

        private FormatException wrong(String needs) {
            return new FormatException(file, position, "has a header that must have " + needs + ": " + shown());
        }

        private String shown() {
            String shown = text.strip();
            return shown.length() > 200 ? shown.substring(0, 200) + "..." : shown;
        }

        private List<Long> shape() throws FormatException {
            List<Long> shape = new ArrayList<>();
            for (String size : sizes.substring(1, sizes.length() - 1).split(",", -1)) {
                if (!size.isBlank()) {
                    try {
                        shape.add((long) Integer.parseInt(size.strip()));
                    } catch (NumberFormatException e) {
                        throw new FormatException(file, position, "is too large: " + shown());
                    }
                }
            }
            return shape;
        }
    }

    /** The bytes of a header, as {@code numpy.save} writes them. */
    public static byte[] write(String type, List<Integer> shape) {
        String sizes =
                shape.stream().map(String::valueOf).collect(Collectors.joining(", ")) + (shape.size() == 1 ? "," : "");
        String dict = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
        int before = MAGIC.length + 2 + Short.BYTES;
        // NumPy leaves room for the first dimension to grow in place, up to 21 digits of it.
        int room = shape.isEmpty()
                ? 0
                : Math.max(0, 21 - String.valueOf(shape.get(0)).length());
        int length = dict.length() + room + 1;
        int all = (before + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        String padded = dict + " ".repeat(all - before - dict.length() - 1) + "\n";
        return ByteBuffer.allocate(all)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(MAGIC)
                .put(new byte[] {1, 0})
                .putShort((short) padded.length())
                .put(padded.getBytes(StandardCharsets.US_ASCII))
                .array();
    }
}
