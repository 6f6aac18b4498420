package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * A process with one loop: its clients, its threads, its death. What it has sent may still arrive when it is dead or stands still.
 */
final class SimProcess {
    private final SimWorld world;
    private final int number;
    private final SimConsumer memberClient;
    private final GroupMember<?> member;
    private final Set<SimProducer> writers = new LinkedHashSet<>();
    private final List<SimConsumer> readers = new ArrayList<>();
    private final Map<TopicPartition, Long> starts = new HashMap<>();
    private boolean dead;
    private long pausedUntil;

    <I> SimProcess(
            SimWorld world,
            int number,
            KafkaSettings settings,
            String role,
            Topic<I> input,
            IntFunction<PartitionTask<I>> tasks,
            Pace pace) {
        this.world = world;
        this.number = number;
        LoopClients clients = new Clients(settings, role);
        memberClient = new SimConsumer(world, this, ClientProperties.member(settings, Topic.PREFIX + role, "member"));
        LoopCommons.Order<I> order = new LoopCommons.Order<>(role, input, tasks, stops(), pace);
        member = new GroupMember<>(new LoopCommons<>(order, clients, new Clock(), new Helpers()), ClientListener.NONE);
        world.scheduler().start(this, this::work);
    }

    /** A loop that works may stop of itself only where nothing would work any more. */
    private PartitionLoop.Listener stops() {
        return new PartitionLoop.Listener() {
            @Override
            public void onStopped(Throwable cause) {
                if (!dead && KafkaFailure.of(cause) != KafkaFailure.FATAL) {
                    world.violated(SimProcess.this + " stopped of itself: " + cause);
                }
            }
        };
    }

    private void work() {
        try {
            member.run();
        } finally {
            world.trace(this, "has ended", "");
            kill();
        }
    }

    SimWorld world() {
        return world;
    }

    GroupMember<?> member() {
        return member;
    }

    /** Killed, or at the end of its loop. */
    boolean dead() {
        return dead;
    }

    /** Until when it stands still; a dead one's threads have to see that they are dead. */
    long pausedUntil() {
        return dead ? 0 : pausedUntil;
    }

    /** Stands still, without knowing; its group gives it up when that takes longer than its session. */
    void pause(long nanos) {
        pausedUntil = Math.max(pausedUntil, world.scheduler().now() + nanos);
        memberClient.silentFor(nanos);
    }

    void goOn() {
        if (dead) {
            return;
        }
        pausedUntil = 0;
        memberClient.heard();
        world.scheduler().goOn(this);
    }

    void kill() {
        if (!dead) {
            dead = true;
            memberClient.silentFor(SimScheduler.NEVER);
            world.scheduler().wakeAll(this);
        }
    }

    /** Each step of each of its threads begins with this. */
    void step() {
        // What follows a violation says nothing, and may never end.
        if (dead || !world.violations().isEmpty()) {
            throw new SimCrash();
        }
    }

    void crash(SimFault how) {
        world.happened(how);
        world.trace(this, "is killed", how);
        kill();
        throw new SimCrash();
    }

    /** Time passes for one of its threads; the process may stand still or be killed meanwhile. */
    void sleep(long nanos) {
        world.scheduler().sleep(nanos);
        waitWhilePaused();
        step();
    }

    /** A thread of it stands still, while the others go on, until the group has given the member up. */
    void stuck() {
        memberClient.silentFor(world.sessionNanos());
        sleep(world.sessionNanos() + world.between(0, 5_000_000_000L));
    }

    SimConsumer memberClient() {
        return memberClient;
    }

    /** Writers that are open. */
    void opened(SimProducer writer) {
        writers.add(writer);
    }

    void closed(SimProducer writer) {
        writers.remove(writer);
    }

