package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.TransferLists.Transfer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TransferListsTest {
    private static final Topology TOPOLOGY = Topology.even(3, 1, 2);
    private static final TransferLists LISTS = TransferLists.of(
            new Batch(
                    1,
                    List.of(
                            RandomPlan.move(0, 0, 5, 2),
                            RandomPlan.move(0, 4, 6, 3),
                            RandomPlan.move(1, 1, 7, 3),
                            RandomPlan.move(1, 0, 8, 1))),
            TOPOLOGY);

    @Test
    void sendersAreTheRanksOfTheSourcesAndTagsCountWhatComesToARank() {
        assertThat(LISTS.sends().get(1)).extracting(Transfer::tag).containsExactly(0, 0, 1);
        assertThat(LISTS.sends().get(1)).extracting(sent -> sent.to().index()).containsExactly(0, 2, 0);
        assertThat(LISTS.receives().get(0))
                .extracting(got -> got.from().index())
                .containsExactly(1, 1, 0);
        assertThat(LISTS.receives().get(2)).extracting(Transfer::tag).containsExactly(0);
        assertThat(LISTS.busiest()).isEqualTo(3);
        assertThat(LISTS.problems()).isEmpty();
    }

    @Test
    void ranksThatDisagreeAreFound() {
        Transfer first = LISTS.receives().get(0).get(0);

        assertThat(without(LISTS.sends(), 1, first).problems()).anyMatch(line -> line.contains("is never sent"));
        assertThat(new TransferLists(LISTS.sends(), remove(LISTS.receives(), 0, first)).problems())
                .anyMatch(line -> line.contains("does not wait for"));
        assertThat(new TransferLists(swap(LISTS.sends(), 1, 0, 2), LISTS.receives()).problems())
                .anyMatch(line -> line.contains("out of order"));
        assertThat(new TransferLists(LISTS.sends(), swap(LISTS.receives(), 0, 0, 1)).problems())
                .anyMatch(line -> line.contains("does not wait for"));
    }

    @Test
    void nearerAndLessBusyHoldersAreDetours() {
        Topology topology = Topology.even(4, 2, 1);
        Placement settled = Placement.of(0, new int[][] {{0, 1, 0, 2}, {0, 0, 1, 2}, {0, 0, 1, 2}});

        assertThat(detours(settled, topology, RandomPlan.move(0, 3, 0, 2))).isEmpty();
        assertThat(detours(settled, topology, RandomPlan.move(0, 3, 0, 0)))
                .singleElement()
                .asString()
                .startsWith("rank 2 is nearer");
        assertThat(detours(settled, topology, RandomPlan.move(1, 3, 0, 0), RandomPlan.move(2, 3, 0, 1)))
                .isEmpty();
        assertThat(detours(settled, topology, RandomPlan.move(1, 3, 0, 0), RandomPlan.move(2, 3, 0, 0)))
                .hasSize(2)
                .allMatch(line -> line.startsWith("rank 1 sends only 0, the sender 2"));
    }

    private static List<String> detours(Placement settled, Topology topology, Move... moves) {
        return TransferLists.of(new Batch(1, List.of(moves)), topology).detours(settled, topology);
    }

    private static TransferLists without(List<List<Transfer>> sends, int rank, Transfer transfer) {
        return new TransferLists(remove(sends, rank, transfer), LISTS.receives());
    }

    private static List<List<Transfer>> remove(List<List<Transfer>> lists, int rank, Transfer transfer) {
        List<List<Transfer>> copy = new ArrayList<>(lists);
        copy.set(
                rank,
                lists.get(rank).stream()
                        .filter(other -> !other.equals(transfer))
                        .toList());
        return copy;
    }

    private static List<List<Transfer>> swap(List<List<Transfer>> lists, int rank, int a, int b) {
        List<Transfer> swapped = new ArrayList<>(lists.get(rank));
        swapped.set(a, lists.get(rank).get(b));
        swapped.set(b, lists.get(rank).get(a));
        List<List<Transfer>> copy = new ArrayList<>(lists);
        copy.set(rank, swapped);
        return copy;
    }

    @Test
    void everyMoveIsSentOnceAndAwaitedOnceInAnyBatch() {
        for (long seed = 0; seed < 500; seed++) {
            RandomPlan plan = RandomPlan.of(seed);
            for (Batch batch : plan.propose().batches()) {
                TransferLists lists = TransferLists.of(batch, plan.members().topology());

                assertThat(lists.problems()).as("seed %d", seed).isEmpty();
                Set<Move> sent = new HashSet<>();
                lists.sends().forEach(sends -> sends.forEach(transfer -> sent.add(transfer.move())));
                assertThat(sent).as("seed %d", seed).containsExactlyInAnyOrderElementsOf(batch.moves());
                assertThat(lists.receives().stream().mapToInt(List::size).sum())
                        .isEqualTo(batch.moves().size());
            }
        }
    }

    @Test
    void anyListThatLostOrGainedATransferIsFound() {
        for (long seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            RandomPlan plan = RandomPlan.of(seed);
            Batch batch = plan.propose().batches().stream()
                    .filter(moving -> !moving.moves().isEmpty())
                    .findFirst()
                    .orElseThrow();
            TransferLists lists = TransferLists.of(batch, plan.members().topology());
            List<Transfer> all = lists.sends().stream().flatMap(List::stream).toList();
            Transfer one = all.get(random.nextInt(all.size()));
            List<List<Transfer>> more = new ArrayList<>(lists.sends());
            List<Transfer> twice = new ArrayList<>(more.get(one.from().index()));
            twice.add(one);
            more.set(one.from().index(), twice);

            assertThat(new TransferLists(remove(lists.sends(), one.from().index(), one), lists.receives()).problems())
                    .as("seed %d", seed)
                    .isNotEmpty();
            assertThat(new TransferLists(more, lists.receives()).problems())
                    .as("seed %d", seed)
                    .isNotEmpty();
        }
    }
}
