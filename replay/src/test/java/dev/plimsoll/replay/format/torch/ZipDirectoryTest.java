package dev.plimsoll.replay.format.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;

/** The directory of a zip file is not believed. */
class ZipDirectoryTest {
    private static final int LOCAL = 0x04034b50;
    private static final int CENTRAL = 0x02014b50;
    private static final int END = 0x06054b50;
    private static final byte[] STAT =
            TorchBytes.stat(new int[] {2, 2, 2}, 0, 0, 1, 2, 0, 0, 3, 4).file();

    private static int find(byte[] file, int signature, int nth) {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int seen = 0;
        for (int at = 0; at + 4 <= file.length; at++) {
            if (bytes.getInt(at) == signature && seen++ == nth) {
                return at;
            }
        }
        throw new AssertionError("no " + nth + "th " + Integer.toHexString(signature));
    }

    private static byte[] with(int signature, int nth, int field, int width, long number) {
        return TorchBytes.with(STAT, find(STAT, signature, nth) + field, width, number);
    }

    private static FormatException refused(byte[] file) {
        return PickleAttacksTest.refused(file);
    }

    private static long[] counts(byte[] file) throws IOException {
        return PickleAttacksTest.counts(file);
    }

    @Test
    void storedAndPackedEntriesSayTheSame() throws IOException {
        byte[] packed = TorchBytes.stat(new int[] {2, 2, 2}, 0, 0, 1, 2, 0, 0, 3, 4)
                .deflated()
                .file();

        assertThat(counts(STAT)).containsExactly(0, 0, 1, 2, 0, 0, 3, 4);
        assertThat(counts(packed)).containsExactly(0, 0, 1, 2, 0, 0, 3, 4);
    }

    @Test
    void numbersOfEitherOrderOfBytesAreRead() throws IOException {
        byte[] big = TorchBytes.begun()
                .op('}')
                .text("logical_count")
                .tensor(NumberType.INT32, "cpu", 2, 0, new int[] {1, 2}, new int[] {2, 1}, new byte[] {
                    0, 0, 1, 0, 0, 0, 0, 7
                })
                .ascii("s.")
                .entry("byteorder", new byte[] {'b', 'i', 'g'})
                .file();

        assertThat(counts(big)).containsExactly(256, 7);
    }

    @Test
    void viewsWithStridesAndOffsetsAreRead() throws IOException {
        byte[] numbers = Numbers.bytes(NumberType.INT16, new long[] {9, 1, 2, 3, 4, 5, 6});
        byte[] transposed = TorchBytes.begun()
                .op('}')
                .text("logical_count")
                .tensor(NumberType.INT16, "npu:3", 7, 1, new int[] {2, 3}, new int[] {1, 2}, numbers)
                .ascii("s.")
                .file();

        assertThat(counts(transposed)).containsExactly(1, 3, 5, 2, 4, 6);
    }

    @Test
    void fileThatIsCutHasNoEnd() {
        for (int length = 4; length < STAT.length; length += 7) {
            assertThat(refused(Arrays.copyOf(STAT, length)).position()).isLessThanOrEqualTo(length);
        }
        assertThat(refused(Arrays.copyOf(STAT, STAT.length - 1)).reason()).contains("is cut: it has no end record");
    }

