package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.replay.result.PolicyRun;
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
        return history.members().withBytesPerExpert(bytesPerExpert);
    }

    @Override
    public boolean expertBytesKnown() {
        return true;
    }

    /** With bytes of its decisions by the same weight: they are compared. */
    @Override
    public Optional<PolicyRun> live() {
        return history.live()
                .map(run -> run.withDecisions(run.decisions().stream()
                        .map(decision -> decision.withBytes(decision.moves() * bytesPerExpert))
                        .toList()));
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>(history.notes());
        notes.add("an expert of a layer weighs " + bytesPerExpert + " bytes, as given; the source says "
                + history.members().bytesPerExpert());
        return notes;
    }
}
