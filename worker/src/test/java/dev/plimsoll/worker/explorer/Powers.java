package dev.plimsoll.worker.explorer;

import java.util.EnumMap;
import java.util.Map;
import java.util.StringJoiner;

/**
 * How often an adversary may do what.
 *
 * @param splitLog rank 2 reads another plan of the same epoch, and leave for it
 */
record Powers(Map<Power, Integer> most, boolean splitLog) {
    private static final int MOST = 3;

    /** Delays, repetition and other orders of messages, and nothing else. */
    static final Powers NONE = new Powers(Map.of(), false);

    Powers {
        most = Map.copyOf(most);
        most.forEach((power, times) -> {
            if (times < 0 || times > MOST) {
                throw new IllegalArgumentException(power + " " + times + " times, at most " + MOST + " are counted");
            }
        });
    }

    Powers with(Power power) {
        return with(power, 1);
    }

    Powers with(Power power, int times) {
        Map<Power, Integer> more = new EnumMap<>(Power.class);
        more.putAll(most);
        more.put(power, times);
        return new Powers(more, splitLog);
    }

    Powers splittingTheLog() {
        return new Powers(most, true);
    }

    int of(Power power) {
        return most.getOrDefault(power, 0);
    }

    @Override
    public String toString() {
        StringJoiner text = new StringJoiner(" ");
        for (Power power : Power.values()) {
            if (of(power) > 0) {
                text.add(power + (of(power) > 1 ? "*" + of(power) : ""));
            }
        }
        if (splitLog) {
            text.add("SPLIT_LOG");
        }
        return text.length() == 0 ? "delays only" : text.toString();
    }
}
