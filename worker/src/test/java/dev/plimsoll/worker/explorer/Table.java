package dev.plimsoll.worker.explorer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Gives equal values equal numbers, from 1 on: worlds hold numbers, and are compared by them. */
final class Table<T> {
    private final Map<T, Integer> numbers = new HashMap<>();
    private final List<T> values = new ArrayList<>();

    int number(T value) {
        Integer known = numbers.get(value);
        if (known != null) {
            return known;
        }
        values.add(value);
        numbers.put(value, values.size());
        return values.size();
    }

    T value(int number) {
        return values.get(number - 1);
    }

    int size() {
        return values.size();
    }
}
