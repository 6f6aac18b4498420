package dev.plimsoll.replay.format.torch;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.array.NumberType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

    /** Rough costs in bytes: of a place on the stack, in the memo or a list, and of an object. */
    private static final int PLACE = 12;

    private static final int OBJECT = 32;
    private static final int COLLECTION = 192;

    private static final Py NONE = new Py.None();
    private static final Py YES = new Py.Bool(true);
    private static final Py NO = new Py.Bool(false);

    private final String part;
    private final ByteBuffer code;
    private final Allowance allowance;
    private final ArrayList<Py> stack = new ArrayList<>();
    private final ArrayList<Py> memo = new ArrayList<>();
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
                if (stack.size() != 1 || markCount != 0) {
                    throw wrong(
                            "stops with " + stack.size() + " values and " + markCount + " marks left: needs 1 and 0");
                }
                if (code.hasRemaining()) {
                    throw new FormatException(part, code.position(), "goes on after its end");
                }
                return stack.get(0);
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
            case 'K' -> push(new Py.Int(u8()));
            case 'M' -> push(new Py.Int(u8() | u8() << 8));
            case 'J' -> push(new Py.Int(need(Integer.BYTES).getInt()));
            case 0x8a -> push(new Py.Int(longOf(u8())));
            case 'G' ->
                push(new Py.Real(Double.longBitsToDouble(
                        Long.reverseBytes(need(Long.BYTES).getLong()))));
            case 'X' -> push(new Py.Text(text(u32())));
            case ')' -> push(tuple(0));
            case 0x85 -> push(tuple(1));
            case 0x86 -> push(tuple(2));
            case 0x87 -> push(tuple(3));
            case 't' -> push(new Py.Sequence(true, fromMark()));
            case ']' -> push(collection(Py.Sequence.list()));
            case '}' -> push(collection(new Py.Dict()));
            case 'a' -> append(pop());
            case 'e' -> append(fromMark());
            case 's' -> set(popped(2));
            case 'u' -> set(fromMark());
            case 'c' -> push(global());
            case 'Q' -> push(storage(pop()));
            case 'R' -> push(called());
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
        allowance.charge(part, opcodeAt, OBJECT + 4 * length);
        byte[] utf8 = new byte[(int) length];
        code.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
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

    // Stack and memo.

    private void push(Py value) throws FormatException {
        allowance.charge(part, opcodeAt, PLACE + (value instanceof Py.Int || value instanceof Py.Real ? OBJECT : 0));
        stack.add(value);
    }

    private Py pop() throws FormatException {
        top();
        return stack.remove(stack.size() - 1);
    }

    /** The uppermost values, which have to lie above the last mark. */
    private List<Py> popped(int count) throws FormatException {
        int from = stack.size() - count;
        if (from < (markCount == 0 ? 0 : marks[markCount - 1])) {
            throw wrong("needs " + count + " values, which are not on its stack");
        }
        List<Py> above = stack.subList(from, stack.size());
        List<Py> values = List.copyOf(above);
        above.clear();
        return values;
    }

    private void mark() throws FormatException {
        if (markCount == MOST_MARKS) {
            throw wrong("is nested more than " + MOST_MARKS + " deep");
        }
        if (markCount == marks.length) {
            marks = Arrays.copyOf(marks, 2 * markCount);
        }
        marks[markCount++] = stack.size();
    }

    private List<Py> fromMark() throws FormatException {
        if (markCount == 0) {
            throw wrong("needs a mark, and none is set");
        }
        int count = stack.size() - marks[markCount - 1];
        allowance.charge(part, opcodeAt, COLLECTION + 2L * PLACE * count);
        List<Py> values = popped(count);
        markCount--;
        return values;
    }

    private Py tuple(int count) throws FormatException {
        allowance.charge(part, opcodeAt, COLLECTION);
        return new Py.Sequence(true, popped(count));
    }

    private Py collection(Py empty) throws FormatException {
        allowance.charge(part, opcodeAt, COLLECTION);
        return empty;
    }

    /** The value below those that were taken off. */
    private Py top() throws FormatException {
        if (stack.size() <= (markCount == 0 ? 0 : marks[markCount - 1])) {
            throw wrong("has nothing to put values into");
        }
        return stack.get(stack.size() - 1);
    }

    private Py.Sequence list() throws FormatException {
        if (top() instanceof Py.Sequence list && !list.tuple()) {
            return list;
        }
        throw wrong("puts values into a " + top().kind() + " as if it were a list");
    }

    private void append(Py value) throws FormatException {
        allowance.charge(part, opcodeAt, PLACE);
        list().items().add(value);
    }

    private void append(List<Py> values) throws FormatException {
        allowance.charge(part, opcodeAt, (long) PLACE * values.size());
        list().items().addAll(values);
    }

    private void set(List<Py> values) throws FormatException {
        if (!(top() instanceof Py.Dict dict) || values.size() % 2 != 0) {
            throw wrong("puts " + values.size() + " keys and values into a " + top().kind());
        }
        allowance.charge(part, opcodeAt, (long) COLLECTION * (values.size() / 2));
        for (int i = 0; i < values.size(); i += 2) {
            Py key = values.get(i);
            String name = key instanceof Py.Text text
                    ? text.value()
                    : key instanceof Py.Int number ? String.valueOf(number.value()) : "";
            if (name.isEmpty() || dict.entries().put(name, values.get(i + 1)) != null) {
                throw wrong(
                        "has a " + key.kind() + " as a key of a dictionary, or one key twice: '" + shown(name) + "'");
            }
        }
    }

    private void remember(long index) throws FormatException {
        if (index > memo.size()) {
            throw wrong("remembers value " + index + " of " + memo.size() + ": torch.save numbers them one by one");
        }
        Py value = top();
        if (index == memo.size()) {
            allowance.charge(part, opcodeAt, PLACE);
            memo.add(value);
        } else {
            memo.set((int) index, value);
        }
    }

    private Py remembered(long index) throws FormatException {
        if (index >= memo.size()) {
            throw wrong("recalls value " + index + " of " + memo.size());
        }
        return memo.get((int) index);
    }

    // Names and what they build.

    private Py global() throws FormatException {
        String name = line() + "." + line();
        allowance.charge(part, opcodeAt, COLLECTION);
        boolean type = name.startsWith(TORCH)
                && NumberType.ofTorch(name.substring(TORCH.length())).isPresent();
        if (!type && !name.equals(REBUILD) && !name.equals(ORDERED)) {
            throw wrong(
                    "wants " + shown(name) + ", which is not on the list of what may be built: it is not looked up");
        }
        return new Py.Global(name);
    }

    private static String shown(String text) {
        return text.length() > 80 ? text.substring(0, 80) + "..." : text;
    }

    /** {@code ('storage', type, key, location, numbers)}: the location, such as {@code cuda:0}, does not matter here. */
    private Py storage(Py id) throws FormatException {
        if (id instanceof Py.Sequence tuple
                && tuple.tuple()
                && tuple.items().size() == 5
                && tuple.items().get(0) instanceof Py.Text kind
                && kind.value().equals("storage")
                && tuple.items().get(1) instanceof Py.Global global
                && tuple.items().get(2) instanceof Py.Text key
                && tuple.items().get(3) instanceof Py.Text
                && tuple.items().get(4) instanceof Py.Int numbers) {
            Optional<NumberType> type = NumberType.ofTorch(global.name().replaceFirst("^torch\\.", ""));
            if (type.isPresent() && numbers.value() >= 0) {
                allowance.charge(part, opcodeAt, COLLECTION);
                return new Py.Storage(type.get(), key.value(), numbers.value(), opcodeAt);
            }
        }
        throw wrong("names something else outside of the pickle than a storage of numbers");
    }

    private Py called() throws FormatException {
        allowance.charge(part, opcodeAt, 2 * COLLECTION);
        List<Py> call = popped(2);
        if (!(call.get(0) instanceof Py.Global global)
                || !(call.get(1) instanceof Py.Sequence arguments)
                || !arguments.tuple()) {
            throw wrong(
                    "calls a " + call.get(0).kind() + " with a " + call.get(1).kind());
        }
        if (global.name().equals(ORDERED) && arguments.items().isEmpty()) {
            return new Py.Dict();
        }
        if (global.name().equals(REBUILD)) {
            return tensor(arguments.items());
        }
        throw wrong("calls " + global.name() + " with " + arguments.items().size() + " arguments");
    }

    /** {@code (storage, offset, size, stride, requires_grad, backward_hooks)}. */
    private Py tensor(List<Py> arguments) throws FormatException {
        if (arguments.size() >= 6
                && arguments.get(0) instanceof Py.Storage storage
                && arguments.get(1) instanceof Py.Int offset
                && arguments.get(2) instanceof Py.Sequence shape
                && arguments.get(3) instanceof Py.Sequence strides
                && offset.value() >= 0) {
            return new Py.Tensor(storage, offset.value(), numbers(shape), numbers(strides), opcodeAt);
        }
        throw wrong("builds a tensor of something else than a storage, an offset, a shape and strides");
    }

    private long[] numbers(Py.Sequence sequence) throws FormatException {
        allowance.charge(part, opcodeAt, Long.BYTES * (long) sequence.items().size());
        long[] numbers = new long[sequence.items().size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!(sequence.items().get(i) instanceof Py.Int number)) {
                throw wrong("builds a tensor with a " + sequence.items().get(i).kind() + " in its shape");
            }
            numbers[i] = number.value();
        }
        return numbers;
    }

    private FormatException wrong(String reason) {
        return new FormatException(part, opcodeAt, reason);
    }
}
