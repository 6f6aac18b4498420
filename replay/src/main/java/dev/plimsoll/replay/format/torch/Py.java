package dev.plimsoll.replay.format.torch;

import dev.plimsoll.replay.format.array.NumberType;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

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
        private static final Py[] NOTHING = {};

        private final boolean tuple;
        private Py[] items;
        private int size;

        private Sequence(boolean tuple, Py[] items) {
            this.tuple = tuple;
            this.items = items;
            size = items.length;
        }

        static Sequence tuple(Py[] items) {
            return new Sequence(true, items);
        }

        static Sequence list() {
            return new Sequence(false, NOTHING);
        }

        boolean isTuple() {
            return tuple;
        }

        /** Room for how many has to be made for so many more; 0 when there is enough. */
        int grown(int more) {
            return size + more > items.length ? Math.max(size + more, size + (size >> 1)) : 0;
        }

        void append(Py[] from, int first, int count) {
            if (grown(count) > 0) {
                items = Arrays.copyOf(items, grown(count));
            }
            System.arraycopy(from, first, items, size, count);
            size += count;
        }

        public int size() {
            return size;
        }

        public Py at(int index) {
            return items[index];
        }
    }

    /** A dictionary, of either of Python's kinds, of few entries; its keys are text, or whole numbers that are kept as text. */
    final class Dict implements Py {
        static final int MOST_ENTRIES = 1_000;
        private static final Py[] NOTHING = {};
        private static final String[] NO_KEYS = {};

        private String[] keys = NO_KEYS;
        private Py[] values = NOTHING;
        private int size;

        /** Room for how many has to be made for so many more; 0 when there is enough. */
        int grown(int more) {
            return size + more > keys.length ? Math.max(size + more, size + (size >> 1)) : 0;
        }

        void expect(int more) {
            if (grown(more) > 0) {
                values = Arrays.copyOf(values, grown(more));
                keys = Arrays.copyOf(keys, grown(more));
            }
        }

        void put(String key, Py value) {
            expect(1);
            keys[size] = key;
            values[size++] = value;
        }

        int size() {
            return size;
        }

        public boolean has(String key) {
            return indexOf(key) >= 0;
        }

        /** What stands under a key, or None. */
        public Py get(String key) {
            int index = indexOf(key);
            return index < 0 ? Pickle.NONE : values[index];
        }

        private int indexOf(String key) {
            for (int i = 0; i < size; i++) {
                if (keys[i].equals(key)) {
                    return i;
                }
            }
            return -1;
        }
    }

    /**
     * What may be called, or names a type of numbers.
     *
     * @param type that it names, if it names one
     */
    record Global(String name, Optional<NumberType> type) implements Py {}

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
            return sequence.isTuple() ? "tuple" : "list";
        }
        return getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }
}
