package dev.plimsoll.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.Standing;
import dev.plimsoll.planner.Standing.Word;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.worker.WorkerListener;
import io.micrometer.core.instrument.Gauge;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WatchdogsTest {
    private static final Deployment KNOWN = Events.DEPLOYMENT;

    private Instant now = Instant.ofEpochSecond(1_000);
    private final Meters meters = new Meters(() -> now);

    @AfterEach
    void close() {
        meters.close();
    }

    @Test
    void samplesAreDueAWindowByWhatHasComeAndNotByTheClock() {
        AggregatorListener aggregator = meters.aggregator();
        aggregator.fate(KNOWN, Fate.ACCEPTED, 8, 100);
        assertThat(value("plimsoll_windows_due"))
                .as("nobody knows how long a window is")
                .isZero();

        aggregator.windowClosed(Events.window(KNOWN, CloseReason.COMPLETE)); // 4 ranks of 4 cells
        passes(Duration.ofDays(2));
        aggregator.fate(KNOWN, Fate.ACCEPTED, 8, 100);
        assertThat(value("plimsoll_windows_due")).isEqualTo(0.5);
        assertThat(meters.watched())
                .containsExactly(
                        "[i] r1/decode-0: aggregator: sample 0 s ago, window 2 d ago, 0.5 windows' worth of samples since");

        aggregator.fate(KNOWN, Fate.UNATTRIBUTED, 64, 100);
        assertThat(value("plimsoll_windows_due")).isEqualTo(4.5);
        assertThat(meters.watched().get(0))
                .startsWith("[!] r1/decode-0: ")
                .endsWith(": see docs/runbooks/NoWindows.md");
    }

    @Test
    void samplesThatNoWindowWillEverHaveAreNoSignOfLife() {
        AggregatorListener aggregator = meters.aggregator();
        for (Fate fate : List.of(Fate.STALE_INCARNATION, Fate.LATE, Fate.DUPLICATE, Fate.TOO_FAR)) {
            aggregator.fate(KNOWN, fate, 8, 100);
        }

        assertThat(lines("plimsoll_last_sample_timestamp_seconds")).isEmpty();
    }

    @Test
    void whatAggregatorsTellOfADeploymentGoesWithIt() {
        AggregatorListener aggregator = meters.aggregator();
        aggregator.fate(KNOWN, Fate.ACCEPTED, 8, 100);
        aggregator.windowClosed(Events.window(KNOWN, CloseReason.COMPLETE));
        aggregator.released(KNOWN);

        assertThat(gauges()).isEmpty();
        assertThat(meters.watched()).isEmpty();
    }

    @Test
    void rankThatIsSeenToPassABoundaryStepsAndOneThatIsFoundDoesNot() {
        WorkerListener worker = serving();
        worker.onState(new RankId(0), Events.state(0), 1_600, OptionalInt.empty());
        assertThat(lines("plimsoll_last_step_timestamp_seconds"))
                .as("it may stand still")
                .isEmpty();

        worker.onState(new RankId(0), Events.state(0), 1_600, OptionalInt.empty());
        assertThat(lines("plimsoll_last_step_timestamp_seconds")).isEmpty();
        worker.onState(new RankId(0), Events.state(0), 1_616, OptionalInt.empty());
        assertThat(value("plimsoll_last_step_timestamp_seconds")).isEqualTo(1_000);
        passes(Duration.ofMinutes(3));
        assertThat(meters.watched())
                .containsExactly("[i] r1/decode-0: worker: 1 ranks here, step 3 min ago, ack never");
    }

    @Test
    void rankServesTheSettledVersionOnceItHasFlippedItThoughItHasNotHeardSo() {
        WorkerListener worker = serving();
        RankState flipped = new RankState(7, 0, 3, RankPhase.DONE, 2, 0, -1, false, 9, 32);
        RankState stopped = new RankState(7, 0, 3, RankPhase.ABORTED, 1, 0, -1, false, 9, 32);
        worker.onState(new RankId(0), flipped, 32, OptionalInt.of(3));
        worker.onState(new RankId(1), stopped, 32, OptionalInt.of(3));
        worker.onState(new RankId(2), Events.state(3), 32, OptionalInt.of(3));
        assertThat(value("plimsoll_ranks_off_version")).isZero();

        worker.onState(new RankId(3), Events.state(0), 32, OptionalInt.of(3));
        assertThat(value("plimsoll_ranks_off_version")).isOne();
        assertThat(meters.watched().get(0))
                .contains("off the settled version rank 3")
                .endsWith("see docs/runbooks/RanksAreOffVersion.md");

        worker.onState(new RankId(3), Events.state(0), 48, OptionalInt.empty());
        assertThat(value("plimsoll_ranks_off_version"))
                .as("a decision is in flight")
                .isZero();
    }

    @Test
    void ackIsUnpublishedUntilTheBrokerHasItOrTheRankSpeaksOfALaterDecision() {
        WorkerListener worker = serving();
        worker.onAckDelayed(Events.ack(), new IllegalStateException("away"));
        worker.onAckDelayed(Events.ack(), new IllegalStateException("still away"));
        worker.onAckDelayed(Events.flipped(), new IllegalStateException("still away"));
        assertThat(value("plimsoll_acks_unpublished")).isEqualTo(2);
        assertThat(meters.watched().get(0)).endsWith("2 acks unpublished: see docs/runbooks/AcksAreNotPublished.md");

        worker.onAcked(Events.ack());
        assertThat(value("plimsoll_acks_unpublished")).isOne();
        worker.onAcked(new RankAck(KNOWN, 7, new RankId(0), 2, RankAck.Kind.ACCEPTED, 0, Optional.empty(), 9, 64));
        assertThat(value("plimsoll_acks_unpublished")).isZero();
    }

    @Test
    void whatAWorkerTellsGoesWhenItCloses() {
        WorkerListener worker = serving();
        worker.onState(new RankId(0), Events.state(0), 16, OptionalInt.of(0));
        worker.onState(new RankId(0), Events.state(0), 32, OptionalInt.of(0));
        worker.onAcked(Events.ack());
        worker.onReleased();

        assertThat(gauges()).isEmpty();
        assertThat(meters.watched()).isEmpty();
    }

    @Test
    void plannerThatReadsWindowsAndComesToNoVerdictIsSeen() {
        PlannerListener planner = meters.planner();
        planner.serving(0, KNOWN);
        planner.heard(Events.window(4, 4));
        planner.refused(KNOWN, 0, Verdict.Keep.because(KeepReason.IN_FLIGHT, ""));
        passes(Duration.ofSeconds(90));
        planner.heard(Events.window(4, 4));

        assertThat(value("plimsoll_planner_last_window_timestamp_seconds")).isEqualTo(1_090);
        assertThat(value("plimsoll_last_plan_timestamp_seconds")).isEqualTo(1_000);
        assertThat(meters.watched())
                .containsExactly(
                        "[i] r1/decode-0: planner: window 0 s ago, verdict 90 s ago, ack never, settled never");
    }

    @Test
    void deploymentStandsAsItsPlannerSaysAndInOneWayAtATime() {
        PlannerListener planner = meters.planner();
        planner.stands(Events.standing(Word.RUNNING, Word.OBSERVE_ONLY));
        assertThat(value("plimsoll_deployment_state{deployment=\"r1/decode-0\",state=\"running\"}"))
                .isOne();
        assertThat(value("plimsoll_deployment_state{deployment=\"r1/decode-0\",state=\"observe_only\"}"))
                .isOne();

        planner.stands(quarantined());
        assertThat(lines("plimsoll_deployment_state"))
                .hasSize(Word.values().length)
                .filteredOn(line -> line.endsWith(" 1.0"))
                .hasSize(1)
                .allMatch(line -> line.contains("quarantined"));
        assertThat(meters.watched().get(0))
                .startsWith("[!] r1/decode-0: planner: v1 quarantined of decision 2 (ranks disagree); window never")
                .endsWith("see docs/runbooks/DeploymentIsQuarantined.md");
    }

    @Test
    void pauseIsToldWithItsBeginningSoThatARestartDoesNotMakeItYoung() {
        PlannerListener planner = meters.planner();
        Standing idle = Events.standing(Word.IDLE);
        planner.stands(new Standing(
                KNOWN,
                Set.of(Word.IDLE, Word.PAUSED),
                1,
                OptionalInt.empty(),
                List.of(),
                OptionalLong.of(500_000),
                OptionalLong.of(700_000),
                "paused by alice"));
        assertThat(value("plimsoll_paused_since_timestamp_seconds")).isEqualTo(500);
        assertThat(value("plimsoll_unanswered_since_timestamp_seconds")).isEqualTo(700);
        assertThat(meters.watched().get(0)).startsWith("[i] r1/decode-0: planner: v1 idle, paused (paused by alice); ");

        planner.stands(idle);
        assertThat(value("plimsoll_paused_since_timestamp_seconds")).isZero();
        assertThat(value("plimsoll_unanswered_since_timestamp_seconds")).isZero();
    }

    private static Standing quarantined() {
        return new Standing(KNOWN, Set.of(Word.QUARANTINED), 1, OptionalInt.of(2), List.of(), "ranks disagree");
    }

    @Test
    void decisionIsOverdueFromTheAlarmWhileItStopsUntilItHasEnded() {
        PlannerListener planner = meters.planner();
        planner.stands(Events.standing(Word.RUNNING));
        planner.alarm(KNOWN, false, "of something else, in the transaction that stops it");
        planner.stands(stopping(2));
        assertThat(value("plimsoll_decision_overdue")).isZero();

        planner.alarm(KNOWN, false, "not all ranks say how far decision 2 got");
        assertThat(value("plimsoll_decision_overdue")).isOne();
        assertThat(value("plimsoll_ranks_awaited")).isOne();
        assertThat(meters.watched().get(0))
                .contains("aborting of decision 2, waits for rank 3, overdue")
                .endsWith("see docs/runbooks/DecisionIsOverdue.md");

        planner.stands(Events.standing(Word.IDLE));
        assertThat(value("plimsoll_decision_overdue")).isZero();
        planner.stands(stopping(4));
        assertThat(value("plimsoll_decision_overdue")).as("another one").isZero();
    }

    private static Standing stopping(int epoch) {
        return new Standing(KNOWN, Set.of(Word.ABORTING), 1, OptionalInt.of(epoch), List.of(new RankId(3)), "");
    }

    @Test
    void whatAPlannerTellsGoesWithThePartition() {
        PartitionLoop.Listener loop = meters.plannerLoop(cause -> {});
        PlannerListener planner = meters.planner();
        planner.serving(3, KNOWN);
        planner.heard(Events.ack());
        planner.stands(Events.standing(Word.IDLE));

        loop.onRevoked(4);
        assertThat(meters.watched()).hasSize(1);
        loop.onRevoked(3);
        assertThat(meters.watched()).isEmpty();
        assertThat(gauges()).isEmpty();
    }

    @Test
    void deploymentThatSpeaksAgainAfterItWasForgottenStandsAsItDid() {
        Series series = new Series(meters.registry(), () -> now.toEpochMilli() * 1_000_000, () -> now);
        PlannerWatch planner = new PlannerWatch(series, () -> now);
        planner.serving(3, KNOWN);
        planner.heard(Events.ack());
        planner.stands(quarantined());
        passes(Series.FORGOTTEN_AFTER.plusSeconds(1));
        series.forgetEnded();
        planner.stands(quarantined());
        assertThat(lines("plimsoll_deployment_state")).as("nobody speaks of it").isEmpty();

        planner.heard(Events.ack());
        planner.stands(quarantined());

        assertThat(lines("plimsoll_deployment_state")).hasSize(Word.values().length);
    }

    @Test
    void verboseReadinessTellsOfDeploymentsAndMakesNobodyUnready() throws Exception {
        meters.planner().stands(quarantined());
        try (MetricsServer server = new MetricsServer("127.0.0.1", 0, meters, Map.of("planner", () -> true))) {
            HttpResponse<String> brief = get(server, "/readyz");
            HttpResponse<String> verbose = get(server, "/readyz?verbose");

            assertThat(brief.body()).isEqualTo("[+] planner\nready\n");
            assertThat(verbose.statusCode()).isEqualTo(200);
            assertThat(verbose.body())
                    .startsWith("[+] planner\n[!] r1/decode-0: planner: v1 quarantined")
                    .endsWith("\nready\n");
            assertThat(lines("plimsoll_condition_holds"))
                    .containsExactly("plimsoll_condition_holds{condition=\"planner\"} 1.0");
        }
    }

    private static HttpResponse<String> get(MetricsServer server, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    private WorkerListener serving() {
        WorkerListener worker = meters.worker();
        worker.onServing(KNOWN, 7);
        return worker;
    }

    private void passes(Duration time) {
        now = now.plus(time);
    }

    private List<String> lines(String begin) {
        return meters.registry()
                .scrape()
                .lines()
                .filter(line -> line.startsWith(begin))
                .toList();
    }

    private double value(String begin) {
        List<String> lines = lines(begin);
        assertThat(lines).as(begin).hasSize(1);
        return Double.parseDouble(lines.get(0).substring(lines.get(0).lastIndexOf(' ')));
    }

    /** Those that name a deployment. */
    private List<String> gauges() {
        return meters.registry().getMeters().stream()
                .filter(meter -> meter instanceof Gauge && meter.getId().getTag("deployment") != null)
                .map(meter -> meter.getId().toString())
                .toList();
    }
}
