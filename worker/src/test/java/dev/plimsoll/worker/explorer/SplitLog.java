package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.worker.Fixture;

/** A log that rank 2 reads otherwise than the others: another plan of the same epoch, and leave for it. */
final class SplitLog {
    private SplitLog() {}

    static PlanCommand otherwise(PlanCommand command) {
        if (command instanceof PlanCommand.Propose propose) {
            return Fixture.propose(propose.header(), propose.epoch(), Fixture.INITIAL, Fixture.OTHER_BATCHES);
        }
        if (command instanceof PlanCommand.Permit permit) {
            long hash = Fixture.propose(permit.header(), permit.epoch(), Fixture.INITIAL, Fixture.OTHER_BATCHES)
                    .planHash();
            return new PlanCommand.Permit(permit.header(), permit.epoch(), hash);
        }
        return command;
    }
}
