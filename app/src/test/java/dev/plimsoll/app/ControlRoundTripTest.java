package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.Planner;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;
import reactor.core.Disposables;

/** Operators' commands over a real broker: records in, answers and what they have led to out, once, whoever plans. */
class ControlRoundTripTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Membership MEMBERS = new Membership(
            new Deployment("control/decode-0"),
            1,
            ModelShape.of("small", 4, 1, 0, 1),
            Topology.even(3, 1, 2),
            "test",
            Phase.DECODE,
            GatherMode.HOST,
            4,
            8,
            1,
            4);

    @TempDir
    Path directory;

    private final List<PlanCommand> log = new CopyOnWriteArrayList<>();
    private final List<ControlRecord> control = new CopyOnWriteArrayList<>();
    private int written;

    @Test
    void commandsAreAnsweredWithTheirEffectAndByNobodyTwice() throws Exception {
        Disposable.Composite following = Disposables.composite();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0)) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin topics = new TopicAdmin(kafka, SOON)) {
                topics.create(1, 1);
            }
            following.add(follow(kafka, Topic.PLAN, log));
            following.add(follow(kafka, Topic.CONTROL, control));
            write(kafka, List.of(Output.of(Topic.MEMBERS, MEMBERS.deployment(), MEMBERS)));
            // Given before there is anybody to hear it.
            Control drain = command(kafka, new ControlAction.Drain(new RankId(1)));
            try (Planner planner = planner(kafka)) {
                planner.start();
                assertThat(answer(drain).text()).contains("a decision is to follow the next window");
                write(kafka, window());
                await("a proposal").atMost(SOON).until(() -> last() instanceof PlanCommand.Propose);
                assertThat(last().summary()).contains("layer 0 has 2 experts on rank 1 alone, and that is drained");

                answer(command(kafka, new ControlAction.Abort(1)));
                await("its end").atMost(SOON).until(() -> last() instanceof PlanCommand.Abort);
            }
            try (Planner successor = planner(kafka)) {
                successor.start();
                ControlAnswer end = answer(command(kafka, new ControlAction.Void()));
                assertThat(end.verdict()).isEqualTo(ControlAnswer.Verdict.DONE);
                assertThat(end.epoch()).hasValue(1);
                await("its end").atMost(SOON).until(() -> last() instanceof PlanCommand.Void);
            }
        } finally {
            following.dispose();
        }
        assertThat(control)
                .filteredOn(ControlAnswer.class::isInstance)
                .extracting(ControlRecord::id)
                .containsExactly("id-0", "id-1", "id-2");
        assertThat(log)
                .extracting(command -> command.getClass().getSimpleName())
                .containsExactly("Term", "Propose", "Abort", "Term", "Void");
    }

    private static Planner planner(KafkaSettings kafka) {
        return new Planner(
                kafka,
                PlannerSettings.DEFAULTS.withPolicy("static"),
                "test",
                PlannerListener.NONE,
                new PartitionLoop.Listener() {});
    }

    private static <T> Disposable follow(KafkaSettings kafka, Topic<T> topic, List<T> into) {
        return TopicReader.records(kafka, topic, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(received -> into.add(received.value()));
    }

    private static void write(KafkaSettings kafka, List<Output<?>> outputs) {
        TopicWriter.writeTogether(kafka, "plimsoll-control-test", outputs, SOON);
    }

    private Control command(KafkaSettings kafka, ControlAction action) {
        Control command =
                new Control(MEMBERS.deployment(), "id-" + written++, 1, "alice", "as asked", OptionalInt.of(0), action);
        write(kafka, List.of(Output.of(Topic.CONTROL, MEMBERS.deployment(), command)));
        return command;
    }

    private ControlAnswer answer(Control command) {
        await("an answer to " + command)
                .atMost(SOON)
                .until(() -> !answers(command).isEmpty());
        return answers(command).get(0);
    }

    private List<ControlAnswer> answers(Control command) {
        return control.stream()
                .filter(ControlAnswer.class::isInstance)
                .map(ControlAnswer.class::cast)
                .filter(answer -> answer.id().equals(command.id()))
                .toList();
    }

    private PlanCommand last() {
        return log.get(log.size() - 1);
    }

    private static List<Output<?>> window() {
        PlacementState state = PlacementState.settled(0);
        LongVector load = LongVector.of(4, 4, 4, 4, 4, 4);
        return List.of(
                Output.of(
                        Topic.WINDOWS,
                        MEMBERS.deployment(),
                        new LoadWindow(
                                MEMBERS.deployment(),
                                1,
                                Phase.DECODE,
                                0,
                                new StepRange(0, 8),
                                0,
                                0,
                                state,
                                0,
                                load,
                                1,
                                load,
                                "")),
                Output.of(
                        Topic.WINDOW_SUMMARIES,
                        MEMBERS.deployment(),
                        new WindowSummary(
                                MEMBERS.deployment(),
                                1,
                                Phase.DECODE,
                                0,
                                -1,
                                new StepRange(0, 8),
                                CloseReason.COMPLETE,
                                2,
                                LongVector.of(2, 2, 2),
                                new Balance(1, 1, 1, 1),
                                List.of(state),
                                24,
                                Conservation.YES,
                                24,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                System.currentTimeMillis(),
                                "")));
    }
}
