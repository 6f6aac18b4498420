package dev.plimsoll.device;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/** A struct of the C ABI as a value: immutable, and equal to another of its kind with the same bytes. */
abstract class StructBytes {
    static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ORDER);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ORDER);
    private static final VarHandle SHORTS = MethodHandles.byteArrayViewVarHandle(short[].class, ORDER);

    private final byte[] bytes;
    private final int hash;

    /** @param bytes which the caller gives away */
    StructBytes(byte[] bytes) {
        this.bytes = bytes;
        this.hash = Arrays.hashCode(bytes);
    }

    static int sizeof(Class<? extends Pointer> type) {
        load(type);
        return Pointer.sizeof(type);
    }

    static int offsetof(Class<? extends Pointer> type, String member) {
        load(type);
        return Pointer.offsetof(type, member);
    }

    // Sizes and offsets are known once the class of the binding is initialised, and not before.
    private static void load(Class<? extends Pointer> type) {
        Native.load();
        Loader.load(type);
    }

    static byte[] bytes(int... words) {
        byte[] bytes = new byte[words.length * Integer.BYTES];
        ByteBuffer.wrap(bytes).order(ORDER).asIntBuffer().put(words);
        return bytes;
    }

    /** All bytes as little-endian numbers of 32 bits, from the first. */
    public final int[] words() {
        int[] words = new int[bytes.length / Integer.BYTES];
        ByteBuffer.wrap(bytes).order(ORDER).asIntBuffer().get(words);
        return words;
    }

    final void copyTo(ByteBuffer target) {
        target.put(0, bytes);
    }

    final byte[] copy() {
        return bytes.clone();
    }

    final int int32(int offset) {
        return (int) INTS.get(bytes, offset);
    }

    final long int64(int offset) {
        return (long) LONGS.get(bytes, offset);
    }

    final int int16(int offset) {
        return (short) SHORTS.get(bytes, offset) & 0xffff;
    }

    final int int8(int offset) {
        return bytes[offset] & 0xff;
    }

    static void put(byte[] bytes, int offset, int width, long value) {
        switch (width) {
            case Long.BYTES -> LONGS.set(bytes, offset, value);
            case Integer.BYTES -> INTS.set(bytes, offset, (int) value);
            case Short.BYTES -> SHORTS.set(bytes, offset, (short) value);
            default -> bytes[offset] = (byte) value;
        }
    }

    @Override
    public final boolean equals(Object other) {
        return other != null
                && other.getClass() == getClass()
                && ((StructBytes) other).hash == hash
                && Arrays.equals(((StructBytes) other).bytes, bytes);
    }

    @Override
    public final int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return IntStream.of(words()).mapToObj(Integer::toString).collect(Collectors.joining(",", "[", "]"));
    }
}
