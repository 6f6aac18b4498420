package dev.plimsoll.replay.verify;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.FlipCost;
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
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.VirtualPlanner;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.replay.source.LiveWindows;
import dev.plimsoll.replay.source.PastDecision;
import dev.plimsoll.replay.source.PastPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** What the service's own planner left in the topics about drifting load on ranks that do as they are told, a window later. */
public final class MadeUpRun {
    static final int WINDOWS = 24;
    private static final int LAYERS = 3;
    private static final int EXPERTS = 16;
    private static final int PARTS = 2;
    private static final long WINDOW_MILLIS = 1_000;
    /** Weights are read in 10 µs, and a token takes 0.1 µs. */
    private static final DeviceProfile PROFILE = new DeviceProfile(
            "made-up", List.of(new DeviceProfile.Point(1, 10), new DeviceProfile.Point(100_001, 10_010)), 0);

    private static final long BEGIN = 1_700_000_000_000L;

    public static final Membership MEMBERS = new Membership(
            new Deployment("made-up"),
            7,
            ModelShape.of("made up", EXPERTS, 1, 0, LAYERS),
            Topology.even(4, 2, 5),
            "test",
            Phase.DECODE,
            GatherMode.HOST,
            1,
            8,
            10,
            50);

    public final List<Dated<PlanCommand>> commands = new ArrayList<>();
    public final List<Dated<LoadWindow>> rows = new ArrayList<>();
    public final List<Dated<WindowSummary>> summaries = new ArrayList<>();

    final Membership members;
    private final double[][] popularity = new double[LAYERS][EXPERTS];
    private final Random random;
    private final Optional<VirtualPlanner> planner;
    private Placement settled;
    private Optional<Propose> proposed = Optional.empty();
    private long now = BEGIN;
    private long index;
    private boolean stopsFirst;
    private int refusals;
    private boolean timed;
    /** Of an expert of mean popularity in half a window. */
    private double tokens = 1_000;

    private MadeUpRun(Membership members) {
        this.members = members;
        settled = members.start();
        random = new Random(0);
        planner = Optional.empty();
    }

    private MadeUpRun(long seed, PlannerSettings settings) {
        this(seed, settings, MEMBERS);
    }

    private MadeUpRun(long seed, PlannerSettings settings, Membership members) {
        this.members = members;
        settled = members.start();
        random = new Random(seed);
        for (double[] layer : popularity) {
            for (int expert = 0; expert < EXPERTS; expert++) {
                layer[expert] = Math.exp(random.nextGaussian());
            }
        }
        planner = Optional.of(new VirtualPlanner(
                settings, Policy.named(settings.policy()), PlannerListener.NONE, members, settled, now));
    }

    private VirtualPlanner planner() {
        return planner.orElseThrow();
    }

    /** Gains of half a percent are enough, and history is short. */
    static PlannerSettings settings() {
        PlannerSettings settings = PlannerSettings.DEFAULTS;
        return new PlannerSettings(
                settings.policy(),
                5,
                1,
                settings.budget(),
                settings.prices(),
                new Gate.Settings(0.005, 0, 1_000, 0.5, 10e9, Duration.ofMillis(1)),
                settings.acceptWithin(),
                settings.progressWithin(),
                settings.abortWithin(),
                settings.lookBack(),
                1,
                settings.planWithin(),
                3);
    }

    /** Every window is planned on as it comes. */
    public static MadeUpRun ofEveryWindow() {
        MadeUpRun run = new MadeUpRun(11, settings());
        for (int window = 0; window < WINDOWS; window++) {
            run.window();
            run.poll();
        }
        run.planner().close();
        return run;
    }

    /** On an engine that started with a map of its own, in which a rank holds the same expert twice in one layer. */
    static MadeUpRun ofOwnMap() {
        int[][] own = new int[LAYERS][];
        for (int layer = 0; layer < LAYERS; layer++) {
            int turn = layer + 3;
            own[layer] = java.util.stream.IntStream.range(0, MEMBERS.topology().slots())
                    .map(slot -> (slot + turn) % EXPERTS)
                    .toArray();
        }
        own[0][1] = own[0][0];
        MadeUpRun run = new MadeUpRun(11, settings(), MEMBERS.startingWith(Placement.of(0, own)));
        for (int window = 0; window < WINDOWS; window++) {
            run.window();
            run.poll();
        }
        run.planner().close();
        return run;
    }

    /** Planned by time on ranks that time steps and flips, every window as it comes. */
    static MadeUpRun ofTime() {
        MadeUpRun run = new MadeUpRun(
                11, settings().withObjective(ObjectiveChoice.TIME, Optional.of(new ProfileChoice.Table(PROFILE))));
        run.timed = true;
        for (int window = 0; window < WINDOWS; window++) {
            run.window();
            run.poll();
        }
        run.planner().close();
        return run;
    }

