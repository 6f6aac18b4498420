package dev.plimsoll.planner;

import dev.plimsoll.model.PlanInputs;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The plans of one deployment that were asked for, one at a time, and what has come of them. Owned by the loop's thread. */
final class AskedPlans {
    /**
     * A plan that was made, wanted still or not.
     *
     * @param policy whose it is
     * @param inputs what it was made from
     */
    record Result(PlanOrder order, PlanDesk.Made made, String policy, PlanInputs inputs) {}

    private final PlanDesk desk;
    private final ParallelPlanning planning;
    private final PlanMemo memo;
    /** From the threads that plans are made on. */
    private final Queue<Result> results = new ConcurrentLinkedQueue<>();

    private PlanDesk.Ticket ticket = PlanDesk.Ticket.USED;

    AskedPlans(PlanDesk desk, ParallelPlanning planning) {
        this.desk = desk;
        this.planning = planning;
        this.memo = new PlanMemo(planning.policy());
    }

    void ask(PlanOrder order, PlanJob job, PlanInputs inputs) {
        String policy =
                order.towards().map(PlanTarget::policy).orElse(planning.policy().name());
        ticket = desk.begin(
                () -> job.verdict(request -> memo.plan(request, planning::plan)),
                made -> results.add(new Result(order, made, policy, inputs)));
    }

    /** The newest is not wanted any more, unless it is begun; whether that was in time. */
    boolean withdraw() {
        return ticket.withdraw();
    }

    /** The newest is not wanted any more. */
    void cancel() {
        ticket.cancel();
    }

    /** The next result, where there is one. */
    Optional<Result> next() {
        return Optional.ofNullable(results.poll());
    }
}
