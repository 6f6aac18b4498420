package dev.plimsoll.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.collector.CollectorListener.Dropped;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.worker.WorkerListener;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

class MetersTest {
    private static final Deployment KNOWN = Events.DEPLOYMENT;

    private final Meters meters = new Meters();

    @AfterEach
    void close() {
        meters.close();
    }

    @Test
    void samplesCapturedArePublishedOrDroppedInTheEnd() {
        CollectorListener collector = meters.collector();
        collector.onCaptured(KNOWN, 4, 16);
        collector.onPublished(16, 1);
        collector.onPublished(16, 1);
        collector.onDropped(Dropped.CLOSED, 16, 40);
        collector.onDropped(Dropped.BUFFER_FULL, 32, 2);

        assertThat(meters.captured()).isEqualTo(4).isEqualTo(meters.published() + meters.dropped());
        assertThat(line("plimsoll_samples_captured_total")).isEqualTo("plimsoll_samples_captured_total 4.0");
        assertThat(meters.droppedLoad()).isEqualTo(42);
        assertThat(line("plimsoll_load_dropped_total")).isEqualTo("plimsoll_load_dropped_total 42.0");
    }

    @Test
    void cellsAreCountedByFateAndRecordsThatAreNoSamplesApart() {
        AggregatorListener aggregator = meters.aggregator();
        aggregator.fate(KNOWN, Fate.ACCEPTED, 8, 100);
        aggregator.fate(KNOWN, Fate.LATE, 2, 10);
        aggregator.fate(KNOWN, Fate.MEMBERS_CONFLICT, 0, 0);

        assertThat(line("plimsoll_cells_received_total{deployment=\"r1/decode-0\",fate=\"accepted\"}"))
                .endsWith("} 8.0");
        assertThat(line("plimsoll_cells_received_total{deployment=\"r1/decode-0\",fate=\"late\"}"))
                .endsWith("} 2.0");
        assertThat(line("plimsoll_records_rejected_total{reason=\"members_conflict\"}"))
                .endsWith("} 1.0");
        assertThat(line("plimsoll_load_unused_total"))
                .isEqualTo("plimsoll_load_unused_total{deployment=\"r1/decode-0\",fate=\"late\"} 10.0");
    }

    @Test
    void stepTimeIsTheSlowestRanksAndIdlingAPartOfAll() {
        meters.aggregator().windowClosed(Events.window(KNOWN, CloseReason.COMPLETE));

        // 80 ms on the slowest of two ranks, over 4 intervals of 16 steps; 56 ms of 200 ms stood idle.
        assertThat(line("plimsoll_step_time_seconds{deployment=\"r1/decode-0\",stat=\"mean\"}"))
                .endsWith("} 0.00125");
        assertThat(line("plimsoll_step_time_seconds{deployment=\"r1/decode-0\",stat=\"lowest_decile\"}"))
                .endsWith("} 0.001125");
        assertThat(line("plimsoll_idle_ratio")).endsWith("} 0.28");
    }

    @Test
    void flipsAndTransfersAreTimedWhereRanksSayWhatTheyTook() {
        WorkerListener worker = meters.worker();
        worker.onAcked(Events.ack());
        assertThat(line("plimsoll_flip_duration_seconds")).startsWith("no ");

        worker.onAcked(Events.flipped());

        assertThat(line("plimsoll_flip_duration_seconds_sum")).endsWith("} 3.0E-4");
        assertThat(line("plimsoll_transfer_duration_seconds_sum")).endsWith("} 0.025");
        assertThat(line("plimsoll_transfer_bytes_total")).endsWith("} 5.0E7");
    }

    /** By the worker, which sees those of every engine and says those of deaf ranks; the agent's are the same ones. */
    @Test
    void refusalsAreCountedOnceByReason() {
        WorkerListener worker = meters.worker();
        meters.agents().onRefused(3, Refusal.BUSY.ordinal(), "another is in flight");
        worker.onRefused(new RankId(1), 3, Refusal.BUSY);
        worker.onRefused(new RankId(2), 3, Refusal.DEAF);

        assertThat(line("plimsoll_decisions_rejected_total{reason=\"busy\"}")).endsWith("} 1.0");
        assertThat(line("plimsoll_decisions_rejected_total{reason=\"deaf\"}")).endsWith("} 1.0");
        assertThat(line("plimsoll_decisions_rejected_total{reason=\"behind\"}")).endsWith("} 0.0");
    }

