package dev.plimsoll.replay.format.torch;

import dev.plimsoll.replay.format.array.NumberType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a pickle may build: values only, which do nothing. */
public sealed interface Py {
    /** Python's None. */
    record None() implements Py {}

    record Bool(boolean value) implements Py {}

    record Int(long value) implements Py {}

    record Real(double value) implements Py {}

    record Text(String value) implements Py {}

    /** Neither a list nor a dictionary is compared, printed or walked as a whole: a pickle may put one into itself. */
    final class Sequence implements Py {
        private final boolean tuple;
        private final List<Py> items;

        Sequence(boolean tuple, List<Py> items) {
            this.tuple = tuple;
            this.items = items;
        }

        static Sequence list() {
            return new Sequence(false, new ArrayList<>(0));
        }

        boolean tuple() {
            return tuple;
        }

        public List<Py> items() {
            return items;
        }
    }

    /** A dictionary, of either of Python's kinds; its keys are text or whole numbers, which are kept as text. */
    final class Dict implements Py {
        private final Map<String, Py> entries = new LinkedHashMap<>(4);

        public Map<String, Py> entries() {
            return entries;
        }
    }

    /** What may be called, or names a type of numbers. */
    record Global(String name) implements Py {}

    /**
     * Numbers that tensors look at, by the name of their entry.
     *
     * @param numbers how many
     * @param position in the pickle of what named it
     */
    record Storage(NumberType type, String key, long numbers, long position) implements Py {}

    /**
     * A tensor, not yet held against the numbers that are there.
     *
     * @param offset of its first number in the storage
     * @param strides in numbers
     */
    record Tensor(Storage storage, long offset, long[] shape, long[] strides, long position) implements Py {}

    /** In a message. */
    default String kind() {
        if (this instanceof Sequence sequence) {
            return sequence.tuple() ? "tuple" : "list";
        }
        return getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
    }
}