    @Test
    void fileThatIsNoZipIsRefused() {
        assertThat(refused(new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10}).reason())
                .contains("since PyTorch 1.6");
    }

    @Test
    void entriesAreWhereTheDirectorySays() {
        assertThat(refused(with(CENTRAL, 0, 42, 4, STAT.length + 99L)).reason()).contains("where it is not");
        assertThat(refused(with(CENTRAL, 0, 42, 4, 1)).reason()).contains("where it is not");
        assertThat(refused(with(CENTRAL, 1, 42, 4, 0)).reason()).contains("another entry there");
        assertThat(refused(with(LOCAL, 0, 30, 1, 'A')).reason()).contains("another entry there");
        assertThat(refused(with(LOCAL, 0, 8, 2, 8)).reason()).contains("another entry there");
    }

    @Test
    void sizesThatLieAreRefused() {
        assertThat(refused(with(LOCAL, 0, 22, 4, 7)).reason()).contains("two sizes");
        assertThat(refused(with(CENTRAL, 0, 24, 4, 7)).reason()).contains("two sizes");
        assertThat(refused(with(CENTRAL, 0, 20, 4, 0xffff_fffeL)).reason()).contains("two sizes");
        assertThat(refused(with(CENTRAL, 0, 24, 4, 0xffff_ffffL)).reason()).contains("no 64-bit field");
    }

    @Test
    void entriesThatOverlapAreRefused() {
        int first = find(STAT, LOCAL, 0);
        byte[] longer = TorchBytes.with(STAT, first + 18, 4, 0);
        longer = TorchBytes.with(longer, first + 22, 4, 0);
        longer = TorchBytes.with(longer, first + 6, 2, 8); // sizes follow the data
        int central = find(STAT, CENTRAL, 0);
        longer = TorchBytes.with(longer, central + 20, 4, 300);
        longer = TorchBytes.with(longer, central + 24, 4, 300);

        assertThat(refused(longer).reason()).contains("an entry there that overlaps another");
    }

    @Test
    void directoryThatIsNotThereIsRefused() {
        assertThat(refused(with(END, 0, 16, 4, STAT.length)).reason()).contains("not before its end record");
        assertThat(refused(with(END, 0, 12, 4, 0xffff_fffeL)).reason()).contains("not before its end record");
        assertThat(refused(with(END, 0, 8, 4, 0x0003_0003L)).reason()).contains("3 entries in 122 bytes");
        assertThat(refused(with(END, 0, 8, 4, 0x0001_0001L)).reason()).contains("goes on after its last entry");
        assertThat(refused(with(CENTRAL, 1, 0, 1, 'X')).reason()).contains("no entry there");
        assertThat(refused(with(END, 0, 4, 2, 1)).reason()).contains("part of a zip file of several");
    }

    @Test
    void damagedBytesAreRefusedUnlessNoChecksumWasMade() throws IOException {
        int data = find(STAT, LOCAL, 1) + 30 + "archive/data/0".length();
        byte[] damaged = TorchBytes.with(STAT, data + 8, 1, 77);
        byte[] unchecked = TorchBytes.with(damaged, find(STAT, CENTRAL, 1) + 16, 4, 0);

        assertThat(refused(damaged).reason()).contains("checksum");
        assertThat(counts(unchecked)).containsExactly(0, 0, 77, 2, 0, 0, 3, 4);
    }

    @Test
    void encryptedAndOtherwisePackedEntriesAreRefused() {
        assertThat(refused(with(CENTRAL, 0, 8, 2, 1)).reason()).contains("encrypted");
        assertThat(refused(with(CENTRAL, 0, 10, 2, 12)).reason()).contains("packed by method 12");
    }

    @Test
    void zipBombsAreRefusedBeforeTheyUnpack() throws IOException {
        byte[] bomb = bomb(1 << 20);
        byte[] pickle = TorchBytes.begun().ascii("N".repeat(8 << 20)).deflated().file();
        byte[] claimed = bomb(1 << 10);
        byte[] lying = TorchBytes.with(claimed, find(claimed, CENTRAL, 1) + 24, 4, 4 << 10);

        assertThat(refused(bomb).reason()).contains("more than 100 times as many");
        assertThat(refused(pickle).reason()).contains("more than 100 times as many");
        assertThat(refused(lying).reason()).contains("unpacks to another size than 4096");
        assertThat(bomb.length).isLessThan(10_000);
    }

    /** Four MiB of zeros that are said to be so many numbers. */
    private static byte[] bomb(int claimed) {
        return TorchBytes.begun()
                .op('}')
                .text("logical_count")
                .tensor(
                        NumberType.INT32,
                        "cpu",
                        claimed,
                        0,
                        new int[] {1, claimed},
                        new int[] {claimed, 1},
                        new byte[4 << 20])
                .ascii("s.")
                .deflated()
                .file();
    }

    @Test
    void manyEmptyEntriesCostNoMoreThanAnyWrongFile() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (int i = 0; i < 20_000; i++) {
                ZipEntry entry = new ZipEntry(Integer.toString(i, 36));
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(0);
                entry.setCrc(0);
                zip.putNextEntry(entry);
            }
        }

        assertThat(refused(bytes.toByteArray()).reason()).contains("has 0 entries data.pkl");
    }

    @Test
    void filesWithoutAPickleOrWithTwoAreRefused() {
        assertThat(refused(TorchBytes.begun().ascii("}.").root("a/b").file()).reason())
                .contains("has 0 entries data.pkl");
    }
}
