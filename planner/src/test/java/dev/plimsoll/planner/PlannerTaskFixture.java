package dev.plimsoll.planner;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.wire.Topic;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** One deployment on a {@link Partition}, with ranks that do as they are told. */
abstract class PlannerTaskFixture {
    static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    static final int LAYERS = 2;
    static final long BYTES_PER_EXPERT = 10;

    /** Index of a window that a wrong jump leads to. */
    static final long FAR = 1L << 46;

    /** Tokens per expert: the first two ranks are hot. */
    static final long[] SKEWED = {400, 300, 200, 100, 10, 10, 10, 10};

    final Partition partition = new Partition();
    final List<KeepReason> refused = new ArrayList<>();
    final List<String> details = new ArrayList<>();

    Conservation conservation = Conservation.YES;
    final List<Effect.IgnoreReason> ignored = new ArrayList<>();

    Optional<StepTime> stepTime = Optional.empty();
    final List<WindowJoin.Drop> dropped = new ArrayList<>();
    final List<String> alarms = new ArrayList<>();

    final PlannerListener listener = new PlannerListener() {
        @Override
        public void refused(Deployment deployment, long window, Verdict.Keep keep) {
            refused.add(keep.reason());
            details.add(keep.detail());
        }

        @Override
        public void learned(Deployment deployment, String policy, Experience experience) {
            learned.add(policy + ": " + experience.summary());
        }

        @Override
        public void planDropped(Deployment deployment, long window, PlanDrop reason) {
            plansDropped.add(reason);
        }

        @Override
        public void ignored(Deployment deployment, Effect.IgnoreReason reason) {
            ignored.add(reason);
        }

        @Override
        public void alarm(Deployment deployment, boolean quarantined, String text) {
            alarms.add(text);
        }

        @Override
        public void dropped(Deployment deployment, WindowJoin.Drop reason, int windows) {
            dropped.add(reason);
        }
    };

    /** Of which windows and acks are. */
    Deployment deployment = DEPLOYMENT;

    int layers = LAYERS;

    /** Of each expert, in every layer. */
    long[] tokens = SKEWED;

    PlanDesk desk = PlanDesk.AT_ONCE;
    final List<PlanDrop> plansDropped = new ArrayList<>();
    final List<String> learned = new ArrayList<>();

    ParallelPlanning planning = new ParallelPlanning(Policy.named("static"), 1);

    Membership members(long incarnation) {
        return new Membership(
                deployment,
                incarnation,
                ModelShape.of("small", 8, 1, 0, layers),
                Topology.even(4, 2, 3),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                4,
                8,
                BYTES_PER_EXPERT,
                4 * BYTES_PER_EXPERT);
    }

    @BeforeEach
    void begin() {
        partition.now = 1_000_000;
        partition.append(Topic.MEMBERS, members(1));
        restart(Policy.named("plimsoll"));
    }

    void restart(Policy policy) {
        restart(policy, PlannerSettings.DEFAULTS);
    }

    void restart(Policy policy, PlannerSettings settings) {
        planning.close();
        planning = new ParallelPlanning(policy, 2);
        partition.assign(
                new PlannerTask(settings, planning, desk, "test", listener, () -> Instant.ofEpochMilli(partition.now)));
    }

    @AfterEach
    void stop() {
        planning.close();
    }

    /** A complete window; each segment has an equal part of the load, split evenly over replicas. */
    void window(long index, boolean companionsFirst, PlacementState... states) {
        rows(index, 1, states);
        summary(index, 1, CloseReason.COMPLETE, states);
        partition.now += 1000;
        partition.poll(companionsFirst);
    }

    void rows(long index, long incarnation, PlacementState... states) {
        for (int segment = 0; segment < states.length; segment++) {
            Placement served = served(states[segment]);
            for (int layer = 0; layer < layers; layer++) {
                int[][] slots = served.slotsOfExperts(layer, tokens.length);
                long[] load = new long[served.slots()];
                for (int expert = 0; expert < tokens.length; expert++) {
                    for (int slot : slots[expert]) {
                        load[slot] = 60 * tokens[expert] / slots[expert].length;
                    }
                }
                // Cut by slots, as a wide layer is.
                for (int first = 0; first < load.length; first += 6) {
                    LongVector part = LongVector.of(load).slice(first, first + 6);
                    partition.append(
                            Topic.WINDOWS,
                            new LoadWindow(
                                    deployment,
                                    incarnation,
                                    Phase.DECODE,
                                    index,
                                    new StepRange(index * 8, index * 8 + 8),
                                    layer,
                                    segment,
                                    states[segment],
                                    first,
                                    part,
                                    2,
                                    halves(part),
                                    ""));
                }
            }
        }
    }

    /** Two equal sub-windows; all loads here are even or their halves are rounded down and up. */
    private static LongVector halves(LongVector load) {
        long[] whole = load.toArray();
        long[] halves = new long[2 * whole.length];
        for (int i = 0; i < whole.length; i++) {
            halves[i] = whole[i] / 2;
            halves[whole.length + i] = whole[i] - halves[i];
        }
        return LongVector.of(halves);
    }

    Placement served(PlacementState state) {
        PlanLog log = PlanLog.of(commands());
        Placement base = Optional.ofNullable(log.placements(members(1)).get(state.settledVersion()))
                .orElseThrow();
        return state.epoch() == 0
                ? base
                : PlanLog.after(log.proposal(state.epoch()).orElseThrow(), state.batchesFlipped(), base, state.epoch());
    }

    void summary(long index, long incarnation, CloseReason reason, PlacementState... states) {
        partition.append(
                Topic.WINDOW_SUMMARIES,
                new WindowSummary(
                        deployment,
                        incarnation,
                        Phase.DECODE,
                        index,
                        index - 1,
                        new StepRange(index * 8, index * 8 + 8),
                        reason,
                        2,
                        LongVector.of(2, 2, 2, reason == CloseReason.COMPLETE ? 2 : 1),
                        new Balance(0.5, 0.4, 1, layers),
                        List.of(states),
                        1000,
                        conservation,
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
                        stepTime));
    }

    void ack(RankAck.Kind kind, int batch, int... ranks) {
        ackAt(partition.now, kind, batch, ranks);
    }

    /** Dated by a clock of its own. */
    void ackAt(long millis, RankAck.Kind kind, int batch, int... ranks) {
        Propose decision = decision();
        for (int rank : ranks) {
            partition.append(
                    Topic.ACKS,
                    new RankAck(
                            deployment,
                            1,
                            new RankId(rank),
                            decision.epoch(),
                            kind,
                            batch,
                            Optional.empty(),
                            decision.planHash(),
                            0),
                    millis);
        }
    }

    Propose decision() {
        return commands().stream()
                .filter(Propose.class::isInstance)
                .map(Propose.class::cast)
                .reduce((earlier, later) -> later)
                .orElseThrow();
    }

    /** The deployment's own. */
    List<PlanCommand> commands() {
        return partition.values(Topic.PLAN).stream()
                .filter(command -> command.header().deployment().equals(deployment))
                .toList();
    }

    List<String> log() {
        return commands().stream()
                .map(command -> command.getClass().getSimpleName())
                .toList();
    }

    void proposed() {
        window(0, true, PlacementState.settled(0));
        window(1, false, PlacementState.settled(0));
    }

    void settled() {
        proposed();
        settle();
    }

    void settle() {
        int last = decision().batches().size();
        ack(RankAck.Kind.ACCEPTED, 0, 0, 1, 2, 3);
        partition.poll(true);
        ack(RankAck.Kind.FLIPPED, last, 0, 1, 2, 3);
        partition.poll(true);
    }
}
