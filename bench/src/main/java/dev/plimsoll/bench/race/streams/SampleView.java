package dev.plimsoll.bench.race.streams;

import java.util.Arrays;

/**
 * The header of a sample, read from its bytes by hand, and where its counters are: no object is made. One is used for all samples of a
 * task. Threads: one.
 */
final class SampleView {
    /** The schema ids of what a samples topic has. */
    private static final int SAMPLE_1 = 170001;

    private static final int SAMPLE_2 = 170026;
    private static final int SAMPLE_3 = 170040;
    private static final int SAMPLE_4 = 170051;
    private static final int MEMBERSHIP_1 = 170002;
    private static final int MEMBERSHIP_2 = 170045;
    private static final int MEMBERSHIP_3 = 170053;
    private static final int TICK = 170003;
    private static final int END = 170004;
    private static final int COMPUTED = 1;
    private static final int FRAME = 5;
    private static final int INT32 = 1;
    private static final int UINT16 = 3;

    byte[] bytes = {};
    int deploymentAt;
    int deploymentLength;
    long incarnation;
    long stepFrom;
    long stepTo;
    int firstRank;
    int ranks;
    int layers;
    int slots;
    int countersAt;
    int counters;
    /** Bytes of a counter, two or four. */
    int width;

    private int at;

    static int schema(byte[] record) {
        return (record[1] & 0xff) << 24 | (record[2] & 0xff) << 16 | (record[3] & 0xff) << 8 | record[4] & 0xff;
    }

    static boolean isMembership(int schema) {
        return schema == MEMBERSHIP_1 || schema == MEMBERSHIP_2 || schema == MEMBERSHIP_3;
    }

    /** @throws IllegalArgumentException for a record that no samples topic had when this was written: to pass over it is to stand still */
    static boolean isSample(int schema) {
        return switch (schema) {
            case SAMPLE_1, SAMPLE_2, SAMPLE_3, SAMPLE_4 -> true;
            case TICK, END, MEMBERSHIP_1, MEMBERSHIP_2, MEMBERSHIP_3 -> false;
            default ->
                throw new IllegalArgumentException("schema " + schema
                        + " is unknown to the contestants on Kafka Streams: add it to SampleView, as ids.tsv has it");
        };
    }

    /** @throws IllegalArgumentException what this contestant cannot fold */
    void read(byte[] record) {
        bytes = record;
        at = FRAME;
        deploymentLength = integer();
        deploymentAt = at;
        at += deploymentLength;
        incarnation = number();
        stepFrom = number();
        stepTo = number();
        number(); // phase
        int emitter = integer();
        at += emitter;
        firstRank = integer();
        ranks = integer();
        int firstLayer = integer();
        layers = integer();
        slots = integer();
        long version = number();
        long epoch = number();
        long flipped = number();
        boolean mixed = bytes[at++] != 0;
        long routed = number();
        int schema = schema(record);
        if (schema == SAMPLE_3 || schema == SAMPLE_4) {
            numbers(); // elapsed
            numbers(); // idle
        }
        int kind = schema == SAMPLE_4 ? integer() : COMPUTED;
        int layout = integer();
        int length = integer();
        countersAt = at;
        width = layout == UINT16 ? Short.BYTES : Integer.BYTES;
        counters = length / width;
        if ((version | epoch | flipped) != 0
                || mixed
                || routed != 0
                || kind != COMPUTED
                || layout != INT32 && layout != UINT16
                || firstLayer != 0) {
            throw new IllegalArgumentException(
                    "this contestant folds counters of 16 and 32 bits of computed tokens under the first placement only");
        }
        if (at + length > record.length || counters != ranks * layers * slots) {
            throw new IllegalArgumentException(
                    "a sample of " + length + " bytes of counters for " + ranks + " × " + layers + " × " + slots);
        }
    }

    boolean isOf(byte[] deployment) {
        return deployment.length == deploymentLength
                && Arrays.equals(
                        bytes, deploymentAt, deploymentAt + deploymentLength, deployment, 0, deployment.length);
    }

    /** An array of them, which is of no use here. */
    private void numbers() {
        for (long count = number(); count != 0; count = number()) {
            for (long i = 0; i < count; i++) {
                number();
            }
        }
    }

    private int integer() {
        return (int) number();
    }

    /** Avro's zigzag number of variable length. */
    private long number() {
        long raw = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = bytes[at++];
            raw |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return raw >>> 1 ^ -(raw & 1);
            }
        }
    }
}
