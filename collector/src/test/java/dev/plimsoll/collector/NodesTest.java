package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.model.CloseReason;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Collectors of several nodes beside one group that gathers, and the real fold over what they send. */
class NodesTest {
    private static final int[] NODE_COUNTS = {1, 2, 4};

    @Test
    void eachCellIsToldOnceHoweverManyNodesThereAre() {
        for (int nodeCount : NODE_COUNTS) {
            Nodes nodes = new Nodes(nodeCount, new Random(nodeCount));
            nodes.startAll();
            nodes.step(40);
            nodes.end();

            assertThat(nodes.cells).as("%d nodes", nodeCount).containsOnlyKeys(Fate.ACCEPTED);
            assertThat(nodes.cells(Fate.ACCEPTED)).isEqualTo(40L * Nodes.RANKS);
            assertThat(nodes.samples).hasSize(40 * nodeCount);
            assertThat(nodes.reasons()).hasSize(10).containsOnly(CloseReason.COMPLETE);
            assertThat(nodes.inWindows()).isEqualTo(nodes.computed());
        }
    }

    @Test
    void conservationIsCheckedOverTheSamplesOfAllNodes() {
        for (int nodeCount : NODE_COUNTS) {
            Nodes nodes = new Nodes(nodeCount, new Random(nodeCount));
            nodes.startAll();
            nodes.step(8);
            nodes.end();

            assertThat(nodes.windows)
                    .as("%d nodes", nodeCount)
                    .hasSize(2)
                    .allSatisfy(
                            window -> assertThat(window.summary().conservation().violated())
                                    .isFalse());
            long tokens = nodes.windows.stream()
                    .mapToLong(window -> window.summary().tokens())
                    .sum();
            assertThat(tokens)
                    .as("tokens per layer, top-1, rounded down per window")
                    .isBetween(nodes.computed() / Nodes.LAYERS - 2, nodes.computed() / Nodes.LAYERS);
        }
    }

    @Test
    void collectorThatStartsLateTellsItsOwnRanksAloneAndMakesNobodyElseLate() {
        for (int nodeCount : new int[] {2, 4}) {
            Nodes nodes = new Nodes(nodeCount, new Random(nodeCount));
            for (int node = 0; node < nodeCount - 1; node++) {
                nodes.start(node);
            }
            nodes.step(6);
            nodes.start(nodeCount - 1);
            nodes.step(14);
            nodes.end();

            int late = Nodes.RANKS / nodeCount;
            assertThat(nodes.lostOrTwice()).as("%d nodes", nodeCount).isEmpty();
            assertThat(nodes.cells)
                    .as(
                            "the late ones' first samples cover the ring's oldest step; it spans no border, or is unattributed")
                    .containsOnlyKeys(Fate.ACCEPTED);
            assertThat(nodes.cells(Fate.ACCEPTED)).isEqualTo(20L * Nodes.RANKS);
            assertThat(nodes.reasons()).containsOnly(CloseReason.COMPLETE);
            assertThat(late).isPositive();
        }
    }

    @Test
    void collectorThatStartsAfterTheRingWasLappedLosesNoCounts() {
        Nodes nodes = new Nodes(2, new Random(1));
        nodes.start(0);
        nodes.step(30);
        nodes.start(1);
        nodes.step(10);
        nodes.end();

        assertThat(nodes.lostOrTwice()).isEmpty();
        assertThat(nodes.cells(Fate.UNATTRIBUTED))
                .as("one per rank of the late node: what was counted before the oldest snapshot in its ring")
                .isEqualTo(2);
        assertThat(nodes.samples.stream()
                        .filter(sample -> sample.firstRank() >= 2)
                        .findFirst()
                        .orElseThrow()
                        .steps()
                        .from())
                .isZero();
        assertThat(nodes.reasons().subList(7, 10)).containsOnly(CloseReason.COMPLETE);
    }

    @Test
    void restartedCollectorGoesOnWhereItWasKilled() {
        for (int nodeCount : NODE_COUNTS) {
            Nodes nodes = new Nodes(nodeCount, new Random(nodeCount));
            nodes.startAll();
            nodes.step(5);
            nodes.kill(0);
            nodes.step(2);
            nodes.start(0);
            nodes.step(5);
            nodes.end();

            assertThat(nodes.lostOrTwice()).as("%d nodes", nodeCount).isEmpty();
            assertThat(nodes.cells).containsOnlyKeys(Fate.ACCEPTED);
            assertThat(nodes.reasons()).containsOnly(CloseReason.COMPLETE);
        }
    }

    @Test
    void collectorThatIsDeadForGoodCostsItsOwnCellsOnly() {
        for (int nodeCount : new int[] {2, 4}) {
            Nodes nodes = new Nodes(nodeCount, new Random(nodeCount));
            nodes.startAll();
            nodes.step(8);
            long dead = IntStream.range(0, Nodes.RANKS / nodeCount)
                    .mapToLong(nodes::computed)
                    .sum();
            nodes.kill(0);
            nodes.step(32);
            nodes.end();

            int ranks = Nodes.RANKS / nodeCount;
            long others = IntStream.range(ranks, Nodes.RANKS)
                    .mapToLong(nodes::computed)
                    .sum();
            assertThat(nodes.cells).as("%d nodes", nodeCount).containsOnlyKeys(Fate.ACCEPTED);
            assertThat(nodes.inWindows()).isEqualTo(others + dead);
            assertThat(nodes.windows.subList(2, 10))
                    .allSatisfy(window ->
                            assertThat(window.summary().present().sum()).isEqualTo(4L * (Nodes.RANKS - ranks)));
        }
    }

    /** Kills and starts at random, for longer and shorter than the ring reaches back; shorter than the fold can wait for a quorum. */
    @Test
    void nothingIsLostOrTwiceWhoeverIsKilledAndWhen() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            int nodeCount = NODE_COUNTS[random.nextInt(NODE_COUNTS.length)];
            Nodes nodes = new Nodes(nodeCount, random);
            int[] startsAt = new int[nodeCount];
            for (int i = 0; i < 120; i++) {
                for (int node = 0; node < nodeCount; node++) {
                    if (i == startsAt[node]) {
                        nodes.start(node);
                    } else if (i > startsAt[node] && random.nextInt(10) == 0) {
                        nodes.kill(node);
                        startsAt[node] = i + 1 + random.nextInt(23);
                    }
                }
                nodes.step();
            }
            nodes.startAll();
            nodes.step(2);
            nodes.end();

            assertThat(nodes.lostOrTwice()).as("seed %d", seed).isEmpty();
            assertThat(nodes.told).as("seed %d", seed).isEmpty();
            assertThat(nodes.windows)
                    .as("seed %d", seed)
                    .allSatisfy(
                            window -> assertThat(window.summary().conservation().violated())
                                    .isFalse());
        }
    }
}
