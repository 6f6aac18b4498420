package dev.plimsoll.app.operator;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.replay.source.Dated;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A command of an operator and what the planner has said to it, if anything yet. */
public record Request(Dated<Control> control, Optional<Dated<ControlAnswer>> answer) {

    /**
     * All of one deployment, in the order of their commands.
     *
     * @param log in the order of the topic
     */
    public static List<Request> of(List<Dated<ControlRecord>> log) {
        Map<String, Request> byId = new LinkedHashMap<>();
        for (Dated<ControlRecord> record : log) {
            if (record.value() instanceof Control control) {
                // Who writes a command twice, as a retry may, has given it once.
                byId.putIfAbsent(
                        control.id(),
                        new Request(new Dated<>(control, record.offset(), record.atMillis()), Optional.empty()));
            } else if (record.value() instanceof ControlAnswer answer) {
                byId.computeIfPresent(
                        answer.id(),
                        (id, request) -> new Request(
                                request.control(),
                                Optional.of(new Dated<>(answer, record.offset(), record.atMillis()))));
            }
        }
        return new ArrayList<>(byId.values());
    }

    /** Whether the planner has done it. */
    public boolean done() {
        return answer.filter(said -> said.value().verdict() == ControlAnswer.Verdict.DONE)
                .isPresent();
    }

    public String id() {
        return control.value().id();
    }

    public String by() {
        return control.value().by();
    }

    public String reason() {
        return control.value().reason();
    }
}
