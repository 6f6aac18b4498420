package dev.plimsoll.planner;

import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Where verdicts are found: at once, or on threads of their own. */
interface PlanDesk {
    /** Whoever asks waits, without a limit. */
    PlanDesk AT_ONCE = (plan, done) -> {
        done.accept(Made.of(plan));
        return Ticket.USED;
    };

    /**
     * What came of a plan.
     *
     * @param failure what was thrown; an {@link Error} is no policy's, and for whoever asked to fail with
     */
    record Made(Verdict verdict, Duration took, Optional<Throwable> failure) {
        static Made of(Supplier<Verdict> plan) {
            long start = System.nanoTime();
            try {
                Verdict verdict = plan.get();
                return new Made(verdict, since(start), Optional.empty());
            } catch (RuntimeException | Error e) {
                return failed(e, since(start));
            }
        }

        static Made failed(Throwable failure, Duration took) {
            return new Made(Verdict.Keep.because(KeepReason.ERROR, failure.toString()), took, Optional.of(failure));
        }

        private static Duration since(long start) {
            return Duration.ofNanos(System.nanoTime() - start);
        }
    }

    /** A plan that was asked for. */
    interface Ticket {
        /** Of a plan that is made. */
        Ticket USED = new Ticket() {
            @Override
            public boolean withdraw() {
                return false;
            }

            @Override
            public void cancel() {}
        };

        /** Not wanted any more, unless it is begun; whether that was in time. */
        boolean withdraw();

        /** Not wanted any more, begun or not. */
        void cancel();
    }

    /**
     * Asks for a verdict.
     *
     * @param done told once, on any thread, perhaps before this returns; not of a plan that is withdrawn or cancelled in time
     */
    Ticket begin(Supplier<Verdict> plan, Consumer<Made> done);
}
