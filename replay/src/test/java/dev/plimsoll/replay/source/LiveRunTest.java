package dev.plimsoll.replay.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.verify.MadeUpRun;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What happened, in the terms in which policies are replayed. */
class LiveRunTest {
    private static final MadeUpRun RUN = MadeUpRun.ofEveryWindow();

    private final MadeUpRun run = RUN.copy();

    private PolicyRun live() {
        PastPlan plan = new PastPlan(MadeUpRun.MEMBERS, MadeUpRun.supplier(run.commands), Optional.empty());
        LiveWindows windows = new LiveWindows(
                MadeUpRun.MEMBERS, MadeUpRun.supplier(run.rows), MadeUpRun.supplier(run.summaries), plan);
        LiveRun live = new LiveRun(MadeUpRun.MEMBERS, new TreeMap<>(), index -> index);
        for (Optional<LiveWindow> next = windows.next(); next.isPresent(); next = windows.next()) {
            plan.takeTold().forEach(live::decided);
            live.served(next.orElseThrow());
        }
        plan.advanceToEnd();
        plan.takeTold().forEach(live::decided);
        return live.run();
    }

    @Test
    void aDecisionThatChangedNothingIsAPlacementThatWasKept() {
        PolicyRun all = live();
        int last = run.decisions().get(run.decisions().size() - 1).epoch();
        run.commands.replaceAll(record -> record.value() instanceof Settled end && end.epoch() == last
                ? new Dated<>(
                        new PlanCommand.Void(end.header(), last, "no rank accepted", end.lastWindow()),
                        record.offset(),
                        record.atMillis())
                : record);

        PolicyRun live = live();

        assertThat(all.decisions()).hasSameSizeAs(run.decisions());
        assertThat(all.kept()).doesNotContainKey("VOID");
        assertThat(live.decisions())
                .hasSize(run.decisions().size() - 1)
                .extracting(MadeDecision::epoch)
                .doesNotContain(last);
        assertThat(live.kept()).containsEntry("VOID", 1);
    }
}
