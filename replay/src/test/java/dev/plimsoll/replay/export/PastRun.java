package dev.plimsoll.replay.export;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.export.DeploymentRecords.Dated;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * The records of a deployment as its loop would have left them, made from the load of its experts: what they compute is drawn first, then
 * laid on the slots that hold them at that time. So whoever adds up the records has something to compare with that no join has touched.
 *
 * <p>A window is closed every 20 minutes. Of three windows the second sees the first batch of a decision flip in its middle, and the third
 * the second batch after its first part; every seventh is not complete.
 */
public final class PastRun {
    public static final int LAYERS = 3;
    public static final int EXPERTS = 5;
    public static final int RANKS = 2;
    public static final int SLOTS_PER_RANK = 3;
    public static final int SLOTS = RANKS * SLOTS_PER_RANK;
    public static final int PARTS = 4;
    public static final int WINDOW_STEPS = 64;
    public static final long BYTES_PER_EXPERT = 1_000_000;
    private static final long EVERY_MILLIS = 20 * 60_000L;

    public final Membership members;
    /** {@code [window][part][layer][expert]} tokens. */
    public final long[][][][] load;

    public final List<Dated<LoadWindow>> rows = new ArrayList<>();
    public final List<Dated<WindowSummary>> summaries = new ArrayList<>();
    public final List<Dated<PlanCommand>> plan = new ArrayList<>();
    public final List<Dated<RankAck>> acks = new ArrayList<>();
    public final List<Dated<SettledPlacement>> placements = new ArrayList<>();
    public final List<Dated<Outcome>> outcomes = new ArrayList<>();

    private final Random random;
    private final long beginMillis;
    private Placement settled;
    private Optional<PlanCommand.Propose> inFlight = Optional.empty();
    private int flipped;
    private long number;

    /** @param beginMillis also the number of the incarnation */
    public PastRun(Deployment deployment, long beginMillis, int windows, long seed) {
        this.random = new Random(seed);
        this.beginMillis = beginMillis;
        this.members = new Membership(
                deployment,
                beginMillis,
                ModelShape.of("test-model", EXPERTS, 2, 3, LAYERS),
                Topology.even(RANKS, 2, SLOTS_PER_RANK),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                16,
                WINDOW_STEPS,
                BYTES_PER_EXPERT,
                BYTES_PER_EXPERT);
        this.settled = Placement.initial(members.shape(), members.topology());
        this.load = new long[windows][][][];
        settledAt(beginMillis);
        command(beginMillis, new PlanCommand.Term(header(), "test"));
        for (int window = 0; window < windows; window++) {
            load[window] = tokens();
            window(window);
        }
    }

    private PlanHeader header() {
        return new PlanHeader(members.deployment(), members.incarnation(), 1, ++number);
    }

    private void command(long millis, PlanCommand command) {
        plan.add(new Dated<>(millis, command));
    }

    public long closedAt(int window) {
        return beginMillis + (window + 1) * EVERY_MILLIS;
    }

    public static boolean complete(int window) {
        return window % 7 != 6;
    }

    private long[][][] tokens() {
        long[][][] tokens = new long[PARTS][LAYERS][EXPERTS];
        for (long[][] part : tokens) {
            for (long[] layer : part) {
                for (int expert = 0; expert < EXPERTS; expert++) {
                    layer[expert] = 100 * (expert + 1) + random.nextInt(400);
                }
            }
        }
        return tokens;
    }

