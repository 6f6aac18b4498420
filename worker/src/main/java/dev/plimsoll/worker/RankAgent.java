package dev.plimsoll.worker;

import dev.plimsoll.device.BoundaryHook;
import dev.plimsoll.device.Communicator;
import dev.plimsoll.device.Device;
import dev.plimsoll.device.DeviceException;
import dev.plimsoll.device.DeviceMemory;
import dev.plimsoll.device.EngineRank;
import dev.plimsoll.device.FlipTimes;
import dev.plimsoll.device.HeatCapture;
import dev.plimsoll.device.PlanMailbox;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.Transfer;
import dev.plimsoll.device.Verdict;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankId;
import dev.plimsoll.wire.WireException;
import dev.plimsoll.worker.protocol.ProtocolState;
import dev.plimsoll.worker.protocol.RankEffect;
import dev.plimsoll.worker.protocol.RankEvent;
import dev.plimsoll.worker.protocol.RankProtocol;
import dev.plimsoll.worker.protocol.RankVote;
import dev.plimsoll.worker.protocol.Transition;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * All of Plimsoll's work at one rank's boundaries: resolve and stage, act on the verdict, hear commands, vote, issue.
 *
 * <p>Lives in the engine's process and is called on its dispatch thread. It waits only inside {@link HeatCapture#begin}, bounded
 * by the flip timeout, and only when this rank's last vote was 1 or 2. With nothing in flight a boundary costs two library calls
 * and a look into the mailbox. A library that fails never stops the engine, unless others may have flipped without it.
 *
 * <p>Commands are heard after the verdict is acted on, so the newest ABORT decides this boundary's vote.
 */
public final class RankAgent implements BoundaryHook, AutoCloseable {
    /** Bounds the work of one boundary; the rest waits in the mailbox for the next. */
    static final int MOST_COMMANDS_PER_BOUNDARY = 16;

    private final Membership members;
    private final RankId rank;
    private final RankDevice device;
    private final CommandSource commands;
    private final EngineRank engine;
    private final Duration flipTimeout;
    private final AgentListener listener;
    private final RankProtocol protocol;
    private final @Nullable DeviceMemory staging;

    private ProtocolState state;
    private Optional<WeightExchange> exchange = Optional.empty();
    private @Nullable ProtocolState published;
    private boolean libraryLost;
    private boolean mailboxBroken;

    /** The idle vote, made anew only when the placement state changes. */
    private Vote idleVote;

    RankAgent(
            Membership members,
            RankId rank,
            Placement settled,
            RankDevice device,
            CommandSource commands,
            EngineRank engine,
            Duration flipTimeout,
            AgentListener listener,
            @Nullable DeviceMemory staging) {
        this.members = members;
        this.rank = rank;
        this.device = device;
        this.commands = commands;
        this.engine = engine;
        this.flipTimeout = flipTimeout;
        this.listener = listener;
        this.staging = staging;
        protocol = new RankProtocol(members);
        state = ProtocolState.serving(settled, members.gather() == GatherMode.NONE);
        idleVote = Vote.none(members.incarnation(), settled.version());
        if (engine.bytesPerExpert() != members.bytesPerExpert()) {
            throw new IllegalArgumentException("the engine's experts have " + engine.bytesPerExpert()
                    + " bytes per layer, the membership says " + members.bytesPerExpert());
        }
    }

    /**
     * Allocates the staging memory; call before the first step.
     *
     * @param settled the placement that this incarnation starts with, equal on all ranks
     * @param communicator this rank's member of the group for transfers
     * @param flipTimeout how long a boundary may wait for the others where this rank has voted 1 or 2
     */
    public static RankAgent open(
            Membership members,
            RankId rank,
            Placement settled,
            Device device,
            Communicator communicator,
            HeatCapture capture,
            PlanMailbox mailbox,
            EngineRank engine,
            Duration flipTimeout,
            AgentListener listener) {
        DeviceMemory staging = device.allocate(members.stagingBytesPerRank());
        try {
            return new RankAgent(
                    members,
                    rank,
                    settled,
                    new NativeRankDevice(communicator, capture, engine.computeStream(), staging),
                    CommandSource.of(mailbox),
                    engine,
                    flipTimeout,
                    listener,
                    staging);
        } catch (RuntimeException e) {
            staging.close();
            throw e;
        }
    }

