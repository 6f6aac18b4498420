package dev.plimsoll.worker;

import dev.plimsoll.device.RankState;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import java.nio.file.Path;
import java.util.OptionalInt;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;

/** What a node's worker tells of itself; called on its thread. */
public interface WorkerListener {
    WorkerListener NONE = new WorkerListener() {};

    /** The plan-log flow as it is to be run, so that whoever measures can look at its signals; once for each subscription. */
    default <T> Flux<T> watched(Flux<T> flow) {
        return flow;
    }

    /** The worker's thread as it is to be used, so that whoever measures can look at its tasks. Must drain as the given one does. */
    default Scheduler watched(Scheduler scheduler) {
        return scheduler;
    }

    /** A membership was found; what is told from now on is of this incarnation. */
    default void onServing(Deployment deployment, long incarnation) {}

    /** The rank's ring and mailbox are open. */
    default void onRankFound(RankId rank, long incarnation) {}

    /**
     * What a rank's ring says of it: at every look, which is hundreds of times a second.
     *
     * @param step the last boundary that the rank is known to have passed; its state has that at which it last changed
     * @param wanted the placement's version that it should serve by the plan log; empty while a decision is in flight, and before the log
     *     was read
     */
    default void onState(RankId rank, RankState state, long step, OptionalInt wanted) {}

    /** This worker has closed and serves the deployment no more. */
    default void onReleased() {}

    /** MEMBERS of this incarnation is in the topics, be it from an earlier worker. Told once per incarnation served. */
    default void onMembersPublished(long incarnation) {}

    default void onFlipped(RankId rank, int epoch, int batch) {}

    default void onRefused(RankId rank, int epoch, Refusal refusal) {}

    default void onFatal(RankId rank, int epoch) {}

    /** The broker has this ack. */
    default void onAcked(RankAck ack) {}

    /** An ack did not reach the broker; it will be tried again. */
    default void onAckDelayed(RankAck ack, Throwable cause) {}

    /** A mailbox has no room: its engine does not read. Told once per stall. */
    default void onMailboxFull(RankId rank, long position) {}

    /** An order can never fit a rank's mailbox: the rank is told to refuse the decision, NO_MEMORY. */
    default void onOrderTooLarge(RankId rank, int epoch, int bytes) {}

    /** A rank hears no order any more, and why: this worker answers for it, and refuses what is proposed. Told once. */
    default void onDeaf(RankId rank, String why) {}

    /** A rank had missed how a decision ended, and is told again. */
    default void onToldAgain(RankId rank, int epoch) {}

    /** A command of the plan log is wrong: ranks are told to refuse it, or are not told of it. Told once. */
    default void onFault(String fault) {}

    /** Another worker serves this directory: this one takes over when that one is gone. Told once. */
    default void onStandingBy(Path directory) {}

    /** Something that is tried again until it works: what, and what stood in the way. */
    default void onTrouble(String what, Throwable cause) {}
}
