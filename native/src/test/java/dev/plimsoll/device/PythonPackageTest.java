package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The tests of the package for engines in Python, and two engines in Python whose rings Java reads while they run: what it reads must be what plain
 * Python has counted beside the tensors.
 */
@Timeout(240)
class PythonPackageTest {
    private static final int RANKS = 2;
    // Of toy_moe.py.
    private static final int LAYERS = 3;
    private static final int SLOTS = 4;
    private static final int ASSIGNMENTS = 12 * 2;
    private static final int BOUNDARY_STEPS = 4;
    private static final long LAST = 400;

    private static final Path SCRIPTS = Path.of("../python/tests");

    @TempDir
    Path directory;

    private record Engine(Process process, Path output, Path errors) {
        /** Waits for the engine's end and gives what it printed. */
        String told() throws Exception {
            assertThat(process.waitFor(120, TimeUnit.SECONDS))
                    .as("an engine that ends")
                    .isTrue();
            assertThat(process.exitValue()).as(Files.readString(errors)).isZero();
            return Files.readString(output);
        }
    }

    /** Debian's Python where it has torch or at least NumPy, else the first of the PATH; without any the test is skipped. */
    private String python() throws Exception {
        for (String module : List.of("torch", "numpy", "json")) {
            for (String candidate : List.of("/usr/bin/python3", "python3")) {
                if (runs(candidate, "-c", "import sys, " + module + "; assert sys.version_info >= (3, 9)")) {
                    System.out.println("the Python package is tested with " + candidate
                            + (module.equals("json") ? ", which has neither torch nor numpy" : " and its " + module));
                    return candidate;
                }
            }
        }
        System.out.println("NOTICE: the Python package is not tested: there is no python3 of at least 3.9");
        assumeTrue(false, "no python3");
        throw new AssertionError();
    }