    private void window(int window) {
        List<PlacementState> states = new ArrayList<>();
        List<Placement> served = new ArrayList<>();
        int[] segmentOfPart = new int[PARTS];
        for (int part = 0; part < PARTS; part++) {
            long millis = closedAt(window) - EVERY_MILLIS + part * (EVERY_MILLIS / PARTS);
            if (window % 3 == 1 && part == 1) {
                propose(window, millis);
            } else if (window % 3 == 1 && part == 2) {
                flipped = 1;
                ack(millis, RankAck.Kind.FLIPPED, 1);
            } else if (window % 3 == 2 && part == 1) {
                ack(millis, RankAck.Kind.FLIPPED, 2);
                settle(window, millis);
            }
            PlacementState state = flipped == 0
                    ? PlacementState.settled(settled.version())
                    : new PlacementState(
                            settled.version(), inFlight.orElseThrow().epoch(), flipped);
            if (!states.contains(state)) {
                states.add(state);
                served.add(now());
            }
            segmentOfPart[part] = states.indexOf(state);
        }
        long[][][] slots = onSlots(window, served, segmentOfPart);
        records(window, states, slots, segmentOfPart);
    }

    private Placement now() {
        return flipped == 0
                ? settled
                : settled.with(
                        1_000_000, inFlight.orElseThrow().batches().get(0).moves());
    }

    /** {@code [part][layer][slot]}: what an expert computes, over its replicas as chance has it. */
    private long[][][] onSlots(int window, List<Placement> served, int[] segmentOfPart) {
        long[][][] slots = new long[PARTS][LAYERS][SLOTS];
        for (int part = 0; part < PARTS; part++) {
            for (int layer = 0; layer < LAYERS; layer++) {
                int[][] replicas = served.get(segmentOfPart[part]).slotsOfExperts(layer, EXPERTS);
                for (int expert = 0; expert < EXPERTS; expert++) {
                    long left = load[window][part][layer][expert];
                    for (int i = 1; i < replicas[expert].length; i++) {
                        long share = random.nextLong(left + 1);
                        slots[part][layer][replicas[expert][i]] += share;
                        left -= share;
                    }
                    slots[part][layer][replicas[expert][0]] += left;
                }
            }
        }
        return slots;
    }

    private void records(int window, List<PlacementState> states, long[][][] slots, int[] segmentOfPart) {
        long millis = closedAt(window);
        StepRange steps = new StepRange((long) window * WINDOW_STEPS, (window + 1L) * WINDOW_STEPS);
        long[][] ofRank = new long[LAYERS][RANKS];
        long accepted = 0;
        for (int layer = 0; layer < LAYERS; layer++) {
            for (int segment = 0; segment < states.size(); segment++) {
                long[] sum = new long[SLOTS];
                long[] parts = new long[PARTS * SLOTS];
                for (int part = 0; part < PARTS; part++) {
                    for (int slot = 0; slot < SLOTS && segmentOfPart[part] == segment; slot++) {
                        sum[slot] += slots[part][layer][slot];
                        parts[part * SLOTS + slot] = slots[part][layer][slot];
                        ofRank[layer][slot / SLOTS_PER_RANK] += slots[part][layer][slot];
                        accepted += slots[part][layer][slot];
                    }
                }
                rows.add(new Dated<>(
                        millis,
                        new LoadWindow(
                                members.deployment(),
                                members.incarnation(),
                                Phase.DECODE,
                                window,
                                steps,
                                layer,
                                segment,
                                states.get(segment),
                                0,
                                LongVector.of(sum),
                                PARTS,
                                LongVector.of(parts),
                                "window " + window)));
            }
        }
        summaries.add(new Dated<>(
                millis,
                new WindowSummary(
                        members.deployment(),
                        members.incarnation(),
                        Phase.DECODE,
                        window,
                        window - 1L,
                        steps,
                        complete(window) ? CloseReason.COMPLETE : CloseReason.GAP,
                        4,
                        LongVector.of(4, complete(window) ? 4 : 3),
                        Balance.of(ofRank),
                        states,
                        accepted / 2 / LAYERS,
                        Conservation.YES,
                        accepted,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        window,
                        millis,
                        "window " + window,
                        complete(window) ? Optional.of(stepTime(steps)) : Optional.empty())));
    }

    /** Rank 1 is the slowest, with 3 ms a step; rank 0 stood still for a second. */
    private static StepTime stepTime(StepRange steps) {
        return new StepTime(
                LongVector.of(steps.length() * 2_000_000, steps.length() * 3_000_000),
                LongVector.of(1_000_000_000, 0),
                4,
                steps.length() / 4 * 2_500_000);
    }

