package dev.plimsoll.app.metrics;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.collector.CollectorListener.Dropped;
import dev.plimsoll.device.AgentListener;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.PlanDrop;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.Standing;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaContact;
import dev.plimsoll.worker.WorkerListener;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** What the roles of one deployment tell in a short life. */
final class Events {
    static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final PlanHeader HEADER = new PlanHeader(DEPLOYMENT, 7, 1, 2);

    private Events() {}

    /** Every listener is fed once, as a run does it that settles one decision. */
    static void all(Meters meters) {
        meters.engine(DEPLOYMENT, new Meters.EngineCounts() {
            @Override
            public double steps() {
                return 1;
            }

            @Override
            public double tokens() {
                return 1;
            }

            @Override
            public double misrouted() {
                return 0;
            }
        });
        meters.kafka("planner", new KafkaContact("planner", line -> {}))
                .onBehind(Topic.WINDOWS.name(), 0, 2, OptionalDouble.of(1));
        CollectorListener collector = meters.collector();
        collector.onServing(DEPLOYMENT, 7);
        collector.onRing(DEPLOYMENT, 0, 7);
        collector.onCaptured(DEPLOYMENT, 2, 16);
        collector.watched(Flux.just(1)).blockLast();
        once(collector.watched(Schedulers.newSingle("events")));
        collector.onPublished(16, 1);
        collector.onDropped(Dropped.WRITE_FAILED, 16, 40);
        AggregatorListener aggregator = meters.aggregator();
        aggregator.fate(DEPLOYMENT, Fate.ACCEPTED, 4, 100);
        aggregator.windowClosed(window(4, 0, 0, 2));
        aggregator.committed(0, 3, Duration.ofMillis(3));
        meters.plannerLoop(cause -> {}).onAssigned(0);
        PlannerListener planner = meters.planner();
        planner.planned(DEPLOYMENT, Duration.ofMillis(2));
        planner.refused(DEPLOYMENT, 0, Verdict.Keep.because(KeepReason.COLD, ""));
        planner.proposed(propose(1));
        planner.settled(settled(1), 2);
        planner.heard(window(4, 0, 0, 2));
        planner.heard(ack());
        planner.stands(standing(Standing.Word.IDLE));
        planner.answered(command(), answer());
        planner.outcome(outcome(0.9, 0.8));
        planner.learned(DEPLOYMENT, "plimsoll", new Experience(0.9, 0.01, OptionalInt.of(12), 3));
        planner.planDropped(DEPLOYMENT, 3, PlanDrop.SUPERSEDED);
        planner.watched(Mono.just(1)).block();
        once(planner.watched(Schedulers.newSingle("events")));
        WorkerListener worker = meters.worker();
        worker.onServing(DEPLOYMENT, 7);
        worker.watched(Flux.just(1)).blockLast();
        once(worker.watched(Schedulers.newSingle("events")));
        worker.onMembersPublished(7);
        worker.onState(new RankId(0), state(0), 16, OptionalInt.of(0));
        worker.onState(new RankId(0), state(0), 32, OptionalInt.of(0));
        worker.onAcked(ack());
        worker.onAcked(flipped());
        AgentListener agents = meters.agents();
        agents.onBoundary(16, 20_000);
        meters.ready(Map.of("planner", () -> true));
    }

    private static void once(Scheduler scheduler) {
        Mono.fromRunnable(() -> {}).subscribeOn(scheduler).block();
        scheduler.disposeGracefully().block();
    }

    static Control command() {
        return new Control(
                DEPLOYMENT, "id", 0, "alice", "for the demo", OptionalInt.empty(), new ControlAction.Pause());
    }

    static ControlAnswer answer() {
        return new ControlAnswer(
                DEPLOYMENT, 7, "id", ControlAnswer.Verdict.DONE, "no decision is made", OptionalInt.empty(), 1);
    }

    static WindowSummary window(long... present) {
        return window(DEPLOYMENT, CloseReason.GAP, present);
    }

    static WindowSummary window(Deployment deployment, CloseReason reason) {
        return window(deployment, reason, 4, 4, 4, 4);
    }

    private static WindowSummary window(Deployment deployment, CloseReason reason, long... present) {
        return new WindowSummary(
                deployment,
                7,
                Phase.DECODE,
                0,
                -1,
                new StepRange(0, 64),
                reason,
                4,
                LongVector.of(present),
                new Balance(0.8, 0.7, 0, 2),
                List.of(),
                0,
                Conservation.YES,
                100,
                0,
                0,
                0,
                0,
                0,
                0,
                5,
                0,
                "window",
                Optional.of(new StepTime(
                        LongVector.of(64_000_000, 80_000_000), LongVector.of(56_000_000, 0), 4, 18_000_000)));
    }

    static PlanCommand.Propose propose(int epoch) {
        Batch batch = new Batch(1, List.of(move(0, 1), move(1, 0)));
        return new PlanCommand.Propose(HEADER, epoch, 0, 9, List.of(batch), 3, 0.5, 0.9, "test", "it pays");
    }

    static PlanCommand.Settled settled(int epoch) {
        return new PlanCommand.Settled(HEADER, epoch, 1, true, 9);
    }

    static PlanCommand.Void voided(int epoch) {
        return new PlanCommand.Void(HEADER, epoch, "refused");
    }

    static Outcome outcome(double predicted, double realised) {
        return new Outcome(DEPLOYMENT, 7, 1, 5, 2, 0.5, predicted, new Balance(realised, realised, 0, 2));
    }

    static RankAck ack() {
        return new RankAck(DEPLOYMENT, 7, new RankId(0), 1, RankAck.Kind.ACCEPTED, 0, Optional.empty(), 9, 16);
    }

    static RankAck flipped() {
        FlipCost cost = new FlipCost(50_000_000, 25_000_000, 300_000);
        return new RankAck(
                DEPLOYMENT,
                7,
                new RankId(0),
                1,
                RankAck.Kind.FLIPPED,
                1,
                Optional.empty(),
                9,
                32,
                Optional.of(cost),
                Optional.empty());
    }

    static Standing standing(Standing.Word... words) {
        return new Standing(DEPLOYMENT, Set.of(words), 1, OptionalInt.empty(), List.of(), "");
    }

    /** Of a rank that serves a version, and has done so since its first step. */
    static RankState state(int version) {
        return new RankState(7, version, 0, RankPhase.SERVING, 0, 0, -1, false, 0, 0);
    }

    private static Move move(int slot, int source) {
        return new Move(new LayerId(0), new SlotId(slot), new ExpertId(slot), new SlotId(source));
    }
}