    @Test
    void deafRanksAreCountedUntilAnotherIncarnationIsServed() {
        WorkerListener worker = meters.worker();
        worker.onServing(KNOWN, 7);
        assertThat(line("plimsoll_ranks_deaf")).endsWith(" 0.0");

        worker.onDeaf(new RankId(1), "its mailbox is damaged");
        worker.onDeaf(new RankId(3), "its mailbox is damaged");
        assertThat(line("plimsoll_ranks_deaf")).endsWith(" 2.0");

        WorkerListener ofAnother = meters.worker();
        ofAnother.onServing(new Deployment("r1/decode-1"), 2);
        ofAnother.onDeaf(new RankId(0), "its mailbox is damaged");
        assertThat(line("plimsoll_ranks_deaf{deployment=\"r1/decode-0\"}")).endsWith(" 2.0");
        assertThat(line("plimsoll_ranks_deaf{deployment=\"r1/decode-1\"}")).endsWith(" 1.0");
        ofAnother.onReleased();
        assertThat(line("plimsoll_ranks_deaf").lines()).hasSize(1);

        worker.onServing(KNOWN, 8);
        assertThat(line("plimsoll_ranks_deaf")).endsWith(" 0.0");
    }

    @Test
    void deploymentThatNobodyAnnouncedGetsNoSeriesOfItsOwn() {
        AggregatorListener aggregator = meters.aggregator();
        for (int i = 0; i < 1_000; i++) {
            aggregator.fate(new Deployment("made-up-" + i), Fate.UNKNOWN_DEPLOYMENT, 2, 0);
        }

        assertThat(line("plimsoll_cells_received_total"))
                .isEqualTo("plimsoll_cells_received_total{deployment=\"unknown\",fate=\"unknown_deployment\"} 2000.0");
    }

    @Test
    void deploymentsBeyondTheBoundShareATag() {
        AggregatorListener aggregator = meters.aggregator();
        for (int i = 0; i < Series.MOST_DEPLOYMENTS + 2; i++) {
            aggregator.fate(new Deployment("d" + i), Fate.ACCEPTED, 1, 0);
        }
        aggregator.fate(new Deployment("d0"), Fate.ACCEPTED, 1, 0);

        String lines = line("plimsoll_cells_received_total");
        assertThat(lines.lines()).hasSize(Series.MOST_DEPLOYMENTS + 1);
        assertThat(lines)
                .contains("{deployment=\"other\",fate=\"accepted\"} 2.0")
                .contains("{deployment=\"d0\",fate=\"accepted\"} 2.0");
    }

    @Test
    void gaugeOfADeploymentBeyondTheBoundIsNotAnothersAndIsCountedAsWithheld() {
        AggregatorListener aggregator = meters.aggregator();
        for (int i = 0; i < Series.MOST_DEPLOYMENTS + 2; i++) {
            aggregator.windowClosed(Events.window(new Deployment("d" + i), CloseReason.COMPLETE));
        }

        assertThat(line("plimsoll_window_missing_ranks").lines())
                .hasSize(Series.MOST_DEPLOYMENTS)
                .noneMatch(line -> line.contains("other"));
        // Completeness, missing ranks, balancedness and step time twice, idling, the time and what is due, of two
        // deployments.
        assertThat(line("plimsoll_gauges_withheld_total")).endsWith(" 18.0");
        assertThat(line("plimsoll_windows_total{completeness=\"complete\",deployment=\"other\"}"))
                .endsWith("} 2.0");
    }

    @Test
    void gaugesGoWhenTheIncarnationEndsAndCountsStay() {
        AggregatorListener aggregator = meters.aggregator();
        aggregator.windowClosed(Events.window(KNOWN, CloseReason.COMPLETE));
        assertThat(line("plimsoll_window_missing_ranks")).doesNotStartWith("no ");

        aggregator.windowClosed(Events.window(KNOWN, CloseReason.INCARNATION));
        assertThat(gauges()).isEmpty();
        assertThat(line("plimsoll_windows_total{completeness=\"incarnation\",deployment=\"r1/decode-0\"}"))
                .endsWith("} 1.0");

        // and come again with the next one
        aggregator.windowClosed(Events.window(KNOWN, CloseReason.COMPLETE));
        assertThat(gauges()).isNotEmpty();
        aggregator.released(KNOWN);
        assertThat(gauges()).isEmpty();
    }

