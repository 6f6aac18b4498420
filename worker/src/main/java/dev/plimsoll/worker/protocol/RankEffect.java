package dev.plimsoll.worker.protocol;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Refusal;

/** What a rank has to do now; carried out in order, before the vote of the boundary. */
public sealed interface RankEffect {

    /** Start sending and receiving the weights of a batch: every rank does so at this same boundary. */
    record StartTransfers(int epoch, Batch batch) implements RankEffect {}

    /** Enqueue staged weights, then the map, before the step's first layer: every rank does so at this same boundary. */
    record Flip(int epoch, Batch batch) implements RankEffect {}

    /** The staging memory of a batch may be used again. */
    record FreeStaging(int epoch, int batch) implements RankEffect {}

    /** Take part in no gather any more and serve on: no flip can have happened without this rank. */
    record AbandonGroup() implements RankEffect {}

    /** Run no further step. */
    record LeaveGroup() implements RankEffect {}

    /** A decision was refused; for people. */
    record Refused(int epoch, Refusal refusal, String detail) implements RankEffect {}

    /** A command changed nothing; counted. */
    record Ignored(Reason reason, String command) implements RankEffect {}

    /** Why a command changed nothing. */
    enum Reason {
        /** Its number is not above the last one. */
        DUPLICATE,
        /** Written by a planner that another has followed. */
        OLD_TERM,
        FOREIGN_INCARNATION,
        FOREIGN_DEPLOYMENT,
        /** It speaks of a decision that is over or that this rank does not know. */
        OLD_EPOCH,
        /** It does not fit what this rank has done: a fault of the planner. */
        OUT_OF_PLACE,
        /** A second proposal while one is in flight. */
        BUSY,
        /** The rank is fatal. */
        FATAL
    }
}
