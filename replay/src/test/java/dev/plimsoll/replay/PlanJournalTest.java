package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.replay.result.ReplayResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Without parameters, so that wrong variants can be run. */
class PlanJournalTest {
    private interface In {
        void run(Path directory) throws Exception;
    }

    private static void inDirectory(In test) throws Exception {
        Path directory = Files.createTempDirectory("plimsoll-journal");
        try {
            test.run(directory);
        } finally {
            List<Path> left;
            try (Stream<Path> files = Files.list(directory)) {
                left = files.toList();
            }
            for (Path file : left) {
                Files.delete(file);
            }
            Files.delete(directory);
        }
    }

    private static MadeUpPast past(long seed) {
        return MadeUpPast.of(ReplayTest.MEMBERS, MadeUpPast.drifting(24, 3, 4, 16, seed));
    }

    private static byte[] replayed(MadeUpPast past, Path journals) throws Exception {
        return ResultJson.bytes(ReplayTest.replay(past.again(), ReplayTest.specs(past), 2, Optional.of(journals)));
    }

    @Test
    void aReplayGoesOnWithThePlansOfOneThatWasCutAnywhere() throws Exception {
        inDirectory(journals -> {
            MadeUpPast past = past(12);
            byte[] expected = replayed(past, journals);
            Path journal = journals.resolve("run-0.plans");
            byte[] plans = Files.readAllBytes(journal);
            for (int length : new int[] {0, 3, plans.length / 3, plans.length / 2 + 1, plans.length}) {
                Files.write(journal, Arrays.copyOf(plans, length));

                byte[] resumed = replayed(past, journals);

                assertThat(resumed).as("cut to %d", length).isEqualTo(expected);
                assertThat(Files.readAllBytes(journal)).as("cut to %d", length).isEqualTo(plans);
            }
        });
    }

    @Test
    void plansThatWereKeptAreNotMadeAgain() throws Exception {
        inDirectory(journals -> {
            MadeUpPast past = past(13);
            ReplayResult first = ReplayTest.replay(past, ReplayTest.specs(past), 2, Optional.of(journals));

            ReplayResult again = ReplayTest.replay(past.again(), ReplayTest.specs(past), 2, Optional.of(journals));

            assertThat(first.runs())
                    .allSatisfy(run -> assertThat(run.planMillis()).isPositive());
            assertThat(again.runs())
                    .allSatisfy(run -> assertThat(run.planMillis()).isZero());
            assertThat(ResultJson.bytes(again)).isEqualTo(ResultJson.bytes(first));
        });
    }

    @Test
    void aKeptPlanWithAWrongByteIsMadeAgain() throws Exception {
        inDirectory(journals -> {
            MadeUpPast past = past(14);
            byte[] expected = replayed(past, journals);
            Path journal = journals.resolve("run-1.plans");
            byte[] plans = Files.readAllBytes(journal);
            for (int at : new int[] {2, 6, 20, plans.length / 2, plans.length - 1}) {
                byte[] wrong = plans.clone();
                wrong[at] ^= 0x15;
                Files.write(journal, wrong);

                assertThat(replayed(past, journals)).as("byte %d", at).isEqualTo(expected);
                assertThat(Files.readAllBytes(journal)).as("byte %d", at).isEqualTo(plans);
            }
        });
    }
}