    /** By time on an engine that can leave slots idle: batches are large, then small for eight windows, and large again. */
    static MadeUpRun ofSwings() {
        MadeUpRun run = new MadeUpRun(
                11,
                settings().withObjective(ObjectiveChoice.TIME, Optional.of(new ProfileChoice.Table(PROFILE))),
                MEMBERS.withIdleSlots(true));
        for (int window = 0; window < WINDOWS; window++) {
            run.tokens = window >= 8 && window < 16 ? 5 : 1_000;
            run.window();
            run.poll();
        }
        run.planner().close();
        return run;
    }

    /** The first decision is stopped by a rank when one of its batches is flipped. */
    static MadeUpRun ofAPrefix() {
        MadeUpRun run = new MadeUpRun(11, settings());
        run.stopsFirst = true;
        for (int window = 0; window < WINDOWS; window++) {
            run.window();
            run.poll();
        }
        run.planner().close();
        return run;
    }

    /** The first decisions are refused, as a rank is busy. */
    static MadeUpRun ofRefusals(int refusals) {
        MadeUpRun run = new MadeUpRun(11, settings());
        run.refusals = refusals;
        for (int window = 0; window < WINDOWS; window++) {
            run.window();
            run.poll();
        }
        run.planner().close();
        return run;
    }

    /** Three windows at a time are there when the planner looks. */
    static MadeUpRun ofTriples() {
        MadeUpRun run = new MadeUpRun(11, settings());
        for (int window = 0; window < WINDOWS; window += 3) {
            run.window();
            run.window();
            run.window();
            run.poll();
        }
        run.planner().close();
        return run;
    }

    /** The same records, to be tampered with. */
    public MadeUpRun copy() {
        MadeUpRun copy = new MadeUpRun(members);
        copy.commands.addAll(commands);
        copy.rows.addAll(rows);
        copy.summaries.addAll(summaries);
        return copy;
    }

