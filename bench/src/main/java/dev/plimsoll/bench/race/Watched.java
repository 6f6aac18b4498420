package dev.plimsoll.bench.race;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * Runs another main class and answers every line on standard input with a {@link Reading} of this JVM. Costs nothing while nobody asks,
 * and is the same for all contestants. When standard input ends, whoever asked is gone, and so is this JVM.
 */
final class Watched {
    private static final long FAREWELL_MILLIS = 20_000;

    private Watched() {}

    /** @param arguments the main class and its arguments */
    public static void main(String[] arguments) throws ReflectiveOperationException {
        PrintStream answers = System.out;
        System.setOut(System.err);
        Thread thread = new Thread(() -> answer(answers), "race-readings");
        thread.setDaemon(true);
        thread.start();
        Class.forName(arguments[0]).getMethod("main", String[].class).invoke(null, (Object)
                Arrays.copyOfRange(arguments, 1, arguments.length));
    }

    private static void answer(PrintStream answers) {
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try {
            while (questions.readLine() != null) {
                answers.println(now().line());
                answers.flush();
            }
        } catch (IOException | JMException e) {
            System.err.println("no more readings: " + e);
        }
        // Also when it is asked to end: it has as long for that as whoever asked waits.
        try {
            Thread.sleep(FAREWELL_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(1);
    }

    static Reading now() throws JMException {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = LongStream.of(threads.getThreadAllocatedBytes(threads.getAllThreadIds()))
                .filter(bytes -> bytes > 0)
                .sum();
        return new Reading(
                system.getProcessCpuTime(),
                allocated,
                clients("outgoing-byte-total"),
                clients("incoming-byte-total"),
                threads("C1 Compiler", "C2 Compiler", "Sweeper"),
                threads("GC Thread", "G1 "));
    }

    /** Processor time in nanoseconds of the JVM's own threads whose names begin so; 0 where the system does not tell. */
    private static long threads(String... names) {
        File[] tasks = new File("/proc/self/task").listFiles();
        if (tasks == null) {
            return 0;
        }
        long sum = 0;
        for (File task : tasks) {
            try {
                String name = Files.readString(task.toPath().resolve("comm"));
                if (Stream.of(names).anyMatch(name::startsWith)) {
                    String spent = Files.readString(task.toPath().resolve("schedstat"));
                    sum += Long.parseLong(spent.substring(0, spent.indexOf(' ')));
                }
            } catch (IOException e) {
                // Compiler threads come and go; one that has gone takes its time with it.
                continue;
            }
        }
        return sum;
    }

    /** The sum of a metric over all Kafka clients of this JVM, which register themselves. */
    private static long clients(String metric) throws JMException {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        double sum = 0;
        for (String kind : new String[] {"producer", "consumer", "admin.client"}) {
            String type = kind.replace('.', '-') + "-metrics";
            for (ObjectName name : server.queryNames(new ObjectName("kafka." + kind + ":type=" + type + ",*"), null)) {
                if (name.getKeyPropertyList().size() == 2) {
                    sum += ((Number) server.getAttribute(name, metric)).doubleValue();
                }
            }
        }
        return (long) sum;
    }
}
