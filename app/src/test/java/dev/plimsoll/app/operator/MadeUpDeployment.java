package dev.plimsoll.app.operator;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlAnswer.Verdict;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.source.Dated;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * The topics of a small deployment, written as its planner, its ranks and its operators would: two ranks of two slots, two layers of three
 * experts. A second passes with every record.
 */
public final class MadeUpDeployment {
    static final long BEGIN = System.currentTimeMillis() - 3_600_000;
    static final String SETTINGS = "release=0.1.0 policy=plimsoll cooldown=2";

    private Membership members;
    private Placement settled;
    final List<Dated<PlanCommand>> plan = new ArrayList<>();
    final List<Dated<SettledPlacement>> kept = new ArrayList<>();
    final List<Dated<RankAck>> acks = new ArrayList<>();
    final List<Dated<ControlRecord>> control = new ArrayList<>();
    final List<Outcome> outcomes = new ArrayList<>();
    final List<Dated<WindowSummary>> windows = new ArrayList<>();
    private final TreeMap<Integer, Placement> placements = new TreeMap<>();
    private long number;
    private long millis = BEGIN;
    private int lastEpoch;

    public MadeUpDeployment(String deployment) {
        this.members = members(deployment, 1, GatherMode.HOST);
        this.settled = members.start();
    }

    static Membership members(String deployment, long incarnation, GatherMode gather) {
        return new Membership(
                new Deployment(deployment),
                incarnation,
                new ModelShape("demo", 3, 1, List.of(3, 5)),
                Topology.even(2, 1, 2),
                "test",
                Phase.DECODE,
                gather,
                16,
                32,
                1_000,
                4_000);
    }

    /** The next incarnation, of which no planner has heard. */
    MadeUpDeployment restarted(GatherMode gather) {
        members = members(members.deployment().id(), members.incarnation() + 1, gather);
        settled = members.start();
        return this;
    }

    /** A planner takes the incarnation over. */
    public MadeUpDeployment takenOver() {
        write(new PlanCommand.Term(header(), "host/1", SETTINGS));
        settle(settled);
        return this;
    }

    /** Two experts of each layer change places between the ranks, layer by layer. */
    public int propose(Origin origin, long window, String policy) {
        List<Batch> batches = new ArrayList<>();
        for (int layer = 0; layer < 2; layer++) {
            int[] experts = settled.layer(layer);
            batches.add(new Batch(layer + 1, List.of(move(layer, 1, experts[2], 2), move(layer, 2, experts[1], 1))));
        }
        return propose(origin, window, policy, batches);
    }

    public int propose(long window) {
        return propose(Origin.PLANNER, window, "plimsoll");
    }

    private int propose(Origin origin, long window, String policy, List<Batch> batches) {
        int epoch = ++lastEpoch;
        write(new Propose(
                header(),
                epoch,
                settled.version(),
                PlanHash.of(settled.withBatches(epoch, batches), batches),
                batches,
                window,
                0.6,
                0.8,
                policy,
                "it pays",
                reasons(batches),
                Optional.of(new PlanInputs(3, Math.max(0, window - 2), 7, 12_000, List.of())),
                Optional.empty(),
                origin));
        return epoch;
    }

    private static PlanReasons reasons(List<Batch> batches) {
        TreeMap<Integer, LayerReason> moved = new TreeMap<>();
        for (Batch batch : batches) {
            int layer = batch.moves().get(0).layer().index();
            moved.put(
                    layer,
                    new LayerReason(
                            0.5,
                            0.7 + layer / 10.0,
                            0.95,
                            batch.moves().stream()
                                    .map(move ->
                                            new LayerReason.Gain(move.slot().index(), (0.2 + layer / 10.0) / 2))
                                    .toList(),
                            LayerReason.Stop.PRICE,
                            0.5));
        }
        TreeMap<LayerReason.Stop, Integer> left = new TreeMap<>();
        left.put(LayerReason.Stop.OPTIMUM, 4);
        return new PlanReasons(moved, left);
    }