    /** Load drifts; the ranks serve what is settled, in one segment. */
    private void window() {
        LongVector present = LongVector.of(8, 8, 8, 8);
        StepRange steps = new StepRange(index * 8, index * 8 + 8);
        PlacementState state = PlacementState.settled(settled.version());
        List<LoadWindow> made = new ArrayList<>();
        long total = 0;
        List<long[]> sums = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            long[] sub = new long[PARTS * members.topology().slots()];
            long[] sum = new long[members.topology().slots()];
            int[][] slots = settled.slotsOfExperts(layer, EXPERTS);
            for (int expert = 0; expert < EXPERTS; expert++) {
                popularity[layer][expert] *= Math.exp(0.25 * random.nextGaussian());
                for (int part = 0; part < PARTS; part++) {
                    long load = (long) (tokens * popularity[layer][expert] * (0.9 + 0.2 * random.nextDouble()));
                    for (int replica = 0; replica < slots[expert].length; replica++) {
                        int slot = slots[expert][replica];
                        long share = (load + replica) / slots[expert].length;
                        sub[part * sum.length + slot] = share;
                        sum[slot] += share;
                        total += share;
                    }
                }
            }
            sums.add(sum);
            made.add(new LoadWindow(
                    members.deployment(),
                    members.incarnation(),
                    members.phase(),
                    index,
                    steps,
                    layer,
                    0,
                    state,
                    0,
                    LongVector.of(sum),
                    PARTS,
                    LongVector.of(sub),
                    ""));
        }
        now += WINDOW_MILLIS;
        WindowSummary summary = new WindowSummary(
                members.deployment(),
                members.incarnation(),
                members.phase(),
                index,
                index - 1,
                steps,
                CloseReason.COMPLETE,
                8,
                present,
                Balance.UNLOADED,
                List.of(state),
                0,
                Conservation.YES,
                total,
                0,
                0,
                0,
                0,
                0,
                0,
                index,
                now,
                "",
                timed ? Optional.of(stepTime(sums)) : Optional.empty());
        made.forEach(row -> rows.add(new Dated<>(row, rows.size(), now)));
        summaries.add(new Dated<>(summary, summaries.size(), now));
        planner().at(now);
        planner().window(made, summary);
        index++;
    }

    /** 2 ms beside the experts, which take what the profile says and a fifth more. */
    private static StepTime stepTime(List<long[]> sums) {
        double micros = 2_000;
        for (long[] slots : sums) {
            double slowest = 0;
            for (int rank = 0; rank < MEMBERS.topology().ranks(); rank++) {
                double ofRank = 0;
                for (int slot = 5 * rank; slot < 5 * rank + 5; slot++) {
                    ofRank += 1.2 * PROFILE.expertMicros(slots[slot] / 8.0);
                }
                slowest = Math.max(slowest, ofRank);
            }
            micros += slowest;
        }
        long elapsed = Math.round(8_000 * micros);
        return new StepTime(
                LongVector.of(elapsed, elapsed, elapsed, elapsed), LongVector.of(0, 0, 0, 0), 8, elapsed / 8);
    }

    /** The planner looks; what it proposed before is accepted, permitted and flipped now. */
    private void poll() {
        Optional<Propose> before = proposed;
        write(planner().poll());
        before.filter(decision -> refusals > 0).ifPresent(decision -> {
            refusals--;
            ack(decision, RankAck.Kind.REFUSED, 0);
            ack(decision, RankAck.Kind.ABORTED, 0);
            write(planner().poll());
            proposed = Optional.empty();
        });
        before.filter(decision -> proposed.isPresent()).ifPresent(decision -> {
            ack(decision, RankAck.Kind.ACCEPTED, 0);
            write(planner().poll());
            int flipped = stopsFirst ? 1 : decision.batches().size();
            for (int batch = 1; batch <= flipped; batch++) {
                ack(decision, RankAck.Kind.FLIPPED, batch);
            }
            if (stopsFirst) {
                ack(decision, RankAck.Kind.ABORTED, 1);
                stopsFirst = false;
            }
            write(planner().poll());
            settled = PlanLog.after(decision, flipped, settled, decision.epoch());
            proposed = Optional.empty();
        });
    }

    private void ack(Propose decision, RankAck.Kind kind, int batch) {
        for (int rank = 0; rank < members.topology().ranks(); rank++) {
            planner()
                    .ack(new RankAck(
                            members.deployment(),
                            members.incarnation(),
                            new RankId(rank),
                            decision.epoch(),
                            kind,
                            batch,
                            kind == RankAck.Kind.REFUSED ? Optional.of(Refusal.BUSY) : Optional.empty(),
                            decision.planHash(),
                            index * 8,
                            timed && kind == RankAck.Kind.FLIPPED
                                    ? Optional.of(new FlipCost(40, 20_000, 5_000))
                                    : Optional.empty(),
                            Optional.empty()));
        }
    }

    private void write(List<PlanCommand> written) {
        for (PlanCommand command : written) {
            commands.add(new Dated<>(command, commands.size(), now));
            if (command instanceof Propose propose) {
                proposed = Optional.of(propose);
            }
        }
    }

    /** All that was proposed. */
    public List<Propose> decisions() {
        return commands.stream()
                .map(Dated::value)
                .filter(Propose.class::isInstance)
                .map(Propose.class::cast)
                .toList();
    }

    /** The log with a command of that decision changed. */
    MadeUpRun with(int decision, UnaryOperator<Propose> change) {
        int epoch = decisions().get(decision).epoch();
        commands.replaceAll(record -> record.value() instanceof Propose propose && propose.epoch() == epoch
                ? new Dated<>(change.apply(propose), record.offset(), record.atMillis())
                : record);
        return this;
    }

    /** One record after the other. */
    public static <T> Supplier<Optional<Dated<T>>> supplier(List<Dated<T>> records) {
        Iterator<Dated<T>> from = records.iterator();
        return () -> from.hasNext() ? Optional.of(from.next()) : Optional.empty();
    }

    /** All that is found by verifying it. */
    List<Finding> verified(Map<String, String> insisted) {
        return verified(insisted, Optional.empty());
    }

    /** @param kept the settled placement that is kept besides the log */
    List<Finding> verified(Map<String, String> insisted, Optional<Placement> kept) {
        List<Finding> found = new ArrayList<>();
        verify(insisted, kept, found, decision -> {});
        return found;
    }

    /** Verifies it, and tells of every decision. */
    void verify(Consumer<PastDecision> decided) {
        verify(Map.of(), Optional.empty(), new ArrayList<>(), decided);
    }

    /** Windows without a decision, by what is known of them. */
    Tally tally() {
        return verify(Map.of(), Optional.empty(), new ArrayList<>(), decision -> {})
                .tally();
    }

    private Verification verify(
            Map<String, String> insisted,
            Optional<Placement> kept,
            List<Finding> found,
            Consumer<PastDecision> decided) {
        PastPlan plan = new PastPlan(members, supplier(commands), kept);
        LiveWindows windows = new LiveWindows(members, supplier(rows), supplier(summaries), plan);
        Verification verification = new Verification(
                members,
                plan,
                windows::next,
                new Verification.Wanted(insisted, false, OptionalLong.empty(), OptionalLong.empty()));
        verification.onDecision(decided);
        for (Optional<Finding> next = verification.next(); next.isPresent(); next = verification.next()) {
            found.add(next.orElseThrow());
        }
        return verification;
    }
}
