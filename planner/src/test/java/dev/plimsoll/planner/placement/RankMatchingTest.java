package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class RankMatchingTest {
    private record Pair(int ranks, int experts, int slotsPerRank, int[] settled, int[] target) {}

    private static Pair random(Random random, int mostRanks) {
        int ranks = 1 + random.nextInt(mostRanks);
        int experts = 1 + random.nextInt(12);
        int slotsPerRank = 1 + random.nextInt(experts);
        return new Pair(
                ranks,
                experts,
                slotsPerRank,
                rows(random, ranks, experts, slotsPerRank),
                rows(random, ranks, experts, slotsPerRank));
    }

    /** Different experts on every rank. */
    private static int[] rows(Random random, int ranks, int experts, int slotsPerRank) {
        int[] rows = new int[ranks * slotsPerRank];
        for (int rank = 0; rank < ranks; rank++) {
            int[] row = random.ints(0, experts).distinct().limit(slotsPerRank).toArray();
            System.arraycopy(row, 0, rows, rank * slotsPerRank, slotsPerRank);
        }
        return rows;
    }

    /** Experts kept, and rows in their place as a fraction: what an assignment is worth. */
    private static double worth(Pair pair, int[] rankOfRow) {
        int kept = 0;
        int inPlace = 0;
        for (int row = 0; row < pair.ranks(); row++) {
            inPlace += rankOfRow[row] == row ? 1 : 0;
            for (int i = 0; i < pair.slotsPerRank(); i++) {
                int expert = pair.target()[row * pair.slotsPerRank() + i];
                int first = rankOfRow[row] * pair.slotsPerRank();
                kept += (int) Arrays.stream(pair.settled(), first, first + pair.slotsPerRank())
                        .filter(held -> held == expert)
                        .count();
            }
        }
        return kept + inPlace / (pair.ranks() + 1.0);
    }

    private static double bestOfAll(Pair pair, int[] rankOfRow, int row) {
        if (row == pair.ranks()) {
            return worth(pair, rankOfRow);
        }
        double best = 0;
        for (int i = row; i < pair.ranks(); i++) {
            swap(rankOfRow, row, i);
            best = Math.max(best, bestOfAll(pair, rankOfRow, row + 1));
            swap(rankOfRow, row, i);
        }
        return best;
    }

    private static void swap(int[] values, int a, int b) {
        int value = values[a];
        values[a] = values[b];
        values[b] = value;
    }

    @Test
    void noAssignmentOfUpToSixRanksKeepsMore() {
        Random random = new Random(1);
        for (int i = 0; i < 600; i++) {
            Pair pair = random(random, 6);

            int[] rankOfRow = new RankMatching(pair.ranks(), pair.experts()).match(pair.settled(), pair.target());

            assertThat(Arrays.stream(rankOfRow).sorted())
                    .containsExactlyElementsOf(
                            IntStream.range(0, pair.ranks()).boxed().toList());
            assertThat(worth(pair, rankOfRow))
                    .as("pair %d: %s", i, pair)
                    .isEqualTo(bestOfAll(pair, IntStream.range(0, pair.ranks()).toArray(), 0));
        }
    }

    @Test
    @Tag("mutant")
    void matchingRowsGreedilyInOrderIsCaught() {
        Random random = new Random(1);
        int worse = 0;
        for (int i = 0; i < 600; i++) {
            Pair pair = random(random, 6);
            int[] greedy = greedily(pair);
            if (worth(pair, greedy)
                    < bestOfAll(pair, IntStream.range(0, pair.ranks()).toArray(), 0)) {
                worse++;
            }
        }
        assertThat(worse).isGreaterThan(50);
    }

    private static int[] greedily(Pair pair) {
        int[] rankOfRow = IntStream.range(0, pair.ranks()).toArray();
        for (int row = 0; row < pair.ranks(); row++) {
            int best = row;
            double most = -1;
            for (int i = row; i < pair.ranks(); i++) {
                swap(rankOfRow, row, i);
                double worth = worth(pair, rankOfRow);
                if (worth > most) {
                    most = worth;
                    best = i;
                }
                swap(rankOfRow, row, i);
            }
            swap(rankOfRow, row, best);
        }
        return rankOfRow;
    }

    @Test
    void shuffledRowsOfManyRanksAllFindTheirRankAgain() {
        Random random = new Random(2);
        for (int ranks : new int[] {64, 144, 320}) {
            int slotsPerRank = 5;
            int experts = ranks * slotsPerRank;
            int[] settled = IntStream.range(0, experts).toArray();
            int[] rankOf = IntStream.range(0, ranks).toArray();
            for (int row = ranks - 1; row > 0; row--) {
                swap(rankOf, row, random.nextInt(row + 1));
            }
            int[] target = new int[experts];
            for (int row = 0; row < ranks; row++) {
                System.arraycopy(settled, rankOf[row] * slotsPerRank, target, row * slotsPerRank, slotsPerRank);
            }
            RankMatching matching = new RankMatching(ranks, experts);

            assertThat(matching.match(settled, target)).isEqualTo(rankOf);
            assertThat(matching.rearrange(settled, target)).isEqualTo(settled);
        }
    }

    @Test
    void anInstanceThatWasUsedBeforeGivesTheSameAsANewOne() {
        Random random = new Random(3);
        RankMatching used = new RankMatching(48, 96);
        for (int i = 0; i < 20; i++) {
            int slotsPerRank = 1 + random.nextInt(8);
            int[] settled = rows(random, 48, 96, slotsPerRank);
            int[] target = rows(random, 48, 96, slotsPerRank);

            assertThat(used.match(settled, target)).isEqualTo(new RankMatching(48, 96).match(settled, target));
        }
    }

    @Test
    void rowsThatShareNothingStayInTheirPlace() {
        int[] rankOfRow = new RankMatching(3, 6).match(new int[] {0, 1, 2}, new int[] {3, 4, 5});

        assertThat(rankOfRow).containsExactly(0, 1, 2);
    }

    @Test
    void keepingOneExpertMoreIsWorthMovingAllRows() {
        // In place expert 0 stays, exchanged experts 1 and 2 do.
        int[] settled = {0, 1, 2, 3};
        int[] target = {0, 2, 1, 4};

        assertThat(new RankMatching(2, 5).match(settled, target)).containsExactly(1, 0);
    }

    @Test
    void placementsOfDifferentLengthAreRefused() {
        RankMatching matching = new RankMatching(2, 4);

        assertThatThrownBy(() -> matching.match(new int[] {0, 1}, new int[] {0, 1, 2, 3}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 and 4 slots");
    }

    @Test
    void noRearrangementKeepsMoreThanTheMost() {
        Random random = new Random(3);
        for (int i = 0; i < 600; i++) {
            Pair pair = random(random, 6);
            RankMatching matching = new RankMatching(pair.ranks(), pair.experts());
            int[] stays = IntStream.range(0, pair.ranks()).toArray();
            int kept = (int) worth(pair, matching.match(pair.settled(), pair.target()));

            int most = matching.mostKept(pair.settled(), pair.target());

            assertThat(most).as("pair %d", i).isBetween(Math.max(kept, (int) worth(pair, stays)), pair.target().length);
            assertThat(matching.mostKept(pair.settled(), pair.settled()))
                    .as("pair %d", i)
                    .isEqualTo(pair.settled().length);
        }
    }
}
