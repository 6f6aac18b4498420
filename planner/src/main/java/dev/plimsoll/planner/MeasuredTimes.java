package dev.plimsoll.planner;

import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.StepCalibration;
import dev.plimsoll.model.TransferCosts;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Calibration;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.ExpertTime;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.MeasuredTransfers;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.planner.placement.TimedWindow;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The newest step times and flips of one incarnation, and what the gate learns from them. A successor has those that it reads again:
 * windows of the history, acks within the look-back; so its calibration starts from these. Pure; for one thread.
 */
final class MeasuredTimes {
    private static final int MOST_WINDOWS = 64;
    /** Some batches of the largest groups. */
    private static final int MOST_ACKS = 2048;

    private final Deque<TimedWindow> windows = new ArrayDeque<>();
    private final Deque<RankAck> flips = new ArrayDeque<>();

    /** A complete window; one whose steps nobody timed, or that ran under several placements, tells nothing. */
    void window(Membership members, Objective objective, WindowSummary summary, WindowLoad window) {
        ExpertLoad load = window.load();
        if (!(objective instanceof Objective.Time time)
                || summary.stepTime().isEmpty()
                || window.served().size() != 1
                || load.steps() == 0) {
            return;
        }
        Placement served = window.served().get(0);
        add(
                windows,
                TimedWindow.of(
                        served.version(),
                        (double) summary.accepted() / load.steps(),
                        ExpertTime.stepMicros(
                                served,
                                load.toDoubles(),
                                load.steps(),
                                time.expected(),
                                ReplicaParts.of(members, List.of(load)),
                                members.topology()),
                        summary.stepTime().orElseThrow(),
                        members.boundarySteps()),
                MOST_WINDOWS);
    }

    /** What a rank says of a flip. */
    void ack(RankAck ack) {
        if (ack.cost().isPresent()) {
            add(flips, ack, MOST_ACKS);
        }
    }

    private static <T> void add(Deque<T> values, T value, int most) {
        values.addLast(value);
        if (values.size() > most) {
            values.removeFirst();
        }
    }

    /** Another incarnation has begun, perhaps on other devices. */
    void clear() {
        windows.clear();
        flips.clear();
    }

    /** What is known now. By tokens step times say nothing, and transfers stay as the settings have them. */
    Learned learned(Gate.Settings settings, Objective objective, Experience experience) {
        TransferCosts assumed = Gate.assumed(settings);
        if (!(objective instanceof Objective.Time)) {
            return Gate.learned(Optional.empty(), assumed, experience);
        }
        Optional<StepCalibration> step = windows.isEmpty()
                ? Optional.empty()
                : Optional.of(Calibration.of(List.copyOf(windows), settings.expertTimeShare()));
        return Gate.learned(step, MeasuredTransfers.of(List.copyOf(flips), assumed), experience);
    }
}
