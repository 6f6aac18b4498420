package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.wire.Topic;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Engines that start with a map of their own, or have changed it by themselves: a new incarnation says so. */
class OwnMapTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final int LAYERS = 2;
    /** Tokens per expert. */
    private static final long[] SKEWED = {10, 10, 10, 10, 100, 200, 300, 400};
    /** Hot experts are together at the end. */
    private static final int[] OWN = {1, 0, 3, 2, 5, 4, 7, 6, 0, 1, 2, 3};
    /** Rank 1 holds expert 5 twice. */
    private static final int[] TWICE = {1, 0, 3, 5, 5, 4, 7, 6, 0, 1, 2, 3};
    /** The last slot holds weights of no expert. */
    private static final int[] UNKNOWN = {1, 0, 3, 2, 5, 4, 7, 6, 0, 1, 2, 8};
    /** Nobody holds expert 4. */
    private static final int[] LOST = {1, 0, 3, 2, 5, 1, 7, 6, 0, 1, 2, 3};

    private final Partition partition = new Partition();
    private final List<KeepReason> refused = new ArrayList<>();
    private final PlannerListener listener = new PlannerListener() {
        @Override
        public void refused(Deployment deployment, long window, Verdict.Keep keep) {
            refused.add(keep.reason());
        }
    };
    private ParallelPlanning planning = new ParallelPlanning(Policy.named("plimsoll"), 1);
    private Membership members = members(1);

    private static Membership members(long incarnation) {
        return new Membership(
                DEPLOYMENT,
                incarnation,
                ModelShape.of("small", 8, 1, 0, LAYERS),
                Topology.even(4, 2, 3),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                4,
                8,
                10,
                40);
    }

    private static Membership starting(long incarnation, int[]... layers) {
        return members(incarnation).startingWith(Placement.of(0, layers));
    }

    @BeforeEach
    void begin() {
        partition.now = 1_000_000;
    }

    @AfterEach
    void stop() {
        planning.close();
    }

    private void lives(Membership life) {
        members = life;
        partition.append(Topic.MEMBERS, life);
    }

    private void plans(String policy) {
        planning.close();
        planning = new ParallelPlanning(Policy.named(policy), 1);
        partition.assign(new PlannerTask(
                PlannerSettings.DEFAULTS,
                planning,
                PlanDesk.AT_ONCE,
                "test",
                listener,
                () -> Instant.ofEpochMilli(partition.now)));
    }

    /** A complete window under a settled version; tokens are shared evenly, and no router sends to a slot without an expert. */
    private void window(long index, int version) {
        Placement served = Optional.ofNullable(PlanLog.of(partition.values(Topic.PLAN))
                        .placements(members)
                        .get(version))
                .orElseThrow();
        StepRange steps = new StepRange(index * 8, index * 8 + 8);
        for (int layer = 0; layer < LAYERS; layer++) {
            long[] load = new long[served.slots()];
            int[][] slots = served.slotsOfExperts(layer, SKEWED.length);
            for (int expert = 0; expert < SKEWED.length; expert++) {
                for (int slot : slots[expert]) {
                    load[slot] = 60 * SKEWED[expert] / slots[expert].length;
                }
            }
            partition.append(
                    Topic.WINDOWS,
                    new LoadWindow(
                            DEPLOYMENT,
                            members.incarnation(),
                            Phase.DECODE,
                            index,
                            steps,
                            layer,
                            0,
                            PlacementState.settled(version),
                            0,
                            LongVector.of(load),
                            1,
                            LongVector.of(load),
                            ""));
        }
        partition.append(
                Topic.WINDOW_SUMMARIES,
                new WindowSummary(
                        DEPLOYMENT,
                        members.incarnation(),
                        Phase.DECODE,
                        index,
                        index - 1,
                        steps,
                        CloseReason.COMPLETE,
                        2,
                        LongVector.of(2, 2, 2, 2),
                        new Balance(0.5, 0.4, 1, LAYERS),
                        List.of(PlacementState.settled(version)),
                        1000,
                        Conservation.YES,
                        1000,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        partition.now,
                        "",
                        Optional.empty()));
        partition.now += 1000;
        partition.poll(true);
    }

    private void carriedOut() {
        Propose decision = decision();
        for (RankAck.Kind kind : List.of(RankAck.Kind.ACCEPTED, RankAck.Kind.FLIPPED)) {
            for (int rank = 0; rank < 4; rank++) {
                partition.append(
                        Topic.ACKS,
                        new RankAck(
                                DEPLOYMENT,
                                members.incarnation(),
                                new RankId(rank),
                                decision.epoch(),
                                kind,
                                kind == RankAck.Kind.FLIPPED
                                        ? decision.batches().size()
                                        : 0,
                                Optional.empty(),
                                decision.planHash(),
                                0));
            }
            partition.poll(true);
        }
    }

    private Propose decision() {
        List<Propose> decisions = decisions();
        return decisions.get(decisions.size() - 1);
    }

    private List<Propose> decisions() {
        return partition.values(Topic.PLAN).stream()
                .filter(Propose.class::isInstance)
                .map(Propose.class::cast)
                .toList();
    }

    private List<String> log() {
        return partition.values(Topic.PLAN).stream()
                .map(command -> command.getClass().getSimpleName())
                .toList();
    }

    /** What is kept as settled. */
    private Placement settled() {
        int[][] experts = new int[LAYERS][];
        int version = 0;
        for (SettledPlacement layer : partition.values(Topic.PLACEMENTS)) {
            version = layer.version();
            experts[layer.layer()] = java.util.stream.LongStream.of(
                            layer.experts().toArray())
                    .mapToInt(Math::toIntExact)
                    .toArray();
        }
        return Placement.of(version, experts);
    }

    private List<String> violations(Placement placement) {
        return PlacementRules.violations(placement, members.shape(), members.topology());
    }

    @Test
    void decisionsBeginAtTheMapThatTheEngineBeganWith() {
        lives(starting(1, OWN, OWN));
        plans("plimsoll");
        assertThat(settled()).isEqualTo(members.start());

        window(0, 0);
        window(1, 0);

        assertThat(PlacementRules.violations(decision(), members.start(), members))
                .isEmpty();
        assertThat(decision().predictedBalancedness()).isGreaterThan(decision().currentBalancedness() + 0.2);
        carriedOut();
        assertThat(log()).containsExactly("Term", "Propose", "Permit", "Settled");
        assertThat(settled())
                .isEqualTo(members.start().withBatches(1, decision().batches()));
    }

    @Test
    void successorFindsTheMapThatTheEngineBeganWith() {
        lives(starting(1, OWN, OWN));
        plans("plimsoll");
        window(0, 0);
        window(1, 0);
        plans("plimsoll");
        carriedOut();
        plans("plimsoll");

        assertThat(log()).containsExactly("Term", "Propose", "Term", "Permit", "Settled", "Term");
        window(2, decision().epoch());
        window(3, decision().epoch());
        window(4, decision().epoch());
        assertThat(refused).doesNotContain(KeepReason.QUARANTINED, KeepReason.UNKNOWN_STATE);
    }

    @Test
    void engineThatHasChangedItsMapBeginsAnewAndWhatWasInFlightIsVoid() {
        lives(members(1));
        plans("plimsoll");
        window(0, 0);
        window(1, 0);
        assertThat(log()).containsExactly("Term", "Propose");
        Propose before = decision();

        lives(starting(2, OWN, OWN));
        partition.poll(true);
        assertThat(log()).containsExactly("Term", "Propose", "Void");
        assertThat(settled()).isEqualTo(members.start());
        window(0, 0);
        window(1, 0);

        assertThat(decisions()).hasSize(2);
        assertThat(decision().epoch()).isGreaterThan(before.epoch());
        assertThat(decision().basedOn()).isZero();
        assertThat(PlacementRules.violations(decision(), members.start(), members))
                .isEmpty();
        carriedOut();
        assertThat(settled().version()).isEqualTo(decision().epoch());
        assertThat(violations(settled())).isEmpty();
    }

    @Test
    void expertTwiceOnARankIsMendedByTheFirstDecisionWhateverItBrings() {
        lives(starting(1, TWICE, OWN));
        plans("static");

        window(0, 0);

        assertThat(decision().reason())
                .isEqualTo("mends what the engine began with: layer 0 rank 1 holds expert 5 twice");
        assertThat(decision().predictedBalancedness())
                .as("it promises no gain, and so teaches the gate nothing")
                .isEqualTo(decision().currentBalancedness());
        assertThat(decision().moves()).singleElement().satisfies(move -> {
            assertThat(move.slot().index()).isEqualTo(4);
            assertThat(move.expert().index()).isEqualTo(7);
        });
        carriedOut();
        assertThat(violations(settled())).isEmpty();
    }

    @Test
    void afterARepairPoliciesPlanAsEver() {
        lives(starting(1, TWICE, TWICE));
        plans("plimsoll");
        window(0, 0);
        carriedOut();
        int mended = decision().epoch();
        for (int index = 1; index < 6; index++) {
            window(index, mended);
        }

        assertThat(decisions()).hasSize(2);
        assertThat(decision().basedOn()).isEqualTo(mended);
        assertThat(decision().reason()).doesNotContain("mends");
        assertThat(partition.values(Topic.OUTCOMES)).isNotEmpty();
    }

    @Test
    void weightsOfNoExpertAreReplacedAndCountForNothingUntilThen() {
        lives(starting(1, UNKNOWN, OWN));
        plans("plimsoll");

        window(0, 0);

        assertThat(decision().reason()).contains("layer 0 slot 11 holds expert 8 of 8");
        assertThat(decision().currentBalancedness()).isBetween(0.2, 0.9);
        carriedOut();
        int mended = decision().epoch();
        window(1, mended);
        window(2, mended);
        window(3, mended);
        assertThat(violations(settled())).isEmpty();
        assertThat(partition.values(Topic.OUTCOMES)).isNotEmpty();
        assertThat(refused).doesNotContain(KeepReason.ERROR, KeepReason.UNKNOWN_STATE);
    }

    @Test
    void expertThatNobodyHoldsIsARefusalThatIsCounted() {
        lives(starting(1, LOST, OWN));
        plans("plimsoll");
        window(0, 0);
        window(1, 0);
        window(2, 0);

        assertThat(decisions()).isEmpty();
        assertThat(refused).containsExactly(KeepReason.LOST_EXPERT, KeepReason.LOST_EXPERT, KeepReason.LOST_EXPERT);
    }

    @Test
    void repairThatStagingMemoryCannotHoldIsARefusalWithItsReason() {
        int[] thrice = {1, 0, 3, 5, 5, 5, 7, 6, 2, 4, 2, 3};
        lives(starting(1, thrice, OWN).withBytesPerExpert(30));
        assertThat(members.stagedExpertsPerRank()).isEqualTo(1);
        plans("plimsoll");
        window(0, 0);

        assertThat(decisions()).isEmpty();
        assertThat(refused).containsExactly(KeepReason.BUDGET);
    }

    @Test
    void engineThatMovesWeightsByItselfGetsOneBatchWhateverFitsStaging() {
        Membership little = starting(1, OWN, OWN).withBytesPerExpert(40);
        lives(little);
        plans("plimsoll");
        window(0, 0);
        window(1, 0);
        int batches = partition.values(Topic.PLAN).stream().anyMatch(Propose.class::isInstance)
                ? decision().batches().size()
                : 0;
        assertThat(batches).as("of one that we move for").isNotEqualTo(1);

        lives(starting(2, OWN, OWN).withBytesPerExpert(40).withTraits(EngineTraits.USUAL.withMovesWeights(true)));
        partition.poll(true);
        window(0, 0);
        window(1, 0);

        assertThat(decision().batches()).hasSize(1);
        assertThat(decision().header().incarnation()).isEqualTo(2);
        assertThat(decision().switches()).isZero();
        assertThat(PlacementRules.violations(decision(), members.start(), members))
                .isEmpty();
        assertThat(partition.values(Topic.PLAN)).noneMatch(command -> command instanceof PlanCommand.Abort);
    }
}
