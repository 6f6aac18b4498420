package dev.plimsoll.replay.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** One way to make a wrong file of a right one; the same random numbers give the same file. */
enum Mutation {
    FLIP_A_BIT {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            byte[] wrong = bytes.clone();
            wrong[random.nextInt(wrong.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            return wrong;
        }
    },
    SET_A_BYTE {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            byte[] wrong = bytes.clone();
            byte[] extremes = {0, 1, 0x7f, (byte) 0x80, (byte) 0xff, (byte) random.nextInt(), bytes[bytes.length / 2]};
            wrong[random.nextInt(wrong.length)] = extremes[random.nextInt(extremes.length)];
            return wrong;
        }
    },
    CUT_THE_END {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            return Arrays.copyOf(bytes, random.nextInt(bytes.length));
        }
    },
    LEAVE_A_RANGE_OUT {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            Range range = Range.within(bytes, random);
            return join(Arrays.copyOf(bytes, range.from), Arrays.copyOfRange(bytes, range.to, bytes.length));
        }
    },
    REPEAT_A_RANGE {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            Range range = Range.within(bytes, random);
            return insert(bytes, range.from, Arrays.copyOfRange(bytes, range.from, range.to));
        }
    },
    MOVE_A_RANGE {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            Range range = Range.within(bytes, random);
            byte[] wrong = bytes.clone();
            int to = random.nextInt(bytes.length - (range.to - range.from) + 1);
            System.arraycopy(bytes, range.from, wrong, to, range.to - range.from);
            return wrong;
        }
    },
    INSERT_NOISE {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            byte[] noise = new byte[1 + random.nextInt(32)];
            random.nextBytes(noise);
            return insert(bytes, random.nextInt(bytes.length + 1), noise);
        }
    },
    SPLICE {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            return join(
                    Arrays.copyOf(bytes, random.nextInt(bytes.length)),
                    Arrays.copyOfRange(other, random.nextInt(other.length), other.length));
        }
    },
    /** A length or an offset in binary, wherever it may stand. */
    CHANGE_A_LENGTH {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            int width = 1 << random.nextInt(4);
            if (bytes.length < width) {
                return new byte[width];
            }
            byte[] wrong = bytes.clone();
            int at = random.nextInt(bytes.length - width + 1);
            long[] extremes = {
                0,
                1,
                -1,
                Long.MIN_VALUE,
                Long.MAX_VALUE,
                Integer.MAX_VALUE,
                Integer.MIN_VALUE,
                0xffff_ffffL,
                bytes.length,
                bytes.length + 1L,
                bytes.length - 1L,
                at,
                1L << 62,
                random.nextInt(64)
            };
            ByteBuffer value = ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(0, extremes[random.nextInt(extremes.length)]);
            for (int i = 0; i < width; i++) {
                wrong[at + i] = value.get(i);
            }
            return wrong;
        }
    },
    /** A number in digits. */
    CHANGE_A_NUMBER {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            int from = random.nextInt(bytes.length);
            while (from < bytes.length && !digit(bytes[from])) {
                from++;
            }
            int to = from;
            while (to < bytes.length && digit(bytes[to])) {
                to++;
            }
            String number = NUMBERS.get(random.nextInt(NUMBERS.size()));
            return join(
                    join(Arrays.copyOf(bytes, from), number.getBytes(StandardCharsets.US_ASCII)),
                    Arrays.copyOfRange(bytes, to, bytes.length));
        }
    },
    NEST_DEEPLY {
        @Override
        byte[] of(byte[] bytes, byte[] other, Random random) {
            String open = NESTS.get(random.nextInt(NESTS.size()));
            int depth = 1 << random.nextInt(15);
            return insert(
                    bytes, random.nextInt(bytes.length + 1), open.repeat(depth).getBytes(StandardCharsets.ISO_8859_1));
        }
    };

    private static final List<String> NUMBERS = List.of(
            "-1",
            "0",
            "00",
            "1",
            "2147483647",
            "2147483648",
            "4294967296",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "1e9",
            "1e308",
            "1e999",
            "0.5",
            "NaN",
            "1" + "0".repeat(999));
    /** JSON, YAML, tuples in text, pickle's MARK and its empty list and one-tuple. */
    private static final List<String> NESTS =
            List.of("[", "{\"a\":", "{", "(", "- ", "(]", "\u0085", "]q\u0000h\u0000a", "\n ", "&a [*a,");

    /** Neither argument is changed or empty. */
    abstract byte[] of(byte[] bytes, byte[] other, Random random);

    private record Range(int from, int to) {
        static Range within(byte[] bytes, Random random) {
            int most = random.nextBoolean() ? Math.min(16, bytes.length) : bytes.length;
            int length = 1 + random.nextInt(most);
            int from = random.nextInt(bytes.length - length + 1);
            return new Range(from, from + length);
        }
    }

    private static boolean digit(byte b) {
        return b >= '0' && b <= '9';
    }

    private static byte[] insert(byte[] bytes, int at, byte[] inserted) {
        return join(join(Arrays.copyOf(bytes, at), inserted), Arrays.copyOfRange(bytes, at, bytes.length));
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }
}