    @Override
    public Order atBoundary(long step) {
        long started = System.nanoTime();
        if (state.phase() == RankPhase.FATAL) {
            return Order.LEAVE_GROUP;
        }
        apply(begin(step), step);
        if (state.phase() != RankPhase.FATAL) {
            hearCommands(step);
            lookAtTransfers(step);
        }
        if (state.phase() != RankPhase.FATAL) {
            vote();
        }
        publish(step);
        listener.onBoundary(step, System.nanoTime() - started);
        return state.phase() == RankPhase.FATAL ? Order.LEAVE_GROUP : Order.GO_ON;
    }

    private RankEvent.Verdict begin(long step) {
        if (libraryLost) {
            return lost();
        }
        tellTime();
        try {
            Verdict verdict = device.begin(step, flipTimeout);
            boolean voted = state.cast().map(vote -> vote.level() > 0).orElse(false);
            return switch (verdict.outcome()) {
                case RESOLVED ->
                    new RankEvent.Verdict(RankEvent.Gather.RESOLVED, verdict.epoch(), verdict.batch(), verdict.level());
                case NONE -> RankEvent.Verdict.NOTHING;
                case PENDING -> voted ? lost() : new RankEvent.Verdict(RankEvent.Gather.PENDING, 0, 0, 0);
                case TIMED_OUT, FAILED, UNDECIDED -> lost();
            };
        } catch (DeviceException e) {
            loseLibrary(step, e);
            return lost();
        }
    }

    /** A clock that runs backwards costs samples their time, and nobody a step. */
    private void tellTime() {
        try {
            engine.stepClock().ifPresent(device::clock);
        } catch (DeviceException e) {
            listener.onUntimed("time of steps: " + e.getMessage());
        }
    }

    private static RankEvent.Verdict lost() {
        return new RankEvent.Verdict(RankEvent.Gather.LOST, 0, 0, 0);
    }

    private void hearCommands(long step) {
        for (int i = 0; i < MOST_COMMANDS_PER_BOUNDARY && !mailboxBroken; i++) {
            try {
                Optional<PlanCommand> command = commands.next();
                if (command.isEmpty()) {
                    return;
                }
                apply(new RankEvent.Command(command.get()), step);
            } catch (WireException e) {
                listener.onUnreadable(e.reason() + ": " + e.getMessage());
            } catch (DeviceException e) {
                // A checksum that does not match stays where it is: nothing behind it can be trusted or reached.
                mailboxBroken = true;
                listener.onUnreadable("mailbox broken, no further command is heard: " + e.getMessage());
            }
        }
    }

    private void lookAtTransfers(long step) {
        if (exchange.isEmpty()) {
            return;
        }
        WeightExchange current = exchange.get();
        Transfer.Status status = current.poll();
        if (status == Transfer.Status.FAILED) {
            listener.onTransferFailed(current.epoch(), current.batch(), current.failure());
        }
        if (status != Transfer.Status.PENDING) {
            apply(new RankEvent.TransferEnded(current.epoch(), current.batch(), status == Transfer.Status.DONE), step);
        }
    }

    private void vote() {
        if (libraryLost) {
            return;
        }
        RankVote vote = protocol.vote(state);
        // First noted, then cast: a cast that throws may have reached the others.
        state = protocol.on(state, new RankEvent.Voted(vote)).state();
        try {
            device.end(deviceVote(vote));
        } catch (DeviceException e) {
            loseLibrary(-1, e);
        }
    }

    private Vote deviceVote(RankVote vote) {
        PlacementState served = vote.state();
        if (vote.level() == 0 && served.epoch() == 0) {
            if (idleVote.settledVersion() != served.settledVersion()) {
                idleVote = Vote.none(members.incarnation(), served.settledVersion());
            }
            return idleVote;
        }
        return new Vote(
                members.incarnation(),
                served.settledVersion(),
                served.batchesFlipped(),
                Math.max(vote.epoch(), served.epoch()),
                vote.batch(),
                vote.level(),
                vote.planHash());
    }

    private void apply(RankEvent event, long step) {
        ProtocolState before = state;
        Transition transition = protocol.on(state, event);
        state = transition.state();
        for (RankEffect effect : transition.effects()) {
            if (!carryOut(effect, step)) {
                // Half a flip may stand on the compute stream, and the others have all of it: never reported as
                // flipped.
                state = protocol.fail(before);
                return;
            }
        }
    }

