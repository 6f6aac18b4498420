package dev.plimsoll.app.chaos;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.wire.kafka.Received;
import java.util.ArrayList;
import java.util.List;

/**
 * One rank's part of a sample, as it stands in the log.
 *
 * @param window the window that its last step is in
 * @param inside whether all its steps are in that window and under one placement: else it can belong to no window
 */
record Part(long offset, int rank, StepRange steps, PlacementState state, long window, boolean inside) {
    static List<Part> of(Received<?> record, LoadSample sample, Membership members) {
        long window = (sample.steps().to() - 1) / members.windowSteps();
        boolean inside = !sample.mixed() && sample.steps().from() >= window * members.windowSteps();
        List<Part> parts = new ArrayList<>();
        for (int rank = sample.firstRank(); rank < sample.firstRank() + sample.ranks(); rank++) {
            parts.add(new Part(record.offset(), rank, sample.steps(), sample.state(), window, inside));
        }
        return parts;
    }
}
