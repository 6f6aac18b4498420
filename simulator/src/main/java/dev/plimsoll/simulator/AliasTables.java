package dev.plimsoll.simulator;

/**
 * Many discrete distributions over the same outcomes, each drawn from in constant time (alias method; construction after Vose
 * 1991). Flat arrays: thousands of tables stay a few MiB. One thread.
 */
final class AliasTables {
    private static final double UNIT = 0x1p32;

    private final int outcomes;
    /** {@code [table][outcome]} flattened: below it of 2³² the outcome itself is drawn, else its alias. */
    private final int[] threshold;

    private final short[] alias;
    private final double[] scaled;
    private final int[] small;
    private final int[] large;

    AliasTables(int tables, int outcomes) {
        this.outcomes = outcomes;
        threshold = new int[Math.multiplyExact(tables, outcomes)];
        alias = new short[tables * outcomes];
        scaled = new double[outcomes];
        small = new int[outcomes];
        large = new int[outcomes];
    }

    /** Replaces a table by one with these weights; all positive, they need not sum to 1. */
    void build(int table, double[] weights) {
        double sum = 0;
        for (double weight : weights) {
            sum += weight;
        }
        int smalls = 0;
        int larges = 0;
        for (int i = 0; i < outcomes; i++) {
            scaled[i] = weights[i] * outcomes / sum;
            if (scaled[i] < 1) {
                small[smalls++] = i;
            } else {
                large[larges++] = i;
            }
        }
        int base = table * outcomes;
        while (smalls > 0 && larges > 0) {
            int less = small[--smalls];
            int more = large[larges - 1];
            set(base + less, scaled[less], more);
            scaled[more] -= 1 - scaled[less];
            if (scaled[more] < 1) {
                larges--;
                small[smalls++] = more;
            }
        }
        // What rounding left over is 1 but for that rounding.
        while (larges > 0) {
            int rest = large[--larges];
            set(base + rest, 1, rest);
        }
        while (smalls > 0) {
            int rest = small[--smalls];
            set(base + rest, 1, rest);
        }
    }

    /** @param random 64 uniform bits */
    int draw(int table, long random) {
        int outcome = (int) (((random >>> 32) * outcomes) >>> 32);
        int at = table * outcomes + outcome;
        return Integer.compareUnsigned((int) random, threshold[at]) <= 0 ? outcome : alias[at];
    }

    private void set(int at, double probability, int other) {
        threshold[at] = (int) (long) Math.min(UNIT - 1, probability * UNIT);
        alias[at] = (short) other;
    }
}
