package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Membership;
import dev.plimsoll.planner.Setbacks;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlanPositions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A plan log as successors read it that do not read it from its beginning. */
final class Restarts {
    /** @param setbacks that what was read tells of */
    record Read(PlanLog log, Setbacks setbacks) {}

    private Restarts() {}

    /**
     * What is read from wherever a planner may have said last that reading goes on.
     *
     * @param members of the incarnation in which that was said
     */
    static List<Read> of(Log log, Membership members) {
        List<Read> read = new ArrayList<>();
        PlanPositions positions = new PlanPositions(members);
        for (int said = 0; said <= log.size(); said++) {
            positions.restart(said, OptionalInt.empty()).ifPresent(restart -> read.add(read(log, members, restart)));
            if (said < log.size()) {
                positions.add(log.commands.get(said), said, version -> Optional.empty());
            }
        }
        return read;
    }

    private static Read read(Log log, Membership members, PlanPositions.Restart restart) {
        PlanLog read = PlanLog.since(restart.at(), members.incarnation(), restart.base());
        Setbacks setbacks = Setbacks.NONE;
        for (int offset = 0; offset < log.size(); offset++) {
            if (restart.at().covers(offset)) {
                read.add(log.commands.get(offset));
                setbacks = setbacks.after(log.commands.get(offset));
            }
        }
        return new Read(read, setbacks);
    }
}
