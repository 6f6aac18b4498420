package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState;
import java.util.List;

/**
 * What may be committed together: windows, the state of the deployments that changed, and how far the input is not needed any more.
 *
 * <p>The state of a deployment is that of the record that closed its windows and not of a later one, even when later records have been
 * folded already: what they changed is learned by reading them again. So is what has changed of other deployments.
 *
 * @param asOf offset of the newest record folded
 * @param nextInputOffset the oldest record that a restart needs
 * @param changed of the deployments that changed, of others what was committed last holds
 * @param forgotten deployments whose state is of no use any more
 */
public record Checkpoint(
        List<ClosedWindow> windows,
        long asOf,
        long nextInputOffset,
        List<AggregatorState.Sequence> changed,
        List<AggregatorState.Sequence> forgotten) {
    public Checkpoint {
        windows = List.copyOf(windows);
        changed = List.copyOf(changed);
        forgotten = List.copyOf(forgotten);
    }
}
