package dev.plimsoll.simulator;

import dev.plimsoll.device.WeightTensor;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The weights of one rank's slots: a block of memory for each layer and tensor, as engines have them, {@code [local slot][words]}.
 *
 * <p>An expert is three tensors of unequal sizes, about 1/2, 3/8 and 1/8 of it, and its words are numbered through all three: a
 * tensor that is missing, or another's, is found like a wrong word.
 */
final class RankWeights implements AutoCloseable {
    static final int TENSORS = 3;

    /** Word of an expert that its second and its third tensor begin with, and its words. */
    private final int second;

    private final int third;
    private final int words;
    private final int slots;
    private final List<Hardware.Memory> blocks = new ArrayList<>();
    private final List<WeightTensor> tensors = new ArrayList<>();
    /** {@code [layer][local slot][tensor]} flattened: a buffer each, as one for a block may not have more than 2 GiB. */
    private final LongBuffer[] buffers;

    /** @param wordsPerExpert at least 8 */
    RankWeights(Hardware hardware, int layers, int slots, int wordsPerExpert) {
        this.slots = slots;
        words = wordsPerExpert;
        second = wordsPerExpert / 2;
        third = wordsPerExpert - wordsPerExpert / 8;
        buffers = new LongBuffer[layers * slots * TENSORS];
        try {
            for (int layer = 0; layer < layers; layer++) {
                allocate(hardware, layer, 0, second);
                allocate(hardware, layer, 1, third - second);
                allocate(hardware, layer, 2, words - third);
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void allocate(Hardware hardware, int layer, int tensor, int size) {
        long bytes = 8L * size;
        Hardware.Memory block = hardware.allocate(slots * bytes);
        blocks.add(block);
        tensors.add(new WeightTensor(layer, block.address(), bytes, bytes));
        for (int slot = 0; slot < slots; slot++) {
            buffers[(layer * slots + slot) * TENSORS + tensor] =
                    block.buffer(slot * bytes, Math.toIntExact(bytes)).asLongBuffer();
        }
    }

    /** By layer, and in the order in which an expert's words are numbered. */
    List<WeightTensor> tensors() {
        return tensors;
    }

    /** @param cell layer × slots + local slot */
    long word(int cell, int index) {
        int at = cell * TENSORS;
        if (index < second) {
            return buffers[at].get(index);
        }
        return index < third ? buffers[at + 1].get(index - second) : buffers[at + 2].get(index - third);
    }

    void put(int cell, int index, long word) {
        int at = cell * TENSORS;
        if (index < second) {
            buffers[at].put(index, word);
        } else if (index < third) {
            buffers[at + 1].put(index - second, word);
        } else {
            buffers[at + 2].put(index - third, word);
        }
    }

    /** Copies an expert from a cell of other weights, of the same size. */
    void copy(int cell, RankWeights from, int source) {
        for (int tensor = 0; tensor < TENSORS; tensor++) {
            LongBuffer to = buffers[cell * TENSORS + tensor];
            to.put(0, from.buffers[source * TENSORS + tensor], 0, to.capacity());
        }
    }

    /** Makes the weights in a cell those of an expert. */
    void fill(int cell, int layer, int expert) {
        int at = cell * TENSORS;
        WeightPattern.fill(buffers[at], second, layer, expert, 0);
        WeightPattern.fill(buffers[at + 1], third - second, layer, expert, second);
        WeightPattern.fill(buffers[at + 2], words - third, layer, expert, third);
    }

    @Override
    public void close() {
        blocks.forEach(Hardware.Memory::close);
        blocks.clear();
    }
}
