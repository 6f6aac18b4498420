package dev.plimsoll.collector;

import dev.plimsoll.device.StepClock;
import dev.plimsoll.model.PlacementState;
import java.util.Optional;

/**
 * What one rank had counted when its last sample was made, which is where its next one begins. Absolute counters, as the ring has
 * them.
 *
 * @param writer the process that counted
 * @param step samples up to this step were made, of this process
 * @param covered samples up to this step were made, of whatever process; not less than {@code step} but after a restart
 * @param state the placement state of the steps up to {@code step}
 * @param next that of the first boundary interval after it, where its votes were seen
 * @param clock what its steps had taken up to {@code step}; empty where that is not known
 * @param mixed whether steps after it are known to have run under more than one map of experts
 * @param sent whether {@code load} is what the rank sent to the slots of all ranks
 * @param resets of the counters that a gather adds up, up to {@code step}
 * @param load {@code [layer][slot]} flattened
 * @param routed {@code [layer]}; empty where the engine does not know
 */
@SuppressWarnings("ArrayRecordComponent") // large, handed over once, and compared by nobody
record RankCounts(
        int rank,
        Ring.Writer writer,
        long step,
        long covered,
        PlacementState state,
        Optional<PlacementState> next,
        Optional<StepClock> clock,
        boolean mixed,
        boolean sent,
        long resets,
        long[] load,
        long[] routed) {}
