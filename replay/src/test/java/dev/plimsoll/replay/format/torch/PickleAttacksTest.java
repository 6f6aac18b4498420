package dev.plimsoll.replay.format.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Malformed;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.IOException;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;

/** Pickles that were written to do harm, or to cost much, do nothing and cost little. */
class PickleAttacksTest {
    private static final int MANY = 1 << 18;

    /** What is refused, and the allocation that it took is within what any wrong file may. */
    static FormatException refused(byte[] file) {
        refusal(file); // classes are loaded by the first
        long before = allocated();
        FormatException refused = refusal(file);
        long bytes = allocated() - before;
        assertThat(bytes).as("allocated by %s", refused.getMessage()).isLessThan(Malformed.allowed(file.length));
        return refused;
    }

    private static FormatException refusal(byte[] file) {
        try {
            counts(file);
        } catch (FormatException e) {
            return e;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        throw new AssertionError("must be refused");
    }

    /** All counts of a dump, as readers take them. */
    static long[] counts(byte[] bytes) throws IOException {
        TorchFile file = TorchFile.read(Input.of("dump.pt", Map.of("dump.pt", bytes)), "dump.pt");
        Numbers counts = file.numbers(file.need(file.dict(), "logical_count", Py.Tensor.class));
        counts.requireCounts();
        return all(counts).toArray();
    }

    private static LongStream all(Numbers numbers) {
        return numbers.dimensions() == 1
                ? LongStream.of(numbers.row())
                : IntStream.range(0, numbers.size(0)).mapToObj(numbers::at).flatMapToLong(PickleAttacksTest::all);
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }

    private static TorchBytes begun() {
        return TorchBytes.begun();
    }

    static Stream<Arguments> attacks() {
        return Stream.of(
                // Names that would be looked up and called.
                arguments("foreign global", begun().ascii("cposix\nsystem\n").op('('), 2, "wants posix.system"),
                arguments("builtin", begun().ascii("c__builtin__\neval\n"), 2, "wants __builtin__.eval"),
                arguments(
                        "torch's own that is not on the list",
                        begun().ascii("ctorch.storage\n_load_from_bytes\n"),
                        2,
                        "wants torch.storage._load_from_bytes"),
                arguments("STACK_GLOBAL", begun().text("posix").text("system").op(0x93), 23, "0x93 (STACK_GLOBAL)"),
                arguments("INST", begun().op('(').ascii("iposix\nsystem\n"), 3, "0x69 (INST)"),
                arguments("OBJ", begun().op('(', 'o'), 3, "0x6f (OBJ)"),
                arguments("NEWOBJ", begun().op(0x81), 2, "0x81 (NEWOBJ)"),
                arguments("BUILD", begun().op('}', '}', 'b'), 4, "0x62 (BUILD)"),
                arguments("EXT", begun().op(0x82, 1), 2, "0x82 (EXT)"),
                arguments("REDUCE of what is no function", begun().text("x").op(')', 'R'), 9, "calls a text"),
                arguments(
                        "REDUCE of a type of numbers",
                        begun().ascii("ctorch\nIntStorage\n)R"),
                        21,
                        "calls torch.IntStorage with 0 arguments"),
                arguments(
                        "OrderedDict with arguments",
                        begun().ascii("ccollections\nOrderedDict\n]\u0085R"),
                        29,
                        "OrderedDict with 1 arguments"),
                // Things outside of the pickle.
                arguments("persistent id in text", begun().ascii("P/etc/passwd\n"), 2, "0x50 (PERSID)"),
                arguments(
                        "persistent id that is no storage",
                        begun().text("/etc/passwd").op('Q'),
                        18,
                        "names something"),
                arguments(
                        "storage of negative size",
                        begun().op('(')
                                .text("storage")
                                .ascii("ctorch\nIntStorage\n")
                                .text("0")
                                .text("cpu")
                                .number(-1)
                                .op('t', 'Q'),
                        58,
                        "names something"),
                // Lengths that lie.
                arguments("BINBYTES8 of 2^63", begun().op(0x8e).little(8, 1L << 63), 2, "0x8e (BINBYTES8)"),
                arguments("BINUNICODE8 of 2^63", begun().op(0x8d).little(8, 1L << 63), 2, "0x8d (BINUNICODE8)"),
                arguments(
                        "BINUNICODE of 4 GiB", begun().op('X').little(4, 0xffff_ffffL), 2, "text of 4294967295 bytes"),
                arguments("BINUNICODE behind the end", begun().op('X').little(4, 9_999), 7, "ends within the opcode"),
                arguments("LONG1 of 255 bytes", begun().op(0x8a, 255), 2, "number of 255 bytes"),
                arguments("LONG4 of 2 GiB", begun().op(0x8b).little(4, Integer.MAX_VALUE), 2, "0x8b (LONG4)"),
                arguments("LONG in digits", begun().ascii("L" + "9".repeat(MANY) + "L\n"), 2, "0x4c (LONG)"),
                arguments("FRAME of 2^63", begun().op(0x95).little(8, 1L << 63), 2, "0x95 (FRAME)"),
                arguments("name without an end", begun().ascii("c" + "a".repeat(MANY)), 2, "more than 256 bytes"),
                // The memo.
                arguments(
                        "memo of 2^32", begun().op('}', 'r').little(4, 0xffff_ffffL), 3, "remembers value 4294967295"),
                arguments("memo out of turn", begun().op('}', 'q', 5), 3, "remembers value 5 of 0"),
                arguments("memo of what was not remembered", begun().op('h', 9), 2, "recalls value 9 of 0"),
                // The stack.
                arguments("append to nothing", begun().op('N', 'a'), 3, "nothing to put values into"),
                arguments("append to a tuple", begun().op(')', 'N', 'a'), 4, "into a tuple"),
                arguments("append to a dictionary", begun().op('}', 'N', 'a'), 4, "into a dict"),
                arguments("set in a list", begun().op(']', 'N', 'N', 's'), 5, "into a list"),
                arguments("odd keys and values", begun().op('}', '(', 'N', 'u'), 5, "puts 1 keys and values"),
                arguments("key that is a list", begun().op('}', ']', 'N', 's'), 5, "list as a key"),
                arguments(
                        "one key twice",
                        begun().op('}').text("a").op('N', 's').text("a").op('N', 's'),
                        18,
                        "twice: 'a'"),
                arguments("value from below a mark", begun().op('N', '(', 0x85), 4, "needs 1 values"),
                arguments("no mark", begun().op('t'), 2, "needs a mark"),
                arguments("stops with two values", begun().op('N', 'N', '.'), 4, "with 2 values"),
                arguments("stops within a mark", begun().op('N', '(', '.'), 4, "1 marks left"),
                arguments("goes on after its end", begun().op('N', '.', 'N'), 4, "goes on after its end"),
                arguments("no end", begun().op('N'), 3, "ends within the opcode"),
                arguments("protocol 4", TorchBytes.ofProtocol(4), 0, "is of protocol 4"),
                arguments("protocol again", begun().op(0x80, 2), 2, "once, at the beginning"));
    }

    @Test
    void attacksAreRefusedByNameWithTheirPlace() {
        attacks().map(Arguments::get).forEach(attack -> {
            FormatException refused = refused(((TorchBytes) attack[1]).file());

            assertThat(refused.reason()).as("%s", attack[0]).contains((String) attack[3]);
            assertThat(refused.position()).as("%s", attack[0]).isEqualTo(((Integer) attack[2]).longValue());
            assertThat(refused.file()).isEqualTo("dump.pt, archive/data.pkl");
        });
    }

    static Stream<Arguments> bombs() {
        TorchBytes laughs = begun().op(')', 'q', 0);
        for (int i = 1; i < 200; i++) {
            laughs.op('h', i - 1, 'h', i - 1, 0x86, 'q', i);
        }
        return Stream.of(
                arguments("lists in lists", begun().ascii("]".repeat(MANY)), "needs more memory"),
                arguments("lists by one mark", begun().op('(').ascii("]".repeat(MANY)), "needs more memory"),
                arguments("dictionaries", begun().ascii("}".repeat(MANY)), "needs more memory"),
                arguments("marks", begun().ascii("(".repeat(MANY)), "nested more than 1000 deep"),
                arguments("empty tuples", begun().ascii(")".repeat(MANY)), "needs more memory"),
                arguments("tuples in tuples", begun().ascii("N" + "\u0085".repeat(MANY)), "needs more memory"),
                arguments("None", begun().ascii("N".repeat(MANY)), "needs more memory"),
                arguments("numbers", begun().ascii("K\1".repeat(MANY)), "needs more memory"),
                arguments("numbers appended", begun().ascii("]" + "K\1a".repeat(MANY)), "needs more memory"),
                arguments("nothing appended", begun().ascii("]" + "Na".repeat(MANY)), "needs more memory"),
                arguments("lists appended by mark", begun().ascii("]" + "(NNe".repeat(MANY)), "needs more memory"),
                arguments("empty appends", begun().ascii("]" + "(e".repeat(MANY)), "ends within the opcode"),
                arguments("recalled", begun().ascii("]q\0" + "h\0".repeat(MANY)), "needs more memory"),
                arguments(
                        "a list appended to itself", begun().ascii("]q\0" + "h\0a".repeat(MANY)), "needs more memory"),
                arguments(
                        "ordered dictionaries",
                        begun().ascii("ccollections\nOrderedDict\nq\0" + "h\0)R".repeat(MANY)),
                        "needs more memory"),
                arguments("empty texts", begun().ascii("X\0\0\0\0".repeat(MANY)), "needs more memory"),
                arguments("globals", begun().ascii("ctorch\nIntStorage\n".repeat(MANY / 8)), "needs more memory"),
                // Each of 200 tuples has the one before twice: 2^200 if anybody walked it.
                arguments("billion laughs", laughs.op('.'), "stops with 200 values"));
    }

    @Test
    void bombsCostNoMoreThanAnyWrongFile() {
        bombs().map(Arguments::get).forEach(bomb -> {
            TorchBytes pickle = (TorchBytes) bomb[1];
            assertThat(refused(pickle.file()).reason()).as("%s", bomb[0]).contains((String) bomb[2]);
            assertThat(refused(pickle.deflated().file()).reason())
                    .as("%s, packed", bomb[0])
                    .containsAnyOf((String) bomb[2], "more than 100 times", "needs more memory");
        });
    }

    @Test
    void laughterThatIsKeptIsAValueThatNobodyWalks() {
        TorchBytes laughs = TorchBytes.begun().op(')', 'q', 0);
        for (int i = 1; i < 200; i++) {
            laughs.op('h', i - 1, 0x86, 'q', i);
        }

        assertThat(refused(laughs.op('.').file()).reason()).contains("is a tuple: a recording is");
    }

    @Test
    void oneTensorShownManyTimesIsNotReadMoreOftenThanItIsStored() throws IOException {
        TorchBytes bytes = TorchBytes.begun().op('}', '(');
        for (String key : new String[] {"a", "b"}) {
            bytes.text(key).tensor(NumberType.INT32, "0", "cpu", 8, 0, new int[] {2, 4}, new int[] {4, 1});
        }
        bytes.ascii("u.").entry("data/0", new byte[32]);
        TorchFile file = TorchFile.read(Input.of("dump.pt", Map.of("dump.pt", bytes.file())), "dump.pt");

        file.tensor(file.dict(), "a");

        assertThatThrownBy(() -> file.tensor(file.dict(), "b")).hasMessageContaining("more numbers than are stored");
    }

    @Test
    void tensorsThatLieAreRefused() throws IOException {
        byte[] storage = new byte[16];
        record Lie(long claimed, long offset, int[] shape, int[] strides, String reason) {}
        for (Lie lie : new Lie[] {
            new Lie(5, 0, new int[] {2, 2}, new int[] {2, 1}, "wants 5 numbers of INT32 in data/0, which has 16 bytes"),
            new Lie(4, 1, new int[] {2, 2}, new int[] {2, 1}, "more than the 3 numbers"),
            new Lie(4, 5, new int[] {2, 2}, new int[] {2, 1}, "begins at number 5 of 4"),
            new Lie(4, 0, new int[] {2, 3}, new int[] {2, 1}, "more than the 4 numbers"),
            new Lie(4, 0, new int[] {2, 2}, new int[] {3, 1}, "more than the 4 numbers"),
            new Lie(4, 0, new int[] {9, 9}, new int[] {0, 0}, "more than the 4 numbers"),
            new Lie(4, 0, new int[] {-2, 2}, new int[] {2, 1}, "neither can be negative"),
            new Lie(4, 0, new int[] {2, 2}, new int[] {-1, 1}, "neither can be negative"),
            new Lie(4, 0, new int[] {1 << 30, 1 << 30}, new int[] {1 << 30, 1 << 30}, "more than the 4 numbers"),
            new Lie(4, 0, new int[] {2, 2}, new int[] {1}, "2 dimensions and 1 strides"),
            new Lie(4, 0, new int[9], new int[9], "at most 8 dimensions"),
        }) {
            TorchBytes file = TorchBytes.begun().op('}').text("logical_count");
            file.tensor(NumberType.INT32, "cpu", lie.claimed, lie.offset, lie.shape, lie.strides, storage)
                    .ascii("s.");

            assertThat(refused(file.file()).reason()).contains(lie.reason);
        }
    }

    @Test
    void storageThatIsNotThereIsRefused() {
        TorchBytes file = TorchBytes.begun().op('}').text("logical_count");
        file.tensor(NumberType.INT32, "../7", "cpu", 4, 0, new int[] {2, 2}, new int[] {2, 1})
                .ascii("s.");

        assertThat(refused(file.file()).reason()).contains("in data/../7, which is not there");
    }

    @Test
    void numbersThatAreNoCountsAreRefusedWhereTheyStand() {
        FormatException negative =
                refused(TorchBytes.stat(new int[] {1, 2, 2}, 1, 2, -3, 4).file());
        TorchBytes half = TorchBytes.begun().op('}').text("logical_count");
        half.tensor(NumberType.FLOAT32, "cpu", 2, 0, new int[] {1, 2}, new int[] {2, 1}, new byte[] {
                    0, 0, 0, 0, 0, 0, 0, 0x3f
                })
                .ascii("s.");
        FormatException fraction = refused(half.file());
        FormatException sum = refused(TorchBytes.begun()
                .op('}')
                .text("logical_count")
                .tensor(NumberType.INT64, new int[] {1, 2}, 1L << 53, 1)
                .ascii("s.")
                .file());

        assertThat(negative.getMessage()).contains("dump.pt, archive/data/0 at byte 8: -3 is no count of tokens");
        assertThat(fraction.getMessage()).contains("data/0 at byte 4: 0.5 is no count of tokens");
        assertThat(sum.getMessage()).contains("adds up to more than 2^53 tokens");
    }
}
