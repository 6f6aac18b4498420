package dev.plimsoll.worker.explorer;

import static dev.plimsoll.worker.explorer.Power.BALANCE;
import static dev.plimsoll.worker.explorer.Power.BREAK_MAILBOX;
import static dev.plimsoll.worker.explorer.Power.FAIL_TRANSFER;
import static dev.plimsoll.worker.explorer.Power.HOLD_STAGING;
import static dev.plimsoll.worker.explorer.Power.LOSE_GATHER;
import static dev.plimsoll.worker.explorer.Power.MISS_END;
import static dev.plimsoll.worker.explorer.Power.STOP;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The vectors that tests in C, Java and Python run are those that the explorer exports. */
class RankVectorsTest {
    private static final Path FILE = Path.of("../native/src/test/native/rank_vectors.json");
    private static final int MOST_BYTES = 350_000;

    @Test
    void committedVectorsAreWhatTheExplorerExports() throws IOException {
        RankVectors vectors = new RankVectors();
        Powers powers = Powers.NONE;
        Powers stopping = powers.with(STOP);
        for (Scope scope : List.of(
                Scope.of(stopping.with(FAIL_TRANSFER), Plans.ONE),
                Scope.of(stopping.with(LOSE_GATHER), List.of(Plans.SMALL)),
                Scope.of(powers.with(HOLD_STAGING), Plans.ONE),
                Scope.of(stopping.with(BREAK_MAILBOX), List.of(Plans.SMALL)),
                Scope.of(stopping.with(MISS_END), Plans.TWO_SMALL),
                Scope.of(stopping.with(FAIL_TRANSFER), List.of(Plans.SMALL)).whereEnginesMove(),
                Scope.of(powers.with(BALANCE), List.of(Plans.SMALL)).whereEnginesMove())) {
            vectors.watch(scope);
            assertThat(Explorer.explore(scope).broken()).isEmpty();
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
