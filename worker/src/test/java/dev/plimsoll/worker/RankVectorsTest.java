package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankMachine;
import dev.plimsoll.model.Batch;
import dev.plimsoll.worker.World.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The vectors that tests in C, Java and Python run are those that the explorer exports. */
class RankVectorsTest {
    private static final Path FILE = Path.of("../native/src/test/native/rank_vectors.json");
    private static final int MOST_BYTES = 300_000;

    @Test
    void committedVectorsAreWhatTheExplorerExports() throws IOException {
        RankVectors vectors = new RankVectors();
        Rules rules = Rules.of(new RankMachine());
        Powers powers = Powers.NONE;
        List<List<Batch>> one = List.of(Fixture.BATCHES);
        List<List<Batch>> small = List.of(List.of(Fixture.BATCHES.get(0)));
        for (Scope scope : List.of(
                new Scope(rules, powers.failingTransfers(1), false, one),
                new Scope(rules, powers.losing(1), false, small),
                new Scope(rules, powers.holdingStaging(1).stopping(0), false, one),
                new Scope(rules, powers.breakingMailboxes(1), false, small),
                new Scope(rules, powers.missing(1), false, List.of(small.get(0), Fixture.NEXT)),
                new Scope(rules, powers.failingTransfers(1), true, small),
                new Scope(rules, powers.changing(1).stopping(0), true, small))) {
            vectors.watch(scope);
            assertThat(Explorer.explore(scope).violation()).isEmpty();
        }
        String exported = vectors.json();
        assertThat(exported.length()).isLessThan(MOST_BYTES);

        if ("write".equals(System.getProperty("plimsoll.vectors"))) {
            Files.writeString(FILE, exported);
        }

        assertThat(Files.readString(FILE).equals(exported))
                .as(
                        "%s is what the explorer exports; if the machine was meant to change, write it anew with "
                                + "-Dplimsoll.vectors=write and read the difference",
                        FILE)
                .isTrue();
    }
}
