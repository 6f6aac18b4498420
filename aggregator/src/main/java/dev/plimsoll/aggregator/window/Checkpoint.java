package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState;
import java.util.List;

/**
 * What may be committed together: windows, the state as of the very record that closed them, and with
 * {@link AggregatorState#nextInputOffset()} how far the input is not needed any more.
 *
 * <p>The state is that of the closing record and not of a later one, even when later records have been folded already: what they
 * changed is learned by reading them again.
 */
public record Checkpoint(List<ClosedWindow> windows, AggregatorState state) {
    public Checkpoint {
        windows = List.copyOf(windows);
    }
}
