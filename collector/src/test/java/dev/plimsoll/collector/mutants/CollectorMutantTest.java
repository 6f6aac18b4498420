package dev.plimsoll.collector.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.testkit.PackageCopy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of the collector, each a text and what stands there instead: a test that it names has to fail on it. */
class CollectorMutantTest {
    private static final String PACKAGE = "dev.plimsoll.collector";
    private static final Path SOURCES = Path.of("src/main/java", PACKAGE.split("\\."));

    private record Mutant(String why, String file, String find, String replacement, String test) {
        String applyTo(String source) {
            int at = source.indexOf(find);
            if (at < 0 || source.indexOf(find, at + 1) >= 0) {
                throw new IllegalStateException("'" + find + "' must occur once in " + file + ", but occurs "
                        + (at < 0 ? "nowhere" : "more than once") + ": bring the mutant '" + why + "' up to date");
            }
            return source.substring(0, at) + replacement + source.substring(at + find.length());
        }

        @Override
        public String toString() {
            return why;
        }
    }

    static List<Mutant> mutants() {
        return List.of(
                new Mutant(
                        "every node tells every rank",
                        "SampleAssembler.java",
                        "if (own[first + row] && (snapshot.gathered()",
                        "if ((snapshot.gathered()",
                        "NodesTest"),
                new Mutant(
                        "steps that the engine mixed are taken for one state",
                        "SampleAssembler.java",
                        "boolean mixed = base.mixed || (",
                        "boolean mixed = (",
                        "SampleAssemblerTest"),
                new Mutant(
                        "mixed steps of a snapshot without heat are forgotten",
                        "SampleAssembler.java",
                        "base.mixed |= snapshot.mixed()[row]",
                        "base.mixed = snapshot.mixed()[row]",
                        "SampleAssemblerTest"),
                new Mutant(
                        "votes that nobody saw are taken for unmixed where the engine moves experts",
                        "SampleAssembler.java",
                        "(missed && members.traits().movesWeights())",
                        "false",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a fall of one rank's counters is hidden in the sum",
                        "SampleAssembler.java",
                        "base.sent != snapshot.sent() || base.resets != snapshot.resets()",
                        "base.sent != snapshot.sent()",
                        "SampleAssemblerTest"),
                new Mutant(
                        "what a rank sent is told as what it computed",
                        "SampleAssembler.java",
                        "snapshot.sent() ? LoadKind.ROUTED_TO : LoadKind.COMPUTED",
                        "LoadKind.COMPUTED",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a successor begins anew, and tells everything since step 0 again",
                        "SampleAssembler.java",
                        "baselines[counts.rank()] = baseline;",
                        "",
                        "NodesTest"),
                new Mutant(
                        "a successor does not know which ranks are this node's before it has opened their rings",
                        "SampleAssembler.java",
                        "        own(counts.rank());\n",
                        "",
                        "SampleAssemblerTest"),
                new Mutant(
                        "what was told is kept once only",
                        "SampleAssembler.java",
                        "                moved = true;\n",
                        "                moved = snapshot.step() < 3 * members.boundarySteps();\n",
                        "NodesTest"),
                new Mutant(
                        "routed assignments are those of the first rank of a sample",
                        "SampleAssembler.java",
                        "for (int i = fromRow * layers; i < toRow * layers; i++)",
                        "for (int i = fromRow * layers; i < (fromRow + 1) * layers; i++)",
                        "NodesTest"),
                new Mutant(
                        "what a snapshot says of steps that were told is told again",
                        "SampleAssembler.java",
                        "snapshot.step() > base.step || restarted[rank]",
                        "snapshot.step() >= 0",
                        "RingReaderTest"),
                new Mutant(
                        "steps that a restarted process counts again are told again",
                        "SampleAssembler.java",
                        "if (base.step < covered[rank]) {",
                        "if (false) {",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a late start after a flip is taken for one state",
                        "SampleAssembler.java",
                        "                    0, INITIAL, new long",
                        "                    0, state, new long",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a snapshot of a step that is no boundary is believed",
                        "SampleAssembler.java",
                        "if (step < 0 || step % members.boundarySteps() != 0) {",
                        "if (step < 0) {",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a fall of a counter is taken for a wrap",
                        "Growth.java",
                        "difference | (fell & Long.MIN_VALUE)",
                        "difference",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a fall of a counter is taken for growth",
                        "Growth.java",
                        "or |= difference | ",
                        "or |= ",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a sample that needs wide counters is narrow",
                        "SampleAssembler.java",
                        "Counters.width(most), samples",
                        "Counters.SHORT, samples",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a piece of a sample is as wide as the widest",
                        "SampleAssembler.java",
                        "            width = Counters.width(bits);\n",
                        "",
                        "SampleAssemblerTest"),
                new Mutant(
                        "the second piece of a wide sample holds the counters of the first",
                        "SampleAssembler.java",
                        "at(snapshot, row) + layer * slotsOfRow,\n                    base",
                        "at(snapshot, row),\n                    base",
                        "SampleAssemblerTest"),
                new Mutant(
                        "what a sample was made of is not where the next one begins",
                        "SampleAssembler.java",
                        "        System.arraycopy(snapshot.load(), at",
                        "        if (false) System.arraycopy(snapshot.load(), at",
                        "SampleAssemblerTest"),
                new Mutant(
                        "whether routed counters were known is forgotten",
                        "SampleAssembler.java",
                        "            base.routed = NOT_KNOWN;\n",
                        "",
                        "SampleAssemblerTest"),
                new Mutant(
                        "the time of the rank whose ring is read is taken for that of all",
                        "RingReader.java",
                        "Reading own = reading.rank == rank ? reading : rings.get(rank);",
                        "Reading own = reading;",
                        "RingReaderTest"),
                new Mutant(
                        "time is counted from the first snapshot on, and not from the sample before",
                        "SampleAssembler.java",
                        "        base.clock = clock;\n",
                        "        base.clock = base.clock == null ? clock : base.clock;\n",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a successor knows nothing of what steps had taken",
                        "SampleAssembler.java",
                        "        baseline.clock = counts.clock().orElse(null);\n",
                        "",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a clock that fell is taken for the same one",
                        "SampleAssembler.java",
                        "(now.busyNanos() - before.busyNanos() & ~MOST_NANOS) == 0",
                        "true",
                        "SampleAssemblerTest"),
                new Mutant(
                        "stretches in which no step ran are lost",
                        "SampleAssembler.java",
                        "from, to, StepClock::idleNanos)",
                        "from, to, clock -> 0)",
                        "SampleAssemblerTest"),
                new Mutant(
                        "every piece of a sample that is cut says its time",
                        "SampleAssembler.java",
                        "        if (!known) {",
                        "        if (clocks[from] == null || base(snapshot, from).clock == null) {",
                        "SampleAssemblerTest"),
                new Mutant(
                        "a ring that cannot be read is kept",
                        "RingReader.java",
                        "rings.remove(reading.rank, reading);",
                        "",
                        "RingReaderTest"),
                new Mutant(
                        "a ring that is read again is still said to be unreadable",
                        "RingReader.java",
                        "if (givenUp.remove(reading.rank) != null) {",
                        "if (givenUp.get(reading.rank) != null) {",
                        "RingReaderTest"),
                new Mutant(
                        "a ring that has ended is not read to its end",
                        "RingReader.java",
                        "boolean wanted = reading.end != null || ",
                        "boolean wanted = ",
                        "RingReaderTest"),
                new Mutant(
                        "another process on a ring is taken for the one before",
                        "RingReader.java",
                        "restarts.forEach(assembler::restarted);",
                        "",
                        "RingReaderTest"),
                new Mutant(
                        "the buffer has no bound",
                        "SampleFlow.java",
                        "while (waitingBytes > bufferBytes && waiting.size() > 1) {",
                        "while (waitingBytes < 0) {",
                        "SampleFlowTest"),
                new Mutant(
                        "what is under way counts against the buffer",
                        "SampleFlow.java",
                        "        leaveBuffer(carried);\n        LoadSample sample",
                        "        LoadSample sample",
                        "SampleFlowTest"),
                new Mutant(
                        "an error of the JVM in a write ends the flow",
                        "SampleFlow.java",
                        "        } catch (Error e) {\n",
                        "        } catch (ThreadDeath e) {\n",
                        "SampleFlowTest"),
                new Mutant(
                        "what is on its way when the flow ends is forgotten",
                        "SampleFlow.java",
                        ".doFinally(signal -> underWay.forEach(carried -> drop(carried, Dropped.CLOSED)))",
                        "",
                        "SampleFlowTest"));
    }

    /** A test that fails without a mutant catches nothing. */
    @BeforeAll
    static void testsThatCatchMutantsPassOnACopyWithoutOne() {
        Map<String, String> sources = new TreeMap<>();
        TreeSet<String> tests = new TreeSet<>();
        for (Mutant mutant : mutants()) {
            sources.put(mutant.file(), source(mutant));
            tests.add(mutant.test());
        }
        PackageCopy copy = PackageCopy.of(PACKAGE, sources);
        for (String test : tests) {
            assertThat(copy.firstFailure(test)).as(test).isEmpty();
        }
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        PackageCopy copy = PackageCopy.of(PACKAGE, Map.of(mutant.file(), mutant.applyTo(source(mutant))));
        assertThat(copy.firstFailure(mutant.test()))
                .as("%s does not catch: %s", mutant.test(), mutant.why())
                .isPresent();
    }

    private static String source(Mutant mutant) {
        try {
            return Files.readString(SOURCES.resolve(mutant.file()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
