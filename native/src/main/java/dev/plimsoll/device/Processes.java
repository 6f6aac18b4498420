package dev.plimsoll.device;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the kernel says of processes, read from {@code /proc}. */
final class Processes {
    private static final Path PROC = Path.of("/proc");
    private static final Pattern NAMESPACE = Pattern.compile("pid:\\[(\\d+)]");

    private Processes() {}

    /** The pid namespace of this process, 0 when it is not known. */
    static long namespace() {
        try {
            Matcher matcher = NAMESPACE.matcher(
                    Files.readSymbolicLink(PROC.resolve("self/ns/pid")).toString());
            return matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
        } catch (IOException | UnsupportedOperationException e) {
            return 0;
        }
    }

    /** Whether a process of this pid and start time runs, or may run: false only where that is certain. */
    static boolean mayRun(long pid, long startTicks) {
        String stat;
        try {
            stat = Files.readString(PROC.resolve(pid + "/stat"), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            // Mounted with hidepid, /proc hides the processes of others; process 1 is then hidden too.
            return !Files.exists(PROC.resolve("1"));
        } catch (IOException e) {
            // It ended between opening and reading (ESRCH), or we may not look; the next look tells.
            return true;
        }
        // The second field is the program's name in parentheses, which may hold anything; the third is the state.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).trim().split(" ");
        if (fields.length < 20) {
            return true;
        }
        boolean dead = fields[0].equals("Z") || fields[0].equals("X");
        return !dead && Long.parseLong(fields[19]) == startTicks;
    }
}
