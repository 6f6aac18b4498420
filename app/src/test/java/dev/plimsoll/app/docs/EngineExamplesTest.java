package dev.plimsoll.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.Plimsoll;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What {@code deploy/engines} tells containers: commands and variables that there are. */
final class EngineExamplesTest {
    private static final Path EXAMPLES = Documents.ROOT.resolve("deploy/engines");
    private static final Set<String> ROLES =
            Plimsoll.commandLine().getSubcommands().keySet();
    private static final Pattern COMMAND = Pattern.compile("(?m)^ *(?:command|args): \\[(.*)]$");
    private static final Pattern OURS = Pattern.compile("image: plimsoll:local");
    private static final Pattern VARIABLE = Pattern.compile("\\bPLIMSOLL_[A-Z_]+\\b");
    /** As Compose has it, {@code NAME: value}, or Kubernetes, {@code {name: NAME, value: value}}. */
    private static final Pattern RINGS = Pattern.compile("\\bPLIMSOLL_RINGS(?:: |, value: )([^\\s}]+)");

    private static final Pattern RING_DIRECTORY = Pattern.compile("--ring-dir=([^,\"]+)");

    @Test
    void everyCommandOfARoleIsOne() {
        Set<String> roles = new TreeSet<>();
        List<String> wrong = new ArrayList<>();
        for (Path file : files()) {
            assertThat(commands(file))
                    .as("commands in %s that this test finds: one list in one line for each container of ours", file)
                    .hasSizeGreaterThanOrEqualTo(OURS.split(Documents.read(file), -1).length - 1);
            for (List<String> command : commands(file)) {
                roles.add(command.get(0));
                Documents.problem(command)
                        .ifPresent(problem -> wrong.add(
                                Documents.ROOT.relativize(file) + ": " + String.join(" ", command) + ": " + problem));
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(roles).containsExactly("aggregator", "collector", "planner", "topics", "worker");
    }

    @Test
    void everyVariableOfThePlugInIsInItsTable() {
        Set<String> known = VARIABLE.matcher(table(Documents.read(Documents.ROOT.resolve("python/README.md"))))
                .results()
                .map(MatchResult::group)
                .collect(Collectors.toSet());
        List<Path> files = files();

        assertThat(files).hasSizeGreaterThanOrEqualTo(8);
        assertThat(files)
                .allSatisfy(file -> assertThat(
                                VARIABLE.matcher(Documents.read(file)).results().map(MatchResult::group))
                        .isSubsetOf(known));
        assertThat(engines())
                .hasSize(6)
                .allSatisfy(file -> assertThat(Documents.read(file))
                        .contains("PLIMSOLL_DEPLOYMENT", "PLIMSOLL_RINGS", "PLIMSOLL_MODE"));
    }

    /** One that looks elsewhere would wait for ever. */
    @Test
    void collectorAndWorkerLookWhereTheEngineWrites() {
        for (Path file : engines()) {
            String engine = Documents.read(file);
            String roles = file.startsWith(EXAMPLES.resolve("compose"))
                    ? Documents.read(EXAMPLES.resolve("compose/roles.yaml"))
                    : engine;
            String rings = RINGS.matcher(engine)
                    .results()
                    .map(found -> found.group(1))
                    .findFirst()
                    .orElseThrow();

            assertThat(RING_DIRECTORY.matcher(roles).results().map(found -> found.group(1)))
                    .as("%s", file)
                    .containsExactly(rings, rings);
        }
    }

    private static List<Path> files() {
        try (Stream<Path> files = Files.walk(EXAMPLES)) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> engines() {
        return Stream.of("compose", "kubernetes")
                .flatMap(kind -> Stream.of("vllm", "sglang", "vllm-ascend")
                        .map(engine -> EXAMPLES.resolve(kind + "/" + engine + ".yaml")))
                .toList();
    }

    /** Those of our image: one list in one line each, whose first word is a command of ours. */
    private static List<List<String>> commands(Path file) {
        return COMMAND.matcher(Documents.read(file))
                .results()
                .map(found -> Stream.of(found.group(1).split(", *"))
                        .map(word -> word.replaceAll("^[\"']|[\"']$", ""))
                        .toList())
                .filter(words -> ROLES.contains(words.get(0)))
                .toList();
    }

    private static String table(String page) {
        return page.lines().filter(line -> line.startsWith("| `PLIMSOLL_")).collect(Collectors.joining("\n"));
    }
}
