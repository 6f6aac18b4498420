package dev.plimsoll.model;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** A valid decision with all that it is checked against; equal for equal seeds. */
record RandomPlan(PlanCommand.Propose propose, Placement settled, Placement target, Membership members) {
    static final long BYTES = 100;

    /** A decision that changes at least one layer, with staging that is just enough or a little more. */
    static RandomPlan of(long seed) {
        Random random = random(seed);
        int ranks = 2 + random.nextInt(5);
        int experts = 2 + random.nextInt(10);
        int least = (experts + ranks - 1) / ranks;
        int slotsPerRank = least + random.nextInt(experts - least + 1);
        int layers = 1 + random.nextInt(5);
        Topology topology = Topology.even(ranks, ranks % 2 == 0 ? 2 : 1, slotsPerRank);
        int[][] before = new int[layers][];
        int[][] after = new int[layers][];
        int version = 1 + random.nextInt(9);
        do {
            for (int layer = 0; layer < layers; layer++) {
                before[layer] = layer(random, experts, topology);
                after[layer] = random.nextInt(3) == 0 ? before[layer] : layer(random, experts, topology);
            }
        } while (Placement.of(0, before).equals(Placement.of(0, after)));
        BitSet[] idleBefore = new BitSet[layers];
        BitSet[] idleAfter = new BitSet[layers];
        for (int layer = 0; layer < layers; layer++) {
            idleBefore[layer] = idle(random, before[layer], experts);
            idleAfter[layer] = before[layer] == after[layer] && random.nextBoolean()
                    ? idleBefore[layer]
                    : idle(random, after[layer], experts);
        }
        Placement settled = Placement.of(version, before, idleBefore);
        Placement target = Placement.of(version, after, idleAfter);
        List<Batch> batches = batches(random, settled, target);
        int most = batches.stream()
                .mapToInt(batch -> TransferLists.of(batch, topology).receives().stream()
                        .mapToInt(List::size)
                        .max()
                        .orElseThrow())
                .max()
                .orElseThrow();
        Membership members = members(
                ModelShape.of("random", experts, 1, 0, layers),
                topology,
                most + (random.nextBoolean() ? 0 : random.nextInt(5)));
        return of(settled, target, members, version + 1 + random.nextInt(3), batches);
    }

    private static RandomPlan of(
            Placement settled, Placement target, Membership members, int epoch, List<Batch> batches) {
        return new RandomPlan(
                propose(epoch, settled.version(), PlanHash.of(target.withVersion(epoch), batches), batches),
                settled,
                target,
                members);
    }

    static PlanCommand.Propose propose(int epoch, int basedOn, long hash, List<Batch> batches) {
        return new PlanCommand.Propose(
                new PlanHeader(new Deployment("d"), 1, 1, 1),
                epoch,
                basedOn,
                hash,
                batches,
                0,
                0.5,
                0.9,
                "test",
                "test");
    }

    static Membership members(ModelShape shape, Topology topology, int stagedExperts) {
        return new Membership(
                        new Deployment("d"),
                        1,
                        shape,
                        topology,
                        "test",
                        Phase.ALL,
                        GatherMode.HOST,
                        1,
                        1,
                        BYTES,
                        // Not quite enough for one more.
                        (stagedExperts + 1) * BYTES - 1)
                .withIdleSlots(true);
    }

    /** The first number of {@link Random} hardly differs between seeds that follow each other. */
    static Random random(long seed) {
        return new Random(seed * 0x9e3779b97f4a7c15L);
    }

    /** Every expert somewhere, then any that the rank does not hold yet. */
    private static int[] layer(Random random, int experts, Topology topology) {
        int[] expertOfSlot = new int[topology.slots()];
        List<Integer> slots =
                new ArrayList<>(IntStream.range(0, topology.slots()).boxed().toList());
        Collections.shuffle(slots, random);
        for (int i = 0; i < slots.size(); i++) {
            int slot = slots.get(i);
            int expert = i;
            while (expert >= experts
                    || (i >= experts && isOnRank(expertOfSlot, slots.subList(0, i), slot, expert, topology))) {
                expert = random.nextInt(experts);
            }
            expertOfSlot[slot] = expert;
        }
        return expertOfSlot;
    }

    private static boolean isOnRank(int[] expertOfSlot, List<Integer> filled, int slot, int expert, Topology topology) {
        int rank = slot / topology.slotsPerRank();
        return filled.stream()
                .anyMatch(other -> other / topology.slotsPerRank() == rank && expertOfSlot[other] == expert);
    }

    /** Some of the slots whose expert has another in use. */
    private static BitSet idle(Random random, int[] expertOfSlot, int experts) {
        int[] inUse = new int[experts];
        for (int expert : expertOfSlot) {
            inUse[expert]++;
        }
        BitSet idle = new BitSet();
        int one = 1 + random.nextInt(4);
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            if (inUse[expertOfSlot[slot]] > 1 && random.nextInt(one) == 0) {
                inUse[expertOfSlot[slot]]--;
                idle.set(slot);
            }
        }
        return idle;
    }

    private static List<Batch> batches(Random random, Placement before, Placement after) {
        List<Batch> batches = new ArrayList<>();
        List<Move> open = new ArrayList<>();
        List<Switch> switches = new ArrayList<>();
        for (int layer = 0; layer < before.layers(); layer++) {
            int[] from = before.layer(layer);
            int[] to = after.layer(layer);
            for (int slot = 0; slot < from.length; slot++) {
                boolean moved = from[slot] != to[slot];
                if (moved) {
                    int[] holders = holders(from, to[slot]);
                    open.add(move(layer, slot, to[slot], holders[random.nextInt(holders.length)]));
                }
                if ((!moved && before.idle(layer, slot)) != after.idle(layer, slot)) {
                    switches.add(new Switch(new LayerId(layer), new SlotId(slot), !after.idle(layer, slot)));
                }
            }
            if (open.size() + switches.size() > 0 && (layer == before.layers() - 1 || random.nextBoolean())) {
                batches.add(new Batch(batches.size() + 1, open, switches));
                open = new ArrayList<>();
                switches = new ArrayList<>();
            }
        }
        if (open.size() + switches.size() > 0) {
            batches.add(new Batch(batches.size() + 1, open, switches));
        }
        return batches;
    }

    static int[] holders(int[] expertOfSlot, int expert) {
        return IntStream.range(0, expertOfSlot.length)
                .filter(slot -> expertOfSlot[slot] == expert)
                .toArray();
    }

    static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    /** Other moves under the same promise. */
    RandomPlan with(List<Batch> batches) {
        return new RandomPlan(
                propose(propose.epoch(), propose.basedOn(), propose.planHash(), batches), settled, target, members);
    }

    /** Other moves with the hash of what they lead to, as one who plans wrongly but adds up rightly would write. */
    RandomPlan promised(List<Batch> batches) {
        Placement result = settled.withBatches(propose.epoch(), batches);
        return new RandomPlan(
                propose(propose.epoch(), propose.basedOn(), PlanHash.of(result, batches), batches),
                settled,
                result,
                members);
    }
}
