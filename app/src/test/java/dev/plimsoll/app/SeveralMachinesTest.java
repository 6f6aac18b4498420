package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.BatchCutter;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Moment;
import dev.plimsoll.planner.protocol.Patience;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Stage;
import dev.plimsoll.planner.protocol.Transition;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.Meeting;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.simulator.ProcessGroup;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import dev.plimsoll.worker.NodeWorker;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;

/** Ranks that share no directory, as on two machines: they meet by address, and a worker beside each hands them their orders. */
class SeveralMachinesTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final ModelPreset MODEL = ModelPreset.named("mixtral-8x7b").withLayers(4);
    private static final int TOKENS = 16;
    private static final int MACHINES = 2;
    private static final Membership MEMBERS = new Membership(
            new Deployment("machines/decode-0"),
            1,
            MODEL.shape(),
            Topology.even(4, MACHINES, 3),
            "test",
            Phase.DECODE,
            GatherMode.HOST,
            16,
            128,
            EngineSettings.DEFAULT_BYTES_PER_EXPERT,
            64L * EngineSettings.DEFAULT_BYTES_PER_EXPERT);
    private static final int RANKS_PER_MACHINE = MEMBERS.topology().ranks() / MACHINES;

    @TempDir
    Path directory;

    private final List<RankAck> acks = new CopyOnWriteArrayList<>();
    private final List<String> problems = new CopyOnWriteArrayList<>();
    private final DecisionProtocol protocol = new DecisionProtocol(new Patience(60_000, 60_000, 60_000), "test");
    private int heard;

    @Test
    void decisionsOverTwoDirectoriesSettleWithoutAMisroutedToken() throws Exception {
        Path secret = Files.writeString(directory.resolve("secret"), "a secret that both machines share");
        Meeting meeting = new Meeting.ByAddress("127.0.0.1", freePorts(), secret);
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0);
                SharedDirectory first = SharedDirectory.temporary();
                SharedDirectory second = SharedDirectory.temporary();
                Meters meters = new Meters();
                Lifecycle lifecycle = new Lifecycle()) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
                admin.create(4, 1);
            }
            Disposable following = TopicReader.records(
                            kafka, Topic.ACKS, new TopicReader.Start.Beginning(), unreadable -> {})
                    .subscribe(received -> acks.add(received.value()));
            try (LocalRanks some = ranks(lifecycle, meters, first.path(), meeting, 0);
                    LocalRanks others = ranks(lifecycle, meters, second.path(), meeting, 1);
                    NodeWorker here = new NodeWorker(kafka, first.path(), MEMBERS.deployment(), meters.worker());
                    NodeWorker there = new NodeWorker(kafka, second.path(), MEMBERS.deployment(), meters.worker())) {
                here.start();
                there.start();
                some.start();
                others.start();
                PlannerState state =
                        carriedOut(kafka, protocol.takeOver(PlanLog.of(List.of()), List.of(), MEMBERS, now()));
                Placement start = Placement.initial(MEMBERS.shape(), MEMBERS.topology());

                // There and back, so that each way is gone in both directions.
                state = decide(kafka, state, exchanged(start));
                decide(kafka, state, start);

                long enough = some.totals().steps() + 160;
                await("steps after that").atMost(SOON).until(() -> some.totals().steps() >= enough);
                some.stopStepping();
                others.stopStepping();
                for (LocalRanks machine : List.of(some, others)) {
                    assertThat(machine.totals().misrouted()).isZero();
                    assertThat(machine.totals().tokens()).isPositive();
                }
                assertThat(problems).isEmpty();
                assertThat(RankFiles.ranks(first.path())).containsExactly(0, 1);
                assertThat(RankFiles.ranks(second.path())).containsExactly(2, 3);
            } finally {
                following.dispose();
            }
        }
    }

    private LocalRanks ranks(Lifecycle lifecycle, Meters meters, Path shared, Meeting meeting, int machine) {
        return new LocalRanks(
                lifecycle,
                MEMBERS,
                EngineSettings.of(MODEL.shape(), MEMBERS.topology(), TOKENS, 500)
                        .withRanks(machine * RANKS_PER_MACHINE, RANKS_PER_MACHINE),
                new GeneratedTraffic(MODEL, TOKENS, 7),
                LocalRanks.Transfers.UNLIMITED,
                shared,
                Optional.of(new ProcessGroup(meeting, MEMBERS.incarnation(), MACHINES, machine)),
                meters.agents(),
                problems::add);
    }

    /** Experts change places within a machine and between the two. */
    private static Placement exchanged(Placement start) {
        int[][] experts = start.toArray();
        for (int[] layer : experts) {
            swap(layer, 1, 6);
            swap(layer, 2, 4);
            swap(layer, 7, 10);
        }
        return Placement.of(0, experts);
    }

    private static void swap(int[] layer, int one, int other) {
        int expert = layer[one];
        layer[one] = layer[other];
        layer[other] = expert;
    }

    /** Proposes what leads to a placement and waits for its end. */
    private PlannerState decide(KafkaSettings kafka, PlannerState from, Placement target) {
        PlanRequest request = PlanRequest.of(
                List.of(ExpertLoad.of(
                        0, new long[MODEL.shape().layers()][MODEL.shape().experts()])),
                from.settled(),
                MEMBERS.shape(),
                MEMBERS.topology());
        List<Batch> batches = BatchCutter.cut(
                        request, Plan.of(target), MEMBERS.stagedExpertsPerRank(), MEMBERS.bytesPerExpert())
                .batches();
        assertThat(batches).flatMap(Batch::moves).isNotEmpty();
        List<PlannerState> states = new ArrayList<>();
        states.add(carriedOut(
                kafka,
                protocol.apply(
                        from,
                        new Event.Offer(
                                from.settled().version(), batches, 0, 0.5, 0.9, "test", "test", PlanReasons.NONE),
                        now())));
        await("the decision's end").atMost(SOON).until(() -> {
            while (heard < acks.size()) {
                RankAck ack = acks.get(heard++);
                states.set(0, carriedOut(kafka, protocol.apply(states.get(0), new Event.Acked(ack), now())));
            }
            return states.get(0).stage() instanceof Stage.Idle;
        });
        assertThat(states.get(0).settled().servesLike(target))
                .as("settled is what was wanted: %s", acks)
                .isTrue();
        return states.get(0);
    }

    private static PlannerState carriedOut(KafkaSettings kafka, Transition transition) {
        List<Output<?>> outputs = new ArrayList<>();
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                outputs.add(Output.of(Topic.PLAN, MEMBERS.deployment(), write.command()));
            } else if (effect instanceof Effect.Settle settle) {
                outputs.add(Output.of(Topic.PLACEMENTS, MEMBERS.deployment(), settle.placement()));
            }
        }
        if (!outputs.isEmpty()) {
            TopicWriter.writeTogether(kafka, "plimsoll-planner-test", outputs, SOON);
        }
        return transition.state();
    }

    /** The first of two that nobody listens at. */
    private static int freePorts() throws Exception {
        while (true) {
            try (ServerSocket one = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                    ServerSocket next = new ServerSocket(one.getLocalPort() + 1, 1, InetAddress.getLoopbackAddress())) {
                return Math.min(one.getLocalPort(), next.getLocalPort());
            } catch (java.net.BindException taken) {
                // The next one is another's: try elsewhere.
            }
        }
    }

    private static Moment now() {
        return new Moment(System.currentTimeMillis(), 0, false);
    }
}