    @Test
    void gaugesOfAPlannerGoWithThePartition() {
        PartitionLoop.Listener loop = meters.plannerLoop(cause -> {});
        PlannerListener planner = meters.planner();
        Deployment other = new Deployment("other-partition");
        planner.serving(3, KNOWN);
        planner.serving(4, other);
        planner.proposed(Events.propose(1));
        planner.planned(other, Duration.ofMillis(1));
        assertThat(line("plimsoll_decisions_pending").lines()).hasSize(2);

        loop.onRevoked(3);

        assertThat(line("plimsoll_decisions_pending"))
                .isEqualTo("plimsoll_decisions_pending{deployment=\"other-partition\"} 0.0");
        assertThat(gauges()).allMatch(line -> line.contains("other-partition"));
        // The partition comes back, and with it what is pending.
        planner.serving(3, KNOWN);
        planner.planned(KNOWN, Duration.ofMillis(1));
        assertThat(line("plimsoll_decisions_pending{deployment=\"r1/decode-0\"}"))
                .endsWith("} 0.0");
    }

    @Test
    void collectorsGaugeGoesWithTheDeployment() {
        CollectorListener collector = meters.collector();
        collector.onCaptured(KNOWN, 1, 16);
        assertThat(gauges()).hasSize(1);
        collector.onFinished(KNOWN, 7);
        assertThat(gauges()).isEmpty();
    }

    @Test
    void deploymentThatNobodySpokeOfForADayIsForgottenAndItsPlaceIsFree() {
        AtomicLong now = new AtomicLong();
        Series series = new Series(meters.registry(), now::get, InstantSource.system());
        for (int i = 0; i < Series.MOST_DEPLOYMENTS; i++) {
            series.counter("plimsoll.some", "", series.of(new Deployment("d" + i)))
                    .increment();
            series.set("plimsoll.gauge", "", series.of(new Deployment("d" + i)), i);
        }
        now.addAndGet(Series.FORGOTTEN_AFTER.toNanos());
        series.of(new Deployment("d7"));
        now.addAndGet(1);
        series.forgetEnded();

        assertThat(line("plimsoll_some_total")).isEqualTo("plimsoll_some_total{deployment=\"d7\"} 1.0");
        assertThat(line("plimsoll_gauge")).isEqualTo("plimsoll_gauge{deployment=\"d7\"} 7.0");
        assertThat(series.of(new Deployment("new"))).isEqualTo(Tags.of("deployment", "new"));
    }

    @Test
    void latencyIsFromTheBoundaryToTheBroker() {
        CollectorListener collector = meters.collector();
        collector.onPublished(16, (System.currentTimeMillis() - 1_000) * 1_000_000);
        collector.onPublished(32, (System.currentTimeMillis() + 60_000) * 1_000_000);

        assertThat(line("plimsoll_sample_latency_seconds_count")).endsWith(" 2");
        assertThat(Double.parseDouble(
                        line("plimsoll_sample_latency_seconds_sum").split(" ")[1]))
                .isBetween(1.0, 11.0);
    }

    @Test
    void flowsOfARoleShareOneSetOfSeriesHoweverOftenTheyBegin() {
        CollectorListener collector = meters.collector();
        WorkerListener worker = meters.worker();
        collector.watched(Flux.just(1, 2, 3)).blockLast();
        int series = meters.registry().getMeters().size();
        for (int i = 0; i < 100; i++) {
            collector.watched(Flux.just(1, 2, 3)).blockLast();
        }
        worker.watched(Flux.error(new IllegalStateException("broken")))
                .onErrorComplete()
                .blockLast();

        assertThat(line("plimsoll_flow_onNext_delay_seconds_count{role=\"collector\""))
                .endsWith("} 303");
        assertThat(line("plimsoll_flow_subscribed_total{role=\"collector\"")).endsWith("} 101.0");
        assertThat(line("plimsoll_flow_flow_duration_seconds_count").lines())
                .hasSize(2)
                .anyMatch(line -> line.contains("status=\"completed\"") && line.endsWith("} 101"))
                .anyMatch(line -> line.contains("status=\"error\"") && line.contains("role=\"worker\""));
        assertThat(meters.registry().getMeters().stream()
                        .filter(meter -> "collector".equals(meter.getId().getTag("role"))))
                .as("of %d at first", series)
                .hasSizeLessThan(10);
    }

