package dev.plimsoll.replay;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What was read, so that it can be told whether it is the same again. */
public final class Inputs {
    private static final int BUFFER = 1 << 16;

    private Inputs() {}

    /** SHA-256 of a file's bytes, in hexadecimal digits. */
    public static String sha256(Path file) throws IOException {
        MessageDigest digest = digest();
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
            byte[] buffer = new byte[BUFFER];
            while (in.read(buffer) >= 0) {
                // the digest sees what is read
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** SHA-256 of bytes, in hexadecimal digits. */
    public static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(digest().digest(bytes));
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** A file, or the direct files of a directory, each with its SHA-256. */
    public static Map<String, String> of(Path path) throws IOException {
        Map<String, String> inputs = new TreeMap<>();
        if (!Files.isDirectory(path)) {
            inputs.put(path.toString(), sha256(path));
            return inputs;
        }
        try (Stream<Path> files = Files.list(path)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                inputs.put(file.toString(), sha256(file));
            }
        }
        return inputs;
    }

    /** What is not as it was, by name; empty when nothing. */
    public static List<String> changes(Map<String, String> before, Map<String, String> now) {
        List<String> changes = new ArrayList<>();
        TreeSet<String> all = new TreeSet<>(before.keySet());
        all.addAll(now.keySet());
        for (String input : all) {
            String was = before.get(input);
            String is = now.get(input);
            if (was == null) {
                changes.add(input + " was not there");
            } else if (is == null) {
                changes.add(input + " is not there any more");
            } else if (!was.equals(is)) {
                changes.add(input + " is not what it was: " + was + " then, " + is + " now");
            }
        }
        return changes;
    }
}
