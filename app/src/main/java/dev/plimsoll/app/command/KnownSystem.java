package dev.plimsoll.app.command;

import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.ReplicaShare;

/** Serving systems whose ways are known, from their sources or from runs: {@code docs/engines.md} says which is which. */
enum KnownSystem {
    /** Counts what a rank's router sent to all slots, and shares by the hash of a token's row. */
    VLLM(LoadKind.ROUTED_TO, ReplicaShare.HASHED_ROW),
    /** With an all-to-all: counts what a rank's router sent, which keeps tokens on its rank where it can. */
    SGLANG(LoadKind.ROUTED_TO, ReplicaShare.LOCAL_FIRST),
    /** vllm-ascend's first balancer: every source rank has one fixed replica, and maps are adopted once in a cycle of 708 steps. */
    ASCEND_V1(LoadKind.COMPUTED, ReplicaShare.BY_SOURCE),
    /** Its second, on top of vLLM's: counts what own slots computed, and deals the rows of a batch to replicas in turn. */
    ASCEND_V2(LoadKind.COMPUTED, ReplicaShare.EVEN),
    /** Every rank has the counts of all. Nobody says how it shares. */
    TRTLLM(LoadKind.REPLICATED, ReplicaShare.FITTED);

    private static final int ASCEND_CYCLE_STEPS = 708;

    private final LoadKind load;
    private final ReplicaShare share;

    KnownSystem(LoadKind load, ReplicaShare share) {
        this.load = load;
        this.share = share;
    }

    /** All move weights by themselves. */
    EngineTraits traits(int boundarySteps) {
        return new EngineTraits(false, true, load, share, deadlines(boundarySteps));
    }

    /** A map that comes just too late for a cycle is adopted at the end of the next. */
    private Deadlines deadlines(int boundarySteps) {
        int cycles = this == ASCEND_V1 ? (2 * ASCEND_CYCLE_STEPS + boundarySteps - 1) / boundarySteps : 0;
        return new Deadlines(Deadlines.DEFAULT.accept(), Math.max(Deadlines.DEFAULT.progress(), cycles));
    }
}
