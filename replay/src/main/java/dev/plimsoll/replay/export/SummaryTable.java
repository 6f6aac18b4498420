package dev.plimsoll.replay.export;

import static dev.plimsoll.replay.export.Column.flag;
import static dev.plimsoll.replay.export.Column.integer;
import static dev.plimsoll.replay.export.Column.number;
import static dev.plimsoll.replay.export.Column.real;
import static dev.plimsoll.replay.export.Column.text;
import static dev.plimsoll.replay.export.Column.time;

import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.WindowSummary;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Windows at a glance. */
final class SummaryTable {
    static final TableSchema SCHEMA = new TableSchema(
            "summaries",
            "One window at a glance.",
            List.of(
                    text("deployment", "the expert-parallel group"),
                    number("incarnation", "life of the deployment; a restart begins the next one"),
                    text("phase", "kind of the steps: PREFILL, DECODE or ALL"),
                    number("index", "number of the window within its incarnation"),
                    number("previousIndex", "of the window closed before it, -1 for the first: the chain has no gaps"),
                    number("stepFrom", "the steps after this one are covered"),
                    number("stepTo", "the last step covered"),
                    time("closedAt", "when the record came that closed the window"),
                    text("reason", "why it was closed; COMPLETE: nothing is missing"),
                    real("completeness", "cells (rank, boundary) present ÷ expected"),
                    number("cellsExpected", "cells that a complete window has, over all ranks"),
                    number("cellsPresent", "cells that this window has, over all ranks"),
                    integer("ranks", "ranks that take part"),
                    integer("ranksMissing", "ranks of which some cell is missing"),
                    real("balanceMean", "measured balancedness, mean over layers with load; 1 is perfect")
                            .orNone(),
                    real("balanceMin", "measured balancedness of the worst layer")
                            .orNone(),
                    integer("worstLayer", "the first layer that has the minimum, -1 for none"),
                    integer("layers", "layers with load"),
                    text(
                            "states",
                            "placements of the segments in order: v3, or v3+4.2 for version 3 and two batches of decision 4"),
                    number(
                            "tokens",
                            "tokens that the routers saw, per layer on average; 0 where the engine does not know"),
                    flag(
                                    "conserved",
                                    "whether in every layer tokens computed equal tokens routed × top-k; none where not all of it was compared")
                            .orNone(),
                    number("accepted", "load in the window, over all layers"),
                    number("unattributed", "load of samples that spanned a border or a flip, since the window before"),
                    number("late", "samples behind the first open window, since the window before"),
                    number("duplicates", "cells that were there already, and equal, since the window before"),
                    number("conflicts", "cells that were there already with other values, since the window before"),
                    number("rejected", "records that could not be used, since the window before"),
                    integer("timedBoundaries", "boundary intervals that every rank in the window has timed")
                            .orNone(),
                    real("stepMicros", "mean time of a step on the slowest rank, over these intervals")
                            .orNone(),
                    real("undisturbedStepMicros", "time of a step in the lowest decile of these intervals")
                            .orNone(),
                    number("idleNanos", "time in which no step ran, on the rank that idled most")
                            .orNone()));

    private SummaryTable() {}

    static void write(WindowSummary window, TableWriter to) throws IOException {
        long present = window.present().sum();
        int ranks = window.present().size();
        int missing = 0;
        for (int rank = 0; rank < ranks; rank++) {
            missing += window.present().at(rank) < window.expected() ? 1 : 0;
        }
        to.text(window.deployment().id())
                .number(window.incarnation())
                .text(window.phase().name())
                .number(window.index())
                .number(window.previousIndex())
                .number(window.steps().from())
                .number(window.steps().to())
                .time(window.closedAtMillis())
                .text(window.reason().name())
                .real(window.completeness())
                .number((long) window.expected() * ranks)
                .number(present)
                .integer(ranks)
                .integer(missing)
                .real(window.balance().mean())
                .real(window.balance().min())
                .integer(window.balance().worstLayer())
                .integer(window.balance().layers())
                .text(window.states().stream().map(PlacementState::toString).collect(Collectors.joining(" ")))
                .number(window.tokens());
        switch (window.conservation().answer()) {
            case YES -> to.flag(true);
            case NO -> to.flag(false);
            case UNKNOWN -> to.none();
        }
        to.number(window.accepted())
                .number(window.unattributed())
                .number(window.late())
                .number(window.duplicates())
                .number(window.conflicts())
                .number(window.rejected());
        window.stepTime()
                .ifPresentOrElse(
                        time -> write(window, time, to),
                        () -> to.none().none().none().none());
        to.end();
    }

    private static void write(WindowSummary window, StepTime time, TableWriter to) {
        int boundarySteps = window.boundarySteps();
        to.integer(time.boundaries())
                .real(time.stepMicros(boundarySteps))
                .real(time.undisturbedStepMicros(boundarySteps))
                .number(Arrays.stream(time.idleNanos().toArray()).max().orElseThrow());
    }
}