    private void propose(int window, long millis) {
        int epoch = settled.version() + 1;
        Move last = move(2);
        List<Batch> batches = List.of(
                new Batch(1, List.of(move(0))),
                new Batch(2, List.of(move(1), last), List.of(new Switch(last.layer(), last.slot(), false))));
        Placement result = settled.withBatches(epoch, batches);
        inFlight = Optional.of(new PlanCommand.Propose(
                header(),
                epoch,
                settled.version(),
                result.hash(),
                batches,
                window - 1L,
                0.7,
                0.8 + epoch / 1000.0,
                "test-policy",
                "gain, \"held out\""));
        command(millis, inFlight.orElseThrow());
        ack(millis + 1000, RankAck.Kind.ACCEPTED, 0);
        command(millis + 2000, new PlanCommand.Permit(header(), epoch, result.hash()));
    }

    /** A replica of the expert that has two gives way to another expert; one that stands idle does so first. */
    private Move move(int layer) {
        int[][] holders = holders(layer);
        for (int expert = 0; expert < EXPERTS; expert++) {
            if (holders[expert].length > 1) {
                int other = (expert + 1 + random.nextInt(EXPERTS - 1)) % EXPERTS;
                int slot = Arrays.stream(holders[expert])
                        .filter(of -> settled.idle(layer, of))
                        .findFirst()
                        .orElse(holders[expert][random.nextInt(2)]);
                return new Move(
                        new LayerId(layer), new SlotId(slot), new ExpertId(other), new SlotId(holders[other][0]));
            }
        }
        throw new IllegalStateException("one expert of each layer has two slots");
    }

    /** {@code [expert]}, idle or not. */
    private int[][] holders(int layer) {
        return Placement.of(0, settled.toArray()).slotsOfExperts(layer, EXPERTS);
    }

    private void settle(int window, long millis) {
        PlanCommand.Propose decision = inFlight.orElseThrow();
        settled = settled.withBatches(decision.epoch(), decision.batches());
        inFlight = Optional.empty();
        flipped = 0;
        command(millis, new PlanCommand.Settled(header(), decision.epoch(), 2, true, settled.hash()));
        settledAt(millis);
        outcomes.add(new Dated<>(
                millis + 1000,
                new Outcome(
                        members.deployment(),
                        members.incarnation(),
                        decision.epoch(),
                        window + 1L,
                        decision.moves().size(),
                        decision.currentBalancedness(),
                        decision.predictedBalancedness(),
                        new Balance(0.81, 0.75, 2, LAYERS))));
    }

    private void settledAt(long millis) {
        placements.removeIf(all -> true); // the topic is compacted
        for (int layer = 0; layer < LAYERS; layer++) {
            placements.add(new Dated<>(
                    millis,
                    SettledPlacement.of(members.deployment(), members.incarnation(), settled, layer, settled.hash())));
        }
    }

    private void ack(long millis, RankAck.Kind kind, int batch) {
        PlanCommand.Propose decision = inFlight.orElseThrow();
        for (int rank = 0; rank < RANKS; rank++) {
            acks.add(new Dated<>(
                    millis + rank,
                    new RankAck(
                            members.deployment(),
                            members.incarnation(),
                            new RankId(rank),
                            decision.epoch(),
                            kind,
                            batch,
                            Optional.empty(),
                            decision.planHash(),
                            16,
                            kind == RankAck.Kind.FLIPPED && rank == 0
                                    ? Optional.of(new FlipCost(4_096, 5_000_000, 70_000))
                                    : Optional.empty(),
                            Optional.empty())));
        }
    }

    /** Tokens of an expert in a window. */
    public long tokens(int window, int layer, int expert) {
        long sum = 0;
        for (long[][] part : load[window]) {
            sum += part[layer][expert];
        }
        return sum;
    }

    /** The same as a {@link DeploymentRecords}, without Kafka. */
    public ListedRecords history() {
        return new ListedRecords(List.of(this));
    }
}
