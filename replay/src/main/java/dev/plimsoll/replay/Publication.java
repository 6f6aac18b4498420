package dev.plimsoll.replay;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.WindowSummary;
import java.util.List;

/** Told what one run would have written to the topics, in its order and dated by what is replayed; never by two threads at a time. */
public interface Publication {
    void window(List<LoadWindow> rows, WindowSummary summary);

    void decision(PlanCommand command, long atMillis);

    void outcome(Outcome outcome, long atMillis);
}
