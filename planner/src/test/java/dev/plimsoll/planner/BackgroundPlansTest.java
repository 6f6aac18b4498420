package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.scheduler.VirtualTimeScheduler;

class BackgroundPlansTest {
    private static final Verdict.Keep BALANCED = Verdict.Keep.because(KeepReason.BALANCED, "all is even");
    private static final Duration WITHIN = Duration.ofSeconds(5);

    private final Scheduler one = Schedulers.newBoundedElastic(1, 16, "plans", 60, true);
    private final VirtualTimeScheduler timer = VirtualTimeScheduler.create();
    private final List<String> watched = Collections.synchronizedList(new ArrayList<>());
    private final BackgroundPlans plans = new BackgroundPlans(one, timer, WITHIN, new PlannerListener() {
        @Override
        public <T> Mono<T> watched(Mono<T> plan) {
            return plan.doFinally(signal -> watched.add(signal.toString()));
        }
    });
    private final BlockingQueue<PlanDesk.Made> made = new LinkedBlockingQueue<>();

    /** Blocks until it is let go or interrupted. */
    private static final class Blocking implements Supplier<Verdict> {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch go = new CountDownLatch(1);
        final CountDownLatch interrupted = new CountDownLatch(1);

        @Override
        public Verdict get() {
            begun.countDown();
            try {
                go.await();
                return BALANCED;
            } catch (InterruptedException e) {
                interrupted.countDown();
                throw new IllegalStateException(e);
            }
        }

        void awaitBegun() throws InterruptedException {
            assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
        }

        void awaitInterrupted() throws InterruptedException {
            assertThat(interrupted.await(60, TimeUnit.SECONDS)).isTrue();
        }
    }

    @AfterEach
    void stop() {
        one.dispose();
        timer.dispose();
    }

    private PlanDesk.Made next() throws InterruptedException {
        PlanDesk.Made next = made.poll(60, TimeUnit.SECONDS);
        assertThat(next).isNotNull();
        return next;
    }

    @Test
    void verdictIsFoundOnAThreadOfTheScheduler() throws Exception {
        BlockingQueue<String> threads = new LinkedBlockingQueue<>();
        plans.begin(
                () -> {
                    threads.add(Thread.currentThread().getName());
                    return BALANCED;
                },
                made::add);

        assertThat(next().verdict()).isEqualTo(BALANCED);
        assertThat(threads.take()).startsWith("plans");
    }

    @Test
    void planHasItsTimeFromWhenItIsBegunAndIsInterruptedWhenThatIsUp() throws Exception {
        Blocking first = new Blocking();
        Blocking second = new Blocking();
        plans.begin(first, made::add);
        first.awaitBegun();
        plans.begin(second, made::add);
        timer.advanceTimeBy(WITHIN.minusMillis(1));
        assertThat(made).isEmpty();
        timer.advanceTimeBy(Duration.ofMillis(1));

        assertThat(next().verdict()).isEqualTo(Verdict.Keep.because(KeepReason.TIMEOUT, "no plan within PT5S"));
        first.awaitInterrupted();
        second.awaitBegun();
        second.go.countDown();
        assertThat(next().verdict()).as("what it waited for does not count").isEqualTo(BALANCED);
    }

    @Test
    void planIsWithdrawnOnlyBeforeItIsBegun() throws Exception {
        Blocking first = new Blocking();
        PlanDesk.Ticket underWay = plans.begin(first, made::add);
        first.awaitBegun();
        Blocking second = new Blocking();
        PlanDesk.Ticket waiting = plans.begin(second, made::add);

        assertThat(underWay.withdraw()).isFalse();
        assertThat(waiting.withdraw()).isTrue();
        assertThat(waiting.withdraw()).isFalse();
        first.go.countDown();
        next();
        plans.begin(() -> BALANCED, made::add);
        next();
        assertThat(second.begun.getCount()).isEqualTo(1);
        assertThat(made).isEmpty();
    }

    @Test
    void planThatIsCancelledIsInterruptedAndTellsNothing() throws Exception {
        Blocking plan = new Blocking();
        PlanDesk.Ticket ticket = plans.begin(plan, made::add);
        plan.awaitBegun();
        ticket.cancel();
        plan.awaitInterrupted();
        plans.begin(() -> BALANCED, made::add);

        assertThat(next().verdict()).isEqualTo(BALANCED);
        assertThat(made).isEmpty();
        assertThat(watched).contains("cancel");
    }

    @Test
    void whatIsThrownComesBackErrorsToo() throws Exception {
        plans.begin(
                () -> {
                    throw new IllegalStateException("broken on purpose");
                },
                made::add);
        PlanDesk.Made broken = next();
        assertThat(broken.verdict().toString()).contains("ERROR").contains("broken on purpose");
        assertThat(broken.failure()).containsInstanceOf(IllegalStateException.class);

        plans.begin(
                () -> {
                    throw new StackOverflowError("of a policy");
                },
                made::add);
        assertThat(next().failure()).containsInstanceOf(StackOverflowError.class);
    }

    @Test
    void deskThatIsClosedSaysSo() throws Exception {
        one.dispose();
        plans.begin(() -> BALANCED, made::add);

        assertThat(next().failure()).isPresent();
    }
}
