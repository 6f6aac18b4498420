package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import java.time.Duration;
import java.util.Optional;

/** Whether records fit the membership, and a membership fits into memory: nothing of a size that a record claims is allocated before. */
final class Shapes {
    static final int MOST_BOUNDARIES = 1 << 12;
    private static final long MOST_SLOTS = 1 << 22;
    static final long MOST_COUNTERS = 1 << 28;
    private static final long MOST_STEPS = 1L << 53;

    private Shapes() {}

    /** Ahead of the clock by more than any two clocks differ; incarnations that are counted and no time in milliseconds are far behind it. */
    private static final long MOST_AHEAD_MILLIS = Duration.ofDays(1).toMillis();

    /** Why a membership record cannot be used. */
    static Optional<Fate> refusal(Membership members, long appendTimeMillis, WindowSettings settings) {
        if (members.incarnation() - appendTimeMillis > MOST_AHEAD_MILLIS) {
            return Optional.of(Fate.INCARNATION_AHEAD);
        }
        return fits(members) && OpenWindow.bytesOfWhole(members, settings) <= settings.openBytes()
                ? Optional.empty()
                : Optional.of(Fate.MEMBERS_TOO_LARGE);
    }

    private static boolean fits(Membership members) {
        long boundaries = members.boundariesPerWindow();
        long layers = members.shape().layers();
        long ranks = members.topology().ranks();
        long slots = Math.multiplyExact(ranks, (long) members.topology().slotsPerRank());
        return boundaries <= MOST_BOUNDARIES
                && slots <= MOST_SLOTS
                && slots * layers <= MOST_SLOTS
                && boundaries * slots * layers <= MOST_COUNTERS;
    }

    /** Why a sample of this incarnation cannot be used at all. */
    static Optional<Fate> refusal(Membership members, LoadSample sample) {
        if (sample.firstRank() + (long) sample.ranks() > members.topology().ranks()
                || sample.firstLayer() + (long) sample.layers()
                        > members.shape().layers()
                || sample.slotsPerRank() != width(members, sample.kind())) {
            return Optional.of(Fate.SHAPE);
        }
        if (!members.gives(sample.kind())) {
            return Optional.of(Fate.KIND);
        }
        if (sample.phase() != members.phase()) {
            return Optional.of(Fate.PHASE);
        }
        if (sample.steps().from() % members.boundarySteps() != 0
                || sample.steps().to() % members.boundarySteps() != 0
                || sample.steps().to() > MOST_STEPS) {
            return Optional.of(Fate.OFF_BOUNDARY);
        }
        long mostRouted = Cell.COUNTER_LIMIT * members.topology().slots();
        for (int layer = 0; layer < sample.routed().size(); layer++) {
            if (sample.routed().at(layer) >= mostRouted) {
                return Optional.of(Fate.TOO_LARGE);
            }
        }
        return tooLong(sample.elapsedNanos()) || tooLong(sample.idleNanos())
                ? Optional.of(Fate.TOO_LARGE)
                : Optional.empty();
    }

    /** Counters of a rank in a layer. */
    static int width(Membership members, LoadKind kind) {
        return kind == LoadKind.ROUTED_TO
                ? members.topology().slots()
                : members.topology().slotsPerRank();
    }

    private static boolean tooLong(LongVector nanos) {
        for (int i = 0; i < nanos.size(); i++) {
            if (nanos.at(i) >= Times.NANOS_LIMIT) {
                return true;
            }
        }
        return false;
    }
}