    /** What is open and belongs to nothing that is owned; empty when all is well. */
    String left() {
        Set<Integer> owned = memberClient.numbers();
        boolean writersLeft = writers.size() > owned.size()
                || writers.stream().anyMatch(writer -> !owned.contains(writer.partition()));
        boolean readersLeft = readers.stream().anyMatch(reader -> !owned.containsAll(reader.numbers()));
        return writersLeft || readersLeft
                ? this + " owns " + owned + " and has open " + writers + " and readers of "
                        + readers.stream().map(SimConsumer::numbers).toList()
                : "";
    }

    /** What a look at the input's log has found as its start. */
    void sawStart(TopicPartition input, long start) {
        starts.merge(input, start, Math::min);
    }

    /** The lowest start that was seen since this was asked last: no task that has recovered since knows of a lower one. */
    long takeSeenStart(TopicPartition input) {
        Long start = starts.remove(input);
        return start == null ? 0 : start;
    }

    /** A thread stands still here when its process does, even if nothing else made it wait. */
    private void waitWhilePaused() {
        long now = world.scheduler().now();
        if (pausedUntil() > now) {
            world.scheduler().sleep(pausedUntil() - now);
        }
    }

    <T> T await(Future<T> answer, long nanos) throws InterruptedException, ExecutionException, TimeoutException {
        step();
        if (!answer.isDone()) {
            Runnable waker = world.scheduler().waker();
            if (answer instanceof CompletableFuture<T> future) {
                future.whenComplete((value, failure) -> waker.run());
            } else if (answer instanceof KafkaFuture<T> future) {
                future.whenComplete((value, failure) -> waker.run());
            }
            world.scheduler().await(nanos);
            step();
        }
        if (!answer.isDone()) {
            throw new TimeoutException("waited in vain for " + nanos + " ns");
        }
        return answer.get();
    }

    @Override
    public String toString() {
        return "process-" + number;
    }

    private final class Clock implements LoopClock {
        @Override
        public long nanoTime() {
            step();
            world.scheduler().pass(world.random().nextInt(2_000));
            return world.scheduler().now();
        }

        @Override
        public long currentTimeMillis() {
            step();
            return world.millis();
        }

        @Override
        public void sleep(long nanos) {
            step();
            SimProcess.this.sleep(nanos);
        }

        @Override
        public <T> T await(Future<T> answer, long nanos)
                throws InterruptedException, ExecutionException, TimeoutException {
            return SimProcess.this.await(answer, nanos);
        }

        @Override
        public long jitter(long bound) {
            return world.random().nextLong(bound);
        }
    }

    private final class Clients implements LoopClients {
        private final KafkaSettings settings;
        private final String role;

        Clients(KafkaSettings settings, String role) {
            this.settings = settings;
            this.role = role;
        }

        @Override
        public Consumer<byte[], ByteBuffer> member() {
            return memberClient.client();
        }

        @Override
        public Consumer<byte[], ByteBuffer> reader() {
            SimConsumer reader =
                    new SimConsumer(world, SimProcess.this, ClientProperties.reader(settings, "reader", "none"));
            readers.add(reader);
            return reader.client();
        }

        @Override
        public Producer<byte[], byte[]> writer(int partition) {
            step();
            return new SimProducer(
                            world,
                            SimProcess.this,
                            partition,
                            Commit.writerProperties(settings, "plimsoll-" + role + "-" + partition))
                    .client();
        }

        @Override
        public Brokers brokers() {
            return new SimBrokers(world, SimProcess.this);
        }
    }

    /** Each work has a thread of its own; those that are left when the loop has ended die with the process. */
    private final class Helpers extends AbstractExecutorService {
        private boolean shutdown;

        @Override
        public void execute(Runnable work) {
            step();
            world.scheduler().start(SimProcess.this, work);
        }

        @Override
        public void shutdown() {
            shutdown = true;
        }

        @Override
        public List<Runnable> shutdownNow() {
            shutdown = true;
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return shutdown;
        }

        @Override
        public boolean isTerminated() {
            return shutdown;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            throw new UnsupportedOperationException("is not simulated");
        }
    }
}
