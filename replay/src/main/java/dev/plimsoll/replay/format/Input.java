package dev.plimsoll.replay.format;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A file, or a directory with files, as a format sees it: names, sizes and bytes.
 *
 * <p>Nothing is read before it is asked for, and nothing that is larger than {@link #MOST_BYTES}.
 */
public final class Input {
    /** Of one file. */
    public static final long MOST_BYTES = 1L << 30;

    private static final int MOST_FILES = 100_000;
    private static final int HEAD_BYTES = 1 << 20;

    /** The bytes of one file. */
    private sealed interface Content {
        record OnDisk(Path path, long size) implements Content {}

        record InMemory(byte[] bytes) implements Content {}
    }

    private final String name;
    private final boolean directory;
    private final TreeMap<String, Content> files = new TreeMap<>();
    private final Map<Class<?>, Object> found = new HashMap<>();
    private @Nullable Head head;

    /** What a file begins with. */
    private record Head(String file, int most, byte[] bytes) {}

    private Input(String name, boolean directory) {
        this.name = name;
        this.directory = directory;
    }

    /** A file or a directory; of a directory its direct files. */
    public static Input of(Path path) throws IOException {
        Input input = new Input(path.toString(), Files.isDirectory(path));
        if (!input.directory) {
            input.files.put(fileName(path), new Content.OnDisk(path, Files.size(path)));
            return input;
        }
        try (Stream<Path> inside = Files.list(path)) {
            for (Path file : (Iterable<Path>) inside.filter(Files::isRegularFile)::iterator) {
                input.files.put(fileName(file), new Content.OnDisk(file, Files.size(file)));
                if (input.files.size() > MOST_FILES) {
                    throw new IOException(path + " has more than " + MOST_FILES + " files: name one, or a directory of"
                            + " one recording");
                }
            }
        }
        return input;
    }

    /** What is in memory already, by file name; a directory unless it is one file of that name. */
    public static Input of(String name, Map<String, byte[]> files) {
        Input input = new Input(name, !(files.size() == 1 && files.containsKey(name)));
        files.forEach((file, bytes) -> input.files.put(file, new Content.InMemory(bytes)));
        return input;
    }

    private static String fileName(Path path) {
        return String.valueOf(path.getFileName());
    }

    /** As it was named, for people. */
    public String name() {
        return name;
    }

    public boolean directory() {
        return directory;
    }

    /** Names of the files, sorted; one of a file. */
    public List<String> files() {
        return List.copyOf(files.keySet());
    }

    public long size(String file) {
        Content content = content(file);
        return content instanceof Content.OnDisk disk ? disk.size() : ((Content.InMemory) content).bytes().length;
    }

    /** All bytes of a file. */
    public byte[] bytes(String file) throws IOException {
        long size = size(file);
        if (size > MOST_BYTES) {
            throw new FormatException(
                    file, MOST_BYTES, "is of " + size + " bytes: at most " + MOST_BYTES + " are read");
        }
        if (content(file) instanceof Content.InMemory memory) {
            return memory.bytes();
        }
        requireRoom(file, size);
        return Files.readAllBytes(((Content.OnDisk) content(file)).path());
    }

    /** Refuses what is more than a third of the heap before anything of that size is allocated: what is read of it needs room too. */
    public static void requireRoom(String file, long bytes) throws FormatException {
        long heap = Runtime.getRuntime().maxMemory();
        if (bytes > Math.min(heap / 3, Integer.MAX_VALUE - 8)) {
            throw new FormatException(
                    file,
                    0,
                    "is of " + (bytes >> 20) + " MiB, for which a heap of " + (heap >> 20)
                            + " MiB has no room: give more with PLIMSOLL_HEAP, such as PLIMSOLL_HEAP=8g");
        }
    }

    /** The first bytes of a file, at most so many; not to be changed. Kept for the next who asks, as each format does. */
    public byte[] head(String file, int most) throws IOException {
        if (content(file) instanceof Content.InMemory memory) {
            return memory.bytes().length <= most ? memory.bytes() : Arrays.copyOf(memory.bytes(), most);
        }
        int enough = Math.max(most, HEAD_BYTES);
        if (head == null || !head.file().equals(file) || head.most() < enough) {
            try (InputStream in = Files.newInputStream(((Content.OnDisk) content(file)).path())) {
                head = new Head(file, enough, in.readNBytes(enough));
            }
        }
        byte[] bytes = head.bytes();
        return bytes.length <= most ? bytes : Arrays.copyOf(bytes, most);
    }

    /** Finds something out. */
    public interface Finding<T> {
        T find() throws IOException;
    }

    /** What has been found out of this input, found once however many formats ask. */
    public <T> T once(Class<T> what, Finding<T> finding) throws IOException {
        Object there = found.get(what);
        if (there == null) {
            there = finding.find();
            found.put(what, there);
        }
        return what.cast(there);
    }

    private Content content(String file) {
        Content content = files.get(file);
        if (content == null) {
            throw new IllegalArgumentException(name + " has no file " + file);
        }
        return content;
    }
}