    private boolean runs(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            boolean ended = process.waitFor(60, TimeUnit.SECONDS);
            process.destroyForcibly();
            return ended && process.exitValue() == 0;
        } catch (IOException e) {
            return false; // there is no such program
        }
    }

    private static String library() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("target/classes"))) {
            return files.filter(file -> file.endsWith("libplimsoll.so"))
                    .findFirst()
                    .orElseThrow()
                    .toAbsolutePath()
                    .toString();
        }
    }

    private Engine start(String name, String... command) throws IOException {
        Path output = directory.resolve(name + ".out");
        Path errors = directory.resolve(name + ".err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile());
        builder.environment().put("PLIMSOLL_LIBRARY", library());
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        return new Engine(builder.start(), output, errors);
    }

    private List<Engine> engines(String python, String gather) throws IOException {
        List<Engine> engines = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            // One engine zeroes its counters at every pass, the other one's only grow.
            engines.add(start(
                    "rank-" + rank,
                    python,
                    SCRIPTS.resolve("toy_moe.py").toString(),
                    "--library=" + library(),
                    "--directory=" + directory,
                    "--rank=" + rank,
                    "--ranks=" + RANKS,
                    "--gather=" + gather,
                    "--steps=" + LAST,
                    "--boundary-steps=" + BOUNDARY_STEPS,
                    "--counters=" + (rank == 0 ? "pass" : "layers")));
        }
        return engines;
    }

    /** Opens the ring as soon as its engine has made it, and reads it until the engine has closed it. */
    private List<HeatRing.Snapshot> readToTheEnd(int rank, Engine engine) throws IOException {
        Path file = directory.resolve("rank-" + rank + ".ring");
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        while (!Files.exists(file)) {
            assertThat(engine.process.isAlive())
                    .as("%s", Files.readString(engine.errors))
                    .isTrue();
            assertThat(System.nanoTime()).as("a ring before the deadline").isLessThan(deadline);
            Thread.onSpinWait();
        }
        List<HeatRing.Snapshot> read = new ArrayList<>();
        try (HeatRing ring = HeatRing.open(file)) {
            assertThat(ring.header().deployment()).isEqualTo("toy/python");
            assertThat(ring.header().rank()).isEqualTo(rank);
            assertThat(ring.header().boundarySteps()).isEqualTo(BOUNDARY_STEPS);
            assertThat(ring.header().pid()).isEqualTo(engine.process.pid());
            while (true) {
                // Closed is asked first: what was published before that is then certainly seen.
                boolean closed = ring.closed();
                ring.poll().ifPresent(read::add);
                if (closed && ring.poll().map(read::add).isEmpty()) {
                    return read;
                }
                assertThat(System.nanoTime())
                        .as("a closed ring before the deadline")
                        .isLessThan(deadline);
                Thread.onSpinWait();
            }
        }
    }

    private static long[] numbers(String told, String name) {
        Matcher found = Pattern.compile("\"" + name + "\": \\[([0-9, ]+)]").matcher(told);
        assertThat(found.find()).as("%s in %s", name, told).isTrue();
        return Stream.of(found.group(1).split(", ")).mapToLong(Long::parseLong).toArray();
    }

    private static long sum(long[] words, int from, int to) {
        return LongStream.range(from, to).map(i -> words[(int) i]).sum();
    }

    @Test
    void thePackagesOwnTestsPass() throws Exception {
        Engine tests =
                start("tests", python(), "-W", "error", "-m", "unittest", "discover", "-v", "-s", SCRIPTS.toString());
        try {
            boolean ended = tests.process.waitFor(200, TimeUnit.SECONDS);
            String told = Files.readString(tests.output) + Files.readString(tests.errors);
            assertThat(ended).as(told).isTrue();
            assertThat(tests.process.exitValue()).as(told).isZero();
            assertThat(told).containsPattern("Ran [0-9]{2,} tests").contains("\nOK");
            told.lines().filter(line -> line.contains("NOTICE")).forEach(System.out::println);
        } finally {
            tests.process.destroyForcibly();
        }
    }

    @Test
    void gatheredTotalsEqualWhatPlainPythonCounted() throws Exception {
        List<Engine> engines = engines(python(), "node");
        try {
            long[] load = null;
            long[] routed = null;
            for (int rank = 0; rank < RANKS; rank++) {
                List<HeatRing.Snapshot> read = readToTheEnd(rank, engines.get(rank));
                for (HeatRing.Snapshot snapshot : read) {
                    assertConserved(snapshot);
                }
                HeatRing.Snapshot last = read.get(read.size() - 1);
                assertThat(last.step()).isEqualTo(LAST);
                assertThat(last.valid()).containsExactly(true, true);
                assertThat(last.votes()[rank].settledVersion()).isEqualTo(5);
                if (load == null || routed == null) {
                    load = last.load();
                    routed = last.routed();
                }
                assertThat(last.load()).isEqualTo(load);
                assertThat(last.routed()).isEqualTo(routed);
            }
            String first = engines.get(0).told();
            String second = engines.get(1).told();
            assertThat(load)
                    .isEqualTo(LongStream.concat(
                                    LongStream.of(numbers(first, "load")), LongStream.of(numbers(second, "load")))
                            .toArray());
            assertThat(routed)
                    .isEqualTo(LongStream.concat(
                                    LongStream.of(numbers(first, "routed")), LongStream.of(numbers(second, "routed")))
                            .toArray());
        } finally {
            engines.forEach(engine -> engine.process.destroyForcibly());
        }
    }

    /** Whatever a gather caught, it caught it at one step on all ranks: no assignment is missing, none is counted twice. */
    private static void assertConserved(HeatRing.Snapshot snapshot) {
        for (int layer = 0; layer < LAYERS; layer++) {
            long computed = 0;
            boolean all = true;
            for (int rank = 0; rank < RANKS; rank++) {
                int from = (rank * LAYERS + layer) * SLOTS;
                computed += sum(snapshot.load(), from, from + SLOTS);
                all &= snapshot.valid()[rank];
                assertThat(snapshot.routed()[rank * LAYERS + layer])
                        .as("routed by rank %d in layer %d until step %d", rank, layer, snapshot.step())
                        .isEqualTo(snapshot.valid()[rank] ? snapshot.step() * ASSIGNMENTS : 0);
            }
            if (all) {
                assertThat(computed)
                        .as("computed in layer %d until step %d", layer, snapshot.step())
                        .isEqualTo(snapshot.step() * ASSIGNMENTS * RANKS);
            }
        }
    }

    @Test
    void ranksWithoutAGatherPublishTheirOwnExactTotals() throws Exception {
        List<Engine> engines = engines(python(), "none");
        try {
            for (int rank = 0; rank < RANKS; rank++) {
                List<HeatRing.Snapshot> read = readToTheEnd(rank, engines.get(rank));
                HeatRing.Snapshot last = read.get(read.size() - 1);
                String told = engines.get(rank).told();
                assertThat(last.step()).isEqualTo(LAST);
                // Only the first row is looked at: a ring that never gathers has one.
                assertThat(LongStream.of(last.load()).limit(LAYERS * SLOTS).toArray())
                        .isEqualTo(numbers(told, "load"));
                assertThat(LongStream.of(last.routed()).limit(LAYERS).toArray()).isEqualTo(numbers(told, "routed"));
                for (HeatRing.Snapshot snapshot : read) {
                    assertThat(snapshot.routed()[0]).isEqualTo(snapshot.step() * ASSIGNMENTS);
                }
            }
        } finally {
            engines.forEach(engine -> engine.process.destroyForcibly());
        }
    }
}
