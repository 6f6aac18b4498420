package dev.plimsoll.replay.format;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;

/**
 * Gives wrong files, made from right ones, to a reader, and holds it to its promises: it reads them or throws {@link FormatException}
 * with a position that the file has, allocates no more than {@link #allowed}, and comes back soon.
 *
 * <p>The build tries a few thousand per format; {@code -Dplimsoll.malformed=100000} tries as many as is said. What fails is named by
 * its number, which {@link #wrong} makes again.
 */
public final class Malformed {
    /** Wrong files per format. */
    public static final int TRIES = Integer.getInteger("plimsoll.malformed", 2_000);

    /** What any reader may allocate, however small its input. */
    public static final long ALWAYS_ALLOWED = 1 << 20;

    /** For one file of a few kilobytes. The slowest take milliseconds; more leaves room for a machine with other work. */
    private static final Duration LONGEST = Duration.ofSeconds(5);

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Reads all of an input and throws the result away. */
    public interface Reader {
        void read(Input input) throws IOException;
    }

    /**
     * What came of it.
     *
     * @param refused by {@link FormatException}
     * @param read without complaint: not each change makes a file wrong
     * @param mostBytes that one read allocated
     * @param longest read
     */
    public record Outcome(int refused, int read, long mostBytes, Duration longest) {}

    /** A file or a directory, by file names. */
    private final String name;

    private final List<Map<String, byte[]>> right;
    private final long seed;

    private Malformed(String name, long seed, List<Map<String, byte[]>> right) {
        this.name = name;
        this.seed = seed;
        this.right = right;
    }

    /** Wrong variants of one file. */
    public static Malformed file(String name, long seed, byte[] right, byte[]... others) {
        List<Map<String, byte[]>> all = new ArrayList<>(List.of(Map.of(name, right)));
        for (byte[] other : others) {
            all.add(Map.of(name, other));
        }
        return new Malformed(name, seed, all);
    }

    /** Wrong variants of a directory: one of its files is wrong, and sometimes one is missing. */
    public static Malformed directory(String name, long seed, Map<String, byte[]> right) {
        return new Malformed(name, seed, List.of(right));
    }

    /** The bytes that may be allocated for an input of a size, what is read included. */
    public static long allowed(long size) {
        return Math.max(ALWAYS_ALLOWED, 2 * size);
    }

    /** Tries {@link #TRIES} wrong files. */
    public Outcome tryOn(Reader reader) {
        return tryOn(reader, TRIES);
    }

    /** @throws AssertionError at the first broken promise, with the number of the file, and what happened as its cause */
    public Outcome tryOn(Reader reader, int tries) {
        for (Map<String, byte[]> files : right) {
            mustRead(reader, Input.of(name, files));
        }
        int refused = 0;
        long most = 0;
        long longestNanos = 0;
        for (int number = 0; number < tries; number++) {
            Input wrong = wrong(number);
            long start = System.nanoTime();
            Attempt attempt = attempt(reader, wrong, number);
            long bytes = attempt.bytes;
            longestNanos = Math.max(longestNanos, System.nanoTime() - start);
            for (int again = 0; again < 3 && bytes > allowed(size(wrong)); again++) {
                // The JVM counts the rest of a buffer that it gives up as allocated too: not each time.
                bytes = Math.min(bytes, attempt(reader, wrong, number).bytes);
            }
            refused += attempt.refused ? 1 : 0;
            most = Math.max(most, bytes);
            if (bytes > allowed(size(wrong))) {
                throw new AssertionError(
                        describe(number) + " of " + size(wrong) + " bytes made the reader allocate " + bytes);
            }
            if (longestNanos > LONGEST.toNanos()) {
                throw new AssertionError(describe(number) + " took " + Duration.ofNanos(longestNanos));
            }
        }
        return new Outcome(refused, tries - refused, most, Duration.ofNanos(longestNanos));
    }

    /** What one read came to. */
    private record Attempt(boolean refused, long bytes) {}

    private Attempt attempt(Reader reader, Input wrong, int number) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try {
            reader.read(wrong);
            return new Attempt(false, THREADS.getCurrentThreadAllocatedBytes() - before);
        } catch (FormatException e) {
            long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
            check(wrong, number, e);
            return new Attempt(true, bytes);
        } catch (IOException | RuntimeException | Error e) {
            throw new AssertionError(describe(number) + " must be read or refused, and was answered by " + e, e);
        }
    }

    private static void mustRead(Reader reader, Input input) {
        try {
            reader.read(input);
        } catch (IOException e) {
            throw new AssertionError("the right file is refused: " + e.getMessage(), e);
        }
    }

    private void check(Input wrong, int number, FormatException e) {
        String file = wrong.files().stream()
                .filter(e.file()::contains)
                .findFirst()
                .orElse(e.file().contains(wrong.name()) ? "" : "?");
        if (file.equals("?")) {
            throw new AssertionError(describe(number) + " is refused, and no file named: " + e.getMessage(), e);
        }
        // The end of the file is a position too: there, what is missing begins. Unpacked parts may be longer than their
        // file.
        boolean whole = e.file().endsWith(file);
        if (e.position() < 0 || (whole && e.position() > (file.isEmpty() ? 0 : wrong.size(file)))) {
            throw new AssertionError(
                    describe(number) + " is refused at a place that it does not have: " + e.getMessage(), e);
        }
    }

    private static long size(Input input) {
        return input.files().stream().mapToLong(input::size).sum();
    }

    private String describe(int number) {
        return name + ", seed " + seed + ", wrong file " + number;
    }

    /** The first right file or directory. */
    public Input right() {
        return Input.of(name, right.get(0));
    }

    /** The wrong file of this number, the same each time. */
    public Input wrong(int number) {
        Random random = new Random(seed * 1_000_003 + number);
        Map<String, byte[]> files = new TreeMap<>(right.get(random.nextInt(right.size())));
        Map<String, byte[]> others = right.get(random.nextInt(right.size()));
        List<String> names = List.copyOf(files.keySet());
        if (names.size() > 1 && random.nextInt(50) == 0) {
            files.remove(names.get(random.nextInt(names.size())));
        }
        names = List.copyOf(files.keySet());
        String file = names.get(random.nextInt(names.size()));
        byte[] other = List.copyOf(others.values()).get(random.nextInt(others.size()));
        byte[] bytes = Objects.requireNonNull(files.get(file));
        int changes = random.nextInt(3) > 0 ? 1 : 2 + random.nextInt(3);
        for (int change = 0; change < changes && bytes.length > 0; change++) {
            bytes = Mutation.values()[random.nextInt(Mutation.values().length)].of(bytes, other, random);
        }
        files.put(file, bytes);
        return Input.of(name, files);
    }

    /** The files of an input as text, for a message. */
    public static String text(Input input) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String file : input.files()) {
            text.append(file)
                    .append(": ")
                    .append(new String(input.bytes(file), StandardCharsets.ISO_8859_1))
                    .append('\n');
        }
        return text.toString();
    }
}
