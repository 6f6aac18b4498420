package dev.plimsoll.replay.format;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is to stand in a file, or in the files of a directory.
 *
 * @param files bytes by file name; one with an empty name where the format is one file, whatever its name
 * @param notes what was converted, added by convention, or is lost; one line each
 */
public record Written(SortedMap<String, byte[]> files, List<String> notes) {
    public Written {
        files = new TreeMap<>(files);
        notes = List.copyOf(notes);
    }

    /** One file. */
    public static Written file(byte[] bytes, List<String> notes) {
        return new Written(new TreeMap<>(Map.of("", bytes)), notes);
    }

    public boolean directory() {
        return !files.containsKey("");
    }

    /** The bytes of the one file. */
    public byte[] bytes() {
        byte[] bytes = files.get("");
        if (bytes == null) {
            throw new IllegalStateException("a directory of " + files.keySet());
        }
        return bytes;
    }
}
