package dev.plimsoll.model;

import static dev.plimsoll.model.RandomPlan.holders;
import static dev.plimsoll.model.RandomPlan.move;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** One way to break a valid decision, and what the rules must say of it. */
enum Corruption {
    OTHER_SHAPE("shape is", (plan, random) -> {
        ModelShape shape = plan.members().shape();
        return Optional.of(new RandomPlan(
                plan.propose(),
                plan.settled(),
                plan.target(),
                RandomPlan.members(
                        ModelShape.of("more", shape.experts(), 1, 0, shape.layers() + 1),
                        plan.members().topology(),
                        9)));
    }),
    OTHER_BASE("is based on", (plan, random) -> {
        PlanCommand.Propose propose = plan.propose();
        return Optional.of(new RandomPlan(
                RandomPlan.propose(propose.epoch(), propose.basedOn() - 1, propose.planHash(), propose.batches()),
                plan.settled(),
                plan.target(),
                plan.members()));
    }),
    OLD_EPOCH("must be above the settled version", (plan, random) -> {
        int version = plan.settled().version();
        return Optional.of(new RandomPlan(
                RandomPlan.propose(
                        version,
                        version,
                        PlanHash.of(
                                plan.target().withVersion(version),
                                plan.propose().batches()),
                        plan.propose().batches()),
                plan.settled(),
                plan.target(),
                plan.members()));
    }),
    OTHER_HASH("it promises", (plan, random) -> {
        PlanCommand.Propose propose = plan.propose();
        return Optional.of(new RandomPlan(
                RandomPlan.propose(
                        propose.epoch(),
                        propose.basedOn(),
                        propose.planHash() ^ (1L << random.nextInt(64)),
                        propose.batches()),
                plan.settled(),
                plan.target(),
                plan.members()));
    }),
    /** The rest is a sound decision, with an honest hash; only it is not what was wanted. */
    LAYER_LEFT_OUT("the moves leave it with", (plan, random) -> {
        int layer = any(plan, random).layer().index();
        List<Batch> rest = new ArrayList<>();
        for (Batch batch : plan.propose().batches()) {
            List<Move> others = batch.moves().stream()
                    .filter(move -> move.layer().index() != layer)
                    .toList();
            List<Switch> otherSwitches = batch.switches().stream()
                    .filter(change -> change.layer().index() != layer)
                    .toList();
            if (others.size() + otherSwitches.size() > 0) {
                rest.add(new Batch(rest.size() + 1, others, otherSwitches));
            }
        }
        return rest.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new RandomPlan(plan.promised(rest).propose(), plan.settled(), plan.target(), plan.members()));
    }),
    MOVE_LEFT_OUT("", (plan, random) -> {
        Move left = any(plan, random);
        return replaced(plan, left, List.of()).map(plan::with);
    }),
    TWICE_ON_A_RANK("twice", (plan, random) -> {
        Move move = any(plan, random);
        int layer = move.layer().index();
        int[] before = plan.settled().layer(layer);
        int[] after = plan.target().layer(layer);
        int slot = move.slot().index();
        int slots = plan.members().topology().slotsPerRank();
        return pick(
                        random,
                        IntStream.range(slot / slots * slots, (slot / slots + 1) * slots)
                                .filter(other -> other != slot && before[slot] != after[other]))
                .flatMap(other -> replaced(
                        plan, move, List.of(move(layer, slot, after[other], holders(before, after[other])[0]))))
                .map(plan::promised);
    }),
    LAST_COPY_LOST("has no slot for expert", (plan, random) -> {
        Move move = any(plan, random);
        int layer = move.layer().index();
        int[] before = plan.settled().layer(layer);
        int[] after = plan.target().layer(layer);
        int slot = move.slot().index();
        if (holders(after, after[slot]).length > 1) {
            return Optional.empty();
        }
        return pick(
                        random,
                        IntStream.range(0, plan.members().shape().experts())
                                .filter(expert -> expert != after[slot] && expert != before[slot]))
                .flatMap(expert -> replaced(plan, move, List.of(move(layer, slot, expert, holders(before, expert)[0]))))
                .map(plan::promised);
    }),
    WRONG_SOURCE("does not hold", (plan, random) -> {
        Move move = any(plan, random);
        int[] before = plan.settled().layer(move.layer().index());
        return pick(
                        random,
                        IntStream.range(0, before.length)
                                .filter(slot -> before[slot] != move.expert().index()
                                        && slot != move.slot().index()))
                .flatMap(source -> replaced(
                        plan,
                        move,
                        List.of(move(
                                move.layer().index(),
                                move.slot().index(),
                                move.expert().index(),
                                source))))
                .map(plan::with);
    }),
    LAYER_OUT_OF_BOUNDS(
            "out of bounds",
            (plan, random) -> altered(
                    plan,
                    random,
                    move -> new Move(
                            new LayerId(plan.members().shape().layers()), move.slot(), move.expert(), move.source()))),
    SLOT_OUT_OF_BOUNDS(
            "out of bounds",
            (plan, random) -> altered(
                    plan,
                    random,
                    move -> new Move(
                            move.layer(),
                            new SlotId(plan.members().topology().slots()),
                            move.expert(),
                            move.source()))),
    EXPERT_OUT_OF_BOUNDS(
            "out of bounds",
            (plan, random) -> altered(
                    plan,
                    random,
                    move -> new Move(
                            move.layer(),
                            move.slot(),
                            new ExpertId(plan.members().shape().experts()),
                            move.source()))),
    SOURCE_OUT_OF_BOUNDS(
            "out of bounds",
            (plan, random) -> altered(
                    plan,
                    random,
                    move -> new Move(
                            move.layer(),
                            move.slot(),
                            move.expert(),
                            new SlotId(plan.members().topology().slots())))),
    STAGING_ONE_SHORT("brings more than", (plan, random) -> {
        Topology topology = plan.members().topology();
        int most = plan.propose().batches().stream()
                .flatMap(batch -> TransferLists.of(batch, topology).receives().stream())
                .mapToInt(List::size)
                .max()
                .orElseThrow();
        return most <= 1
                ? Optional.empty()
                : Optional.of(new RandomPlan(
                        plan.propose(),
                        plan.settled(),
                        plan.target(),
                        RandomPlan.members(plan.members().shape(), topology, most - 1)));
    }),
    LAYER_IN_TWO_BATCHES("is in more than one batch", (plan, random) -> {
        Move last = any(plan, random);
        return later(plan, last).map(plan::with);
    }),
    /** The weights of one move are gone when its batch is transferred. */
    SOURCE_OVERWRITTEN("is overwritten before", (plan, random) -> {
        Move reader = any(plan, random);
        boolean overwritten = plan.propose().moves().stream()
                .anyMatch(move ->
                        move.layer().equals(reader.layer()) && move.slot().equals(reader.source()));
        return overwritten ? later(plan, reader).map(plan::with) : Optional.empty();
    }),
    BATCH_OUT_OF_PLACE("batch number", (plan, random) -> {
        List<Batch> batches = new ArrayList<>(plan.propose().batches());
        Batch batch = batches.get(random.nextInt(batches.size()));
        batches.set(batch.number() - 1, new Batch(batch.number() + 1, batch.moves(), batch.switches()));
        return Optional.of(plan.with(batches));
    }),
    MOVE_OF_WHAT_IS_THERE("already", (plan, random) -> {
        Move beside = any(plan, random);
        int layer = beside.layer().index();
        int[] before = plan.settled().layer(layer);
        int[] after = plan.target().layer(layer);
        return pick(
                        random,
                        IntStream.range(0, before.length)
                                .filter(slot ->
                                        before[slot] == after[slot] && holders(before, before[slot]).length > 1))
                .flatMap(slot -> {
                    int other = Arrays.stream(holders(before, before[slot]))
                            .filter(holder -> holder != slot)
                            .findFirst()
                            .orElseThrow();
                    return replaced(plan, beside, List.of(beside, move(layer, slot, before[slot], other)));
                })
                .map(plan::with);
    }),
    SWITCHED_LAYER_OUT_OF_BOUNDS(
            "out of bounds",
            (plan, random) -> Optional.of(plan.with(switching(
                    plan, new Switch(new LayerId(plan.members().shape().layers()), new SlotId(0), false))))),
    SWITCHED_SLOT_OUT_OF_BOUNDS(
            "out of bounds",
            (plan, random) -> Optional.of(plan.with(switching(
                    plan,
                    new Switch(
                            any(plan, random).layer(),
                            new SlotId(plan.members().topology().slots()),
                            true))))),
    /** The rest is a sound decision, with an honest hash; only it is not what was wanted. */
    SWITCH_LEFT_OUT(
            "the switches leave it",
            (plan, random) -> anySwitch(plan, random)
                    .filter(change -> !change.inUse() || inUse(plan.target(), change) > 1)
                    .map(left -> new RandomPlan(
                            plan.promised(without(plan, left)).propose(),
                            plan.settled(),
                            plan.target(),
                            plan.members()))),
    SWITCH_TURNED_ROUND(
            "already",
            (plan, random) -> anySwitch(plan, random)
                    .map(change -> plan.with(
                            instead(plan, change, new Switch(change.layer(), change.slot(), !change.inUse()))))),
    /** The hash is that of the moves alone. */
    SWITCHES_NOT_IN_THE_HASH(
            "it promises",
            (plan, random) -> anySwitch(plan, random)
                    .map(any -> new RandomPlan(
                            RandomPlan.propose(
                                    plan.propose().epoch(),
                                    plan.propose().basedOn(),
                                    PlanHash.of(
                                            plan.settled()
                                                    .with(
                                                            plan.propose().epoch(),
                                                            plan.propose().moves()),
                                            plan.propose().batches()),
                                    plan.propose().batches()),
                            plan.settled(),
                            plan.target(),
                            plan.members()))),
    /** An expert that all its slots hold and none computes. */
    LAST_IN_USE_SWITCHED_OFF("has no slot in use for expert", (plan, random) -> {
        Move move = any(plan, random);
        int layer = move.layer().index();
        int[] inUse = plan.target().inUse(layer);
        int[] held = plan.target().layer(layer);
        return pick(
                        random,
                        IntStream.range(0, inUse.length)
                                .filter(slot -> inUse[slot] >= 0
                                        && holders(inUse, inUse[slot]).length == 1
                                        && holders(held, inUse[slot]).length > 1
                                        && plan.propose().batches().stream()
                                                .flatMap(batch -> batch.switches().stream())
                                                .noneMatch(
                                                        change -> change.layer().index() == layer
                                                                && change.slot().index() == slot)))
                .map(slot -> plan.promised(beside(plan, move, new Switch(move.layer(), new SlotId(slot), false))));
    }),
    ENGINE_THAT_CANNOT(
            "cannot leave slots idle",
            (plan, random) -> anySwitch(plan, random)
                    .filter(change -> !change.inUse())
                    .map(change -> new RandomPlan(
                            plan.propose(),
                            plan.settled(),
                            plan.target(),
                            plan.members().withIdleSlots(false)))),
    SWITCHED_LAYER_IN_TWO_BATCHES(
            "is in more than one batch",
            (plan, random) -> anySwitch(plan, random)
                    .filter(change -> plan.propose().moves().stream()
                            .anyMatch(move -> move.layer().equals(change.layer())))
                    .map(change -> {
                        List<Batch> batches = new ArrayList<>(without(plan, change));
                        batches.add(new Batch(batches.size() + 1, List.of(), List.of(change)));
                        return plan.promised(batches);
                    })),
    /** The way to the target is another than the one that the hash speaks of; the target is the same. */
    OTHER_SOURCE("it promises", (plan, random) -> {
        Move move = any(plan, random);
        int[] before = plan.settled().layer(move.layer().index());
        return pick(
                        random,
                        IntStream.of(holders(before, move.expert().index()))
                                .filter(slot -> slot != move.source().index()))
                .flatMap(source -> replaced(
                        plan,
                        move,
                        List.of(move(
                                move.layer().index(),
                                move.slot().index(),
                                move.expert().index(),
                                source))))
                .map(plan::with);
    }),
    /** The hash of releases before it covered the way. */
    HASH_OF_THE_TARGET_ALONE("it promises", (plan, random) -> {
        PlanCommand.Propose propose = plan.propose();
        return Optional.of(new RandomPlan(
                RandomPlan.propose(
                        propose.epoch(),
                        propose.basedOn(),
                        plan.target().withVersion(propose.epoch()).hash(),
                        propose.batches()),
                plan.settled(),
                plan.target(),
                plan.members()));
    }),
    /** An engine that moves weights by itself is given one map, of slots that are all in use. */
    MORE_THAN_ONE_MAP(
            "it takes one batch of moves",
            (plan, random) -> plan.propose().batches().size() + plan.propose().switches() == 1
                    ? Optional.empty()
                    : Optional.of(new RandomPlan(
                            plan.propose(),
                            plan.settled(),
                            plan.target(),
                            plan.members().withTraits(EngineTraits.USUAL.withMovesWeights(true)))));

    /** What one of the violations must contain. */
    final String says;

    private final BiFunction<RandomPlan, Random, Optional<RandomPlan>> breaking;

    Corruption(String says, BiFunction<RandomPlan, Random, Optional<RandomPlan>> breaking) {
        this.says = says;
        this.breaking = breaking;
    }

    /** The decision, broken; empty where this one cannot be broken so. */
    Optional<RandomPlan> of(RandomPlan plan, Random random) {
        return breaking.apply(plan, random);
    }

    private static Move any(RandomPlan plan, Random random) {
        List<Move> moves = plan.propose().moves();
        return moves.get(random.nextInt(moves.size()));
    }

    private static Optional<Switch> anySwitch(RandomPlan plan, Random random) {
        List<Switch> switches = plan.propose().batches().stream()
                .flatMap(batch -> batch.switches().stream())
                .toList();
        return switches.isEmpty() ? Optional.empty() : Optional.of(switches.get(random.nextInt(switches.size())));
    }

    /** How many slots of the expert of a switched slot are in use. */
    private static int inUse(Placement placement, Switch change) {
        int layer = change.layer().index();
        return holders(
                        placement.inUse(layer),
                        placement.layer(layer)[change.slot().index()])
                .length;
    }

    /** The batches with one switch more in the last. */
    private static List<Batch> switching(RandomPlan plan, Switch more) {
        List<Batch> batches = new ArrayList<>(plan.propose().batches());
        Batch last = batches.remove(batches.size() - 1);
        batches.add(switching(last, more));
        return batches;
    }

    /** The batches with one switch more in that of a move. */
    private static List<Batch> beside(RandomPlan plan, Move move, Switch more) {
        return plan.propose().batches().stream()
                .map(batch -> batch.moves().contains(move) ? switching(batch, more) : batch)
                .toList();
    }

    private static Batch switching(Batch batch, Switch more) {
        List<Switch> switches = new ArrayList<>(batch.switches());
        switches.add(more);
        return new Batch(batch.number(), batch.moves(), switches);
    }

    private static List<Batch> instead(RandomPlan plan, Switch old, Switch other) {
        return plan.propose().batches().stream()
                .map(batch -> new Batch(
                        batch.number(),
                        batch.moves(),
                        batch.switches().stream()
                                .map(change -> change.equals(old) ? other : change)
                                .toList()))
                .toList();
    }

    private static List<Batch> without(RandomPlan plan, Switch left) {
        List<Batch> batches = new ArrayList<>();
        for (Batch batch : plan.propose().batches()) {
            List<Switch> switches = batch.switches().stream()
                    .filter(change -> !change.equals(left))
                    .toList();
            if (batch.moves().size() + switches.size() > 0) {
                batches.add(new Batch(batches.size() + 1, batch.moves(), switches));
            }
        }
        return batches;
    }

    private static Optional<Integer> pick(Random random, IntStream values) {
        int[] all = values.toArray();
        return all.length == 0 ? Optional.empty() : Optional.of(all[random.nextInt(all.length)]);
    }

    private static Optional<RandomPlan> altered(RandomPlan plan, Random random, UnaryOperator<Move> change) {
        Move move = any(plan, random);
        return replaced(plan, move, List.of(change.apply(move))).map(plan::with);
    }

    /** The batches with other moves in place of one; empty where a batch would have none. */
    private static Optional<List<Batch>> replaced(RandomPlan plan, Move old, List<Move> instead) {
        List<Batch> batches = new ArrayList<>();
        for (Batch batch : plan.propose().batches()) {
            List<Move> moves = new ArrayList<>(batch.moves());
            int at = moves.indexOf(old);
            if (at >= 0) {
                moves.remove(at);
                moves.addAll(at, instead);
            }
            if (moves.isEmpty() && batch.switches().isEmpty()) {
                return Optional.empty();
            }
            batches.add(new Batch(batch.number(), moves, batch.switches()));
        }
        return Optional.of(batches);
    }

    /** The batches with one move alone in a batch of its own at the end; empty where its layer has no other move. */
    private static Optional<List<Batch>> later(RandomPlan plan, Move last) {
        boolean alone = plan.propose().moves().stream()
                        .filter(move -> move.layer().equals(last.layer()))
                        .count()
                == 1;
        if (alone) {
            return Optional.empty();
        }
        return replaced(plan, last, List.of()).map(batches -> {
            List<Batch> more = new ArrayList<>(batches);
            more.add(new Batch(more.size() + 1, List.of(last)));
            return more;
        });
    }
}
