package dev.plimsoll.planner;

import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A desk whose plans begin and are made when a test says so. */
final class HandDesk implements PlanDesk {
    /** A plan that was asked for. */
    static final class Asked implements Ticket {
        private final Supplier<Verdict> plan;
        private final Consumer<Made> done;
        private boolean begun;
        boolean withdrawn;
        boolean cancelled;

        private Asked(Supplier<Verdict> plan, Consumer<Made> done) {
            this.plan = plan;
            this.done = done;
        }

        void begin() {
            begun = true;
        }

        /** Even where it is not wanted any more: nobody can stop one that is being made in time. */
        void make() {
            begun = true;
            done.accept(Made.of(plan));
        }

        void timeOut() {
            begun = true;
            done.accept(new Made(
                    Verdict.Keep.because(KeepReason.TIMEOUT, "no plan in time"), Duration.ZERO, Optional.empty()));
        }

        @Override
        public boolean withdraw() {
            withdrawn = !begun;
            return withdrawn;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    final List<Asked> asked = new ArrayList<>();

    @Override
    public Ticket begin(Supplier<Verdict> plan, Consumer<Made> done) {
        Asked next = new Asked(plan, done);
        asked.add(next);
        return next;
    }

    Asked newest() {
        return asked.get(asked.size() - 1);
    }
}