    @Test
    void threadOfARoleIsTimedAndItsLastTaskIsNotCutOff() throws Exception {
        Scheduler scheduler = meters.worker().watched(Schedulers.newSingle("timed", true));
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        AtomicReference<String> end = new AtomicReference<>("none");
        scheduler.schedule(() -> {
            began.countDown();
            try {
                mayEnd.await();
                end.set("in order");
            } catch (InterruptedException e) {
                end.set("interrupted");
            }
        });
        assertThat(began.await(30, TimeUnit.SECONDS)).isTrue();

        Mono<Void> drained = scheduler.disposeGracefully().cache();
        drained.subscribe();
        mayEnd.countDown();
        drained.block(Duration.ofSeconds(30));

        assertThat(end.get()).isEqualTo("in order");
        assertThat(scheduler.isDisposed()).isTrue();
        assertThat(line("plimsoll_scheduler_tasks_completed_seconds_count")).endsWith("{role=\"worker\"} 1");
    }

    /** The gauges that name a deployment. */
    private List<String> gauges() {
        return meters.registry().getMeters().stream()
                .filter(meter -> meter instanceof Gauge && meter.getId().getTag("deployment") != null)
                .map(meter -> meter.getId().toString())
                .toList();
    }

    @Test
    void reasonsStandAtZeroBeforeTheirFirstEvent() {
        meters.collector();
        meters.aggregator();
        meters.agents();
        meters.worker().onServing(KNOWN, 7);
        meters.planner().planned(KNOWN, Duration.ofMillis(1));

        assertThat(line("plimsoll_samples_dropped_total").lines())
                .hasSize(Dropped.values().length)
                .allMatch(line -> line.endsWith("} 0.0"));
        assertThat(line("plimsoll_records_rejected_total{reason=\"members_conflict\"}"))
                .endsWith("} 0.0");
        assertThat(line("plimsoll_decisions_rejected_total{reason=\"stale_base\"}"))
                .endsWith("} 0.0");
        assertThat(line("plimsoll_acks_total{deployment=\"r1/decode-0\",status=\"fatal\"}"))
                .endsWith("} 0.0");
        assertThat(line("plimsoll_proposals_refused_total{deployment=\"r1/decode-0\",reason=\"cost\"}"))
                .endsWith("} 0.0");
        assertThat(line("plimsoll_decisions_total{deployment=\"r1/decode-0\",result=\"voided\"}"))
                .endsWith("} 0.0");
    }

    @Test
    void answersAreCountedByWhatWasAskedAndWhatCameOfIt() {
        PlannerListener planner = meters.planner();
        planner.answered(Events.command(), Events.answer());
        planner.answered(Events.command(), Events.answer());

        assertThat(line("plimsoll_commands_answered_total"))
                .contains("action=\"pause\"", "deployment=\"" + KNOWN.id() + "\"", "verdict=\"done\"")
                .endsWith("} 2.0");
    }

    @Test
    void decisionIsPendingFromItsProposalToItsEndAndToldTwiceItIsOne() {
        PlannerListener planner = meters.planner();
        planner.proposed(Events.propose(1));
        planner.proposed(Events.propose(1));
        assertThat(line("plimsoll_decisions_pending")).endsWith("} 1.0");

        planner.settled(Events.settled(1), 2);
        assertThat(line("plimsoll_decisions_pending")).endsWith("} 0.0");
        assertThat(line("plimsoll_apply_latency_seconds_count")).endsWith("} 1");

        planner.proposed(Events.propose(2));
        planner.voided(Events.voided(2));
        assertThat(line("plimsoll_decisions_pending")).endsWith("} 0.0");
        assertThat(line("plimsoll_apply_latency_seconds_count")).endsWith("} 1");
    }

    @Test
    void latencyOfADecisionThatAnotherPlannerProposedIsNotInvented() {
        meters.planner().settled(Events.settled(1), 2);

        assertThat(line("plimsoll_apply_latency")).startsWith("no ");
        assertThat(line("plimsoll_decisions_pending")).endsWith("} 0.0");
    }

