package dev.plimsoll.worker;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferLists;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A command of the plan log as ranks hear it: for each rank the bytes of a record of its mailbox, {@code plm_order} of plimsoll.h and
 * what follows it, little-endian. Immutable.
 *
 * <p>All that a boundary needs is in place: which slots the rank sends and receives, under which tag, and what every slot holds
 * after the flip. An engine has nothing to derive, check or look up.
 */
public final class Order {
    private static final int HEAD_BYTES = 56;
    /** Of {@code plm_order_batch}, {@code plm_order_transfer} and {@code plm_order_change}: four words each. */
    private static final int ENTRY_BYTES = 16;

    /**
     * One batch, for all ranks.
     *
     * @param lists empty where the engine moves the weights by itself
     * @param changes {@code plm_order_change}, by layer and then by slot
     */
    private record Part(Optional<TransferLists> lists, byte[] changes) {
        List<TransferLists.Transfer> sends(RankId rank) {
            return lists.map(each -> each.sends().get(rank.index())).orElse(List.of());
        }

        List<TransferLists.Transfer> receives(RankId rank) {
            return lists.map(each -> each.receives().get(rank.index())).orElse(List.of());
        }
    }

    private final int kind;
    private final int flags;
    private final PlanHeader header;
    private final int epoch;
    private final int basedOn;
    private final long planHash;
    private final int batches;
    private final Optional<Refusal> refusal;
    private final int slotsPerRank;
    private final List<Part> parts;

    private Order(
            int kind,
            int flags,
            PlanHeader header,
            int epoch,
            int basedOn,
            long planHash,
            int batches,
            Optional<Refusal> refusal,
            int slotsPerRank,
            List<Part> parts) {
        this.kind = kind;
        this.flags = flags;
        this.header = header;
        this.epoch = epoch;
        this.basedOn = basedOn;
        this.planHash = planHash;
        this.batches = batches;
        this.refusal = refusal;
        this.slotsPerRank = slotsPerRank;
        this.parts = parts;
    }

    /**
     * Bytes of the largest order of a group whose layers have so many slots together, and so many on a rank: every slot changes, and
     * all weights come from one rank.
     */
    static long most(int layers, long slots, long slotsOfRank) {
        return HEAD_BYTES + ENTRY_BYTES * (layers + slots + slots + slotsOfRank);
    }

    /** An order that is all head; fields that its kind does not have are 0. */
    static Order of(int kind, PlanHeader header, int epoch, long planHash, int batches) {
        return new Order(kind, 0, header, epoch, 0, planHash, batches, Optional.empty(), 1, List.of());
    }

    /** A proposal that ranks are to refuse. */
    static Order refusing(PlanHeader header, int epoch, int basedOn, long planHash, Refusal refusal) {
        return new Order(
                PlimsollApi.PLM_ORDER_PROPOSE,
                0,
                header,
                epoch,
                basedOn,
                planHash,
                0,
                Optional.of(refusal),
                1,
                List.of());
    }

    /**
     * A proposal that was checked.
     *
     * @param settled the placement that it starts from
     * @param engineMoves whether the engine moves weights by itself, so that no rank sends or receives any
     */
    static Order proposing(
            PlanHeader header,
            int epoch,
            long planHash,
            List<Batch> batches,
            Placement settled,
            Topology topology,
            boolean engineMoves) {
        List<Part> parts = new ArrayList<>();
        for (Batch batch : batches) {
            parts.add(new Part(
                    engineMoves ? Optional.empty() : Optional.of(TransferLists.of(batch, topology)),
                    changes(batch, settled)));
        }
        return new Order(
                PlimsollApi.PLM_ORDER_PROPOSE,
                0,
                header,
                epoch,
                settled.version(),
                planHash,
                parts.size(),
                Optional.empty(),
                topology.slotsPerRank(),
                parts);
    }

    /** A layer's changes are all in one batch, so what batches before it did does not matter. */
    private static byte[] changes(Batch batch, Placement settled) {
        SortedMap<Integer, BitSet> slots = new TreeMap<>();
        for (Move move : batch.moves()) {
            slots.computeIfAbsent(move.layer().index(), layer -> new BitSet())
                    .set(move.slot().index());
        }
        for (Switch change : batch.switches()) {
            slots.computeIfAbsent(change.layer().index(), layer -> new BitSet())
                    .set(change.slot().index());
        }
        Placement after = settled.with(settled.version(), batch);
        int count = slots.values().stream().mapToInt(BitSet::cardinality).sum();
        ByteBuffer bytes = littleEndian(count * ENTRY_BYTES);
        slots.forEach((layer, changed) -> changed.stream()
                .forEach(slot -> bytes.putInt(layer)
                        .putInt(slot)
                        .putInt(after.expert(new LayerId(layer), new SlotId(slot))
                                .index())
                        .putInt(after.idle(layer, slot) ? 0 : 1)));
        return bytes.array();
    }

    /** The same for a rank that has missed it. */
    Order again() {
        return new Order(
                kind,
                flags | PlimsollApi.PLM_ORDER_AGAIN,
                header,
                epoch,
                basedOn,
                planHash,
                batches,
                refusal,
                slotsPerRank,
                parts);
    }

    /** The same, to be refused by a rank that cannot take it whole. */
    Order refusedWith(Refusal reason) {
        return refusing(header, epoch, basedOn, planHash, reason);
    }

    /** What ranks refuse it with; empty where it is no proposal, or a sound one. */
    public Optional<Refusal> refusal() {
        return refusal;
    }

    /** {@code PLM_ORDER_*}. */
    public int kind() {
        return kind;
    }

    public int epoch() {
        return epoch;
    }

    /** The record for a rank's mailbox. */
    public byte[] bytes(RankId rank) {
        int size = HEAD_BYTES;
        for (Part part : parts) {
            int transfers = part.sends(rank).size() + part.receives(rank).size();
            size += ENTRY_BYTES + transfers * ENTRY_BYTES + part.changes().length;
        }
        ByteBuffer bytes = littleEndian(size);
        bytes.putInt(size)
                .putShort((short) kind)
                .putShort((short) flags)
                .putLong(header.incarnation())
                .putLong(header.term())
                .putLong(header.number())
                .putInt(epoch)
                .putInt(basedOn)
                .putLong(planHash)
                .putInt(batches)
                .putInt(refusal.map(Refusal::ordinal).orElse(PlimsollApi.PLM_REFUSAL_NONE));
        for (Part part : parts) {
            List<TransferLists.Transfer> sends = part.sends(rank);
            List<TransferLists.Transfer> receives = part.receives(rank);
            bytes.putInt(sends.size())
                    .putInt(receives.size())
                    .putInt(part.changes().length / ENTRY_BYTES)
                    .putInt(0);
            for (TransferLists.Transfer sent : sends) {
                transfer(bytes, sent, sent.move().source(), sent.to());
            }
            for (TransferLists.Transfer received : receives) {
                transfer(bytes, received, received.move().slot(), received.from());
            }
            bytes.put(part.changes());
        }
        return bytes.array();
    }

    private void transfer(ByteBuffer bytes, TransferLists.Transfer transfer, SlotId slot, RankId peer) {
        bytes.putInt(transfer.move().layer().index())
                .putInt(slot.index() % slotsPerRank)
                .putInt(peer.index())
                .putInt(transfer.tag());
    }

    private static ByteBuffer littleEndian(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
