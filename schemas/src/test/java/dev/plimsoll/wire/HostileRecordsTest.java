package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.management.ThreadMXBean;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.WireException.Reason;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Records of the samples topic that somebody made to do harm: what is refused, for which reason, and that refusing costs no more than the
 * bytes that came. Through what every reader uses, {@link Topic#decode(byte[])}.
 *
 * <p>{@code -Dplimsoll.fuzz.records=N} mutates so many records (100,000 in every build).
 */
final class HostileRecordsTest {
    private static final int SAMPLE = 170040;
    private static final int MEMBERS = 170053;
    private static final long RECORDS = Long.getLong("plimsoll.fuzz.records", 100_000);
    /** What an exception and the words in it take, and what is done once. */
    private static final long CONSTANT = 16 << 10;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** A sample, field by field, each of which can be another. */
    private static final class Forged {
        private byte[] deployment = text("r1/decode-0");
        private long stepFrom = 16;
        private long stepTo = 32;
        private int ranks = 2;
        private int layers = 3;
        private int slotsPerRank = 4;
        private int firstLayer;
        private byte[] routed = numbers(3, 0, 0, 0);
        private byte[] elapsedNanos = numbers(2, 2_000_000, 2_100_000);
        private byte[] idleNanos = numbers(2, 0, 0);
        private byte[] counters = bytes(new byte[2 * 3 * 4 * 4]);

        byte[] record() {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.writeBytes(frame(SAMPLE));
            out.writeBytes(deployment);
            number(out, 7); // incarnation
            number(out, stepFrom);
            number(out, stepTo);
            number(out, 2); // phase
            out.writeBytes(text("node-1"));
            number(out, 0); // firstRank
            number(out, ranks);
            number(out, firstLayer);
            number(out, layers);
            number(out, slotsPerRank);
            number(out, 1); // state
            number(out, 0);
            number(out, 0);
            out.write(0); // mixed
            out.writeBytes(routed);
            out.writeBytes(elapsedNanos);
            out.writeBytes(idleNanos);
            number(out, 1); // layout
            out.writeBytes(counters);
            return out.toByteArray();
        }
    }

    private static byte[] forged(Consumer<Forged> how) {
        Forged sample = new Forged();
        how.accept(sample);
        return sample.record();
    }

    private static byte[] frame(int id) {
        return ByteBuffer.allocate(5).put((byte) 0).putInt(id).array();
    }

    private static void number(ByteArrayOutputStream out, long value) {
        long zigzag = (value << 1) ^ (value >> 63);
        while ((zigzag & ~0x7fL) != 0) {
            out.write((int) (zigzag & 0x7f | 0x80));
            zigzag >>>= 7;
        }
        out.write((int) zigzag);
    }

    private static byte[] text(String text) {
        return bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] bytes(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        number(out, content.length);
        out.writeBytes(content);
        return out.toByteArray();
    }

    /** An array that claims to have so many elements. */
    private static byte[] numbers(long count, long... values) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        number(out, count);
        for (long value : values) {
            number(out, value);
        }
        number(out, 0);
        return out.toByteArray();
    }

    /** Says why, and that nothing large was allocated on the way. */
    private static void assertRefused(Reason reason, byte[] record) {
        var unused = catchThrowable(() -> Topic.SAMPLES.decode(record)); // classes are loaded
        long before = THREADS.getCurrentThreadAllocatedBytes();
        Throwable thrown = catchThrowable(() -> Topic.SAMPLES.decode(record));
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;

        assertThat(thrown)
                .isInstanceOfSatisfying(
                        WireException.class, why -> assertThat(why.reason()).isEqualTo(reason));
        assertThat(String.valueOf(thrown.getMessage())).as("what is told of it").hasSizeLessThanOrEqualTo(500);
        assertThat(allocated)
                .as("bytes allocated for a record of " + record.length)
                .isLessThan(16L * record.length + 2 * CONSTANT);
    }

    @Test
    void whatIsForgedHereIsARecordBeforeAnythingIsChanged() throws WireException {
        assertThat(Topic.SAMPLES.decode(forged(sample -> {})).deployment()).isEqualTo(new Deployment("r1/decode-0"));
    }

    @Test
    void stepsThatAreNegativeOrEndBeforeTheyBeginAreInvalid() {
        assertRefused(Reason.INVALID, forged(sample -> sample.stepFrom = -16));
        assertRefused(Reason.INVALID, forged(sample -> sample.stepFrom = Long.MIN_VALUE));
        assertRefused(Reason.INVALID, forged(sample -> sample.stepTo = 16));
        assertRefused(Reason.INVALID, forged(sample -> {
            sample.stepFrom = Long.MAX_VALUE;
            sample.stepTo = 16;
        }));
    }

    @Test
    void lengthsThatTheBytesCannotHoldAreMalformed() {
        for (long lie : new long[] {97, Integer.MAX_VALUE, 1L << 31, 1L << 40, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            number(out, lie);
            out.writeBytes(new byte[96]);
            assertRefused(Reason.MALFORMED, forged(sample -> sample.counters = out.toByteArray()));
            assertRefused(Reason.MALFORMED, forged(sample -> sample.deployment = Arrays.copyOf(out.toByteArray(), 12)));
        }
    }

    @Test
    void countsOfElementsThatTheBytesCannotHoldAreMalformed() {
        for (long lie : new long[] {1_000, 1_000_000_000, 1L << 31, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertRefused(Reason.MALFORMED, forged(sample -> sample.routed = numbers(lie, 1, 2, 3)));
        }
        // A negative count is followed by the size of the block.
        assertRefused(Reason.MALFORMED, forged(sample -> sample.routed = numbers(-3, Long.MAX_VALUE, 1, 2, 3)));
        assertRefused(Reason.MALFORMED, forged(sample -> sample.routed = numbers(-1_000_000_000, 8, 1, 2, 3)));
    }

    @Test
    void aNumberThatDoesNotEndIsMalformed() {
        byte[] endless = new byte[11];
        Arrays.fill(endless, (byte) 0xff);
        assertRefused(Reason.MALFORMED, forged(sample -> sample.deployment = endless));
    }

    @Test
    void aLayoutThatItsCountersDoNotFillIsInvalidHoweverItsProductComesOut() {
        assertRefused(Reason.INVALID, forged(sample -> sample.ranks = Integer.MAX_VALUE));
        assertRefused(Reason.INVALID, forged(sample -> sample.slotsPerRank = 0));
        assertRefused(Reason.INVALID, forged(sample -> sample.layers = -3));
        // 2^30 × 2^30 × 2^4 is 2^64, which is 0 to a long: as many counters as none.
        assertRefused(Reason.INVALID, forged(sample -> {
            sample.ranks = 1 << 30;
            sample.layers = 1 << 30;
            sample.slotsPerRank = 1 << 4;
            sample.routed = bytes(new byte[0]);
            sample.elapsedNanos = bytes(new byte[0]);
            sample.idleNanos = bytes(new byte[0]);
            sample.counters = bytes(new byte[0]);
        }));
        assertRefused(Reason.INVALID, forged(sample -> sample.counters = bytes(new byte[95])));
    }

    @Test
    void countersBelowZeroAreInvalid() {
        byte[] negative = new byte[96];
        ByteBuffer.wrap(negative).order(ByteOrder.LITTLE_ENDIAN).putInt(92, -1);
        assertRefused(Reason.INVALID, forged(sample -> sample.counters = bytes(negative)));
        assertRefused(Reason.INVALID, forged(sample -> sample.routed = numbers(3, 1, -1, 1)));
    }

    @Test
    void timesOfOtherRanksThanTheSamplesOrBelowZeroOrWithoutTheFirstLayerAreInvalid() {
        assertRefused(Reason.INVALID, forged(sample -> sample.elapsedNanos = numbers(3, 1, 1, 1)));
        assertRefused(Reason.INVALID, forged(sample -> sample.idleNanos = numbers(1, 1)));
        assertRefused(Reason.INVALID, forged(sample -> sample.idleNanos = bytes(new byte[0])));
        assertRefused(Reason.INVALID, forged(sample -> sample.elapsedNanos = numbers(2, 1, -1)));
        assertRefused(Reason.INVALID, forged(sample -> sample.idleNanos = numbers(2, Long.MIN_VALUE, 1)));
        assertRefused(Reason.INVALID, forged(sample -> sample.firstLayer = 3));
        assertRefused(Reason.MALFORMED, forged(sample -> sample.elapsedNanos = numbers(1L << 40, 1, 1)));
    }

    @Test
    void namesThatAreLongOrCarryControlCharactersAreInvalidAndToldInALine() {
        assertRefused(Reason.INVALID, forged(sample -> sample.deployment = text("n".repeat(1 << 20))));
        assertRefused(Reason.INVALID, forged(sample -> sample.deployment = text("\u001b[2J\r\nACK d rank 0 FLIPPED")));
        Throwable thrown = catchThrowable(
                () -> Topic.SAMPLES.decode(forged(sample -> sample.deployment = text("a\r\nb\u2028c\u001b[2J"))));
        assertThat(thrown).isInstanceOf(WireException.class).message().doesNotContainPattern("[\\p{Cntrl}\\u2028]");
    }

    @Test
    void schemasAreNeverTakenFromARecord() {
        String schema = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"r\",\"type\":[\"null\",\"R\"]},"
                + "{\"name\":\"s\",\"type\":{\"type\":\"string\",\"java-class\":\"java.net.URL\"}}]}";
        byte[] container = ("Obj\u0001" + schema).getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream framed = new ByteArrayOutputStream();
        framed.writeBytes(frame(123_456));
        framed.writeBytes(schema.getBytes(StandardCharsets.UTF_8));
        byte[] fingerprint = {(byte) 0xC3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9};

        assertRefused(Reason.FRAME, schema.getBytes(StandardCharsets.UTF_8));
        assertRefused(Reason.FRAME, container);
        assertRefused(Reason.FRAME, fingerprint);
        assertRefused(Reason.UNKNOWN_SCHEMA, framed.toByteArray());
        assertRefused(Reason.NEWER_SCHEMA, frame(170_999));
        // A record that stands in another topic is none of this one.
        assertRefused(Reason.UNKNOWN_SCHEMA, frame(170_005));
    }

    @Test
    void aMembershipThatClaimsMoreRanksThanItNamesIsMalformed() {
        byte[] good = RandomValues.KINDS.stream()
                .filter(kind -> kind.name().equals("members"))
                .map(kind -> encoded(kind, 3))
                .findFirst()
                .orElseThrow();
        assertThat(ByteBuffer.wrap(good).getInt(1)).isEqualTo(MEMBERS);
        byte[] huge = {(byte) 0xfe, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0x0f};
        for (int at = 5; at < good.length; at++) {
            byte[] record = Arrays.copyOf(good, good.length + huge.length);
            System.arraycopy(huge, 0, record, at, huge.length);
            System.arraycopy(good, at, record, at + huge.length, good.length - at);
            assertHarmless(record, "number at " + at);
        }
    }

    private static <T> byte[] encoded(RandomValues.Kind<T> kind, long seed) {
        return kind.topic().encode(kind.value(seed));
    }

    /** A value, or a {@link WireException}; and allocates as much as its bytes allow. Returns whether it was a value. */
    private static boolean assertHarmless(byte[] record, String what) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        @Nullable SampleRecord value = null;
        @Nullable Throwable thrown = null;
        try {
            value = Topic.SAMPLES.decode(record);
        } catch (Throwable e) {
            thrown = e;
        }
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        if (thrown != null && !(thrown instanceof WireException)) {
            throw new AssertionError(what + ": " + Arrays.toString(record), thrown);
        }
        // A membership has a list of nodes, a boxed number for each of its ranks, which takes a byte: many times as
        // much.
        boolean packed = record.length >= 5 && ByteBuffer.wrap(record).getInt(1) == SAMPLE;
        long most = (packed ? 2L : 64L) * record.length + CONSTANT;
        // Where something goes wrong in a new way classes are loaded: what counts is the second time.
        if (allocated > most && allocatedFor(record) > most) {
            throw new AssertionError(what + ": " + allocated + " bytes allocated for a record of " + record.length
                    + ": " + Arrays.toString(record));
        }
        if (value != null && value.deployment().id().length() > 200) {
            throw new AssertionError(what + ": " + value);
        }
        return value != null;
    }

    private static long allocatedFor(byte[] record) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        var unused = catchThrowable(() -> Topic.SAMPLES.decode(record));
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    @Test
    void noRecordThatIsMutatedDoesAnyHarm() {
        // given: records of every kind of the topic, and one that is as large as they get
        byte[][] good = new byte[40][];
        for (int i = 0; i < good.length - 1; i++) {
            good[i] = encoded(RandomValues.KINDS.get(i % 4), i);
            assertThat(RandomValues.KINDS.get(i % 4).topic()).isSameAs(Topic.SAMPLES);
            assertHarmless(good[i], "as it was");
        }
        good[good.length - 1] = forged(sample -> {
            sample.ranks = 64;
            sample.elapsedNanos = numbers(64, LongStream.range(0, 64).toArray());
            sample.idleNanos = numbers(64, new long[64]);
            sample.counters = bytes(new byte[64 * 3 * 4 * 4]);
        });
        long values = 0;
        for (long seed = 0; seed < RECORDS; seed++) {
            Random random = new Random(seed);
            byte[] record = mutated(good[random.nextInt(good.length)], good, random);
            values += assertHarmless(record, "seed " + seed) ? 1 : 0;
        }
        // Both happen often, or it would show nothing.
        assertThat(values).isBetween(RECORDS / 20, RECORDS * 19 / 20);
    }

    private static byte[] mutated(byte[] record, byte[][] all, Random random) {
        byte[] bytes = record.clone();
        for (int i = 0; i <= random.nextInt(3); i++) {
            int at = 5 + random.nextInt(bytes.length - 5);
            switch (random.nextInt(8)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> bytes[at] = (byte) (random.nextBoolean() ? 0xff : 0x7f);
                case 3 -> bytes = Arrays.copyOf(bytes, Math.max(6, at));
                case 4 -> bytes = insert(bytes, at, hostileNumber(random));
                case 5 -> bytes = insert(bytes, at, new byte[random.nextInt(64)]);
                case 6 -> {
                    // The tail of another record.
                    byte[] other = all[random.nextInt(all.length)];
                    int from = random.nextInt(other.length);
                    byte[] spliced = Arrays.copyOf(bytes, at + other.length - from);
                    System.arraycopy(other, from, spliced, at, other.length - from);
                    bytes = spliced.length < 6 ? bytes : spliced;
                }
                default -> bytes[random.nextInt(5)] ^= (byte) (random.nextInt(4) == 0 ? random.nextInt() : 0);
            }
        }
        return bytes;
    }

    private static byte[] insert(byte[] bytes, int at, byte[] inserted) {
        byte[] longer = Arrays.copyOf(bytes, bytes.length + inserted.length);
        System.arraycopy(inserted, 0, longer, at, inserted.length);
        System.arraycopy(bytes, at, longer, at + inserted.length, bytes.length - at);
        return longer;
    }

    private static byte[] hostileNumber(Random random) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long[] numbers = {Integer.MAX_VALUE, 1L << 31, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, -1, 1 << 20};
        number(out, numbers[random.nextInt(numbers.length)]);
        return out.toByteArray();
    }
}
