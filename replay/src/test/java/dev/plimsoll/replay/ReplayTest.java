package dev.plimsoll.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.Provenance;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.result.WindowMatrix;
import dev.plimsoll.replay.score.EpConfiguration;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReplayTest {
    private static final Duration STEP = Duration.ofMillis(10);
    static final Membership MEMBERS = MadeUpPast.members(3, 16, Topology.even(4, 2, 5), 1);
    private static final List<PolicyChoice> POLICIES = Stream.of(
                    "plimsoll", "deepseek:minimum-gain=0.02,cooldown=0", "random:seed=3,history=4,minimum-gain=0")
            .map(PolicyChoice::parse)
            .toList();

    static Provenance provenance() {
        return new Provenance("made up", "made-up", Map.of("made-up", "1"), "plimsoll replay", "test", "00", List.of());
    }

    static List<RunSpec> specs(MadeUpPast past, EpConfiguration... configurations) {
        List<EpConfiguration> of =
                configurations.length == 0 ? List.of(RunSpec.configuration(past.members())) : List.of(configurations);
        return RunSpec.of(POLICIES, of, past.members(), past.placement());
    }

    static ReplayResult replay(MadeUpPast past, List<RunSpec> specs, int threads, Optional<Path> journals)
            throws Exception {
        try (Replay replay = new Replay(past, specs, STEP, threads, journals)) {
            while (replay.advance()) {
                // until the end of the past
            }
            return replay.result(provenance());
        }
    }

    @Test
    void everyRunIsWhatAReplayOnASlipOfPaperIs() throws Exception {
        for (long seed = 1; seed <= 6; seed++) {
            int parts = 1 + (int) (seed % 4);
            MadeUpPast past = MadeUpPast.of(MEMBERS, MadeUpPast.drifting(24, 3, parts, 16, seed));
            List<RunSpec> specs = specs(past);

            ReplayResult result = replay(past, specs, 2, Optional.empty());

            for (int run = 0; run < specs.size(); run++) {
                NaiveReplay.Found naive = NaiveReplay.run(
                        MEMBERS,
                        specs.get(run).settings(),
                        past.all().stream()
                                .map(window -> window.load().orElseThrow())
                                .toList(),
                        Duration.ofSeconds(1));
                PolicyRun found = result.runs().get(run);
                String where = "seed " + seed + " " + found.name();
                assertThat(found.decisions().stream().map(MadeDecision::windowIndex))
                        .as(where)
                        .containsExactlyElementsOf(naive.decidedOn());
                for (int window = 0; window < naive.balancedness().size(); window++) {
                    assertThat(found.served().get(window).mean())
                            .as("%s window %d", where, window)
                            .isEqualTo(naive.balancedness().get(window), within(1e-12));
                }
            }
            assertThat(result.runs().stream()
                            .mapToInt(run -> run.decisions().size())
                            .sum())
                    .as("seed %d", seed)
                    .isPositive();
        }
    }

    @Test
    void oneThatCannotBeClosedDoesNotKeepTheOthersOpen() {
        List<String> closed = new ArrayList<>();

        assertThatThrownBy(() -> Replay.closeAll(List.of(
                        () -> closed.add("first"),
                        () -> {
                            throw new IOException("no room");
                        },
                        () -> {
                            throw new IllegalStateException("stuck");
                        },
                        () -> closed.add("last"))))
                .isInstanceOf(IOException.class)
                .hasMessage("no room")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
        assertThat(closed).containsExactly("first", "last");
    }

    @Test
    void oneWindowIsEnoughToSayWhatAnEngineShouldStartWith() throws Exception {
        MadeUpPast past = MadeUpPast.of(MEMBERS, MadeUpPast.drifting(1, 3, 4, 16, 12));
        ExpertLoad load = past.all().get(0).load().orElseThrow();
        Placement initial = Placement.initial(MEMBERS.shape(), MEMBERS.topology());
        List<RunSpec> specs = specs(past);

        List<Placement> starting = new ArrayList<>();
        try (Replay replay = new Replay(past, specs, Duration.ofMillis(50), 1, Optional.empty())) {
            replay.advance();
            for (int run = 0; run < specs.size(); run++) {
                starting.add(replay.startingPlacement(run));
            }
        }

        for (int run = 0; run < specs.size(); run++) {
            String policy = specs.get(run).settings().policy();
            assertThat(PlacementRules.violations(starting.get(run), MEMBERS.shape(), MEMBERS.topology()))
                    .as(policy)
                    .isEmpty();
            if (policy.equals("static")) {
                assertThat(starting.get(run)).isEqualTo(initial);
            } else {
                assertThat(NaiveReplay.balancedness(load, starting.get(run), MEMBERS.topology()))
                        .as(policy)
                        .isGreaterThan(NaiveReplay.balancedness(load, initial, MEMBERS.topology()));
            }
        }
    }

    @Test
    void whatComesOutDoesNotDependOnTheNumberOfThreads() throws Exception {
        MadeUpPast past = MadeUpPast.of(MEMBERS, MadeUpPast.drifting(40, 3, 4, 16, 11));

        ReplayResult one = replay(past, specs(past), 1, Optional.empty());
        ReplayResult many = replay(past.again(), specs(past), 7, Optional.empty());

        assertThat(ResultJson.bytes(many)).isEqualTo(ResultJson.bytes(one));
    }

    @Test
    void otherTopologiesBeginAtThePlacementThatEnginesStartWith() throws Exception {
        Placement recorded =
                Placement.initial(MEMBERS.shape(), MEMBERS.topology()).withVersion(4);
        MadeUpPast past = MadeUpPast.of(MEMBERS, recorded, MadeUpPast.drifting(12, 3, 2, 16, 16));

        ReplayResult result = replay(
                past, specs(past, new EpConfiguration(4, 4, 2), new EpConfiguration(8, 16, 1)), 2, Optional.empty());

        assertThat(result.runs()).hasSize(6);
        assertThat(result.runs().get(0).served().get(0).version()).isEqualTo(4);
        PolicyRun other = result.runs().get(1);
        assertThat(other.served().get(0).version()).isZero();
        assertThat(List.of(other.ranks(), other.redundant(), other.nodes())).containsExactly(8, 16, 1);
        Membership members = specs(past, new EpConfiguration(8, 16, 1)).get(0).members();
        assertThat(other.served().get(0).mean())
                .isEqualTo(
                        NaiveReplay.balancedness(
                                past.all().get(0).load().orElseThrow(),
                                Placement.initial(members.shape(), members.topology()),
                                members.topology()),
                        within(1e-12));
    }

    @Test
    void matricesAreThoseOfDecisionsAndOfTheWorstWindowsWithWhatWasServedThen() throws Exception {
        MadeUpPast past = MadeUpPast.of(MEMBERS, MadeUpPast.drifting(60, 3, 2, 16, 17));

        ReplayResult result = replay(past, specs(past), 2, Optional.empty());

        assertThat(result.matrices())
                .hasSizeBetween(12, 24)
                .isSortedAccordingTo((a, b) -> Long.compare(a.index(), b.index()));
        double worst = result.runs().stream()
                .flatMap(run -> run.served().stream())
                .mapToDouble(ServedWindow::mean)
                .min()
                .orElseThrow();
        long worstIndex = result.runs().stream()
                .flatMap(run -> run.served().stream())
                .filter(window -> window.mean() == worst)
                .findFirst()
                .orElseThrow()
                .index();
        assertThat(result.matrices().stream().map(WindowMatrix::index)).contains(worstIndex);
        for (PolicyRun run : result.runs()) {
            assertThat(run.placements().keySet())
                    .containsExactlyInAnyOrderElementsOf(
                            result.matrices().stream().map(WindowMatrix::index).toList());
            run.placements()
                    .values()
                    .forEach(placement -> assertThat(PlacementRules.violations(
                                    Placement.of(1, placement), MEMBERS.shape(), MEMBERS.topology()))
                            .isEmpty());
        }
    }
}
