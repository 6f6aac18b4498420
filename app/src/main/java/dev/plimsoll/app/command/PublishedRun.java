package dev.plimsoll.app.command;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.Publication;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.RunWriter;
import java.util.List;

/** What a run would have written, in topics of its own. */
final class PublishedRun implements Publication, AutoCloseable {
    private final RunWriter writer;

    private PublishedRun(RunWriter writer) {
        this.writer = writer;
    }

    /** @throws IllegalStateException when a run of that name is there already */
    static PublishedRun create(KafkaSettings kafka, String run) {
        return new PublishedRun(RunWriter.create(kafka, run));
    }

    @Override
    public void window(List<LoadWindow> rows, WindowSummary summary) {
        writer.window(rows, summary);
    }

    @Override
    public void decision(PlanCommand command, long atMillis) {
        writer.decision(command, atMillis);
    }

    @Override
    public void outcome(Outcome outcome, long atMillis) {
        writer.outcome(outcome, atMillis);
    }

    @Override
    public void close() {
        writer.close();
    }
}
