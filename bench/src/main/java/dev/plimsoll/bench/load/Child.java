package dev.plimsoll.bench.load;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own on this one's class path, such as a {@code plimsoll} command, with what it costs. */
public final class Child implements AutoCloseable {
    /** The main class of the {@code plimsoll} commands. */
    public static final String PLIMSOLL = "dev.plimsoll.app.Plimsoll";

    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    private final String name;
    private final Process process;

    /**
     * A {@code plimsoll} command.
     *
     * @param log where its output goes
     */
    Child(String name, String heap, Path log, String... arguments) throws IOException {
        this(
                name,
                new ProcessBuilder(command(List.of("-Xmx" + heap, "-XX:+UseG1GC"), PLIMSOLL, List.of(arguments)))
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile()));
    }

    /** @param builder how it is started, its streams included */
    public Child(String name, ProcessBuilder builder) throws IOException {
        this.name = name;
        this.process = builder.start();
    }

    /** The command that runs a class of this class path in a JVM of the same JDK. */
    public static List<String> command(List<String> flags, String main, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        command.addAll(arguments);
        return command;
    }

    public Process process() {
        return process;
    }

    public boolean alive() {
        return process.isAlive();
    }

    /** Seconds of processor time so far, of all its threads. */
    public double cpuSeconds() {
        return process.info().totalCpuDuration().map(Duration::toMillis).orElse(0L) / 1000.0;
    }

    /** The sum over all series of a metric, NaN while it cannot be had. */
    static double metric(int port, String prefix) {
        try {
            HttpResponse<String> answer = HTTP.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                            .timeout(Duration.ofSeconds(5))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            return answer.body()
                    .lines()
                    .filter(line -> line.startsWith(prefix))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
        } catch (IOException e) {
            return Double.NaN;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Double.NaN;
        }
    }

    /** Resident memory in MiB, 0 where the system does not tell. */
    long residentMebibytes() {
        try {
            return Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024)
                    .sum();
        } catch (IOException e) {
            return 0;
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(12, TimeUnit.SECONDS)) {
                System.err.println(name + " did not stop in time");
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
