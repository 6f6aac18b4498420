package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.app.operator.DeploymentLog;
import dev.plimsoll.app.operator.DeploymentStage;
import dev.plimsoll.app.operator.DeploymentStory;
import dev.plimsoll.app.operator.MadeUpDeployment;
import dev.plimsoll.app.operator.OperatorTopics;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlAnswer.Verdict;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;

/** What an operator types, against a real broker with topics as planners, ranks and operators leave them. */
@Timeout(120)
class OperatorCommandsTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String QUIET = "r1/decode-0";
    private static final String WAITING = "r1/decode-1";
    private static final String FREE = "r1/decode-2";
    private static final String OLD = "r1/decode-3";
    /** Three commands each: more than are read at first. */
    private static final int DECISIONS = 120;

    @TempDir
    static Path directory;

    private static EmbeddedBroker broker;
    private static KafkaSettings kafka;

    @BeforeAll
    static void write() throws Exception {
        broker = EmbeddedBroker.start(directory, 0);
        kafka = KafkaSettings.of(broker.bootstrapServers());
        try (TopicAdmin admin = new TopicAdmin(kafka, SOON)) {
            admin.create(2, 1);
        }
        MadeUpDeployment quiet = new MadeUpDeployment(QUIET).takenOver();
        quiet.window(4);
        quiet.decided(4);
        quiet.window(5);
        quiet.window(7);
        quiet.done(new ControlAction.Pause());
        put(quiet);
        MadeUpDeployment waiting = new MadeUpDeployment(WAITING).takenOver();
        int epoch = waiting.propose(new Origin(true, Optional.empty()), 4, "plimsoll");
        waiting.ack(epoch, RankAck.Kind.ACCEPTED, 0, 0, 1);
        put(waiting);
        MadeUpDeployment free = new MadeUpDeployment(FREE).takenOver();
        free.decided(4);
        put(free);
        MadeUpDeployment old = new MadeUpDeployment(OLD).takenOver();
        for (int decision = 0; decision < DECISIONS; decision++) {
            old.decided(4L * decision);
        }
        put(old);
    }

    private static void put(MadeUpDeployment made) {
        DeploymentLog log = made.log();
        Deployment of = log.members().deployment();
        List<Output<?>> outputs = new ArrayList<>();
        outputs.add(Output.of(Topic.MEMBERS, of, log.members()));
        add(outputs, Topic.PLAN, of, log.plan());
        add(outputs, Topic.PLACEMENTS, of, log.kept());
        add(outputs, Topic.ACKS, of, log.acks());
        add(outputs, Topic.CONTROL, of, log.control());
        add(outputs, Topic.WINDOW_SUMMARIES, of, made.windows());
        TopicWriter.writeTogether(kafka, "test", outputs, SOON);
    }

    private static <T> void add(List<Output<?>> outputs, Topic<T> topic, Deployment of, List<Dated<T>> records) {
        records.forEach(record -> outputs.add(Output.at(topic, of, record.value(), record.atMillis())));
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    private static Told run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--bootstrap-servers=" + broker.bootstrapServers());
        return Told.by(all.toArray(String[]::new));
    }

    private static JsonNode json(Told told) throws IOException {
        assertThat(told.exitCode()).as(told.err()).isZero();
        return new ObjectMapper().readTree(told.out());
    }

    @Test
    void deploymentsAreListedWithTheirStage() throws IOException {
        List<String> lines = run("deployment", "list").out().lines().toList();
        JsonNode json = json(run("deployment", "list", "--output=json"));

        assertThat(lines).hasSize(5);
        assertThat(lines.get(1)).matches(QUIET + " +1 +2 +IDLE +v1 +by ada .* 0");
        assertThat(lines.get(2)).matches(WAITING + " +1 +2 +WAITING_FOR_APPROVAL +v0 +no .* 0");
        assertThat(json).hasSize(4);
        assertThat(json.at("/1/stage").asText()).isEqualTo("WAITING_FOR_APPROVAL");
        assertThat(json.at("/0/newestWindow").asInt()).isEqualTo(7);
    }

    @Test
    void deploymentIsShownWithWhoPausedItAndWhetherAnybodyPlans() throws IOException {
        Told told = run("deployment", "show", "--deployment=" + QUIET);

        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.out())
                .contains("stage        IDLE")
                .contains("paused       by ada")
                .contains("INC-0")
                .contains("ranks off    none")
                .contains("no planner is in the group plimsoll.planner; nobody has ever planned in its partition");
        JsonNode json = json(run("deployment", "show", "--deployment=" + QUIET, "--output=json"));
        assertThat(json.at("/pausedBy/by").asText()).isEqualTo("ada");
        assertThat(json.at("/planners/members").asInt()).isZero();
    }

    @Test
    void decisionsAreListedShownAndExplained() throws IOException {
        Told list = run("decisions", "list", "--deployment=" + QUIET);
        assertThat(list.out().lines().toList().get(1)).matches("1 +v0 +SETTLED +4 .*the planner");
        assertThat(run("decisions", "show", "1", "--deployment=" + QUIET).out())
                .contains("flipped batch 2 by 2 of 2 ranks");
        Told explained = run("decisions", "explain", "1", "--deployment=" + QUIET);
        assertThat(explained.out()).contains("why now").contains("window 4, steps (128, 160]: COMPLETE");
        JsonNode json = json(run("decisions", "explain", "1", "--deployment=" + QUIET, "--output=json"));
        assertThat(json.at("/propose/epoch").asInt()).isEqualTo(1);
        assertThat(json.at("/acks")).hasSize(6);
        assertThat(json.at("/window/index").asInt()).isEqualTo(4);

        Told none = run("decisions", "explain", "9", "--deployment=" + QUIET);
        assertThat(none.exitCode()).isEqualTo(3);
        assertThat(none.err()).contains("has no decision 9").contains("they have 1 to 1");
    }

    @Test
    void longLogsAreReadNoFurtherBackThanIsNeeded() {
        Membership members =
                Objects.requireNonNull(OperatorTopics.deployments(kafka).get(new Deployment(OLD)));
        try (OperatorTopics topics = new OperatorTopics(kafka, members.deployment())) {
            DeploymentLog now = topics.read(members, new OperatorTopics.Want.Now());
            assertThat(now.planWhole()).isFalse();
            assertThat(DeploymentStory.of(now).stage()).isEqualTo(DeploymentStage.IDLE);
            assertThat(topics.read(members, new OperatorTopics.Want.Newest(3)).planWhole())
                    .isFalse();
            assertThat(topics.read(members, new OperatorTopics.Want.Epoch(3)).planWhole())
                    .isTrue();
        }
        assertThat(run("decisions", "list", "--last=2", "--deployment=" + OLD)
                        .out()
                        .lines())
                .hasSize(3)
                .last()
                .asString()
                .startsWith(DECISIONS + " ");
        assertThat(run("decisions", "show", "3", "--deployment=" + OLD).out())
                .startsWith("decision 3 of " + OLD)
                .contains("flipped batch 2 by 2 of 2 ranks");
        Told back = run("rollback", "--to-version=1", "--deployment=" + OLD);
        assertThat(back.out()).as(back.err()).contains("back to v1: 4 moves");
    }

    @Test
    void newestWindowWithoutADecisionIsExplainedAndSoIsOneByItsNumber() {
        assertThat(run("decisions", "explain", "--deployment=" + QUIET).out())
                .startsWith("window 7 of " + QUIET)
                .contains("COOLDOWN");
        assertThat(run("decisions", "explain", "--window=5", "--deployment=" + QUIET)
                        .out())
                .startsWith("window 5 of " + QUIET)
                .contains("IN_FLIGHT: decision 1");
        assertThat(run("decisions", "explain", "--window=4", "--deployment=" + QUIET)
                        .out())
                .startsWith("decision 1 of " + QUIET);
        assertThat(run("decisions", "explain", "--window=99", "--deployment=" + QUIET)
                        .exitCode())
                .isEqualTo(3);
    }

    @Test
    void withoutExecuteNothingIsWritten() throws IOException {
        Told told = run("decisions", "approve", "1", "--deployment=" + WAITING, "--by=ada");
        JsonNode json = json(run("rollback", "--to-version=0", "--deployment=" + FREE, "--output=json"));

        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.out())
                .contains("would write to plimsoll.control.v1: approve decision 1 on v0 by ada")
                .contains("nothing is written: add --execute");
        assertThat(json.at("/dryRun").asBoolean()).isTrue();
        assertThat(json.at("/foretold").asText()).isEqualTo("WOULD_DO");
        assertThat(json(run("deployment", "show", "--deployment=" + WAITING, "--output=json"))
                        .at("/unanswered"))
                .isEmpty();
    }

    @Test
    void exitCodesTellWhatBecameOfACommand() {
        assertThat(run("deployment", "pause", "--deployment=" + QUIET).exitCode())
                .as("paused already")
                .isZero();
        Told stale = run("deployment", "pause", "--deployment=" + FREE, "--based-on=0", "--execute", "--reason=x");
        assertThat(stale.exitCode()).isEqualTo(4);
        assertThat(stale.err()).contains("v1 is settled");
        assertThat(run("decisions", "abort", "1", "--deployment=" + FREE).exitCode())
                .as("it has ended")
                .isEqualTo(4);
        Told refused = run("drain", "--rank=9", "--deployment=" + FREE);
        assertThat(refused.exitCode()).isEqualTo(5);
        assertThat(refused.err()).contains("rank 9");
        assertThat(run("deployment", "show", "--deployment=nobody").exitCode()).isEqualTo(3);
        Told several = run("deployment", "show");
        assertThat(several.exitCode()).isEqualTo(2);
        assertThat(several.err()).contains("4 deployments").contains(WAITING);
    }

    @Test
    void optionsAreCheckedBeforeAnythingIsRead() {
        Told told = Told.by("pin", "--layer=-1", "--execute", "--by= ", "--wait=2h", "--based-on=-1");

        assertThat(told.exitCode()).isEqualTo(2);
        assertThat(told.err())
                .contains("--bootstrap-servers is missing")
                .contains("--layer is missing or below 0")
                .contains("--expert is missing")
                .contains("--rank is missing")
                .contains("--reason is missing")
                .contains("--by is empty")
                .contains("--wait must be")
                .contains("--based-on must not be below 0");
        assertThat(Told.by("deployment", "list", "--bootstrap-servers=no-such-host.invalid:9092")
                        .exitCode())
                .isEqualTo(6);
    }

    @Test
    void commandIsAnsweredByWhoeverPlansAndItsAnswerDecidesTheExitCode() throws IOException {
        try (FakePlanner planner = new FakePlanner(Verdict.DONE)) {
            Told done = run(
                    "pin",
                    "--layer=1",
                    "--expert=2",
                    "--rank=0",
                    "--deployment=" + FREE,
                    "--execute",
                    "--reason=INC-7",
                    "--by=ada");
            assertThat(done.exitCode()).as(done.err()).isZero();
            assertThat(done.out()).isEqualTo(FREE + ": DONE as you say; settled: v1\n");
            assertThat(planner.heard).singleElement().satisfies(control -> {
                assertThat(control.by()).isEqualTo("ada");
                assertThat(control.reason()).isEqualTo("INC-7");
                assertThat(control.basedOn()).hasValue(1);
            });
        }
        assertThat(run("deployment", "show", "--deployment=" + FREE).out())
                .contains("pinned       expert 2 of layer 1 on rank 0, by ada");
        try (FakePlanner planner = new FakePlanner(Verdict.REFUSED)) {
            Told refused = run(
                    "unpin",
                    "--layer=1",
                    "--expert=2",
                    "--rank=0",
                    "--deployment=" + FREE,
                    "--execute",
                    "--reason=INC-8",
                    "--output=json");
            assertThat(refused.exitCode()).isEqualTo(5);
            assertThat(new ObjectMapper()
                            .readTree(refused.out())
                            .at("/answer/verdict")
                            .asText())
                    .isEqualTo("REFUSED");
            assertThat(planner.heard).hasSize(1);
        }
        try (FakePlanner planner = new FakePlanner(Verdict.STALE)) {
            assertThat(run("deployment", "pause", "--deployment=" + FREE, "--execute", "--reason=INC-9")
                            .exitCode())
                    .isEqualTo(4);
            assertThat(planner.heard).hasSize(1);
        }
        Told silence =
                run("deployment", "pause", "--deployment=" + FREE, "--execute", "--reason=INC-10", "--wait=100ms");
        assertThat(silence.exitCode()).isEqualTo(124);
        assertThat(silence.err())
                .contains("no answer within")
                .contains("no planner is in the group plimsoll.planner")
                .contains("the newest TERM (1, host/1) is from");
        assertThat(run("deployment", "show", "--deployment=" + FREE).out()).contains("no answer to pause on v1");
    }

    /** Answers every command that comes from now on. */
    private static final class FakePlanner implements AutoCloseable {
        private final List<Control> heard = new CopyOnWriteArrayList<>();
        private final Disposable following;
        private final TopicWriter writer = new TopicWriter(kafka, "fake-planner", 8, SOON);

        FakePlanner(Verdict verdict) {
            long since = System.currentTimeMillis();
            following = TopicReader.records(kafka, Topic.CONTROL, new TopicReader.Start.Beginning(), unreadable -> {})
                    .filter(record -> record.timestampMillis() >= since)
                    .map(record -> record.value())
                    .ofType(Control.class)
                    .flatMap(control -> {
                        heard.add(control);
                        ControlRecord answer = new ControlAnswer(
                                control.deployment(), 1, control.id(), verdict, "as you say", OptionalInt.empty(), 1);
                        return writer.write(Output.of(Topic.CONTROL, control.deployment(), answer));
                    })
                    .subscribe();
        }

        @Override
        public void close() {
            following.dispose();
            writer.close();
        }
    }
}
