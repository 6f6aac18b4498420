package dev.plimsoll.app.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Which fault strikes which decision next, from a seed: all faults in an order that is drawn anew each time round, each at another phase
 * than the last time, so that after as many rounds as there are phases each fault has struck at each of them. While something that is to
 * be reached lags behind the decisions, each third fault is drawn, from the same seed, of those that bring it on.
 */
final class DecisionSchedule {
    private static final int PHASES = DecisionPhase.values().length;
    /** Recovery knows of clocks that differ by ten minutes. */
    private static final int MOST_SKEW_SECONDS = 480;

    private static final int EXTRA = 3;

    /**
     * What comes more than once in a round, so that a round has ten crashes, five fail-overs, ten aborts and two roll-backs: commands cost
     * little time, and some come too late; of ten aborts two or three are those that other faults wait for.
     */
    private static final Map<DecisionFault, Integer> OFTENER =
            Map.of(DecisionFault.PLANNER_KILLED, 2, DecisionFault.ABORTED, 8, DecisionFault.ROLLED_BACK, 3);

    private final Schedule<DecisionFault> order;
    private final boolean brief;
    private final Random random;
    private final Map<DecisionFault, Integer> phases = new EnumMap<>(DecisionFault.class);
    private int drawn;

    /** @param whole how long the run takes: a brief one lets fewer decisions pass between two faults */
    DecisionSchedule(long seed, Duration whole) {
        order = new Schedule<>(seed, whole, round(), DecisionFault::family);
        brief = Schedule.brief(whole);
        random = new Random(~seed);
        for (DecisionFault fault : DecisionFault.values()) {
            phases.put(fault, random.nextInt(PHASES));
        }
    }

    /** The faults of a round. */
    static List<DecisionFault> round() {
        List<DecisionFault> round = new ArrayList<>();
        for (DecisionFault fault : DecisionFault.values()) {
            round.addAll(Collections.nCopies(OFTENER.getOrDefault(fault, 1), fault));
        }
        return round;
    }

    /** The next fault of the round, whatever lags. */
    DecisionFaults.Strike next() {
        return next(Optional.empty());
    }

    /** @param lag what is furthest behind */
    DecisionFaults.Strike next(Optional<DecisionGoal.Lag> lag) {
        drawn++;
        List<DecisionFault> bringing = lag.filter(behind -> behind.alone() || drawn % EXTRA == 0).stream()
                .flatMap(behind -> DecisionFault.bringing(behind.name()).stream())
                .toList();
        DecisionFault fault =
                bringing.isEmpty() ? order.next(Set.of()).orElseThrow() : bringing.get(random.nextInt(bringing.size()));
        int phase = phases.merge(fault, 1, (at, one) -> (at + one) % PHASES);
        return new DecisionFaults.Strike(
                fault,
                DecisionPhase.values()[phase],
                random.nextInt(1 << 20),
                order.frozen(),
                order.down(),
                Duration.ofMillis(300 + random.nextInt(1_700)),
                1_000L * (random.nextInt(2 * MOST_SKEW_SECONDS + 1) - MOST_SKEW_SECONDS),
                RankStart.values()[random.nextInt(RankStart.values().length)]);
    }

    /** How many decisions settle undisturbed before the next fault. */
    int undisturbed() {
        return random.nextInt(brief ? 2 : 5);
    }
}
