package dev.plimsoll.replay.format.torch;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.array.NumberType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The machine that a pickle is a program for, cut down to what {@code torch.save} writes of dictionaries, lists, numbers, text and
 * tensors. It calls two things by name, which build values, and looks nothing up; any other opcode or name is refused with its place.
 *
 * <p>Format: Lib/pickletools.py of CPython describes every opcode. Decision 35 says why this is our own.
 */
final class Pickle {
    private static final int MOST_MARKS = 1_000;
    private static final int MOST_TEXT = 1 << 16;

    private static final String REBUILD = "torch._utils._rebuild_tensor_v2";
    private static final String ORDERED = "collections.OrderedDict";
    private static final String TORCH = "torch.";

    // What things cost in bytes, with compressed pointers.
    private static final int PLACE = 4;
    private static final int ARRAY = 24;
    private static final int NUMBER = 24;
    private static final int SEQUENCE = 48;
    private static final int DICT = 32;
    private static final int TEXT = 72;
    private static final int NAME = 576;
    private static final int STORAGE = 40;
    private static final int TENSOR = 96;

    static final Py NONE = new Py.None();
    private static final Py YES = new Py.Bool(true);
    private static final Py NO = new Py.Bool(false);
    private static final Py[] SMALL = new Py[1 << Byte.SIZE];

    static {
        Arrays.setAll(SMALL, Py.Int::new);
    }

    private final String part;
    private final ByteBuffer code;
    private final Allowance allowance;
    private Py[] stack = new Py[64];
    private int size;
    private Py[] memo = new Py[64];
    private int remembered;
    private int[] marks = new int[8];
    private int markCount;
    private int opcodeAt;

    private Pickle(String part, ByteBuffer code, Allowance allowance) {
        this.part = part;
        this.code = code.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        this.allowance = allowance;
    }

    /** What the program leaves. */
    static Py read(String part, ByteBuffer code, Allowance allowance) throws FormatException {
        return new Pickle(part, code.slice(), allowance).run();
    }

    private Py run() throws FormatException {
        while (true) {
            opcodeAt = code.position();
            char opcode = (char) u8();
            if (opcode == '.') {
                if (size != 1 || markCount != 0) {
                    throw wrong("stops with " + size + " values and " + markCount + " marks left: needs 1 and 0");
                }
                if (code.hasRemaining()) {
                    throw new FormatException(part, code.position(), "goes on after its end");
                }
                return stack[0];
            }
            step(opcode);
        }
    }

    private void step(char opcode) throws FormatException {
        switch (opcode) {
            case 0x80 -> requireProtocol(u8());
            case '(' -> mark();
            case 'N' -> push(NONE);
            case 0x88 -> push(YES);
            case 0x89 -> push(NO);
            case 'K' -> push(SMALL[u8()]);
            case 'M' -> push(number(u8() | u8() << Byte.SIZE));
            case 'J' -> push(number(need(Integer.BYTES).getInt()));
            case 0x8a -> push(number(longOf(u8())));
            case 'G' ->
                push(real(Double.longBitsToDouble(
                        Long.reverseBytes(need(Long.BYTES).getLong()))));
            case 'X' -> push(new Py.Text(text(u32())));
            case ')' -> push(tuple(size));
            case 0x85 -> push(tuple(below(1)));
            case 0x86 -> push(tuple(below(2)));
            case 0x87 -> push(tuple(below(3)));
            case 't' -> push(tuple(unmarked()));
            case ']' -> push(list());
            case '}' -> push(dict());
            case 'a' -> append(below(1));
            case 'e' -> append(unmarked());
            case 's' -> set(below(2));
            case 'u' -> set(unmarked());
            case 'c' -> push(global());
            case 'Q' -> push(storage());
            case 'R' -> push(called(below(2)));
            case 'q' -> remember(u8());
            case 'r' -> remember(u32());
            case 'h' -> push(remembered(u8()));
            case 'j' -> push(remembered(u32()));
            default -> throw wrong("has opcode " + name(opcode) + ", which a recording has no use for: it is not run");
        }
    }

    private static String name(char opcode) {
        String known = switch (opcode) {
            case 0x93 -> " (STACK_GLOBAL)";
            case 'b' -> " (BUILD)";
            case 'i' -> " (INST)";
            case 'o' -> " (OBJ)";
            case 0x81 -> " (NEWOBJ)";
            case 0x92 -> " (NEWOBJ_EX)";
            case 'P' -> " (PERSID)";
            case 0x82, 0x83, 0x84 -> " (EXT)";
            case 0x8b -> " (LONG4)";
            case 'L' -> " (LONG)";
            case 0x8d -> " (BINUNICODE8)";
            case 0x8e -> " (BINBYTES8)";
            case 'B' -> " (BINBYTES)";
            case 0x95 -> " (FRAME)";
            case 0x94 -> " (MEMOIZE)";
            default -> "";
        };
        return String.format("0x%02x", (int) opcode) + known;
    }

