package dev.plimsoll.wire;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Conservation.Answer;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.WindowSummary;
import java.util.Optional;

/** {@link WindowSummary}. */
final class WindowSummaryCodec implements Codec<WindowSummary> {
    @Override
    public void write(WindowSummary window, Fields to) {
        Shared.identity(to.put("summary", window.summary()), window.deployment(), window.incarnation())
                .putSymbol("phase", window.phase())
                .put("index", window.index())
                .put("previousIndex", window.previousIndex())
                .putSymbol("reason", window.reason())
                .put("completeness", window.completeness())
                .put("expected", window.expected())
                .put("present", window.present())
                .put("tokens", window.tokens())
                .put("conserved", !window.conservation().violated())
                .putSymbol("conservation", window.conservation().answer())
                .put("accepted", window.accepted())
                .put("unattributed", window.unattributed())
                .put("late", window.late())
                .put("duplicates", window.duplicates())
                .put("conflicts", window.conflicts())
                .put("rejected", window.rejected())
                .put("partition", window.partition())
                .put("closingOffset", window.closingOffset())
                .put("closedAt", window.closedAtMillis());
        Shared.steps(to, window.steps());
        Shared.balance(to.putFields("balance"), window.balance());
        to.beginList("states");
        window.states().forEach(state -> Shared.state(to.addTo("states"), state));
        to.beginList("violations");
        for (Conservation.Violation violation : window.conservation().violations()) {
            to.addTo("violations")
                    .put("layer", violation.layer())
                    .put("computed", violation.computed())
                    .put("routed", violation.routed());
        }
        window.stepTime()
                .ifPresent(time -> to.putFields("stepTime")
                        .put("elapsedNanos", time.elapsedNanos())
                        .put("idleNanos", time.idleNanos())
                        .put("boundaries", time.boundaries())
                        .put("lowestDecileNanos", time.lowestDecileNanos()));
    }

    @Override
    public WindowSummary read(Fields from) {
        return new WindowSummary(
                Shared.deployment(from),
                from.number("incarnation"),
                from.symbol("phase", Phase.class),
                from.number("index"),
                from.number("previousIndex"),
                Shared.steps(from),
                from.symbol("reason", CloseReason.class),
                from.integer("expected"),
                from.longs("present"),
                Shared.balance(from.fields("balance")),
                from.list("states").stream().map(Shared::state).toList(),
                from.number("tokens"),
                conservation(from),
                from.number("accepted"),
                from.number("unattributed"),
                from.number("late"),
                from.number("duplicates"),
                from.number("conflicts"),
                from.number("rejected"),
                from.integer("partition"),
                from.number("closingOffset"),
                from.number("closedAt"),
                from.text("summary"),
                from.has("stepTime") ? Optional.of(stepTime(from.fields("stepTime"))) : Optional.empty());
    }

    /** Of a release that only knew yes and no, yes was said as well where nothing was compared. */
    private static Conservation conservation(Fields from) {
        Answer answer = from.flag("conserved") ? from.symbol("conservation", Answer.class) : Answer.NO;
        return new Conservation(
                answer,
                from.list("violations").stream()
                        .map(it -> new Conservation.Violation(
                                it.integer("layer"), it.number("computed"), it.number("routed")))
                        .toList());
    }

    private static StepTime stepTime(Fields from) {
        return new StepTime(
                from.longs("elapsedNanos"),
                from.longs("idleNanos"),
                from.integer("boundaries"),
                from.number("lowestDecileNanos"));
    }

    @Override
    public String line(WindowSummary window) {
        return "SUMMARY " + window.summary();
    }
}