    @Test
    void plannerIsActiveWhileItOwnsAPartition() {
        PartitionLoop.Listener loop = meters.plannerLoop(cause -> {});
        assertThat(line("plimsoll_planner_active")).isEqualTo("plimsoll_planner_active 0.0");

        loop.onAssigned(0);
        loop.onAssigned(1);
        loop.onRevoked(0);
        assertThat(line("plimsoll_planner_active")).isEqualTo("plimsoll_planner_active 1.0");

        loop.onRevoked(1);
        assertThat(line("plimsoll_planner_active")).isEqualTo("plimsoll_planner_active 0.0");
    }

    @Test
    void partitionsThatAreLeftAloneAreCountedByRoleAndStandAt0Before() {
        PartitionLoop.Listener loop = meters.plannerLoop(cause -> {});
        AggregatorListener aggregator = meters.aggregator();
        assertThat(line("plimsoll_partitions_quarantined_total").lines())
                .containsExactlyInAnyOrder(
                        "plimsoll_partitions_quarantined_total{role=\"aggregator\"} 0.0",
                        "plimsoll_partitions_quarantined_total{role=\"planner\"} 0.0");

        loop.onQuarantined(3, new IllegalStateException("again"));
        loop.onQuarantined(3, new IllegalStateException("and again"));
        aggregator.quarantined(2, new IllegalStateException("once"));

        assertThat(line("plimsoll_partitions_quarantined_total").lines())
                .containsExactlyInAnyOrder(
                        "plimsoll_partitions_quarantined_total{role=\"aggregator\"} 1.0",
                        "plimsoll_partitions_quarantined_total{role=\"planner\"} 2.0");
    }

    @Test
    void jumpsOfTheWindowsAreCountedAndStandAt0FromTheFirstWindowOn() {
        AggregatorListener aggregator = meters.aggregator();
        aggregator.windowClosed(Events.window(KNOWN, CloseReason.COMPLETE));
        assertThat(line("plimsoll_windows_jumps_total"))
                .isEqualTo("plimsoll_windows_jumps_total{deployment=\"r1/decode-0\"} 0.0");

        aggregator.jumped(KNOWN, 3, 1L << 46);

        assertThat(line("plimsoll_windows_jumps_total"))
                .isEqualTo("plimsoll_windows_jumps_total{deployment=\"r1/decode-0\"} 1.0");
    }

    @Test
    void numbersOfAShortLifeAreThere() {
        Events.all(meters);

        String own = "{deployment=\"r1/decode-0\"}";
        assertThat(line("plimsoll_window_missing_ranks")).isEqualTo("plimsoll_window_missing_ranks" + own + " 2.0");
        assertThat(line("plimsoll_plan_moves_sum")).isEqualTo("plimsoll_plan_moves_sum" + own + " 2.0");
        assertThat(Double.parseDouble(line("plimsoll_prediction_error_ratio").split(" ", 2)[1]))
                .isCloseTo(0.1, within(1e-9));
        assertThat(line("plimsoll_last_ack_timestamp_seconds" + own)).doesNotStartWith("no ");
        assertThat(line("plimsoll_collector_last_sample_timestamp_seconds" + own))
                .doesNotStartWith("no ");
    }

    @Test
    void whatTheEngineCountsIsStillToldAfterACollection() {
        meters.engine(new Deployment("gc/decode-0"), new Meters.EngineCounts() {
            @Override
            public double steps() {
                return 7;
            }

            @Override
            public double tokens() {
                return 8;
            }

            @Override
            public double misrouted() {
                return 9;
            }
        });

        System.gc();

        assertThat(line("plimsoll_misrouted_tokens_total{deployment=\"gc/decode-0\"}"))
                .isEqualTo("plimsoll_misrouted_tokens_total{deployment=\"gc/decode-0\"} 9.0");
    }

    @Test
    void versionIsTheOneThatTheCommandTells() {
        String told = Plimsoll.class.getAnnotation(CommandLine.Command.class).version()[0];

        assertThat(told).isEqualTo("plimsoll " + Meters.VERSION);
        assertThat(line("plimsoll_build_info")).isEqualTo("plimsoll_build_info{version=\"" + Meters.VERSION + "\"} 1");
    }

    /** The lines of what is scraped that begin so. */
    private String line(String begin) {
        return meters.registry()
                .scrape()
                .lines()
                .filter(line -> line.startsWith(begin))
                .reduce((a, b) -> a + "\n" + b)
                .orElse("no " + begin);
    }
}
