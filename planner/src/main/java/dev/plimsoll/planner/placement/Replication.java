package dev.plimsoll.planner.placement;

import java.util.Arrays;

/** How many replicas each expert gets, and the order in which experts are packed. */
final class Replication {
    private Replication() {}

    /**
     * Greedy by load ÷ replicas: every expert gets one slot, and each further slot goes to the expert whose replicas carry the
     * most. It minimises the largest load of a replica. Ties by id.
     *
     * @param load {@code [expert]}
     * @param slots from the number of experts to {@code most} times as many
     * @param most replicas of an expert, as many as ranks could hold it
     * @return {@code [expert]}
     */
    static int[] byLoad(double[] load, int slots, int most) {
        return byLoad(load, slots, most, new double[0]);
    }

    /**
     * The same where replicas do not get equally much.
     *
     * @param divisors {@link ReplicaParts#divisors}; empty where they do
     */
    static int[] byLoad(double[] load, int slots, int most, double[] divisors) {
        if (slots < load.length || slots > (long) most * load.length) {
            throw new IllegalArgumentException(slots + " slots cannot be shared out among " + load.length
                    + " experts of 1 to " + most + " replicas each");
        }
        int[] replicas = new int[load.length];
        Arrays.fill(replicas, 1);
        // An expert that has all it can have is out of the running.
        double[] unit = most == 1 ? new double[load.length] : load.clone();
        for (int slot = load.length; slot < slots; slot++) {
            int hottest = 0;
            for (int expert = 1; expert < unit.length; expert++) {
                if (unit[expert] > unit[hottest]) {
                    hottest = expert;
                }
            }
            replicas[hottest]++;
            unit[hottest] = replicas[hottest] < most ? load[hottest] / divisor(divisors, replicas[hottest]) : -1;
        }
        return replicas;
    }

    private static double divisor(double[] divisors, int replicas) {
        return divisors.length == 0 ? replicas : divisors[replicas];
    }

    /**
     * By time: whoever's replicas take the longest gets one more, as long as that is above {@code enough}; slots that are left go where a
     * further replica adds the least to what all of an expert's replicas take, or to nobody where they may be idle. Ties by id.
     *
     * @param tokens per step, {@code [expert]}
     * @param enough microseconds
     * @param slots at least as many as experts
     * @param most replicas of an expert
     */
    static int[] byTime(double[] tokens, ExpectedTime expected, double enough, int slots, int most, boolean idle) {
        return byTime(tokens, expected, new double[] {enough}, slots, most, idle)[0];
    }

    /**
     * The same for several values of what is enough, each of which goes on where the one before it ended.
     *
     * @param enough falling
     * @return {@code [enough][expert]}
     */
    static int[][] byTime(double[] tokens, ExpectedTime expected, double[] enough, int slots, int most, boolean idle) {
        int[][] found = new int[enough.length][];
        int[] replicas = new int[tokens.length];
        Arrays.fill(replicas, 1);
        double[] unit = new double[tokens.length];
        for (int expert = 0; expert < unit.length; expert++) {
            unit[expert] = most == 1 ? 0 : expected.micros(tokens[expert]);
        }
        int left = slots - tokens.length;
        for (int i = 0; i < enough.length; i++) {
            left -= split(tokens, expected, enough[i], left, most, replicas, unit);
            found[i] = replicas.clone();
            use(tokens, expected, left, most, found[i], idle);
        }
        return found;
    }

    private static void use(double[] tokens, ExpectedTime expected, int slots, int most, int[] replicas, boolean idle) {
        if (!idle) {
            fill(tokens, expected, slots, most, replicas);
        }
    }

    /** Gives further replicas to whoever is slower than is enough; how many. */
    private static int split(
            double[] tokens, ExpectedTime expected, double enough, int slots, int most, int[] replicas, double[] unit) {
        for (int slot = 0; slot < slots; slot++) {
            int slowest = 0;
            for (int expert = 1; expert < unit.length; expert++) {
                if (unit[expert] > unit[slowest]) {
                    slowest = expert;
                }
            }
            if (unit[slowest] <= enough) {
                return slot;
            }
            replicas[slowest]++;
            unit[slowest] = replicas[slowest] < most ? expected.micros(tokens[slowest] / replicas[slowest]) : 0;
        }
        return slots;
    }

    private static void fill(double[] tokens, ExpectedTime expected, int slots, int most, int[] replicas) {
        double[] adds = new double[tokens.length];
        for (int expert = 0; expert < adds.length; expert++) {
            adds[expert] = adds(tokens[expert], expected, replicas[expert], most);
        }
        for (int slot = 0; slot < slots; slot++) {
            int cheapest = 0;
            for (int expert = 1; expert < adds.length; expert++) {
                if (adds[expert] < adds[cheapest]) {
                    cheapest = expert;
                }
            }
            replicas[cheapest]++;
            adds[cheapest] = adds(tokens[cheapest], expected, replicas[cheapest], most);
        }
    }

    private static double adds(double tokens, ExpectedTime expected, int replicas, int most) {
        return replicas == most
                ? Double.POSITIVE_INFINITY
                : (replicas + 1) * expected.micros(tokens / (replicas + 1))
                        - replicas * expected.micros(tokens / replicas);
    }

    /** Load of one replica of every expert. */
    static double[] units(double[] load, int[] replicas) {
        double[] unit = new double[load.length];
        for (int expert = 0; expert < load.length; expert++) {
            unit[expert] = load[expert] / replicas[expert];
        }
        return unit;
    }

    /** The ids in order of falling values, ties by id; no value is NaN. */
    static int[] byFalling(double[] values) {
        // A stable merge on primitives: boxing would cost more than the packing that follows.
        int[] ids = new int[values.length];
        Arrays.setAll(ids, id -> id);
        mergeSort(ids, new int[ids.length], 0, ids.length, values);
        return ids;
    }

    private static void mergeSort(int[] ids, int[] spare, int from, int to, double[] values) {
        if (to - from < 2) {
            return;
        }
        int middle = (from + to) >>> 1;
        mergeSort(ids, spare, from, middle, values);
        mergeSort(ids, spare, middle, to, values);
        System.arraycopy(ids, from, spare, from, to - from);
        int left = from;
        int right = middle;
        for (int at = from; at < to; at++) {
            boolean takeLeft = right == to || (left < middle && values[spare[left]] >= values[spare[right]]);
            ids[at] = takeLeft ? spare[left++] : spare[right++];
        }
    }
}
