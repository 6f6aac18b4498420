package dev.plimsoll.device;

/**
 * A tensor of a layer's experts: that of local slot n is at {@code address + n × stride}. An expert is all its tensors in order.
 *
 * @param layer the layer
 * @param address device address of local slot 0's
 * @param stride bytes from one slot's to the next
 * @param bytes of one slot's, at most {@code stride}
 */
public record WeightTensor(int layer, long address, long stride, long bytes) {
    public WeightTensor {
        if (layer < 0 || bytes < 1 || stride < bytes) {
            throw new IllegalArgumentException(
                    "a tensor of layer " + layer + " with " + bytes + " bytes every " + stride + " bytes");
        }
    }

    /** Device address of a slot's. */
    public long address(int localSlot) {
        return address + localSlot * stride;
    }
}
