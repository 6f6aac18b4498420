package dev.plimsoll.replay.format.torch;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The entries of a zip file that lies in memory, read from its central directory, as PyTorch writes them: stored, with 64-bit fields.
 * Packed ones are unpacked within bounds.
 *
 * <p>{@link java.util.zip} would do, were it not that it believes sizes and offsets. Here every entry has to lie where the directory
 * says, under the same name and method, before the directory, and apart from all others; its size and checksum have to be true.
 *
 * <p>Format: PKWARE's APPNOTE, 4.3 and 4.5.3.
 */
final class ZipDirectory {
    private static final int END = 0x06054b50;
    private static final int END_BYTES = 22;
    private static final int LOCATOR_64 = 0x07064b50;
    private static final int LOCATOR_64_BYTES = 20;
    private static final int END_64 = 0x06064b50;
    private static final int END_64_BYTES = 56;
    private static final int CENTRAL = 0x02014b50;
    private static final int CENTRAL_BYTES = 46;
    private static final int LOCAL = 0x04034b50;
    private static final int LOCAL_BYTES = 30;
    private static final int EXTRA_64 = 1;
    private static final int ENCRYPTED = 1;
    private static final int STORED = 0;
    private static final int DEFLATED = 8;
    private static final long MASK_32 = 0xffff_ffffL;

    /** What an entry costs here, in tables and while it is looked at. */
    private static final int ENTRY_BYTES = 96;

    /** Numbers pack to a quarter or a third; zeros to a thousandth. */
    private static final int MOST_UNPACKED_PER_BYTE = 100;

    /** Spreads the hashes of names that differ in a digit. */
    private static final int GOLDEN = 0x9e3779b9;

    private static final int CHUNK = 8_192;

    /**
     * A file in the file.
     *
     * @param central offset of its entry in the directory
     * @param header offset of its local header
     * @param data offset of its bytes
     * @param packed how many bytes it takes
     * @param size how many bytes it has
     */
    record Entry(int central, int method, long crc, long header, long data, long packed, long size) {}

    private final String file;
    private final ByteBuffer bytes;
    private final Allowance allowance;

    /** Where each entry begins in the directory, in its order. */
    private int[] centrals = {};

    /** The entries by a hash of their names: 1 + index, or 0; the next place is looked at where another is there. */
    private int[] byName = {0, 0};

    private long probes;
    private long sizes;

    /** Of the entry that is looked at: where its 64-bit fields are. */
    private int wideAt;

    private int wideEnd;

    private ZipDirectory(String file, byte[] bytes, Allowance allowance) {
        this.file = file;
        this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        this.allowance = allowance;
    }

    static ZipDirectory read(String file, byte[] bytes, Allowance allowance) throws FormatException {
        ZipDirectory directory = new ZipDirectory(file, bytes, allowance);
        directory.readEntries();
        return directory;
    }

    /** The entry of a name. */
    Optional<Entry> entry(String name) throws FormatException {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        int hash = 0;
        for (byte b : utf8) {
            hash = 31 * hash + b;
        }
        for (int place = place(hash); byName[place] != 0; place = place + 1 & byName.length - 1) {
            int central = centrals[byName[place] - 1];
            if (isName(central, utf8, 0)) {
                return Optional.of(decode(central));
            }
        }
        return Optional.empty();
    }

    private int place(int hash) {
        return hash * GOLDEN >>> Integer.numberOfLeadingZeros(byName.length) + 1;
    }

