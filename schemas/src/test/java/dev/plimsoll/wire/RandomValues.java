package dev.plimsoll.wire;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.PlanRestart;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.ReplicaShare;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.SubWindowSums;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Tick;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferCosts;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Valid values of every kind of record, equal for equal seeds. */
final class RandomValues {
    /** A kind of record, where it stands, and how to make one. */
    record Kind<T>(String name, Topic<T> topic, Function<RandomValues, T> make) {
        T value(long seed) {
            return make.apply(new RandomValues(seed));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static final List<Kind<?>> KINDS = List.of(
            new Kind<>("sample", Topic.SAMPLES, values -> values.sample()),
            new Kind<>("members", Topic.SAMPLES, values -> values.members()),
            new Kind<>("tick", Topic.SAMPLES, values -> new Tick(values.deployment())),
            new Kind<>("end", Topic.SAMPLES, values -> new End(values.deployment(), values.number())),
            new Kind<>("window", Topic.WINDOWS, RandomValues::window),
            new Kind<>("window summary", Topic.WINDOW_SUMMARIES, RandomValues::windowSummary),
            new Kind<>(
                    "term", Topic.PLAN, values -> new PlanCommand.Term(values.header(), values.text(), values.text())),
            new Kind<>("propose", Topic.PLAN, values -> values.propose()),
            new Kind<>(
                    "permit",
                    Topic.PLAN,
                    values -> new PlanCommand.Permit(values.header(), values.positive(), values.random.nextLong())),
            new Kind<>(
                    "abort",
                    Topic.PLAN,
                    values -> new PlanCommand.Abort(values.header(), values.positive(), values.text())),
            new Kind<>(
                    "settled",
                    Topic.PLAN,
                    values -> new PlanCommand.Settled(
                            values.header(),
                            values.positive(),
                            values.positive(),
                            values.random.nextBoolean(),
                            values.random.nextLong(),
                            values.perhaps(),
                            values.perhaps())),
            new Kind<>(
                    "void",
                    Topic.PLAN,
                    values -> new PlanCommand.Void(
                            values.header(), values.positive(), values.text(), values.perhaps(), values.perhaps())),
            new Kind<>("settled placement", Topic.PLACEMENTS, RandomValues::settledPlacement),
            new Kind<>("ack", Topic.ACKS, RandomValues::ack),
            new Kind<>("newest members", Topic.MEMBERS, RandomValues::members),
            new Kind<>("outcome", Topic.OUTCOMES, RandomValues::outcome),
            new Kind<>("control", Topic.CONTROL, values -> values.control()),
            new Kind<>("control answer", Topic.CONTROL, values -> values.controlAnswer()),
            new Kind<>("partition state", Topic.AGGREGATOR_STATE, RandomValues::partitionState),
            new Kind<>("deployment state", Topic.AGGREGATOR_STATE, RandomValues::deploymentState),
            new Kind<>(
                    "first release's state",
                    Topic.AGGREGATOR_STATE,
                    values -> new AggregatorState.Whole(values.random.nextInt(64), values.number() - 1, List.of())),
            new Kind<>("quarantined", Topic.QUARANTINE, RandomValues::quarantined));

    private final Random random;

    RandomValues(long seed) {
        this.random = new Random(seed);
    }

    private Deployment deployment() {
        return new Deployment("r" + random.nextInt(10) + "/decode-" + random.nextInt(10));
    }

    /** Small, large and huge, never negative. */
    private long number() {
        return random.nextLong() >>> (1 + random.nextInt(63));
    }

    private int positive() {
        return 1 + random.nextInt(1 << random.nextInt(20));
    }

    private String text() {
        return random.ints(random.nextInt(30), 32, 0x2fff)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private <E> E one(E[] values) {
        return values[random.nextInt(values.length)];
    }

    private LongVector longs(int size) {
        return LongVector.of(IntStream.range(0, size).mapToLong(i -> number()).toArray());
    }

    /** Sums of these do not overflow. */
    private LongVector smallLongs(int size, int below) {
        return LongVector.of(
                IntStream.range(0, size).mapToLong(i -> random.nextInt(below)).toArray());
    }

    private StepRange steps() {
        long from = random.nextInt(1 << 30);
        return new StepRange(from, from + positive());
    }

    private PlacementState state() {
        return random.nextBoolean()
                ? PlacementState.settled(random.nextInt(100))
                : new PlacementState(random.nextInt(100), positive(), random.nextInt(10));
    }

    private Balance balance() {
        return random.nextInt(10) == 0
                ? Balance.UNLOADED
                : new Balance(random.nextDouble(), random.nextDouble(), random.nextInt(58), positive());
    }

    private PlanHeader header() {
        return new PlanHeader(deployment(), number(), 1 + number() / 2, 1 + number() / 2);
    }

    LoadSample sample() {
        int ranks = 1 + random.nextInt(4);
        int layers = 1 + random.nextInt(5);
        int slots = 1 + random.nextInt(9);
        // Half of the samples fit four bytes per counter.
        Counters load = Counters.of((random.nextBoolean()
                        ? longs(ranks * layers * slots)
                        : smallLongs(ranks * layers * slots, Integer.MAX_VALUE))
                .toArray());
        int firstLayer = random.nextBoolean() ? 0 : random.nextInt(50);
        int timed = firstLayer == 0 && random.nextBoolean() ? ranks : 0;
        return new LoadSample(
                deployment(),
                number(),
                steps(),
                one(Phase.values()),
                text(),
                random.nextInt(100),
                ranks,
                firstLayer,
                layers,
                slots,
                state(),
                random.nextBoolean(),
                random.nextBoolean() ? LongVector.empty() : longs(layers),
                longs(timed),
                longs(timed),
                random.nextBoolean() ? LoadKind.COMPUTED : LoadKind.ROUTED_TO,
                load);
    }

    Membership members() {
        int experts = 1 + random.nextInt(64);
        int ranks = 1 + random.nextInt(8);
        int boundary = positive();
        long bytes = positive();
        Membership members = new Membership(
                        deployment(),
                        1 + random.nextInt(1000),
                        ModelShape.of(
                                "m" + text(),
                                experts,
                                1 + random.nextInt(experts),
                                random.nextInt(3),
                                positive() % 60 + 1),
                        new Topology(
                                IntStream.range(0, ranks)
                                        .mapToObj(rank -> random.nextInt(4))
                                        .toList(),
                                experts / ranks + 1 + random.nextInt(3)),
                        text(),
                        one(Phase.values()),
                        one(GatherMode.values()),
                        boundary,
                        boundary * (1 + random.nextInt(64)),
                        bytes,
                        bytes * (1 + random.nextInt(8)))
                .withTraits(traits());
        // Small ones: records of tests are mutated byte by byte.
        boolean small = members.shape().layers() * members.topology().slots() <= 100;
        return small ? members.startingWith(initial(members)) : members;
    }

    private EngineTraits traits() {
        boolean idle = random.nextBoolean();
        return new EngineTraits(
                idle,
                !idle && random.nextBoolean(),
                one(LoadKind.values()),
                one(ReplicaShare.values()),
                random.nextBoolean() ? Deadlines.DEFAULT : new Deadlines(positive(), positive()));
    }

    /** Sound or not: an engine holds what it holds. */
    private Placement initial(Membership members) {
        int[][] marked = new int[members.shape().layers()][members.topology().slots()];
        for (int[] layer : marked) {
            Arrays.setAll(layer, slot -> random.nextInt(members.shape().experts() + 1));
            int some = random.nextInt(layer.length);
            layer[some] = members.idleSlots() ? ~layer[some] : layer[some];
        }
        return Placement.ofMarked(0, marked);
    }

    LoadWindow window() {
        int slots = 1 + random.nextInt(40);
        int subWindows = 1 + random.nextInt(16);
        int first = random.nextInt(subWindows);
        int parts = random.nextInt(subWindows - first + 1);
        LongVector sums = LongVector.of(
                random.longs(parts * slots, 0, 1L << (1 + random.nextInt(40))).toArray());
        long[] load = new long[slots];
        for (int i = 0; i < sums.size(); i++) {
            load[i % slots] += sums.at(i);
        }
        LongVector whole = parts == 0 ? longs(slots) : LongVector.of(load);
        return new LoadWindow(
                deployment(),
                number(),
                one(Phase.values()),
                number(),
                steps(),
                random.nextInt(94),
                random.nextInt(3),
                state(),
                random.nextInt(3) * 40,
                whole,
                subWindows,
                first,
                SubWindowSums.of(whole, parts, sums),
                text());
    }

    WindowSummary windowSummary() {
        long index = random.nextInt(1 << 30);
        return new WindowSummary(
                deployment(),
                number(),
                one(Phase.values()),
                index,
                index - 1,
                steps(),
                CloseReason.values()[1 + random.nextInt(CloseReason.values().length - 1)],
                64,
                smallLongs(random.nextInt(20), 65),
                balance(),
                IntStream.range(0, random.nextInt(4)).mapToObj(i -> state()).toList(),
                number(),
                conservation(),
                number(),
                number(),
                number(),
                number(),
                number(),
                number(),
                random.nextInt(64),
                number(),
                number() % 4_000_000_000_000L,
                text(),
                random.nextBoolean() ? Optional.empty() : Optional.of(stepTime(1 + random.nextInt(5))));
    }

    private Conservation conservation() {
        return switch (random.nextInt(3)) {
            case 0 -> Conservation.YES;
            case 1 -> Conservation.UNKNOWN;
            default ->
                Conservation.violated(IntStream.range(0, random.nextInt(4))
                        .mapToObj(i -> new Conservation.Violation(random.nextInt(58), number(), number()))
                        .toList());
        };
    }

    private StepTime stepTime(int ranks) {
        return new StepTime(longs(ranks), longs(ranks), positive(), number());
    }

    PlanCommand.Propose propose() {
        List<Batch> batches = new ArrayList<>();
        for (int number = 1; number <= 1 + random.nextInt(3); number++) {
            List<Move> moves = new ArrayList<>();
            for (int slot = 0; slot < 1 + random.nextInt(10); slot++) {
                moves.add(new Move(
                        new LayerId(number),
                        new SlotId(slot),
                        new ExpertId(random.nextInt(256)),
                        new SlotId(100 + random.nextInt(200))));
            }
            batches.add(new Batch(number, random.nextInt(4) == 0 ? List.of() : moves, switches(number)));
        }
        return new PlanCommand.Propose(
                header(),
                positive(),
                random.nextInt(100),
                random.nextLong(),
                batches,
                number(),
                random.nextDouble(),
                random.nextDouble(),
                text(),
                text(),
                random.nextInt(3) == 0 ? PlanReasons.NONE : reasons(batches),
                random.nextInt(3) == 0 ? Optional.empty() : Optional.of(inputs()),
                random.nextInt(3) == 0 ? Optional.empty() : Optional.of(step()),
                random.nextBoolean()
                        ? Origin.PLANNER
                        : new Origin(random.nextBoolean(), Optional.of("id-" + random.nextInt(100))));
    }

    Control control() {
        return new Control(
                deployment(),
                "id-" + random.nextInt(100),
                number(),
                "by " + text(),
                "since " + text(),
                random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(positive()),
                action());
    }

    private ControlAction action() {
        LayerId layer = new LayerId(random.nextInt(94));
        ExpertId expert = new ExpertId(random.nextInt(256));
        RankId rank = new RankId(random.nextInt(64));
        return one(new ControlAction[] {
            new ControlAction.Pause(),
            new ControlAction.Resume(),
            new ControlAction.Approve(positive()),
            new ControlAction.Reject(positive()),
            new ControlAction.Abort(positive()),
            new ControlAction.Void(),
            new ControlAction.Rollback(random.nextInt(100)),
            new ControlAction.Pin(layer, expert, rank),
            new ControlAction.Unpin(layer, expert, rank),
            new ControlAction.Drain(rank),
            new ControlAction.Undrain(rank)
        });
    }

    ControlAnswer controlAnswer() {
        return new ControlAnswer(
                deployment(),
                number(),
                "id-" + random.nextInt(100),
                one(ControlAnswer.Verdict.values()),
                "as " + text(),
                random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(positive()),
                random.nextInt(100));
    }

    /** At least one. */
    private List<Switch> switches(int layer) {
        return IntStream.rangeClosed(0, random.nextInt(5))
                .mapToObj(i -> new Switch(new LayerId(layer), new SlotId(30 - 3 * i), random.nextBoolean()))
                .toList();
    }

    private StepPromise step() {
        return new StepPromise(
                random.nextDouble() * 1e4,
                random.nextDouble() * 1e4,
                random.nextDouble() * 1e6,
                random.nextDouble() * 1e6,
                random.nextBoolean());
    }

    private PlanInputs inputs() {
        return new PlanInputs(
                positive(),
                number(),
                random.nextLong(),
                1 + number() / 2,
                IntStream.range(0, random.nextInt(4)).mapToObj(i -> number()).toList(),
                random.nextInt(3) == 0 ? Optional.empty() : Optional.of(learned()));
    }

    private Learned learned() {
        double scale = random.nextDouble() + 0.1;
        double least = random.nextDouble() * 1e4;
        return new Learned(
                random.nextInt(3) == 0
                        ? Optional.empty()
                        : Optional.of(new StepCalibration(
                                scale,
                                scale - random.nextDouble(),
                                scale + random.nextDouble(),
                                random.nextDouble() * 1e6,
                                random.nextInt(100),
                                random.nextInt(10),
                                least,
                                least + random.nextDouble() * 1e4,
                                random.nextBoolean())),
                new TransferCosts(1e9 + random.nextDouble() * 1e10, random.nextDouble() * 1e6, random.nextInt(100)),
                random.nextDouble(),
                random.nextDouble(),
                random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(positive()),
                random.nextInt(20));
    }

    private OptionalLong perhaps() {
        return random.nextBoolean() ? OptionalLong.of(number()) : OptionalLong.empty();
    }

    private PlanReasons reasons(List<Batch> batches) {
        SortedMap<Integer, LayerReason> moved = new TreeMap<>();
        for (Batch batch : batches) {
            // A float's worth of digits is what the log keeps.
            List<LayerReason.Gain> gains = batch.moves().stream()
                    .map(move -> new LayerReason.Gain(move.slot().index(), random.nextFloat()))
                    .toList();
            moved.put(
                    batch.number(),
                    new LayerReason(
                            random.nextDouble(),
                            random.nextDouble(),
                            random.nextDouble(),
                            gains,
                            one(LayerReason.Stop.values()),
                            random.nextDouble()));
        }
        SortedMap<LayerReason.Stop, Integer> kept = new TreeMap<>();
        for (LayerReason.Stop stop : LayerReason.Stop.values()) {
            if (random.nextBoolean()) {
                kept.put(stop, positive());
            }
        }
        return new PlanReasons(moved, kept);
    }

    SettledPlacement settledPlacement() {
        int slots = 1 + random.nextInt(320);
        return new SettledPlacement(
                deployment(),
                number(),
                random.nextInt(1000),
                random.nextInt(58),
                58,
                random.nextLong(),
                smallLongs(slots, 256),
                IntStream.range(0, slots)
                        .filter(slot -> random.nextInt(8) == 0)
                        .boxed()
                        .toList(),
                random.nextBoolean() ? Optional.empty() : Optional.of(restart(slots)));
    }

    private PlanRestart restart(int slots) {
        long[] stretches =
                random.longs(2L * random.nextInt(4), 0, 1 << 20).sorted().toArray();
        return new PlanRestart(
                        LongVector.of(stretches),
                        (1 << 20) + random.nextInt(1 << 20),
                        random.nextInt(1000),
                        random.nextInt(1000),
                        random.nextInt(1 << 20),
                        random.nextInt(1000))
                .beside(ints(slots), ints(slots))
                .withOutcomes(LongVector.of(
                        random.nextBoolean()
                                ? new long[0]
                                : random.longs(1 + 2L * random.nextInt(4), 0, 1 << 20)
                                        .sorted()
                                        .toArray()));
    }

    private int[] ints(int slots) {
        return random.ints(slots, -2, 3).toArray();
    }

    RankAck ack() {
        RankAck.Kind kind = one(RankAck.Kind.values());
        Optional<Refusal> refusal =
                kind == RankAck.Kind.REFUSED ? Optional.of(one(Refusal.values())) : Optional.empty();
        return new RankAck(
                deployment(),
                number(),
                new RankId(random.nextInt(1000)),
                positive(),
                kind,
                positive(),
                refusal,
                random.nextLong(),
                number(),
                kind == RankAck.Kind.FLIPPED && random.nextBoolean()
                        ? Optional.of(new FlipCost(number(), number(), number()))
                        : Optional.empty(),
                refusal.filter(why -> why == Refusal.TRANSFER_FAILED).map(why -> new RankId(random.nextInt(1000))));
    }

    Outcome outcome() {
        return new Outcome(
                deployment(),
                number(),
                positive(),
                number(),
                positive(),
                random.nextDouble(),
                random.nextDouble(),
                balance(),
                perhapsReal(),
                random.nextBoolean() ? Optional.of(stepPromise()) : Optional.empty(),
                random.nextBoolean() ? Optional.of(measuredGain()) : Optional.empty(),
                random.nextBoolean() ? Optional.of("by " + text()) : Optional.empty());
    }

    private OptionalDouble perhapsReal() {
        return random.nextBoolean() ? OptionalDouble.of(random.nextDouble()) : OptionalDouble.empty();
    }

    private StepPromise stepPromise() {
        return new StepPromise(
                random.nextDouble(),
                random.nextDouble(),
                random.nextDouble(),
                random.nextDouble(),
                random.nextBoolean());
    }

    private MeasuredGain measuredGain() {
        int windows = positive();
        OptionalDouble expertMicros = perhapsReal();
        return new MeasuredGain(
                windows,
                number(),
                number(),
                random.nextBoolean(),
                random.nextDouble() - 0.5,
                random.nextDouble(),
                random.nextInt(windows + 1),
                random.nextBoolean(),
                random.nextDouble(),
                random.nextDouble(),
                expertMicros,
                expertMicros.isPresent() ? OptionalDouble.of(random.nextDouble()) : OptionalDouble.empty(),
                perhapsReal());
    }

    AggregatorState partitionState() {
        long next = number() >>> 1;
        return new AggregatorState.OfPartition(
                random.nextInt(64), next + random.nextInt(1000), next, text(), random.nextInt(64));
    }

    AggregatorState deploymentState() {
        return new AggregatorState.OfDeployment(
                random.nextInt(64),
                new AggregatorState.Sequence(
                        members(),
                        number() - 1,
                        number() - 1,
                        number() - 1,
                        longs(2 * random.nextInt(4)),
                        optional(),
                        random.nextBoolean(),
                        optional(),
                        optional(),
                        optional(),
                        longs(random.nextInt(20)),
                        IntStream.range(0, random.nextInt(4))
                                .mapToObj(rank -> new AggregatorState.Astray(rank, number(), number(), number()))
                                .toList(),
                        longs(random.nextInt(5)),
                        new AggregatorState.Counts(number(), number(), number(), number(), number())));
    }

    private OptionalLong optional() {
        return random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(number());
    }

    Quarantined quarantined() {
        long offset = number();
        Quarantined.Kind kind = one(Quarantined.Kind.values());
        return new Quarantined(
                kind,
                Topic.SAMPLES.name(),
                random.nextInt(64),
                offset,
                number() % 4_000_000_000_000L,
                text(),
                "MALFORMED",
                text(),
                "00ff",
                positive(),
                kind == Quarantined.Kind.LEFT_OUT ? positive() : 1,
                kind == Quarantined.Kind.LEFT_OUT ? Math.max(offset, number()) : offset);
    }
}
