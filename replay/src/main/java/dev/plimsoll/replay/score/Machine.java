package dev.plimsoll.replay.score;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What a number was measured on.
 *
 * @param cores processors that this JVM may use
 * @param cpu what the system calls the processor
 * @param os kernel, its version, the architecture
 * @param jdk version and vendor
 */
public record Machine(int cores, String cpu, String os, String jdk) {
    private static final String MODEL = "model name";

    /** This one. */
    public static Machine here() {
        return new Machine(
                Runtime.getRuntime().availableProcessors(),
                cpuModel(),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                Runtime.version() + " (" + System.getProperty("java.vendor") + ")");
    }

    /** Adds what is known, and gives the node back. */
    public ObjectNode put(ObjectNode node) {
        return node.put("cores", cores).put("cpu", cpu).put("os", os).put("jdk", jdk);
    }

    /** One line for people. */
    public String line() {
        return cores + " cores, " + cpu + "; " + os + "; JDK " + jdk;
    }

    /** The load average over the last minute, negative when it is not known. */
    public static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    private static String cpuModel() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith(MODEL))
                    .map(line -> line.substring(line.indexOf(':') + 1).trim())
                    .findFirst()
                    .orElse("unknown CPU");
        } catch (IOException e) {
            return "unknown CPU";
        }
    }
}
