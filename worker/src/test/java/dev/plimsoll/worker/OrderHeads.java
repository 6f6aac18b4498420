package dev.plimsoll.worker;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The head of the order that a command becomes: a {@code plm_order} with nothing after it. */
public final class OrderHeads {
    public static final int BYTES = 56;

    private OrderHeads() {}

    public static byte[] of(PlanCommand command) {
        return of(command, false, PlimsollApi.PLM_REFUSAL_NONE);
    }

    /** The same for a rank that has missed it. */
    public static byte[] again(PlanCommand command) {
        return of(command, true, PlimsollApi.PLM_REFUSAL_NONE);
    }

    /** @param refusal what the worker found wrong with a proposal */
    static byte[] of(PlanCommand command, boolean again, int refusal) {
        PlanHeader header = command.header();
        int kind = PlimsollApi.PLM_ORDER_TERM;
        int epoch = 0;
        int basedOn = 0;
        long planHash = 0;
        int batches = 0;
        if (command instanceof PlanCommand.Propose propose) {
            kind = PlimsollApi.PLM_ORDER_PROPOSE;
            epoch = propose.epoch();
            basedOn = propose.basedOn();
            planHash = propose.planHash();
            batches = propose.batches().size();
        } else if (command instanceof PlanCommand.Permit permit) {
            kind = PlimsollApi.PLM_ORDER_PERMIT;
            epoch = permit.epoch();
            planHash = permit.planHash();
        } else if (command instanceof PlanCommand.Abort abort) {
            kind = PlimsollApi.PLM_ORDER_ABORT;
            epoch = abort.epoch();
        } else if (command instanceof PlanCommand.Settled settled) {
            kind = PlimsollApi.PLM_ORDER_SETTLED;
            epoch = settled.epoch();
            batches = settled.batchesFlipped();
        } else if (command instanceof PlanCommand.Void ended) {
            kind = PlimsollApi.PLM_ORDER_VOID;
            epoch = ended.epoch();
        }
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(BYTES)
                .putShort((short) kind)
                .putShort((short) (again ? PlimsollApi.PLM_ORDER_AGAIN : 0))
                .putLong(header.incarnation())
                .putLong(header.term())
                .putLong(header.number())
                .putInt(epoch)
                .putInt(basedOn)
                .putLong(planHash)
                .putInt(batches)
                .putInt(refusal)
                .array();
    }
}
