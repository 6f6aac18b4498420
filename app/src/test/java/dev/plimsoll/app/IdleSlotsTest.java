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
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SettledPlacement;
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
import dev.plimsoll.replay.source.SettledNow;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import dev.plimsoll.worker.NodeWorker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;
import reactor.core.Disposables;

/** Decisions that leave slots idle and take them into use again: over a real broker, on ranks that step meanwhile. */
class IdleSlotsTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final ModelPreset MODEL = ModelPreset.named("mixtral-8x7b");
    private static final int TOKENS = 16;
    private static final int EXPERTS = MODEL.shape().experts();
    private static final int LAYERS = MODEL.shape().layers();
    private static final Membership MEMBERS = new Membership(
                    new Deployment("idle/decode-0"),
                    1,
                    MODEL.shape(),
                    Topology.even(4, 2, 3),
                    "test",
                    Phase.DECODE,
                    GatherMode.HOST,
                    16,
                    128,
                    EngineSettings.DEFAULT_BYTES_PER_EXPERT,
                    64L * EngineSettings.DEFAULT_BYTES_PER_EXPERT)
            .withIdleSlots(true);
    private static final int SLOTS = MEMBERS.topology().slots();
    private static final Placement START = Placement.initial(MEMBERS.shape(), MEMBERS.topology());

    @TempDir
    Path directory;

    private final List<RankAck> acks = new CopyOnWriteArrayList<>();
    private final List<PlanCommand> log = new CopyOnWriteArrayList<>();
    private final List<SettledPlacement> kept = new CopyOnWriteArrayList<>();
    private final DecisionProtocol protocol = new DecisionProtocol(new Patience(60_000, 60_000, 60_000), "test");
    private int heard;

    @Test
    void slotsFallIdleAndComeBackIntoUseWithoutAMisroutedToken() throws Exception {
        Disposable.Composite following = Disposables.composite();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0);
                SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters();
                Lifecycle lifecycle = new Lifecycle()) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
                admin.create(4, 1);
            }
            following.add(follow(kafka, Topic.ACKS, acks));
            following.add(follow(kafka, Topic.PLAN, log));
            following.add(follow(kafka, Topic.PLACEMENTS, kept));
            List<String> problems = new CopyOnWriteArrayList<>();
            try (LocalRanks ranks = new LocalRanks(
                            lifecycle,
                            MEMBERS,
                            EngineSettings.of(MODEL.shape(), MEMBERS.topology(), TOKENS, 500),
                            new GeneratedTraffic(MODEL, TOKENS, 7),
                            LocalRanks.Transfers.UNLIMITED,
                            shared.path(),
                            Optional.empty(),
                            meters.agents(),
                            problems::add);
                    NodeWorker worker = new NodeWorker(kafka, shared.path(), MEMBERS.deployment(), meters.worker())) {
                worker.start();
                ranks.start();
                PlannerState state =
                        carriedOut(kafka, protocol.takeOver(PlanLog.of(List.of()), List.of(), MEMBERS, now()));
                Placement idle = idle();

                state = decide(kafka, state, idle);

                assertThat(lastProposal().batches())
                        .as("the first batch waits for no weights")
                        .first()
                        .satisfies(batch -> assertThat(batch.moves()).isEmpty());
                assertThat(lastProposal().batches()).hasSizeGreaterThan(1);
                long[][] before = load(ranks);
                step(ranks);
                long[][] meanwhile = load(ranks);
                for (int layer = 0; layer < LAYERS; layer++) {
                    for (int slot = 0; slot < SLOTS; slot++) {
                        assertThat(meanwhile[layer][slot] > before[layer][slot])
                                .as("layer %d slot %d computes", layer, slot)
                                .isEqualTo(!idle.idle(layer, slot));
                    }
                }
                assertTakenOver(kafka, idle);
                ranks.start();

                decide(kafka, state, Placement.of(0, idle.toArray()));

                assertThat(lastProposal().moves()).isEmpty();
                assertThat(lastProposal().switches()).isEqualTo(idle.idleSlots());
                ranks.stopStepping();
                step(ranks);
                long[][] after = load(ranks);
                for (int layer = 0; layer < LAYERS; layer++) {
                    for (int slot = 0; slot < SLOTS; slot++) {
                        assertThat(after[layer][slot])
                                .as("layer %d slot %d computes", layer, slot)
                                .isGreaterThan(meanwhile[layer][slot]);
                    }
                }
                assertTakenOver(kafka, Placement.of(0, idle.toArray()));
                assertThat(ranks.totals().misrouted()).isZero();
                assertThat(problems).isEmpty();
            }
        } finally {
            following.dispose();
        }
    }

    /** Redundant slots stand idle; the first of them in layer 0 has got another expert before. */
    private static Placement idle() {
        int[][] experts = START.toArray();
        experts[0][EXPERTS] = 5;
        BitSet[] idle = new BitSet[LAYERS];
        for (int layer = 0; layer < LAYERS; layer++) {
            idle[layer] = new BitSet();
            idle[layer].set(EXPERTS + 1 - Math.min(1, layer), SLOTS);
        }
        return Placement.of(0, experts, idle);
    }

    private static <T> Disposable follow(KafkaSettings kafka, Topic<T> topic, List<T> into) {
        return TopicReader.records(kafka, topic, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(received -> into.add(received.value()));
    }

    /** Proposes what leads to a placement and waits for its end. */
    private PlannerState decide(KafkaSettings kafka, PlannerState from, Placement target) {
        PlanRequest request = PlanRequest.of(
                List.of(ExpertLoad.of(0, new long[LAYERS][EXPERTS])),
                from.settled(),
                MEMBERS.shape(),
                MEMBERS.topology());
        List<Batch> batches = BatchCutter.cut(
                        request, Plan.of(target), MEMBERS.stagedExpertsPerRank(), MEMBERS.bytesPerExpert())
                .batches();
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
                .as("settled is what was wanted: %s", log)
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

    private PlanCommand.Propose lastProposal() {
        return log.stream()
                .filter(PlanCommand.Propose.class::isInstance)
                .map(PlanCommand.Propose.class::cast)
                .reduce((earlier, later) -> later)
                .orElseThrow();
    }

    /** A planner that begins with what the topics keep finds the same slots idle, and so does who asks what is settled. */
    private void assertTakenOver(KafkaSettings kafka, Placement settled) throws Exception {
        await("the settlement in the topics")
                .atMost(SOON)
                .until(() -> log.get(log.size() - 1) instanceof PlanCommand.Settled
                        && kept.get(kept.size() - 1).version()
                                == PlanLog.of(log).lastEpoch());
        Transition taken = new DecisionProtocol(new Patience(1, 1, 1), "successor")
                .takeOver(
                        PlanLog.of(log), List.copyOf(kept.subList(kept.size() - LAYERS, kept.size())), MEMBERS, now());
        assertThat(taken.state().stage()).isInstanceOf(Stage.Idle.class);
        assertThat(taken.state().settled().servesLike(settled)).isTrue();
        assertThat(SettledNow.read(kafka, MEMBERS.deployment(), OptionalLong.empty())
                        .placement())
                .contains(taken.state().settled());
    }

    /** Lets the ranks step on for some boundaries, and stops them. */
    private static void step(LocalRanks ranks) {
        long enough = ranks.totals().steps() + 160;
        ranks.start();
        await("steps").atMost(SOON).until(() -> ranks.totals().steps() >= enough);
        ranks.stopStepping();
    }

    /** {@code [layer][slot]} tokens so far; the ranks have stopped. */
    private static long[][] load(LocalRanks ranks) {
        ranks.stopStepping();
        int perRank = MEMBERS.topology().slotsPerRank();
        long[][] load = new long[LAYERS][SLOTS];
        for (int rank = 0; rank < MEMBERS.topology().ranks(); rank++) {
            long[] ofRank = new long[LAYERS * perRank];
            ranks.copyLoad(new RankId(rank), ofRank);
            for (int layer = 0; layer < LAYERS; layer++) {
                System.arraycopy(ofRank, layer * perRank, load[layer], rank * perRank, perRank);
            }
        }
        return load;
    }

    private static Moment now() {
        return new Moment(System.currentTimeMillis(), 0, false);
    }
}
