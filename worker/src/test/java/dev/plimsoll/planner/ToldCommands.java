package dev.plimsoll.planner;

import dev.plimsoll.model.PlanCommand;
import java.util.function.Consumer;

/** The planner's own {@link ToldLater} for simulations: who listens hears of commands once their transaction is known to be committed. */
public final class ToldCommands {
    private final ToldLater later;

    public ToldCommands(Consumer<PlanCommand> told) {
        later = new ToldLater(new PlannerListener() {
            @Override
            public void proposed(PlanCommand.Propose propose) {
                told.accept(propose);
            }

            @Override
            public void permitted(PlanCommand.Permit permit) {
                told.accept(permit);
            }

            @Override
            public void settled(PlanCommand.Settled settled, int moves) {
                told.accept(settled);
            }

            @Override
            public void aborted(PlanCommand.Abort abort) {
                told.accept(abort);
            }

            @Override
            public void voided(PlanCommand.Void end) {
                told.accept(end);
            }
        });
    }

    /** A command is to be written with the next transaction. */
    public void written(PlanCommand command) {
        if (command instanceof PlanCommand.Propose propose) {
            later.proposed(propose);
        } else if (command instanceof PlanCommand.Permit permit) {
            later.permitted(permit);
        } else if (command instanceof PlanCommand.Settled end) {
            later.settled(end, 0);
        } else if (command instanceof PlanCommand.Abort abort) {
            later.aborted(abort);
        } else if (command instanceof PlanCommand.Void end) {
            later.voided(end);
        }
    }

    /** The transaction is on its way. */
    public void taken() {
        later.taken();
    }

    /** It has arrived. */
    public void committed() {
        later.committed();
    }
}