    private static Move move(int layer, int slot, int expert, int source) {
        return new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source));
    }

    Propose proposal(int epoch) {
        return plan.stream()
                .map(Dated::value)
                .filter(command -> command instanceof Propose propose && propose.epoch() == epoch)
                .map(Propose.class::cast)
                .findFirst()
                .orElseThrow();
    }

    public MadeUpDeployment ack(int epoch, RankAck.Kind kind, int batch, int... ranks) {
        for (int rank : ranks) {
            ack(new RankAck(
                    members.deployment(),
                    members.incarnation(),
                    new RankId(rank),
                    epoch,
                    kind,
                    batch,
                    Optional.empty(),
                    proposal(epoch).planHash(),
                    64L * epoch + batch));
        }
        return this;
    }

    MadeUpDeployment refuse(int epoch, int rank, Refusal why) {
        ack(new RankAck(
                members.deployment(),
                members.incarnation(),
                new RankId(rank),
                epoch,
                RankAck.Kind.REFUSED,
                0,
                Optional.of(why),
                proposal(epoch).planHash(),
                64L * epoch));
        return this;
    }

    void ack(RankAck ack) {
        acks.add(new Dated<>(ack, acks.size(), tick()));
    }

    public MadeUpDeployment permit(int epoch) {
        write(new PlanCommand.Permit(header(), epoch, proposal(epoch).planHash()));
        return this;
    }

    public MadeUpDeployment abort(int epoch, String reason) {
        write(new PlanCommand.Abort(header(), epoch, reason));
        return this;
    }

    public MadeUpDeployment settle(int epoch, int batches, long lastWindow) {
        Propose propose = proposal(epoch);
        Placement after = settled.withBatches(epoch, propose.batches().subList(0, batches));
        write(new PlanCommand.Settled(
                header(),
                epoch,
                batches,
                batches == propose.batches().size(),
                after.hash(),
                OptionalLong.of(lastWindow)));
        settle(after);
        return this;
    }

    MadeUpDeployment voided(int epoch, String reason, long lastWindow) {
        write(new PlanCommand.Void(header(), epoch, reason, OptionalLong.of(lastWindow)));
        return this;
    }

    /** A decision from PROPOSE to SETTLED. */
    public int decided(long window) {
        int epoch = propose(window);
        ack(epoch, RankAck.Kind.ACCEPTED, 0, 0, 1).permit(epoch);
        ack(epoch, RankAck.Kind.FLIPPED, 1, 0, 1).ack(epoch, RankAck.Kind.FLIPPED, 2, 1, 0);
        settle(epoch, 2, window + 1);
        return epoch;
    }

    private void settle(Placement placement) {
        settled = placement;
        placements.put(placement.version(), placement);
        long at = tick();
        for (int layer = 0; layer < placement.layers(); layer++) {
            kept.add(new Dated<>(
                    SettledPlacement.of(
                            members.deployment(), members.incarnation(), placement, layer, placement.hash()),
                    kept.size(),
                    at));
        }
    }

    /** An operator's command; returns its id. */
    public String ask(ControlAction action) {
        String id = "command-" + control.size();
        long at = tick();
        control.add(new Dated<>(
                new Control(
                        members.deployment(),
                        id,
                        at,
                        "ada",
                        "INC-" + control.size(),
                        OptionalInt.of(settled.version()),
                        action),
                control.size(),
                at));
        return id;
    }

    MadeUpDeployment answer(String id, Verdict verdict, OptionalInt epoch) {
        control.add(new Dated<>(
                new ControlAnswer(
                        members.deployment(),
                        members.incarnation(),
                        id,
                        verdict,
                        verdict == Verdict.DONE ? "so be it" : "no",
                        epoch,
                        settled.version()),
                control.size(),
                tick()));
        return this;
    }

    /** What an operator has asked for and got. */
    public MadeUpDeployment done(ControlAction... actions) {
        for (ControlAction action : actions) {
            answer(ask(action), Verdict.DONE, OptionalInt.empty());
        }
        return this;
    }

    WindowSummary window(long index, CloseReason reason, Conservation conservation) {
        long at = tick();
        WindowSummary summary = new WindowSummary(
                members.deployment(),
                members.incarnation(),
                Phase.DECODE,
                index,
                index - 1,
                new StepRange(32 * index, 32 * (index + 1)),
                reason,
                2,
                reason == CloseReason.COMPLETE ? LongVector.of(2, 2) : LongVector.of(2, 1),
                new Balance(0.7, 0.6, 1, 2),
                List.of(PlacementState.settled(settled.version())),
                100,
                conservation,
                200,
                0,
                0,
                0,
                0,
                0,
                0,
                index,
                at,
                "summary");
        windows.add(new Dated<>(summary, windows.size(), at));
        return summary;
    }

    public WindowSummary window(long index) {
        return window(index, CloseReason.COMPLETE, Conservation.UNKNOWN);
    }

    public Membership members() {
        return members;
    }

    public List<Dated<WindowSummary>> windows() {
        return List.copyOf(windows);
    }

    Placement settled() {
        return settled;
    }

    Placement placement(int version) {
        return java.util.Objects.requireNonNull(placements.get(version));
    }

    /** What somebody reads who asks now. */
    public DeploymentLog log() {
        return new DeploymentLog(
                members,
                plan,
                true,
                kept,
                acks,
                outcomes,
                control,
                windows.isEmpty() ? Optional.empty() : Optional.of(windows.get(windows.size() - 1)),
                windows.stream()
                        .map(Dated::value)
                        .filter(window -> window.complete() && window.incarnation() == members.incarnation())
                        .reduce((earlier, later) -> later));
    }

    public DeploymentStory story() {
        return DeploymentStory.of(log());
    }

    private PlanHeader header() {
        return new PlanHeader(members.deployment(), members.incarnation(), 1, ++number);
    }

    private void write(PlanCommand command) {
        plan.add(new Dated<>(command, plan.size(), tick()));
    }

    private long tick() {
        millis += 1_000;
        return millis;
    }

    long now() {
        return millis;
    }
}
