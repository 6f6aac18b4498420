package dev.plimsoll.worker;

import dev.plimsoll.device.EngineRank;
import dev.plimsoll.device.Transfer;
import dev.plimsoll.device.WeightTensor;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.TransferLists;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One rank's part in a batch: its weights on their way to staging memory, then from there to their slots.
 *
 * <p>Every rank derives its lists from the same batch: {@link TransferLists}. An exchange without any send or receive, such as
 * of a batch that only switches slots, is submitted all the same, for exchanges are submitted by all ranks in one order.
 */
final class WeightExchange {
    private record Arrival(int layer, int localSlot, long staged) {}

    private final int epoch;
    private final Batch batch;
    private final long bytes;
    private final RankDevice device;
    private final RankDevice.Exchange exchange;
    private final List<Arrival> arrivals = new ArrayList<>();
    private long received;
    private boolean ended;

    private WeightExchange(int epoch, Batch batch, long bytes, RankDevice device, RankDevice.Exchange exchange) {
        this.epoch = epoch;
        this.batch = batch;
        this.bytes = bytes;
        this.device = device;
        this.exchange = exchange;
    }

    /** Equal on all ranks and never used twice in an incarnation. */
    static long id(int epoch, int batch) {
        return epoch * 65_536L + batch;
    }

    static WeightExchange start(
            int epoch, Batch batch, RankId self, Topology topology, EngineRank engine, RankDevice device) {
        long bytes = engine.bytesPerExpert();
        WeightExchange started =
                new WeightExchange(epoch, batch, bytes, device, device.exchange(id(epoch, batch.number())));
        try {
            started.submit(self, topology, engine);
        } catch (RuntimeException e) {
            started.close();
            throw e;
        }
        return started;
    }

    private void submit(RankId self, Topology topology, EngineRank engine) {
        TransferLists lists = TransferLists.of(batch, topology);
        for (TransferLists.Transfer sent : lists.sends().get(self.index())) {
            Move move = sent.move();
            List<WeightTensor> tensors = tensors(engine, move.layer().index());
            int slot = local(move.source(), topology);
            exchange.send(
                    sent.to().index(),
                    tensors.stream().mapToLong(tensor -> tensor.address(slot)).toArray(),
                    tensors.stream().mapToLong(WeightTensor::bytes).toArray(),
                    sent.tag());
        }
        for (TransferLists.Transfer awaited : lists.receives().get(self.index())) {
            Move move = awaited.move();
            long staged = device.stagingAddress() + awaited.tag() * bytes;
            exchange.receive(awaited.from().index(), staged, bytes, awaited.tag());
            received += awaited.from().equals(self) ? 0 : bytes;
            arrivals.add(new Arrival(move.layer().index(), local(move.slot(), topology), staged));
        }
        exchange.submit();
    }

    private static List<WeightTensor> tensors(EngineRank engine, int layer) {
        return engine.weights().stream()
                .filter(tensor -> tensor.layer() == layer)
                .toList();
    }

    private static int local(SlotId slot, Topology topology) {
        return slot.index() % topology.slotsPerRank();
    }

    int epoch() {
        return epoch;
    }

    int batch() {
        return batch.number();
    }

    /** PENDING until the end, then the end once, then PENDING again. */
    Transfer.Status poll() {
        Transfer.Status status = ended ? Transfer.Status.PENDING : exchange.poll();
        ended |= status != Transfer.Status.PENDING;
        return status;
    }

    /** From other ranks. */
    long receivedBytes() {
        return received;
    }

    /** Zero where nothing came from other ranks. */
    Duration transferTime() {
        return received == 0 ? Duration.ZERO : exchange.took();
    }

    String failure() {
        return exchange.failure();
    }

    /**
     * Enqueues, on the compute stream: weights from staging to their slots, then the map of every layer of the batch.
     *
     * @param after the placement with this batch
     */
    void flip(EngineRank engine, Placement after) {
        exchange.join();
        for (Arrival arrival : arrivals) {
            long staged = arrival.staged();
            for (WeightTensor tensor : tensors(engine, arrival.layer())) {
                device.copy(tensor.address(arrival.localSlot()), staged, tensor.bytes());
                staged += tensor.bytes();
            }
        }
        Map<Integer, Set<Integer>> layers = new TreeMap<>();
        for (Move move : batch.moves()) {
            slots(layers, move.layer()).add(move.slot().index());
        }
        for (Switch change : batch.switches()) {
            slots(layers, change.layer()).add(change.slot().index());
        }
        layers.forEach((layer, changed) -> flipMap(engine, after, layer, changed));
    }

    private static Set<Integer> slots(Map<Integer, Set<Integer>> layers, LayerId layer) {
        return layers.computeIfAbsent(layer.index(), none -> new TreeSet<>());
    }

    private static void flipMap(EngineRank engine, Placement after, int layer, Set<Integer> changed) {
        int[] slots = changed.stream().mapToInt(slot -> slot).toArray();
        int[] experts = after.layer(layer);
        boolean[] inUse = new boolean[slots.length];
        for (int i = 0; i < slots.length; i++) {
            inUse[i] = !after.idle(layer, slots[i]);
        }
        engine.flipMap(
                layer, slots, Arrays.stream(slots).map(slot -> experts[slot]).toArray(), inUse);
    }

    /** Afterwards no library thread touches staging memory or slots for this batch. */
    void close() {
        exchange.close();
    }
}
