package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Numbers what it reads; its state is what the plan log says that it has numbered. */
class ChainTask implements PartitionTask<SampleRecord> {
    private final List<Output<?>> outputs = new ArrayList<>();
    private final Runnable hazard;
    private long written;
    private long next;
    private boolean dirty;
    private boolean asked;

    ChainTask(Runnable hazard) {
        this.hazard = hazard;
    }

    @Override
    public Optional<RecoveryRead<?>> nextRead(InputLog input) {
        hazard.run();
        if (asked) {
            return Optional.empty();
        }
        asked = true;
        return Optional.of(RecoveryRead.state(
                Topic.PLAN,
                command -> written = Math.max(written, command.value().header().number())));
    }

    @Override
    public long recovered(InputLog input) {
        next = input.committed().orElse(input.first());
        return next;
    }

    @Override
    public void onRecord(Received<SampleRecord> record) {
        hazard.run();
        next = record.offset() + 1;
        dirty = true;
        written++;
        Deployment deployment = record.value().deployment();
        long incarnation = ((End) record.value()).incarnation();
        outputs.add(Output.of(
                Topic.PLAN,
                deployment,
                new PlanCommand.Permit(new PlanHeader(deployment, incarnation, 1, written), 1, written)));
    }

    @Override
    public void onUnreadable(Quarantined record, long timestampMillis) {
        next = record.offset() + 1;
        dirty = true;
        outputs.add(Output.of(Topic.QUARANTINE, new Deployment("any"), record));
    }

    @Override
    public Optional<Transaction> takeTransaction() {
        hazard.run();
        if (!dirty) {
            return Optional.empty();
        }
        Transaction transaction = new Transaction(outputs, next);
        outputs.clear();
        dirty = false;
        return Optional.of(transaction);
    }
}
