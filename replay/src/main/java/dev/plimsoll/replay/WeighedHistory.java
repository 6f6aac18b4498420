package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A past whose experts weigh what somebody says, in place of what the source says; there is room for at least one on its way. */
final class WeighedHistory extends HistoryOver {
    private final long bytesPerExpert;

    WeighedHistory(History history, long bytesPerExpert) {
        super(history);
        this.bytesPerExpert = bytesPerExpert;
    }

    @Override
    public Membership members() {
        Membership of = history.members();
        return new Membership(
                of.deployment(),
                of.incarnation(),
                of.shape(),
                of.topology(),
                of.engine(),
                of.phase(),
                of.gather(),
                of.boundarySteps(),
                of.windowSteps(),
                bytesPerExpert,
                Math.max(bytesPerExpert, of.stagingBytesPerRank()));
    }

    @Override
    public boolean expertBytesKnown() {
        return true;
    }

    /** With bytes of its decisions by the same weight: they are compared. */
    @Override
    public Optional<PolicyRun> live() {
        return history.live()
                .map(run -> new PolicyRun(
                        run.name(),
                        run.settings(),
                        run.ranks(),
                        run.redundant(),
                        run.nodes(),
                        run.served(),
                        run.decisions().stream().map(this::weighed).toList(),
                        run.kept(),
                        run.planMillis(),
                        run.placements()));
    }

    private MadeDecision weighed(MadeDecision decision) {
        return new MadeDecision(
                decision.windowIndex(),
                decision.epoch(),
                decision.planHash(),
                decision.moves(),
                decision.moves() * bytesPerExpert,
                decision.layers(),
                decision.before(),
                decision.predicted(),
                decision.measured(),
                decision.without(),
                decision.reason());
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>(history.notes());
        notes.add("an expert of a layer weighs " + bytesPerExpert + " bytes, as given; the source says "
                + history.members().bytesPerExpert());
        return notes;
    }
}
