package dev.plimsoll.replay.format.array;

import java.nio.ByteBuffer;
import java.util.Optional;

/** A type of numbers in a file, by the names that NumPy, safetensors and PyTorch give it. */
public enum NumberType {
    INT8("i1", "I8", "CharStorage", 1),
    INT16("i2", "I16", "ShortStorage", 2),
    INT32("i4", "I32", "IntStorage", 4),
    INT64("i8", "I64", "LongStorage", 8),
    UINT8("u1", "U8", "ByteStorage", 1),
    UINT16("u2", "U16", "UInt16Storage", 2),
    UINT32("u4", "U32", "UInt32Storage", 4),
    UINT64("u8", "U64", "UInt64Storage", 8),
    BOOL("b1", "BOOL", "BoolStorage", 1),
    FLOAT32("f4", "F32", "FloatStorage", 4),
    FLOAT64("f8", "F64", "DoubleStorage", 8);

    /** Up to here a double holds every whole number. */
    private static final double EXACT = 1L << 53;

    private final String npy;
    private final String safetensors;
    private final String torch;
    private final int bytes;

    NumberType(String npy, String safetensors, String torch, int bytes) {
        this.npy = npy;
        this.safetensors = safetensors;
        this.torch = torch;
        this.bytes = bytes;
    }

    /** Of one number. */
    public int bytes() {
        return bytes;
    }

    /** As in NumPy's array protocol, without the order of bytes, such as {@code i4}. */
    public String npy() {
        return npy;
    }

    /** Such as {@code I32}. */
    public String safetensors() {
        return safetensors;
    }

    /** Such as {@code IntStorage}. */
    public String torch() {
        return torch;
    }

    public static Optional<NumberType> ofNpy(String name) {
        return of(name, 0);
    }

    public static Optional<NumberType> ofSafetensors(String name) {
        return of(name, 1);
    }

    public static Optional<NumberType> ofTorch(String name) {
        return of(name, 2);
    }

    private static Optional<NumberType> of(String name, int which) {
        for (NumberType type : values()) {
            String own = which == 0 ? type.npy : which == 1 ? type.safetensors : type.torch;
            if (own.equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** Whether {@link #whole} gives any number of the type without loss. */
    boolean alwaysWhole() {
        return this != UINT64 && this != BOOL && this != FLOAT32 && this != FLOAT64;
    }

    /** Whether the number there is one that {@link #whole} gives without loss. */
    boolean isWhole(ByteBuffer bytes, int at) {
        return switch (this) {
            case UINT64 -> bytes.getLong(at) >= 0;
            case BOOL -> bytes.get(at) == 0 || bytes.get(at) == 1;
            case FLOAT32 -> isWhole(bytes.getFloat(at));
            case FLOAT64 -> isWhole(bytes.getDouble(at));
            default -> true;
        };
    }

    private static boolean isWhole(double number) {
        return Math.abs(number) <= EXACT && number == Math.rint(number);
    }

    long whole(ByteBuffer bytes, int at) {
        return switch (this) {
            case INT8 -> bytes.get(at);
            case INT16 -> bytes.getShort(at);
            case INT32 -> bytes.getInt(at);
            case INT64, UINT64 -> bytes.getLong(at);
            case UINT8, BOOL -> Byte.toUnsignedInt(bytes.get(at));
            case UINT16 -> Short.toUnsignedInt(bytes.getShort(at));
            case UINT32 -> Integer.toUnsignedLong(bytes.getInt(at));
            case FLOAT32 -> (long) bytes.getFloat(at);
            case FLOAT64 -> (long) bytes.getDouble(at);
        };
    }

    /** The number in its own words, for a message. */
    String text(ByteBuffer bytes, int at) {
        return switch (this) {
            case FLOAT32 -> Float.toString(bytes.getFloat(at));
            case FLOAT64 -> Double.toString(bytes.getDouble(at));
            case UINT64 -> Long.toUnsignedString(bytes.getLong(at));
            default -> Long.toString(whole(bytes, at));
        };
    }

    /** @throws IllegalArgumentException when the type has no such number */
    void put(ByteBuffer bytes, int at, long number) {
        switch (bytes()) {
            case 1 -> bytes.put(at, (byte) number);
            case 2 -> bytes.putShort(at, (short) number);
            case 4 -> {
                if (this == FLOAT32) {
                    bytes.putFloat(at, number);
                } else {
                    bytes.putInt(at, (int) number);
                }
            }
            default -> {
                if (this == FLOAT64) {
                    bytes.putDouble(at, number);
                } else {
                    bytes.putLong(at, number);
                }
            }
        }
        if (!isWhole(bytes, at) || whole(bytes, at) != number) {
            throw new IllegalArgumentException(number + " does not fit into " + this);
        }
    }
}
