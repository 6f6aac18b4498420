package dev.plimsoll.collector;

import dev.plimsoll.model.Deployment;
import java.nio.file.Path;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;

/** What a collector tells of itself; called on its thread or on the writer's, so be quick and thread-safe. */
public interface CollectorListener {
    CollectorListener NONE = new CollectorListener() {};

    /** The sample flow as it is to be run, so that whoever measures can look at its signals; once for each subscription. */
    default <T> Flux<T> watched(Flux<T> flow) {
        return flow;
    }

    /** The collector's thread as it is to be used, so that whoever measures can look at its tasks. Must drain as the given one does. */
    default Scheduler watched(Scheduler scheduler) {
        return scheduler;
    }

    /** Why a sample was not published. */
    enum Dropped {
        /** The buffer was full: the oldest went. */
        BUFFER_FULL,
        /** No broker took it in time. */
        WRITE_FAILED,
        /**
         * Closing, or another incarnation, came before the broker had it. One that was under way may have reached the broker
         * nevertheless.
         */
        CLOSED
    }

    /** Engines of this deployment were found; what is told from now on is of this incarnation. */
    default void onServing(Deployment deployment, long incarnation) {}

    /** Its samples have waited for a while for a worker to put its membership into the topics. Told once. */
    default void onUnpublished(Deployment deployment, long incarnation) {}

    /** Why a ring holds no more than it does. */
    enum RingEnd {
        /** Its engine closed it. */
        CLOSED,
        /** Its engine's process is gone. */
        PROCESS_DIED,
        /** Another file was put in its place, or it was removed. */
        REPLACED,
        /** It is damaged, or was cut short: it is looked at again every second, and its rank is told from other rings if it can be. */
        UNREADABLE
    }

    /** All engines of the deployment on this node have gone and what they left is published or dropped: it is let go. */
    default void onFinished(Deployment deployment, long incarnation) {}

    /** A ring has come and is open. */
    default void onRing(Deployment deployment, int rank, long incarnation) {}

    /** A ring was read to its end, and no more will come; or it cannot be read. */
    default void onRingEnded(Deployment deployment, int rank, RingEnd end) {}

    /** What the ranks of this node gathered is read from this rank's ring from now on. */
    default void onLeader(Deployment deployment, int rank) {}

    /** Samples were made of the snapshot of {@code step}. */
    default void onCaptured(Deployment deployment, int samples, long step) {}

    /** @param capturedNanos {@code CLOCK_REALTIME} of the boundary, so that its age can be told */
    default void onPublished(long step, long capturedNanos) {}

    /** @param load of the sample, so that what no window will have can be summed up */
    default void onDropped(Dropped reason, long step, long load) {}

    /** Snapshots were overwritten before they were read; the next ones cover their steps. */
    default void onMissed(long snapshots) {}

    /**
     * A counter of this rank went down, or another process writes its ring: its steps up to {@code step} that are in no sample
     * yet come into none.
     */
    default void onReset(int rank, long step) {}

    /**
     * Steps of a rank up to {@code step} that no predecessor has told are in no sample: what it left behind cannot be read, so where it
     * stopped is not known.
     */
    default void onStartedUnderWay(long step) {}

    /** Another collector, or a process that was one, serves this directory: this one takes over when that one is gone. Told once. */
    default void onStandingBy(Path directory) {}

    /** There is no deployment at this place yet. Told at the start, and rarely again while it is so. */
    default void onNothingThere(Path place) {}

    /**
     * Heat rings that nobody reads: their name is not {@code rank-N.ring}, or no membership stands beside them. Told once for each.
     */
    default void onIgnored(List<Path> rings) {}

    /** Something that is tried again until it works. */
    default void onTrouble(String what, Throwable cause) {}
}
