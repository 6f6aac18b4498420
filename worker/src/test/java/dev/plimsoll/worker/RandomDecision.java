package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferLists;
import dev.plimsoll.worker.ReadOrder.Change;
import dev.plimsoll.worker.ReadOrder.Transfer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** A sound decision of several layers on the placement that its incarnation starts with; equal for equal seeds. */
record RandomDecision(Propose propose, Placement target, Membership members) {
    private static final Deployment DEPLOYMENT = new Deployment("random/decode-0");

    static RandomDecision of(long seed) {
        Random random = new Random(seed * 0x9e3779b97f4a7c15L);
        int ranks = 2 + random.nextInt(4);
        int slotsPerRank = 2 + random.nextInt(4);
        int experts = Math.max(slotsPerRank, ranks * slotsPerRank - random.nextInt(ranks * slotsPerRank / 2));
        Membership members = new Membership(
                        DEPLOYMENT,
                        1,
                        ModelShape.of("random", experts, 1, 0, 2 + random.nextInt(4)),
                        Topology.even(ranks, 1, slotsPerRank),
                        "test",
                        Phase.ALL,
                        GatherMode.HOST,
                        1,
                        1,
                        8,
                        8_000)
                .withIdleSlots(true);
        List<Batch> batches = new ArrayList<>();
        List<Move> moves = new ArrayList<>();
        List<Switch> switches = new ArrayList<>();
        for (int layer = 0; layer < members.shape().layers(); layer++) {
            change(layer, members, random, moves, switches);
            if (moves.size() + switches.size() > 0
                    && (layer == members.shape().layers() - 1 || random.nextInt(2) == 0)) {
                batches.add(new Batch(batches.size() + 1, moves, switches));
                moves = new ArrayList<>();
                switches = new ArrayList<>();
            }
        }
        if (moves.size() + switches.size() > 0) {
            batches.add(new Batch(batches.size() + 1, moves, switches));
        }
        return batches.isEmpty() ? of(seed + 1_000_003) : of(members, batches);
    }

    private static RandomDecision of(Membership members, List<Batch> batches) {
        Placement target = members.start().withBatches(1, batches);
        return new RandomDecision(
                new Propose(
                        new PlanHeader(DEPLOYMENT, 1, 1, 1),
                        1,
                        0,
                        PlanHash.of(target, batches),
                        batches,
                        0,
                        0.5,
                        0.9,
                        "test",
                        "test"),
                target,
                members);
    }

    /** Tries changes of a layer one after the other, and keeps those with which the result may be served. */
    private static void change(int layer, Membership members, Random random, List<Move> moves, List<Switch> switches) {
        Placement start = members.start();
        int[] held = start.layer(layer);
        List<Move> kept = new ArrayList<>();
        List<Switch> keptSwitches = new ArrayList<>();
        for (int tries = random.nextInt(12); tries > 0; tries--) {
            List<Move> more = new ArrayList<>(kept);
            List<Switch> moreSwitches = new ArrayList<>(keptSwitches);
            int slot = random.nextInt(held.length);
            int source = random.nextInt(held.length);
            int kind = random.nextInt(3);
            if (kind == 0) {
                moreSwitches.add(new Switch(new LayerId(layer), new SlotId(slot), false));
            } else if (held[slot] != held[source]) {
                more.add(move(layer, slot, held[source], source));
                if (kind == 1) {
                    more.add(move(layer, source, held[slot], slot));
                }
            }
            if (isSound(start, more, moreSwitches, members)) {
                kept = more;
                keptSwitches = moreSwitches;
            }
        }
        moves.addAll(kept);
        switches.addAll(keptSwitches);
    }

    private static boolean isSound(Placement start, List<Move> moves, List<Switch> switches, Membership members) {
        Set<SlotId> slots = new HashSet<>();
        Set<SlotId> switched = new HashSet<>();
        return moves.size() + switches.size() > 0
                && moves.stream().allMatch(move -> slots.add(move.slot()))
                && switches.stream().allMatch(change -> switched.add(change.slot()))
                && PlacementRules.violations(
                                start.with(1, new Batch(1, moves, switches)), members.shape(), members.topology())
                        .isEmpty();
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    /** How the decision ends when all of it is carried out. */
    Settled settled() {
        return new Settled(
                new PlanHeader(DEPLOYMENT, 1, 1, 2), 1, propose.batches().size(), true, target.hash());
    }

    /** Fails unless an order tells each rank exactly what it sends and receives, and all ranks every change. */
    void requireTold(Order order, long seed) {
        Placement served = members.start();
        List<ReadOrder> told = new ArrayList<>();
        for (int rank = 0; rank < members.topology().ranks(); rank++) {
            told.add(ReadOrder.of(order.bytes(new RankId(rank))));
        }
        for (int batch = 0; batch < propose.batches().size(); batch++) {
            TransferLists lists = TransferLists.of(propose.batches().get(batch), members.topology());
            served = served.with(1, propose.batches().get(batch));
            List<Change> changes = told.get(0).parts().get(batch).changes();
            for (int rank = 0; rank < told.size(); rank++) {
                ReadOrder.Part part = told.get(rank).parts().get(batch);
                assertThat(part.sends())
                        .as("sends of rank %d, batch %d, seed %d", rank, batch, seed)
                        .isEqualTo(lists.sends().get(rank).stream()
                                .map(sent -> transfer(sent, sent.move().source(), sent.to()))
                                .toList());
                assertThat(part.receives())
                        .as("receives of rank %d, batch %d, seed %d", rank, batch, seed)
                        .isEqualTo(lists.receives().get(rank).stream()
                                .map(received ->
                                        transfer(received, received.move().slot(), received.from()))
                                .toList());
                assertThat(part.receives()).extracting(Transfer::tag).isSorted();
                assertThat(part.changes()).as("seed %d", seed).isEqualTo(changes);
            }
            requireChanges(changes, batch, served, seed);
        }
    }

    private void requireChanges(List<Change> changes, int batch, Placement after, long seed) {
        Set<String> wanted = new HashSet<>();
        Batch of = propose.batches().get(batch);
        of.moves().forEach(move -> wanted.add(move.layer() + "/" + move.slot()));
        of.switches().forEach(change -> wanted.add(change.layer() + "/" + change.slot()));
        Change before = new Change(-1, -1, 0, 0);
        for (Change change : changes) {
            LayerId layer = new LayerId(change.layer());
            SlotId slot = new SlotId(change.slot());
            assertThat(wanted.remove(layer + "/" + slot))
                    .as("%s once, seed %d", change, seed)
                    .isTrue();
            assertThat(after.expert(layer, slot).index()).isEqualTo(change.expert());
            assertThat(after.idle(change.layer(), change.slot())).isEqualTo(change.inUse() == 0);
            assertThat(change.layer() > before.layer()
                            || (change.layer() == before.layer() && change.slot() > before.slot()))
                    .as("%s behind %s, seed %d", change, before, seed)
                    .isTrue();
            before = change;
        }
        assertThat(wanted).as("left out, seed %d", seed).isEmpty();
    }

    private Transfer transfer(TransferLists.Transfer of, SlotId slot, RankId peer) {
        return new Transfer(
                of.move().layer().index(), slot.index() % members.topology().slotsPerRank(), peer.index(), of.tag());
    }
}
