package dev.plimsoll.app.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Which fault strikes which decision next, from a seed alone: all faults in an order that is drawn anew each time round, each at another
 * phase than the last time, so that after as many rounds as there are phases each fault has struck at each of them.
 */
final class DecisionSchedule {
    private static final int PHASES = DecisionPhase.values().length;
    /** Recovery knows of clocks that differ by ten minutes. */
    private static final int MOST_SKEW_SECONDS = 480;

    /** Commands cost little time, and there are to be many. */
    private static final List<DecisionFault> OFTENER =
            List.of(DecisionFault.ABORTED, DecisionFault.ABORTED, DecisionFault.ROLLED_BACK);

    private final Schedule<DecisionFault> order;
    private final Random random;
    private final Map<DecisionFault, Integer> phases = new EnumMap<>(DecisionFault.class);

    DecisionSchedule(long seed, Duration whole) {
        List<DecisionFault> round = new ArrayList<>(List.of(DecisionFault.values()));
        round.addAll(OFTENER);
        order = new Schedule<>(seed, whole, round, DecisionFault::family);
        random = new Random(~seed);
        for (DecisionFault fault : DecisionFault.values()) {
            phases.put(fault, random.nextInt(PHASES));
        }
    }

    DecisionFaults.Strike next() {
        DecisionFault fault = order.next(Set.of()).orElseThrow();
        int phase = phases.merge(fault, 1, (at, one) -> (at + one) % PHASES);
        return new DecisionFaults.Strike(
                fault,
                DecisionPhase.values()[phase],
                random.nextInt(1 << 20),
                order.frozen(),
                order.down(),
                Duration.ofMillis(300 + random.nextInt(1_700)),
                1_000L * (random.nextInt(2 * MOST_SKEW_SECONDS + 1) - MOST_SKEW_SECONDS));
    }

    /** Undisturbed, so that decisions go through as well. */
    Duration pause() {
        return order.pause();
    }
}
