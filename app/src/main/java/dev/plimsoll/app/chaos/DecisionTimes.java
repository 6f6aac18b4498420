package dev.plimsoll.app.chaos;

import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * How long decisions took, from when the window that they were made on could be read, by the clock of one reader of the topics: to
 * PROPOSE, to the last ACCEPTED, until all ranks had flipped everything (so all weights were there), and to SETTLED. Only decisions count
 * that settled whole.
 *
 * <p>Not thread-safe.
 */
public final class DecisionTimes {
    /** How many windows are remembered, to be decided on. */
    private static final int WINDOWS = 64;

    private record Window(long incarnation, long index) {}

    /** A decision in flight; nanoseconds, 0 for not yet. */
    private static final class Flight {
        private final long begun;
        private final long proposed;
        private final int batches;
        private long accepted;
        private long flipped;

        private Flight(long begun, long proposed, int batches) {
            this.begun = begun;
            this.proposed = proposed;
            this.batches = batches;
        }
    }

    /** Milliseconds of all that were measured, in the order of their ends. */
    public enum Until {
        PROPOSE,
        ACCEPTED,
        FLIPPED,
        SETTLED
    }

    private final Map<Window, Long> windows = new HashMap<>();
    private final List<Window> order = new ArrayList<>();
    private final Map<Integer, Flight> flights = new HashMap<>();
    private final Map<Until, List<Long>> millis = new HashMap<>();

    /** @param nanos when it was read, as of {@link System#nanoTime} */
    public void window(WindowSummary window, long nanos) {
        window(window.incarnation(), window.index(), nanos);
    }

    void window(long incarnation, long index, long nanos) {
        Window key = new Window(incarnation, index);
        if (windows.putIfAbsent(key, nanos) == null) {
            order.add(key);
        }
        if (order.size() > WINDOWS) {
            windows.remove(order.remove(0));
        }
    }

    /** Of one deployment only. */
    public void command(PlanCommand command, long nanos) {
        if (command instanceof PlanCommand.Propose propose) {
            Long begun = windows.get(new Window(propose.header().incarnation(), propose.windowIndex()));
            if (begun != null) {
                flights.put(
                        propose.epoch(),
                        new Flight(begun, nanos, propose.batches().size()));
            }
        } else if (command instanceof PlanCommand.Settled settled) {
            Flight flight = flights.remove(settled.epoch());
            if (flight != null && settled.complete() && flight.accepted != 0 && flight.flipped != 0) {
                add(Until.PROPOSE, flight.proposed - flight.begun);
                add(Until.ACCEPTED, flight.accepted - flight.begun);
                add(Until.FLIPPED, flight.flipped - flight.begun);
                add(Until.SETTLED, nanos - flight.begun);
            }
        } else if (command instanceof PlanCommand.Void end) {
            flights.remove(end.epoch());
        }
    }

    /** The last one of a kind counts. */
    public void ack(RankAck ack, long nanos) {
        Flight flight = flights.get(ack.epoch());
        if (flight == null) {
            return;
        }
        if (ack.kind() == RankAck.Kind.ACCEPTED) {
            flight.accepted = nanos;
        } else if (ack.kind() == RankAck.Kind.FLIPPED && ack.batch() == flight.batches) {
            flight.flipped = nanos;
        }
    }

    private void add(Until until, long nanos) {
        millis.computeIfAbsent(until, none -> new ArrayList<>())
                .add(Duration.ofNanos(nanos).toMillis());
    }

    /** How many decisions were measured. */
    public int count() {
        return millis.getOrDefault(Until.SETTLED, List.of()).size();
    }

    /** What a share of all did not exceed (nearest rank), in milliseconds; empty when there were none. */
    public OptionalLong quantile(Until until, double share) {
        List<Long> sorted =
                millis.getOrDefault(until, List.of()).stream().sorted().toList();
        if (sorted.isEmpty()) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(sorted.get(Math.max(0, (int) Math.ceil(share * sorted.size()) - 1)));
    }
}