    private void requireProtocol(int protocol) throws FormatException {
        if (opcodeAt != 0 || protocol != 2) {
            throw wrong("is of protocol " + protocol + ": torch.save writes 2, once, at the beginning");
        }
    }

    // Bytes.

    private ByteBuffer need(long count) throws FormatException {
        if (count > code.remaining()) {
            throw new FormatException(part, code.limit(), "ends within the opcode at byte " + opcodeAt);
        }
        return code;
    }

    private int u8() throws FormatException {
        return Byte.toUnsignedInt(need(1).get());
    }

    private long u32() throws FormatException {
        return Integer.toUnsignedLong(need(Integer.BYTES).getInt());
    }

    private long longOf(int length) throws FormatException {
        if (length > Long.BYTES) {
            throw wrong("has a number of " + length + " bytes: at most 8 are read");
        }
        need(length);
        long value = 0;
        for (int i = 0; i < length; i++) {
            long octet = i == length - 1 ? code.get() : Byte.toUnsignedLong(code.get());
            value |= octet << (Byte.SIZE * i);
        }
        return value;
    }

    private String text(long length) throws FormatException {
        if (length > MOST_TEXT) {
            throw wrong("has a text of " + length + " bytes: at most " + MOST_TEXT + " are read");
        }
        need(length);
        allowance.charge(part, opcodeAt, TEXT + 2 * length);
        int from = code.arrayOffset() + code.position();
        code.position(code.position() + (int) length);
        return new String(code.array(), from, (int) length, StandardCharsets.UTF_8);
    }

    private String line() throws FormatException {
        StringBuilder line = new StringBuilder();
        for (int c = u8(); c != '\n'; c = u8()) {
            if (line.length() == 256) {
                throw wrong("has a name of more than 256 bytes");
            }
            line.append((char) c);
        }
        return line.toString();
    }

    private Py number(long value) throws FormatException {
        allowance.charge(part, opcodeAt, NUMBER);
        return new Py.Int(value);
    }

    private Py real(double value) throws FormatException {
        allowance.charge(part, opcodeAt, NUMBER);
        return new Py.Real(value);
    }

    // Stack and memo.

    private Py[] room(Py[] places, int needed) throws FormatException {
        if (needed < places.length) {
            return places;
        }
        allowance.charge(part, opcodeAt, 2L * PLACE * places.length);
        return Arrays.copyOf(places, 2 * places.length);
    }

    private void push(Py value) throws FormatException {
        stack = room(stack, size);
        stack[size++] = value;
    }

    /** Where the uppermost values begin, which have to lie above the last mark. */
    private int below(int count) throws FormatException {
        if (size - count < (markCount == 0 ? 0 : marks[markCount - 1])) {
            throw wrong("needs " + count + " values, which are not on its stack");
        }
        return size - count;
    }

    private void mark() throws FormatException {
        if (markCount == MOST_MARKS) {
            throw wrong("is nested more than " + MOST_MARKS + " deep");
        }
        if (markCount == marks.length) {
            marks = Arrays.copyOf(marks, 2 * markCount);
        }
        marks[markCount++] = size;
    }

    /** Where the values above the last mark begin; takes the mark away. */
    private int unmarked() throws FormatException {
        if (markCount == 0) {
            throw wrong("needs a mark, and none is set");
        }
        return marks[--markCount];
    }

    private Py tuple(int from) throws FormatException {
        allowance.charge(part, opcodeAt, SEQUENCE + (long) PLACE * (size - from));
        Py[] items = Arrays.copyOfRange(stack, from, size);
        size = from;
        return Py.Sequence.tuple(items);
    }

    private Py list() throws FormatException {
        allowance.charge(part, opcodeAt, SEQUENCE);
        return Py.Sequence.list();
    }

    private Py dict() throws FormatException {
        allowance.charge(part, opcodeAt, DICT);
        return new Py.Dict();
    }

    /** The uppermost value below a place on the stack. */
    private Py under(int from) throws FormatException {
        if (from <= (markCount == 0 ? 0 : marks[markCount - 1])) {
            throw wrong("has nothing to put values into");
        }
        return stack[from - 1];
    }

    private static long array(int length) {
        return length == 0 ? 0 : ARRAY + (long) PLACE * length;
    }

    private void append(int from) throws FormatException {
        if (!(under(from) instanceof Py.Sequence list) || list.isTuple()) {
            throw wrong("puts values into a " + under(from).kind() + " as if it were a list");
        }
        allowance.charge(part, opcodeAt, array(list.grown(size - from)));
        list.append(stack, from, size - from);
        size = from;
    }

