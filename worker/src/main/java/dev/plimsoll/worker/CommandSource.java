package dev.plimsoll.worker;

import dev.plimsoll.device.PlanMailbox;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.util.Optional;

/** Where a rank's commands come from: its mailbox, decoded. */
@FunctionalInterface
interface CommandSource {
    /**
     * The next command, empty when there is none now.
     *
     * @throws WireException for a record that is not a command; it has been taken and the next call goes on behind it
     */
    Optional<PlanCommand> next() throws WireException;

    static CommandSource of(PlanMailbox mailbox) {
        return () -> {
            Optional<byte[]> record = mailbox.read();
            return record.isPresent() ? Optional.of(Topic.PLAN.decode(record.get())) : Optional.empty();
        };
    }
}
