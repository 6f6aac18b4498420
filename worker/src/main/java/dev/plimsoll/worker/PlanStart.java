package dev.plimsoll.worker;

import dev.plimsoll.model.KeptPlacement;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanRestart;
import dev.plimsoll.wire.kafka.TopicReader;

/**
 * Where a worker begins with the plan log of an incarnation.
 *
 * @param settled what the ranks serve there when no decision is in flight
 */
record PlanStart(Membership members, Placement settled, TopicReader.Start from) {
    /** Where nothing is known but the incarnation's number, which may be a time. */
    static PlanStart ofIncarnation(Membership members, long nowMillis) {
        return new PlanStart(
                members, members.start(), TopicReader.Start.ofIncarnation(members.incarnation(), nowMillis));
    }

    /**
     * As is known from what a planner has kept. It keeps an incarnation's first placement before it writes anything else for it, so where
     * there is none, nothing has been written yet.
     *
     * @param logEnd end of the plan log, asked before anything of {@code kept} was read
     */
    static PlanStart of(Membership members, KeptPlacement kept, long logEnd, long nowMillis) {
        boolean begun = kept.layers().stream().anyMatch(layer -> layer.incarnation() >= members.incarnation());
        PlanStart byNumber = ofIncarnation(members, nowMillis);
        if (!begun) {
            return byNumber.from() instanceof TopicReader.Start.Beginning
                    ? new PlanStart(members, members.start(), TopicReader.Start.At.offset(logEnd))
                    : byNumber;
        }
        if (kept.restart().isEmpty() || kept.incarnation().orElseThrow() != members.incarnation()) {
            // An earlier release has written it, or the incarnation is over.
            return byNumber;
        }
        PlanRestart restart = kept.restart().orElseThrow();
        return new PlanStart(
                members, kept.before().orElseThrow(), new TopicReader.Start.At(restart.stretches(), restart.from()));
    }
}