    private void set(int from) throws FormatException {
        int count = size - from;
        if (!(under(from) instanceof Py.Dict dict) || count % 2 != 0) {
            throw wrong(
                    "puts " + count + " keys and values into a " + under(from).kind());
        }
        if (dict.size() + count / 2 > Py.Dict.MOST_ENTRIES) {
            throw wrong("has a dictionary of more than " + Py.Dict.MOST_ENTRIES + " entries");
        }
        allowance.charge(part, opcodeAt, 2 * array(dict.grown(count / 2)));
        dict.expect(count / 2);
        for (int i = from; i < size; i += 2) {
            Py key = stack[i];
            String name = key instanceof Py.Text text
                    ? text.value()
                    : key instanceof Py.Int number ? String.valueOf(number.value()) : "";
            if (name.isEmpty() || dict.has(name)) {
                throw wrong(
                        "has a " + key.kind() + " as a key of a dictionary, or one key twice: '" + shown(name) + "'");
            }
            if (!(key instanceof Py.Text)) {
                allowance.charge(part, opcodeAt, TEXT);
            }
            dict.put(name, stack[i + 1]);
        }
        size = from;
    }

    private void remember(long index) throws FormatException {
        if (index > remembered) {
            throw wrong("remembers value " + index + " of " + remembered + ": torch.save numbers them one by one");
        }
        Py value = under(size);
        if (index == remembered) {
            memo = room(memo, remembered);
            remembered++;
        }
        memo[(int) index] = value;
    }

    private Py remembered(long index) throws FormatException {
        if (index >= remembered) {
            throw wrong("recalls value " + index + " of " + remembered);
        }
        return memo[(int) index];
    }

    // Names and what they build.

    private Py global() throws FormatException {
        allowance.charge(part, opcodeAt, NAME);
        String name = line() + "." + line();
        Optional<NumberType> type =
                name.startsWith(TORCH) ? NumberType.ofTorch(name.substring(TORCH.length())) : Optional.empty();
        if (type.isEmpty() && !name.equals(REBUILD) && !name.equals(ORDERED)) {
            throw wrong(
                    "wants " + shown(name) + ", which is not on the list of what may be built: it is not looked up");
        }
        return new Py.Global(name, type);
    }

    private static String shown(String text) {
        return text.length() > 80 ? text.substring(0, 80) + "..." : text;
    }

    /** {@code ('storage', type, key, location, numbers)}: the location, such as {@code cuda:0}, does not matter here. */
    private Py storage() throws FormatException {
        if (stack[below(1)] instanceof Py.Sequence id
                && id.isTuple()
                && id.size() == 5
                && id.at(0) instanceof Py.Text kind
                && kind.value().equals("storage")
                && id.at(1) instanceof Py.Global global
                && global.type().isPresent()
                && id.at(2) instanceof Py.Text key
                && id.at(3) instanceof Py.Text
                && id.at(4) instanceof Py.Int numbers
                && numbers.value() >= 0) {
            allowance.charge(part, opcodeAt, STORAGE);
            size--;
            return new Py.Storage(global.type().get(), key.value(), numbers.value(), opcodeAt);
        }
        throw wrong("names something else outside of the pickle than a storage of numbers");
    }

    private Py called(int from) throws FormatException {
        size = from;
        if (!(stack[from] instanceof Py.Global global)
                || !(stack[from + 1] instanceof Py.Sequence arguments)
                || !arguments.isTuple()) {
            throw wrong("calls a " + stack[from].kind() + " with a " + stack[from + 1].kind());
        }
        if (global.name().equals(ORDERED) && arguments.size() == 0) {
            return dict();
        }
        if (global.name().equals(REBUILD)) {
            return tensor(arguments);
        }
        throw wrong("calls " + global.name() + " with " + arguments.size() + " arguments");
    }

    /** {@code (storage, offset, size, stride, requires_grad, backward_hooks)}. */
    private Py tensor(Py.Sequence arguments) throws FormatException {
        if (arguments.size() >= 6
                && arguments.at(0) instanceof Py.Storage storage
                && arguments.at(1) instanceof Py.Int offset
                && arguments.at(2) instanceof Py.Sequence shape
                && arguments.at(3) instanceof Py.Sequence strides
                && offset.value() >= 0) {
            allowance.charge(part, opcodeAt, TENSOR);
            return new Py.Tensor(storage, offset.value(), numbers(shape), numbers(strides), opcodeAt);
        }
        throw wrong("builds a tensor of something else than a storage, an offset, a shape and strides");
    }

    private long[] numbers(Py.Sequence sequence) throws FormatException {
        allowance.charge(part, opcodeAt, Long.BYTES * (long) sequence.size());
        long[] numbers = new long[sequence.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!(sequence.at(i) instanceof Py.Int number)) {
                throw wrong("builds a tensor with a " + sequence.at(i).kind() + " in its shape");
            }
            numbers[i] = number.value();
        }
        return numbers;
    }

    private FormatException wrong(String reason) {
        return new FormatException(part, opcodeAt, reason);
    }
}