    /** Returns false where the effect could not be carried out and others have done so. */
    private boolean carryOut(RankEffect effect, long step) {
        if (effect instanceof RankEffect.StartTransfers start) {
            start(start, step);
        } else if (effect instanceof RankEffect.Flip flip) {
            return flip(flip, step);
        } else if (effect instanceof RankEffect.FreeStaging) {
            exchange.ifPresent(WeightExchange::close);
            exchange = Optional.empty();
        } else if (effect instanceof RankEffect.AbandonGroup) {
            abandonGroup(step);
        } else if (effect instanceof RankEffect.LeaveGroup) {
            listener.onFatal(step, "others may have flipped and this rank cannot know");
        } else if (effect instanceof RankEffect.Refused refused) {
            listener.onRefused(refused.epoch(), refused.refusal(), refused.detail());
        } else if (effect instanceof RankEffect.Ignored ignored) {
            listener.onIgnored(ignored.reason(), ignored.command());
        }
        return true;
    }

    private void start(RankEffect.StartTransfers start, long step) {
        try {
            exchange = Optional.of(
                    WeightExchange.start(start.epoch(), start.batch(), rank, members.topology(), engine, device));
            listener.onTransfersStarted(start.epoch(), start.batch().number(), step);
        } catch (DeviceException e) {
            listener.onTransferFailed(start.epoch(), start.batch().number(), String.valueOf(e.getMessage()));
            apply(new RankEvent.TransferEnded(start.epoch(), start.batch().number(), false), step);
        }
    }

    private boolean flip(RankEffect.Flip flip, long step) {
        try {
            long started = System.nanoTime();
            WeightExchange arrived = exchange.orElseThrow();
            arrived.flip(engine, state.serves());
            FlipTimes took = new FlipTimes(
                    arrived.receivedBytes(), arrived.transferTime().toNanos(), System.nanoTime() - started);
            publish(flip.epoch(), flip.batch().number(), took);
            listener.onFlipped(flip.epoch(), flip.batch().number(), step);
            return true;
        } catch (RuntimeException e) {
            listener.onFatal(step, "flip of batch " + flip.batch().number() + " failed: " + e.getMessage());
            return false;
        }
    }

    private void publish(int epoch, int batch, FlipTimes took) {
        try {
            device.publish(epoch, batch, took);
        } catch (DeviceException e) {
            listener.onUntimed("flip of batch " + batch + ": " + e.getMessage());
        }
    }

    private void abandonGroup(long step) {
        listener.onGroupAbandoned(step, "the gather of the boundary before was not resolved");
        try {
            device.abandonGroup();
        } catch (DeviceException e) {
            libraryLost = true;
        }
    }

    private void loseLibrary(long step, DeviceException cause) {
        libraryLost = true;
        listener.onGroupAbandoned(step, String.valueOf(cause.getMessage()));
    }

    private void publish(long step) {
        if (sameForTheNode()) {
            return;
        }
        ProtocolState publishing = state;
        try {
            device.publish(new RankState(
                    members.incarnation(),
                    state.settled().version(),
                    state.epoch(),
                    state.phase(),
                    state.batchesFlipped(),
                    state.planHash(),
                    state.refusal().map(Enum::ordinal).orElse(-1),
                    state.phase() == RankPhase.FATAL,
                    state.commandNumber(),
                    step));
            // Only now: what could not be published is tried again at the next boundary.
            published = publishing;
        } catch (DeviceException e) {
            listener.onGroupAbandoned(step, "state not published: " + e.getMessage());
        }
    }

    /** Votes come and go without the node having to know. */
    private boolean sameForTheNode() {
        ProtocolState before = published;
        return before != null
                && before.settled().version() == state.settled().version()
                && before.epoch() == state.epoch()
                && before.phase() == state.phase()
                && before.batchesFlipped() == state.batchesFlipped()
                && before.planHash() == state.planHash()
                && before.refusal().equals(state.refusal())
                && before.commandNumber() == state.commandNumber();
    }

    /** What this rank serves, by version; dispatch thread. */
    public PlacementState placementState() {
        return state.placementState();
    }

    /** Ends what is under way and frees the staging memory; dispatch thread, after the compute stream has run dry. */
    @Override
    public void close() {
        exchange.ifPresent(WeightExchange::close);
        exchange = Optional.empty();
        if (staging != null) {
            staging.close();
        }
    }
}
