package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.result.ReplayResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
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

    /** A plan that moves an idle slot, moves one that stays idle, and switches two. */
    @Test
    void idleSlotsOfPlansAreKept() throws Exception {
        inDirectory(journals -> {
            int[][] settled = {{0, 1, 2, 3, 0, 1, 2, 3}};
            int[] wanted = {0, 1, 2, 3, 1, 0, 2, 3};
            BitSet before = BitSet.valueOf(new long[] {0b0101_0000});
            BitSet after = BitSet.valueOf(new long[] {0b1010_0000});
            PlanRequest request = PlanRequest.of(
                    List.of(ExpertLoad.of(3, new long[1][4])),
                    Placement.of(1, settled, new BitSet[] {before}),
                    ModelShape.of("m", 4, 1, 0, 1),
                    Topology.even(4, 1, 2));
            Policy policy = new Policy() {
                @Override
                public String name() {
                    return "fixed";
                }

                @Override
                public LayerPlan plan(PlanRequest of, int layer) {
                    return new LayerPlan(wanted, after, Optional.empty());
                }
            };
            try (PlanJournal journal = PlanJournal.open(policy, journals.resolve("plans"))) {
                journal.plan(request, 0);
            }
            try (PlanJournal journal = PlanJournal.open(policy, journals.resolve("plans"))) {
                LayerPlan kept = journal.plan(request, 0);

                assertThat(kept.expertOfSlot()).isEqualTo(wanted).isNotSameAs(wanted);
                assertThat(kept.idle()).isEqualTo(after);
            }
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
