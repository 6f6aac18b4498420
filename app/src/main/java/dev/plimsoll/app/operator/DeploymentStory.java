package dev.plimsoll.app.operator;

import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Term;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Patience;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.replay.source.SettledLayers;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Where a deployment stands, from its topics alone.
 *
 * <p>That ranks disagree is in no record: a planner finds it in the acks, and so does this, by the planner's own protocol, run as a
 * successor would run it.
 *
 * @param stage of the newest incarnation
 * @param why what there is to say of the stage; empty where nothing is
 * @param settled what is settled; empty where no planner has said so of this incarnation
 * @param settledAtMillis when that was written
 * @param decisions those that were read, by epoch, of all incarnations
 * @param requests all commands of operators, in the order of the log
 * @param orders what of them is in force, and approved
 * @param successor what a planner that took over now would make of the decisions
 * @param ranksOff ranks that do not serve what they should
 * @param term the newest planner's, where it was read
 * @param newestWhole the newest complete window of this incarnation
 */
public record DeploymentStory(
        Membership members,
        DeploymentStage stage,
        String why,
        Optional<Placement> settled,
        OptionalLong settledAtMillis,
        NavigableMap<Integer, DecisionStory> decisions,
        List<Request> requests,
        ControlState orders,
        PlannerState successor,
        List<RankOff> ranksOff,
        Optional<Dated<Term>> term,
        Optional<Dated<WindowSummary>> newestWindow,
        Optional<WindowSummary> newestWhole) {
    private static final Moment NEVER_LATE = new Moment(0, 0, false);
    private static final long FOR_EVER = Long.MAX_VALUE / 4;

    public DeploymentStory {
        decisions = Collections.unmodifiableNavigableMap(decisions);
        requests = List.copyOf(requests);
        ranksOff = List.copyOf(ranksOff);
    }

    private record Standing(DeploymentStage stage, String why) {}

    /** What a log tells. */
    public static DeploymentStory of(DeploymentLog log) {
        Membership members = log.members();
        List<Request> requests = Request.of(log.control());
        TreeMap<Integer, DecisionStory> decisions = DecisionStory.of(log.plan(), log.acks(), requests, log.outcomes());
        SettledLayers layers = new SettledLayers(members);
        TreeMap<Integer, Long> writtenAt = new TreeMap<>();
        for (Dated<SettledPlacement> record : log.kept()) {
            layers.add(record.value());
            if (record.value().incarnation() == members.incarnation()) {
                writtenAt.put(record.value().version(), record.atMillis());
            }
        }
        Optional<Placement> settled = layers.newest();
        Optional<Long> at = settled.map(placement -> writtenAt.get(placement.version()));
        List<DecisionStory> ofIncarnation = decisions.values().stream()
                .filter(decision -> decision.proposed().value().header().incarnation() == members.incarnation())
                .toList();
        Optional<DecisionStory> inFlight = last(ofIncarnation.stream()
                .filter(decision -> !decision.state().ended())
                .toList());
        ControlState orders =
                ControlState.of(log.control().stream().map(Dated::value).toList());
        PlannerState successor = successor(log, orders);
        Standing standing = standing(log, successor, inFlight, !writtenAt.isEmpty());
        int version = settled.map(Placement::version).orElse(0);
        List<DecisionStory> since = ofIncarnation.stream()
                .filter(decision ->
                        decision.epoch() > version && decision.state().ended())
                .toList();
        return new DeploymentStory(
                members,
                standing.stage(),
                standing.why(),
                settled,
                at.map(OptionalLong::of).orElse(OptionalLong.empty()),
                decisions,
                requests,
                orders,
                successor,
                RankOff.of(
                        members,
                        Optional.ofNullable(decisions.get(version)).filter(ofIncarnation::contains),
                        inFlight,
                        since),
                term(log.plan()),
                log.newestWindow(),
                log.newestWhole());
    }

    private static <T> Optional<T> last(List<T> list) {
        return list.isEmpty() ? Optional.empty() : Optional.of(list.get(list.size() - 1));
    }

    private static Optional<Dated<Term>> term(List<Dated<PlanCommand>> plan) {
        Optional<Dated<Term>> newest = Optional.empty();
        for (Dated<PlanCommand> record : plan) {
            if (record.value() instanceof Term term) {
                newest = Optional.of(new Dated<>(term, record.offset(), record.atMillis()));
            }
        }
        return newest;
    }

    private static Standing standing(
            DeploymentLog log, PlannerState successor, Optional<DecisionStory> inFlight, boolean takenOver) {
        Membership members = log.members();
        if (!takenOver) {
            return new Standing(
                    DeploymentStage.UNPLANNED,
                    "no planner has taken incarnation " + members.incarnation() + " over yet");
        }
        if (successor.stage() instanceof Stage.Quarantined quarantined) {
            return new Standing(DeploymentStage.QUARANTINED, quarantined.reason());
        }
        if (inFlight.isPresent()) {
            DecisionStory decision = inFlight.orElseThrow();
            return new Standing(stage(decision.state()), told(decision, members));
        }
        if (members.gather() == GatherMode.NONE) {
            return new Standing(DeploymentStage.OBSERVE_ONLY, "gather mode none: its ranks have nothing to vote by");
        }
        return setbacks(log)
                .observeOnly()
                .map(refusal -> new Standing(
                        DeploymentStage.OBSERVE_ONLY, refusal + "; nothing is decided until the next incarnation"))
                .orElse(new Standing(DeploymentStage.IDLE, ""));
    }

    /** What the planner takes from the log about decisions that came to nothing. */
    private static Setbacks setbacks(DeploymentLog log) {
        Setbacks setbacks = Setbacks.NONE;
        for (Dated<PlanCommand> record : log.plan()) {
            setbacks = setbacks.after(record.value());
        }
        return setbacks.incarnation() == log.members().incarnation() ? setbacks : Setbacks.NONE;
    }

    private static DeploymentStage stage(DecisionState state) {
        return switch (state) {
            case WAITING_FOR_APPROVAL -> DeploymentStage.WAITING_FOR_APPROVAL;
            case PROPOSED -> DeploymentStage.PROPOSED;
            case RUNNING -> DeploymentStage.RUNNING;
            case ABORTING -> DeploymentStage.ABORTING;
            case SETTLED, SETTLED_PREFIX, VOID -> DeploymentStage.IDLE;
        };
    }

    private static String told(DecisionStory decision, Membership members) {
        int ranks = members.topology().ranks();
        String of = "decision " + decision.epoch();
        return switch (decision.state()) {
            case WAITING_FOR_APPROVAL -> of + " waits for a person";
            case PROPOSED ->
                of + ": " + ranks(decision, RankAck.Kind.ACCEPTED) + " of " + ranks + " ranks have accepted";
            case RUNNING -> of + ": " + flips(decision, ranks);
            case ABORTING ->
                of + ": " + decision.why().orElse("") + "; " + ended(decision, ranks) + " of " + ranks
                        + " ranks have said how far they got";
            case SETTLED, SETTLED_PREFIX, VOID -> "";
        };
    }

    private static long ranks(DecisionStory decision, RankAck.Kind kind) {
        return decision.acks().stream()
                .map(Dated::value)
                .filter(ack -> ack.kind() == kind)
                .map(RankAck::rank)
                .distinct()
                .count();
    }

    private static String flips(DecisionStory decision, int ranks) {
        int batches = decision.proposed().value().batches().size();
        int least = batches;
        for (int rank = 0; rank < ranks; rank++) {
            least = Math.min(least, RankOff.flipped(decision, rank));
        }
        return least + " of " + batches + " batches flipped by all ranks";
    }

    private static long ended(DecisionStory decision, int ranks) {
        int batches = decision.proposed().value().batches().size();
        return decision.acks().stream()
                .map(Dated::value)
                .filter(ack -> ack.rank().index() < ranks)
                .filter(ack -> ack.kind() == RankAck.Kind.ABORTED
                        || (ack.kind() == RankAck.Kind.FLIPPED && ack.batch() == batches))
                .map(RankAck::rank)
                .distinct()
                .count();
    }

    /** Where decisions stand for a planner that takes over now, which knows what the one before it knew. */
    private static PlannerState successor(DeploymentLog log, ControlState orders) {
        DecisionProtocol protocol = new DecisionProtocol(new Patience(FOR_EVER, FOR_EVER, FOR_EVER), "reader");
        TreeMap<Integer, SettledPlacement> kept = new TreeMap<>();
        log.kept().forEach(record -> kept.put(record.value().layer(), record.value()));
        PlannerState state = protocol.takeOver(
                        PlanLog.of(log.plan().stream().map(Dated::value).toList()),
                        List.copyOf(kept.values()),
                        log.members(),
                        epoch -> orders.approved().containsKey(epoch),
                        NEVER_LATE)
                .state();
        for (Dated<RankAck> ack : log.acks()) {
            state = protocol.apply(state, new Event.Acked(ack.value()), NEVER_LATE)
                    .state();
        }
        return state;
    }

    /** The decision that has no end yet, of this incarnation. */
    public Optional<DecisionStory> inFlight() {
        return last(decisions.values().stream()
                .filter(decision -> decision.proposed().value().header().incarnation() == members.incarnation())
                .filter(decision -> !decision.state().ended())
                .toList());
    }

    /** The version that is settled; empty where no planner has said so. */
    public OptionalInt version() {
        return settled.map(placement -> OptionalInt.of(placement.version())).orElse(OptionalInt.empty());
    }

    /** Commands that no planner has answered yet. */
    public List<Request> unanswered() {
        return requests.stream().filter(request -> request.answer().isEmpty()).toList();
    }

    /** Placements of this incarnation that can be told from the decisions that were read, by version. */
    public TreeMap<Integer, Placement> placements() {
        TreeMap<Integer, Placement> placements = new TreeMap<>();
        placements.put(members.start().version(), members.start());
        for (DecisionStory decision : decisions.values()) {
            Propose propose = decision.proposed().value();
            Placement base = placements.get(propose.basedOn());
            if (propose.header().incarnation() == members.incarnation()
                    && decision.batchesSettled() > 0
                    && base != null) {
                placements.put(
                        propose.epoch(), PlanLog.after(propose, decision.batchesSettled(), base, propose.epoch()));
            }
        }
        settled.ifPresent(placement -> placements.put(placement.version(), placement));
        return placements;
    }

    /** The newest decision, of whichever incarnation. */
    public Optional<DecisionStory> newestDecision() {
        return Optional.ofNullable(decisions.lastEntry()).map(java.util.Map.Entry::getValue);
    }
}
