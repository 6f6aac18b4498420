package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.LocalLoop;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.replay.source.LastSettled;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import io.micrometer.core.instrument.Counter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;

/** Ranks that stop and start again, and what they start with. */
@Timeout(180)
class StartSettledTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Deployment DEPLOYMENT = new Deployment("again/decode-0");
    private static final ModelPreset MODEL = ModelPreset.named("gpt-oss-20b").withLayers(6);
    private static final int TOKENS = 64;
    /** Windows on which the policy is asked, be it for a decision or for none. */
    private static final int JUDGED = 5;

    private static final List<String> JUDGEMENTS = List.of("balanced", "budget", "gain", "held_out", "cost");
    /** What is popular stays so. */
    private static final GeneratedTraffic.Calibration STEADY =
            new GeneratedTraffic.Calibration(1, 0.45, 0.7, 16, 0.5, 2, 0, 0, 64, 512);

    @TempDir
    static Path data;

    @TempDir
    Path directory;

    private static EmbeddedBroker broker;
    private static KafkaSettings kafka;

    @BeforeAll
    static void start() {
        broker = EmbeddedBroker.start(data.resolve("kafka"), 0);
        kafka = KafkaSettings.of(broker.bootstrapServers());
        try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
            admin.create(4, 1);
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void ranksStartWithWhatTheirLastLifeHadSettled() {
        Path rings = directory.resolve("rings");
        // given a first life, which nothing came before
        assertThat(ranks(rings, "1")).isZero();
        Membership first = members(rings);
        assertThat(first.start()).isEqualTo(Placement.initial(first.shape(), first.topology()));

        // that has settled on something else
        Placement settled =
                first.start().with(9, List.of(new Move(new LayerId(2), new SlotId(8), new ExpertId(5), new SlotId(5))));
        keep(first, settled);

        // when its ranks start again, each token is computed by the expert that it is routed to
        assertThat(ranks(rings, "2")).isZero();

        // then they start there, as version 0 of their incarnation
        Membership second = members(rings);
        assertThat(second.incarnation()).isEqualTo(2);
        assertThat(second.start()).isEqualTo(settled.withVersion(0));

        // and whoever of them comes when it has begun and settled on more starts there as well
        keep(second, first.start().withVersion(3));
        Path elsewhere = directory.resolve("elsewhere");
        assertThat(ranks(elsewhere, "2")).isZero();
        assertThat(members(elsewhere)).isEqualTo(second);

        // and ranks of another shape are refused
        assertThat(run(rings, "3", "--redundant", "8")).isNotZero();
    }

    /** The same traffic twice, from its beginning: once on the initial layout, and on what had settled under it. */
    @Test
    void firstDecisionsAfterARestartMoveLittleWhereTheyWereMadeBefore() throws Exception {
        Membership fresh = life(1);

        int initial = slotsMovedAtTheStart(fresh);
        Placement settled =
                LastSettled.of(kafka, fresh.deployment(), 2).orElseThrow().placement();
        assertThat(settled.version()).isPositive();
        int again = slotsMovedAtTheStart(life(2).startingWith(settled).startable());

        System.out.printf("%d slots moved from the initial layout, %d from what had settled%n", initial, again);
        assertThat(initial).isGreaterThan(20);
        assertThat(again).as("of %d from the initial layout", initial).isLessThanOrEqualTo(initial / 4);
    }

    private static Membership life(long incarnation) {
        return new Membership(
                new Deployment("kept/decode-0"),
                incarnation,
                MODEL.shape(),
                Topology.even(4, 2, 10),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                16,
                64,
                EngineSettings.DEFAULT_BYTES_PER_EXPERT,
                64L * EngineSettings.DEFAULT_BYTES_PER_EXPERT);
    }

    /** Slots that decisions move until the policy has been asked so many times and all of them have settled. */
    private int slotsMovedAtTheStart(Membership members) throws Exception {
        List<PlanCommand> log = new CopyOnWriteArrayList<>();
        List<String> problems = new CopyOnWriteArrayList<>();
        Disposable following = TopicReader.records(
                        kafka, Topic.PLAN, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(received -> log.add(received.value()));
        try (SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters();
                LocalLoop loop = new LocalLoop(
                        kafka,
                        members,
                        EngineSettings.of(MODEL.shape(), members.topology(), TOKENS, 200),
                        new GeneratedTraffic(MODEL, STEADY, TOKENS, 7),
                        PlannerSettings.DEFAULTS,
                        shared.path(),
                        meters,
                        problems::add)) {
            loop.start();
            await("verdicts on windows, and the end of every decision")
                    .atMost(SOON)
                    .until(() -> settled(log, members) + refused(meters) >= JUDGED
                            && proposed(log, members).size() == settled(log, members));
            loop.stopStepping();
            assertThat(loop.totals().misrouted()).isZero();
        } finally {
            following.dispose();
        }
        assertThat(problems).isEmpty();
        return proposed(log, members).stream()
                .mapToInt(propose -> propose.moves().size())
                .sum();
    }

    private static double refused(Meters meters) {
        return meters.registry().find("plimsoll.proposals.refused").counters().stream()
                .filter(counter -> JUDGEMENTS.contains(counter.getId().getTag("reason")))
                .mapToDouble(Counter::count)
                .sum();
    }

    private static List<PlanCommand.Propose> proposed(List<PlanCommand> log, Membership members) {
        return log.stream()
                .filter(PlanCommand.Propose.class::isInstance)
                .map(PlanCommand.Propose.class::cast)
                .filter(propose -> isOf(propose, members))
                .toList();
    }

    private static long settled(List<PlanCommand> log, Membership members) {
        return log.stream()
                .filter(command -> command instanceof PlanCommand.Settled && isOf(command, members))
                .count();
    }

    private static boolean isOf(PlanCommand command, Membership members) {
        return command.header().deployment().equals(members.deployment())
                && command.header().incarnation() == members.incarnation();
    }

    private static int ranks(Path rings, String incarnation) {
        return run(rings, incarnation, "--redundant", "4");
    }

    private static int run(Path rings, String incarnation, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "ranks",
                "--model",
                "mixtral-8x7b",
                "--ranks",
                "4",
                "--nodes",
                "2",
                "--tokens-per-step",
                "16",
                "--deployment",
                DEPLOYMENT.id(),
                "--incarnation",
                incarnation,
                "--ring-dir",
                rings.toString(),
                "--start",
                "settled",
                "--bootstrap-servers",
                broker.bootstrapServers(),
                "--for",
                "1s"));
        arguments.addAll(List.of(more));
        return Plimsoll.run(arguments.toArray(String[]::new));
    }

    private static Membership members(Path rings) {
        return new MembershipFile(rings).read().orElseThrow();
    }

    private static void keep(Membership members, Placement settled) {
        List<Output<?>> outputs = new ArrayList<>();
        outputs.add(Output.of(Topic.MEMBERS, DEPLOYMENT, members));
        for (int layer = 0; layer < settled.layers(); layer++) {
            outputs.add(Output.of(
                    Topic.PLACEMENTS,
                    DEPLOYMENT,
                    SettledPlacement.of(DEPLOYMENT, members.incarnation(), settled, layer, settled.hash())));
        }
        TopicWriter.writeTogether(kafka, "test", outputs, SOON);
    }
}