    private boolean isName(int central, byte[] utf8, int from) {
        int length = u16(central + 28) - from;
        if (length != utf8.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes.get(central + CENTRAL_BYTES + from + i) != utf8[i]) {
                return false;
            }
        }
        return true;
    }

    /** The entries whose names end with a text. */
    List<Entry> entries(String end) throws FormatException {
        byte[] utf8 = end.getBytes(StandardCharsets.UTF_8);
        List<Entry> found = new ArrayList<>();
        for (int central : centrals) {
            if (isName(central, utf8, Math.max(0, u16(central + 28) - utf8.length))) {
                found.add(decode(central));
            }
        }
        return found;
    }

    /** How many bytes all entries have together. */
    long sizes() {
        return sizes;
    }

    String name(Entry entry) {
        return text(entry.central + CENTRAL_BYTES, u16(entry.central + 28));
    }

    /** Where the central directory is, and of how many entries. */
    private record Extent(long offset, long size, long count, int limit) {}

    private void readEntries() throws FormatException {
        Extent extent = extent();
        if (extent.offset < 0 || extent.size < 0 || extent.offset > extent.limit - extent.size) {
            throw wrong(
                    extent.limit,
                    "has a directory of " + extent.size + " bytes at " + extent.offset
                            + ", which is not before its end record");
        }
        if (extent.count > extent.size / CENTRAL_BYTES) {
            throw wrong(extent.offset, "has a directory of " + extent.count + " entries in " + extent.size + " bytes");
        }
        allowance.charge(file, extent.offset, extent.count * ENTRY_BYTES);
        centrals = new int[(int) extent.count];
        byName = new int[Integer.highestOneBit(Math.max(1, centrals.length)) << 2];
        long[] headers = new long[centrals.length];
        long[] ends = new long[centrals.length];
        int at = (int) extent.offset;
        int end = (int) (extent.offset + extent.size);
        for (int i = 0; i < centrals.length; i++) {
            centrals[i] = at;
            at = next(at, end);
            Entry entry = decode(centrals[i]);
            requireThere(entry, (int) extent.offset);
            sizes += entry.size;
            headers[i] = entry.header;
            ends[i] = entry.data + entry.packed;
            add(i);
        }
        if (at != end) {
            throw wrong(at, "has a directory that goes on after its last entry");
        }
        requireApart(headers, ends);
    }

    private void add(int index) throws FormatException {
        int central = centrals[index];
        int length = u16(central + 28);
        int hash = 0;
        for (int i = 0; i < length; i++) {
            hash = 31 * hash + bytes.get(central + CENTRAL_BYTES + i);
        }
        int place = place(hash);
        while (byName[place] != 0) {
            int other = centrals[byName[place] - 1];
            if (sameName(other + CENTRAL_BYTES, u16(other + 28), central + CENTRAL_BYTES, length)) {
                throw wrong(central, "has " + text(central + CENTRAL_BYTES, length) + " twice");
            }
            place = place + 1 & byName.length - 1;
            requireFewProbes(central);
        }
        byName[place] = index + 1;
    }

    /** Names that were made to have one hash would make the table a list. */
    private void requireFewProbes(int central) throws FormatException {
        probes++;
        if (probes > 64L * centrals.length + 1_000) {
            throw wrong(central, "has names that were made to be hard to tell apart");
        }
    }

    private boolean sameName(int first, int firstLength, int second, int secondLength) {
        if (firstLength != secondLength
                || second + secondLength > bytes.limit()
                || first + firstLength > bytes.limit()) {
            return false;
        }
        for (int i = 0; i < firstLength; i++) {
            if (bytes.get(first + i) != bytes.get(second + i)) {
                return false;
            }
        }
        return true;
    }

    private Extent extent() throws FormatException {
        int size = bytes.limit();
        int end = size - END_BYTES;
        while (end >= 0
                && end >= size - END_BYTES - 0xffff
                && !(bytes.getInt(end) == END && u16(end + 20) == size - end - END_BYTES)) {
            end--;
        }
        if (end < 0 || bytes.getInt(end) != END) {
            throw wrong(size, "is no zip file, or is cut: it has no end record");
        }
        long offset = u32(end + 16);
        long length = u32(end + 12);
        long count = u16(end + 10);
        if (u16(end + 4) != 0 || u16(end + 6) != 0 || u16(end + 8) != count) {
            throw wrong(end, "is a part of a zip file of several");
        }
        int locator = end - LOCATOR_64_BYTES;
        if (locator < 0 || bytes.getInt(locator) != LOCATOR_64) {
            return new Extent(offset, length, count, end);
        }
        long at = bytes.getLong(locator + 8);
        if (at < 0 || at > locator - END_64_BYTES || bytes.getInt((int) at) != END_64) {
            throw wrong(locator, "has no 64-bit end record at " + at);
        }
        int end64 = (int) at;
        long count64 = bytes.getLong(end64 + 32);
        long length64 = bytes.getLong(end64 + 40);
        long offset64 = bytes.getLong(end64 + 48);
        if (bytes.getLong(end64 + 24) != count64
                || count64 < 0
                || !same(count, 0xffff, count64)
                || !same(length, MASK_32, length64)
                || !same(offset, MASK_32, offset64)) {
            throw wrong(end64, "has two end records that differ");
        }
        return new Extent(offset64, length64, count64, end64);
    }

    /** Whether a short field agrees with the long one that stands for it, or says that it leaves it to it. */
    private static boolean same(long field, long deferred, long wide) {
        return field == deferred || field == wide;
    }

    /** Where the next entry of the directory begins. */
    private int next(int at, int end) throws FormatException {
        if (at > end - CENTRAL_BYTES || bytes.getInt(at) != CENTRAL) {
            throw wrong(at, "has no entry there in its directory");
        }
        int next = at + CENTRAL_BYTES + u16(at + 28) + u16(at + 30) + u16(at + 32);
        if (next > end) {
            throw wrong(at, "has an entry that reaches beyond its directory");
        }
        return next;
    }

    /** What an entry of the directory says, where its own header has to be. */
    private Entry decode(int at) throws FormatException {
        int nameBytes = u16(at + 28);
        findWide(at + CENTRAL_BYTES + nameBytes, u16(at + 30));
        long size = wideOr(u32(at + 24));
        long packed = wideOr(u32(at + 20));
        long header = wideOr(u32(at + 42));
        if (header < 0 || header > bytes.limit() - LOCAL_BYTES || bytes.getInt((int) header) != LOCAL) {
            throw wrong(at, "has " + text(at + CENTRAL_BYTES, nameBytes) + " at " + header + ", where it is not");
        }
        long data = header + LOCAL_BYTES + u16((int) header + 26) + u16((int) header + 28);
        return new Entry(at, u16(at + 10), u32(at + 16), header, data, packed, size);
    }

    /** What an entry's own header says of it has to agree with the directory, where it says it; its bytes have to be there. */
    private void requireThere(Entry entry, int directory) throws FormatException {
        int header = (int) entry.header;
        int central = entry.central;
        int method = entry.method;
        if ((u16(central + 8) & ENCRYPTED) != 0 || (method != STORED && method != DEFLATED)) {
            throw wrong(
                    central,
                    "has " + name(entry) + " encrypted or packed by method " + method
                            + ": stored and deflated are read");
        }
        if (u16(header + 8) != method
                || !sameName(header + LOCAL_BYTES, u16(header + 26), central + CENTRAL_BYTES, u16(central + 28))) {
            throw wrong(header, "has another entry there than " + name(entry) + ", as the directory says");
        }
        long itsPacked = u32(header + 18);
        long itsSize = u32(header + 22);
        boolean later = (u16(header + 6) & 8) != 0 && itsPacked == 0 && itsSize == 0;
        if (!later && !(same(itsPacked, MASK_32, entry.packed) && same(itsSize, MASK_32, entry.size))) {
            throw wrong(
                    header,
                    "has two sizes of " + name(entry) + ": " + itsSize + " there, and " + entry.size
                            + " in its directory at " + central);
        }
        if (entry.packed < 0
                || entry.data > directory - entry.packed
                || (method == STORED && entry.size != entry.packed)) {
            throw wrong(central, "has " + name(entry) + " of " + entry.packed + " bytes, which are not there");
        }
        if (entry.size < 0 || entry.size / MOST_UNPACKED_PER_BYTE > entry.packed) {
            throw wrong(
                    central,
                    "has " + name(entry) + " unpack from " + entry.packed + " to " + entry.size + " bytes, more than "
                            + MOST_UNPACKED_PER_BYTE + " times as many");
        }
    }

    /** Finds the 64-bit fields of an entry, which follow each other for each field that is full. */
    private void findWide(int from, int length) throws FormatException {
        wideAt = 0;
        wideEnd = 0;
        int extra = from;
        while (extra + 4 <= from + length) {
            int itsLength = u16(extra + 2);
            if (itsLength > from + length - extra - 4) {
                throw wrong(extra, "has a field that reaches beyond its entry");
            }
            if (u16(extra) == EXTRA_64) {
                wideAt = extra + 4;
                wideEnd = wideAt + itsLength;
            }
            extra += 4 + itsLength;
        }
    }

    private long wideOr(long field) throws FormatException {
        if (field != MASK_32) {
            return field;
        }
        if (wideAt + Long.BYTES > wideEnd) {
            throw wrong(wideAt, "has a size of 2^32 - 1 and no 64-bit field");
        }
        wideAt += Long.BYTES;
        return bytes.getLong(wideAt - Long.BYTES);
    }

    /** Sorts both, which keeps pairs together unless some overlap. */
    private void requireApart(long[] headers, long[] ends) throws FormatException {
        Arrays.sort(headers);
        Arrays.sort(ends);
        for (int i = 1; i < headers.length; i++) {
            if (headers[i] < ends[i - 1]) {
                throw wrong(headers[i], "has an entry there that overlaps another");
            }
        }
    }

    /** Where messages about an entry say that it is. */
    String part(Entry entry) {
        return file + ", " + name(entry);
    }

    /**
     * The bytes of an entry, in place where they are stored.
     *
     * @throws FormatException when they are not what its checksum and size say
     */
    ByteBuffer data(Entry entry) throws FormatException {
        ByteBuffer there = bytes.slice((int) entry.data, (int) entry.packed);
        if (entry.method == DEFLATED) {
            Input.requireRoom(part(entry), entry.size);
            requireUnpacks(entry, there);
            return ByteBuffer.wrap(unpacked(entry, there));
        }
        CRC32 crc = new CRC32();
        crc.update(there.duplicate());
        requireCrc(entry, crc.getValue());
        return there;
    }

    /** Unpacks without keeping anything, to see that it is right. */
    private void requireUnpacks(Entry entry, ByteBuffer packed) throws FormatException {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(packed.duplicate());
            CRC32 crc = new CRC32();
            byte[] chunk = new byte[CHUNK];
            long there = 0;
            while (!inflater.finished()) {
                int read = inflater.inflate(chunk);
                crc.update(chunk, 0, read);
                there += read;
                if (there > entry.size || (read == 0 && !inflater.finished())) {
                    break;
                }
            }
            if (there != entry.size || !inflater.finished() || inflater.getRemaining() != 0) {
                throw new FormatException(
                        part(entry), Math.min(there, entry.size), "unpacks to another size than " + entry.size);
            }
            requireCrc(entry, crc.getValue());
        } catch (DataFormatException e) {
            throw new FormatException(part(entry), 0, "cannot be unpacked: " + e.getMessage());
        } finally {
            inflater.end();
        }
    }

    private byte[] unpacked(Entry entry, ByteBuffer packed) throws FormatException {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(packed.duplicate());
            byte[] all = new byte[(int) entry.size];
            int there = 0;
            while (there < all.length) {
                there += inflater.inflate(all, there, all.length - there);
            }
            return all;
        } catch (DataFormatException e) {
            throw new FormatException(part(entry), 0, "cannot be unpacked: " + e.getMessage());
        } finally {
            inflater.end();
        }
    }

    /** PyTorch writes 0 where it was told not to compute checksums. */
    private void requireCrc(Entry entry, long crc) throws FormatException {
        if (entry.crc != 0 && entry.crc != crc) {
            throw new FormatException(part(entry), 0, "is not what its checksum says: the file is damaged");
        }
    }

    /** For messages, or of the few entries that are used. */
    private String text(int at, int length) {
        byte[] name = new byte[Math.max(0, Math.min(Math.min(length, 1_024), bytes.limit() - at))];
        bytes.get(at, name);
        return new String(name, StandardCharsets.UTF_8);
    }

    private int u16(int at) {
        return Short.toUnsignedInt(bytes.getShort(at));
    }

    private long u32(int at) {
        return Integer.toUnsignedLong(bytes.getInt(at));
    }

    private FormatException wrong(long position, String reason) {
        return new FormatException(file, Math.max(0, Math.min(position, bytes.limit())), reason);
    }
}
