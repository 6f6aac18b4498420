package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.LocalLoop;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.ApprovalChoice;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.replay.source.SettledNow;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An operator's hour: the whole loop runs, with a policy that always wants another placement and a planner that asks people; and a person
 * types commands and reads what they say.
 */
@Timeout(600)
class OperatorsHourTest {
    private static final Duration SOON = Duration.ofSeconds(120);
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final ModelPreset MODEL = ModelPreset.named("mixtral-8x7b").withLayers(2);
    private static final int TOKENS = 16;
    private static final RankId DRAINED = new RankId(1);
    private static final Membership MEMBERS = new Membership(
            new Deployment("hour/decode-0"),
            1,
            MODEL.shape(),
            Topology.even(4, 2, 3),
            "test",
            Phase.DECODE,
            GatherMode.HOST,
            16,
            64,
            EngineSettings.DEFAULT_BYTES_PER_EXPERT,
            64L * EngineSettings.DEFAULT_BYTES_PER_EXPERT);

    @TempDir
    Path directory;

    private final ObjectMapper mapper = new ObjectMapper();
    private String servers = "";

    @Test
    void operatorPausesApprovesRollsBackDrainsAndBringsBackFromQuarantine() throws Exception {
        List<String> problems = new CopyOnWriteArrayList<>();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0);
                SharedDirectory shared = SharedDirectory.temporary();
                Meters meters = new Meters()) {
            servers = broker.bootstrapServers();
            KafkaSettings kafka = KafkaSettings.of(servers);
            try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
                admin.create(1, 1);
            }
            try (LocalLoop loop = new LocalLoop(
                    kafka,
                    MEMBERS,
                    EngineSettings.of(MODEL.shape(), MEMBERS.topology(), TOKENS, 500),
                    new GeneratedTraffic(MODEL, TOKENS, 7),
                    PlannerSettings.DEFAULTS
                            .withPolicy("rotation")
                            .withRollback(false)
                            .withApproval(new ApprovalChoice(true, Duration.ofMinutes(30))),
                    shared.path(),
                    meters,
                    problems::add)) {
                loop.start();

                approve();
                pause();
                rollBack(kafka);
                drain(kafka);
                bringBack(kafka);

                assertThat(show().at("/unanswered")).isEmpty();
                long enough = loop.totals().steps() + 160;
                await("steps after that")
                        .pollInterval(LOOK)
                        .atMost(SOON)
                        .until(() -> loop.totals().steps() >= enough);
                loop.stopStepping();
                assertThat(loop.totals().misrouted()).isZero();
                assertThat(loop.totals().tokens()).isPositive();
            }
        }
        assertThat(problems).isEmpty();
    }

    /** A decision waits for a person, who looks at it and lets it go on. */
    private void approve() {
        int epoch = waiting();
        assertThat(run(0, "decisions", "explain", "" + epoch).out())
                .contains("decision " + epoch + " of hour/decode-0, incarnation 1: WAITING_FOR_APPROVAL")
                .contains("policy rotation, needs approval");
        assertThat(run(0, "decisions", "approve", "" + epoch).out()).contains("nothing is written: add --execute");
        assertThat(show().at("/stage").asText()).isEqualTo("WAITING_FOR_APPROVAL");

        Told approved = execute("decisions", "approve", "" + epoch);

        assertThat(approved.out()).startsWith("hour/decode-0: DONE ");
        await("it is carried out").pollInterval(LOOK).atMost(SOON).until(() -> version() == epoch);
        assertThat(run(0, "decisions", "show", "" + epoch).out())
                .contains("SETTLED")
                .contains("flipped batch 1 by 4 of 4 ranks")
                .contains("approved of by " + System.getProperty("user.name") + " (INC-1)");
        assertThat(run(4, "decisions", "approve", "" + epoch).err())
                .contains("decision " + epoch + " is not in flight");
    }

    /** No decision is made any more; what waits is rejected. */
    private void pause() {
        execute("deployment", "pause");
        JsonNode now = show();
        if (now.has("inFlight")) {
            execute("decisions", "reject", now.at("/inFlight/epoch").asText());
        }
        await("it ends")
                .pollInterval(LOOK)
                .atMost(SOON)
                .until(() -> show().at("/stage").asText().equals("IDLE"));
        int newest = show().at("/newestDecision").asInt();
        long window = show().at("/newestWindow").asLong();
        await("windows under the pause")
                .pollInterval(LOOK)
                .atMost(SOON)
                .until(() -> show().at("/newestWindow").asLong() >= window + 10);
        assertThat(show().at("/newestDecision").asInt()).isEqualTo(newest);
        assertThat(run(0, "decisions", "explain").out()).contains("PAUSED: by " + System.getProperty("user.name"));
        assertThat(run(0, "deployment", "pause").out()).contains("nothing to do: it is paused already");
    }

    /** The decision was a bad one: back to the placement before, while the pause goes on. */
    private void rollBack(KafkaSettings kafka) throws IOException {
        assertThat(run(5, "rollback", "--to-version=99").err()).contains("v99");
        int bad = version();
        Told back = execute("rollback", "--to-version=0");
        assertThat(back.out()).contains("back to v0: ");
        await("the way back").pollInterval(LOOK).atMost(SOON).until(() -> version() > bad);

        assertThat(settled(kafka).servesLike(MEMBERS.start())).isTrue();
        assertThat(run(0, "decisions", "list").out()).contains(System.getProperty("user.name") + " (INC-1)");
        assertThat(run(0, "decisions", "explain", "" + bad).out()).contains("rolled back by decision " + version());
        assertThat(run(0, "deployment", "show").out())
                .contains("paused       by ")
                .contains("planners     1 member is in the group plimsoll.planner");
    }

    /** A rank is to be replaced: nothing must depend on it. */
    private void drain(KafkaSettings kafka) throws IOException {
        assertThat(run(5, "drain", "--rank=4").err()).contains("rank 4");
        Constraints wanted = new Constraints(new TreeSet<>(), new TreeSet<>(List.of(DRAINED)));
        assertThat(wanted.violations(settled(kafka), MEMBERS.shape(), MEMBERS.topology(), MEMBERS.idleSlots()))
                .isNotEmpty();
        assertThat(execute("drain", "--rank=" + DRAINED.index()).out()).contains("a decision is to follow");
        execute("deployment", "resume");
        await("nothing depends on it").pollInterval(LOOK).atMost(SOON).until(() -> {
            JsonNode now = show();
            if (now.at("/stage").asText().equals("WAITING_FOR_APPROVAL")) {
                tryTo("decisions", "approve", now.at("/inFlight/epoch").asText());
            }
            return wanted.violations(settled(kafka), MEMBERS.shape(), MEMBERS.topology(), MEMBERS.idleSlots())
                    .isEmpty();
        });
        assertThat(run(0, "deployment", "show").out()).contains("drained      rank 1, by ");
        execute("undrain", "--rank=" + DRAINED.index());
    }

    /** A rank says that it flipped what nobody has permitted; windows show what is served, and so it can be ended. */
    private void bringBack(KafkaSettings kafka) throws JsonProcessingException {
        int epoch = waiting();
        JsonNode decision = mapper.readTree(
                run(0, "decisions", "show", "" + epoch, "--output=json").out());
        RankAck wrong = new RankAck(
                MEMBERS.deployment(),
                MEMBERS.incarnation(),
                new RankId(0),
                epoch,
                RankAck.Kind.FLIPPED,
                1,
                Optional.empty(),
                decision.at("/propose/planHash").asLong(),
                1);
        TopicWriter.writeTogether(
                kafka, "a-rank-that-lies", List.of(Output.of(Topic.ACKS, MEMBERS.deployment(), wrong)), SOON);
        await("quarantine")
                .pollInterval(LOOK)
                .atMost(SOON)
                .until(() -> show().at("/stage").asText().equals("QUARANTINED"));
        assertThat(run(0, "deployment", "show").out()).contains("rank 0 flipped what was not permitted");
        int settled = version();

        await("windows that show what is served")
                .pollInterval(LOOK)
                .atMost(SOON)
                .until(() -> tryTo("deployment", "void").exitCode() == 0);

        assertThat(version()).isEqualTo(settled);
        assertThat(run(0, "decisions", "show", "" + epoch).out()).contains("VOID");
        assertThat(waiting()).as("decisions are made again").isGreaterThan(epoch);
    }

    /** The decision that waits for a person, when there is one. */
    private int waiting() {
        await("a decision that waits")
                .pollInterval(LOOK)
                .atMost(SOON)
                .until(() -> show().at("/stage").asText().equals("WAITING_FOR_APPROVAL"));
        return show().at("/inFlight/epoch").asInt();
    }

    private int version() {
        return show().at("/version").asInt(-1);
    }

    private static Placement settledOf(SettledNow now) {
        return now.placement().orElseThrow();
    }

    private Placement settled(KafkaSettings kafka) throws IOException {
        return settledOf(SettledNow.read(kafka, MEMBERS.deployment(), OptionalLong.empty()));
    }

    private JsonNode show() {
        Told told = tell("deployment", "show", "--output=json");
        try {
            // Before the worker has written the membership nobody knows the deployment.
            return told.exitCode() == 0 ? mapper.readTree(told.out()) : mapper.createObjectNode();
        } catch (JsonProcessingException e) {
            throw new AssertionError("no JSON: " + told, e);
        }
    }

    private Told execute(String... arguments) {
        Told told = tryTo(arguments);
        assertThat(told.exitCode()).as("%s: %s", List.of(arguments), told.err()).isZero();
        return told;
    }

    private Told tryTo(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--execute", "--reason=INC-1", "--wait=60s"));
        return tell(all.toArray(String[]::new));
    }

    private Told run(int exitCode, String... arguments) {
        Told told = tell(arguments);
        assertThat(told.exitCode()).as("%s: %s", List.of(arguments), told.err()).isEqualTo(exitCode);
        return told;
    }

    private Told tell(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--bootstrap-servers=" + servers);
        return Told.by(all.toArray(String[]::new));
    }
}
