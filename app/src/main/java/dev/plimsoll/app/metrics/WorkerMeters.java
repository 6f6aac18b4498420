package dev.plimsoll.app.metrics;

import dev.plimsoll.device.RankState;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.worker.WorkerListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Tags;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;

/** What a worker tells of one deployment, as meters and lines of the log. */
final class WorkerMeters implements WorkerListener {
    // Under the name that these lines have always had.
    private static final Logger LOG = LoggerFactory.getLogger(Meters.class);

    private static final String ACKS = "plimsoll.acks";
    private static final String ACKS_HELP = "Acks that the broker has.";
    private static final String REJECTED = "plimsoll.decisions.rejected";
    private static final String REJECTED_HELP = "Refusals by ranks.";

    private final Series series;
    private final FlowMeters flows;
    private final WorkerWatch watch;
    private final Runnable published;
    private final Counter delayed;
    private final Counter full;

    /** @param published told when the membership is in the topics */
    WorkerMeters(Series series, FlowMeters flows, WorkerWatch watch, Runnable published) {
        this.series = series;
        this.flows = flows;
        this.watch = watch;
        this.published = published;
        delayed = series.counter("plimsoll.acks.delayed", "Acks that did not reach the broker at once.");
        full = series.counter("plimsoll.mailbox.stalls", "Mailboxes that had no room: an engine did not read.");
        series.zero(REJECTED, REJECTED_HELP, Tags.empty(), "reason", Refusal.class);
    }

    @Override
    public <T> Flux<T> watched(Flux<T> flow) {
        return flows.tapped(flow);
    }

    @Override
    public Scheduler watched(Scheduler scheduler) {
        return flows.timed(scheduler);
    }

    @Override
    public void onServing(Deployment deployment, long incarnation) {
        series.zero(ACKS, ACKS_HELP, series.of(deployment), "status", RankAck.Kind.class);
        watch.serving(deployment);
    }

    @Override
    public void onDeaf(RankId rank, String why) {
        watch.deaf(rank);
        LOG.warn(
                "worker: {} hears no order any more: {}; what is proposed is refused for it until its engine"
                        + " restarts",
                rank,
                why);
    }

    @Override
    public void onOrderTooLarge(RankId rank, int epoch, int bytes) {
        LOG.warn(
                "worker: decision {} is an order of {} bytes, which the mailbox of {} can never hold, so that"
                        + " it is refused: let the engine open one of at least {} bytes",
                epoch,
                bytes,
                rank,
                2L * bytes);
    }

    @Override
    public void onToldAgain(RankId rank, int epoch) {
        LOG.info("worker: {} had not heard how decision {} ended, and is told again", rank, epoch);
    }

    @Override
    public void onFault(String fault) {
        LOG.warn("worker: {}", fault);
    }

    @Override
    public void onRefused(RankId rank, int epoch, Refusal refusal) {
        series.counter(REJECTED, REJECTED_HELP, Tags.of("reason", Series.word(refusal)))
                .increment();
    }

    @Override
    public void onAckDelayed(RankAck ack, Throwable cause) {
        delayed.increment();
        watch.delayed(ack);
    }

    @Override
    public void onMailboxFull(RankId rank, long position) {
        full.increment();
    }

    @Override
    public void onStandingBy(Path directory) {
        LOG.warn("worker: another worker serves {}; standing by", directory);
    }

    @Override
    public void onMembersPublished(long incarnation) {
        published.run();
    }

    @Override
    public void onAcked(RankAck ack) {
        Tags tags = series.of(ack.deployment());
        series.counter(ACKS, ACKS_HELP, tags.and("status", Series.word(ack.kind())))
                .increment();
        watch.acked(ack);
        ack.cost().ifPresent(cost -> flipped(cost, tags));
    }

    private void flipped(FlipCost cost, Tags tags) {
        series.timer(
                        "plimsoll.flip.duration",
                        "Time of a rank's dispatch thread in the flip of a batch.",
                        tags,
                        Series.SHORT)
                .record(Duration.ofNanos(cost.flipNanos()));
        if (cost.receivedBytes() > 0) {
            series.timer(
                            "plimsoll.transfer.duration",
                            "From leave to transfer a batch to the arrival of its last weights on a rank.",
                            tags,
                            Series.LATENCY)
                    .record(Duration.ofNanos(cost.transferNanos()));
            series.counter("plimsoll.transfer.bytes", "Weights that ranks received from others.", tags)
                    .increment(cost.receivedBytes());
        }
    }

    @Override
    public void onTrouble(String what, Throwable cause) {
        LOG.warn("worker: {}: {}", what, cause.toString());
    }

    @Override
    public void onState(RankId rank, RankState state, long step, OptionalInt wanted) {
        watch.state(rank, state, step, wanted);
    }

    @Override
    public void onReleased() {
        watch.released();
    }
}
