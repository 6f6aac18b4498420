package dev.plimsoll.wire;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Values of texts that come again and again, such as the deployment of every sample, made once: so many at most as it has places, each
 * of a text of at most {@value #LONGEST} bytes. May be used by any thread; at worst two make the same value.
 */
final class Interned<T> {
    private static final int PLACES = 256;
    private static final int LONGEST = 200;

    /** Immutable, so that a thread sees all of it or none. */
    private record Entry<T>(byte[] text, T value) {}

    private final Function<String, T> make;
    private final @Nullable Entry<T>[] places;

    @SuppressWarnings({"unchecked", "rawtypes"}) // there are no arrays of generic types
    Interned(Function<String, T> make) {
        this.make = make;
        this.places = new Entry[PLACES];
    }

    T of(byte[] bytes, int from, int length) {
        if (length > LONGEST) {
            return make.apply(text(bytes, from, length));
        }
        int hash = 1;
        for (int i = from; i < from + length; i++) {
            hash = 31 * hash + bytes[i];
        }
        int place = (hash ^ hash >>> 16) & (PLACES - 1);
        Entry<T> known = places[place];
        if (known != null && Arrays.equals(known.text, 0, known.text.length, bytes, from, from + length)) {
            return known.value;
        }
        T value = make.apply(text(bytes, from, length));
        places[place] = new Entry<>(Arrays.copyOfRange(bytes, from, from + length), value);
        return value;
    }

    private static String text(byte[] bytes, int from, int length) {
        return new String(bytes, from, length, StandardCharsets.UTF_8);
    }
}
