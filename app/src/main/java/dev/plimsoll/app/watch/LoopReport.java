package dev.plimsoll.app.watch;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/**
 * What a run has shown so far, put together from the records of its topics.
 *
 * <p>A window counts as settled when it is complete and began at least one window after the last flip of the latest settlement
 * before it: then it ran wholly under that placement, and the samples that the plan was made from are not in it. Not thread-safe:
 * {@link LoopWatch} calls it from one thread at a time.
 */
public final class LoopReport {
    private static final long HIGHEST_MILLIS = 3_600_000;

    private final int windowSteps;
    private final int boundarySteps;
    private final List<WindowSummary> complete = new ArrayList<>();
    private final Map<Long, Long> closedAtMillis = new HashMap<>();
    private final Map<Integer, Decision> decisions = new TreeMap<>();
    /** The newest of each version. */
    private final Map<Integer, Outcome> outcomes = new TreeMap<>();

    private final Histogram sampleToWindow = new Histogram(HIGHEST_MILLIS, 3);
    private final Histogram proposalToSettled = new Histogram(HIGHEST_MILLIS, 3);
    private long partialWindows;
    private long lateSamples;
    private long abortedDecisions;

    /** What is known of one decision. */
    private static final class Decision {
        private final PlanCommand.Propose propose;
        private final long proposedAtMillis;
        private long lastFlipStep = -1;
        private int movesSettled = -1;

        private Decision(PlanCommand.Propose propose, long proposedAtMillis) {
            this.propose = propose;
            this.proposedAtMillis = proposedAtMillis;
        }
    }

    /**
     * Balancedness of the windows measured after settlements.
     *
     * @param mean mean over windows of their mean over layers
     * @param min mean over windows of their worst layer
     * @param windows how many there were
     * @param predicted mean over the same windows of what their placement had promised
     */
    public record Settled(double mean, double min, int windows, double predicted) {}

    /**
     * Step times, in microseconds; empty where no rank says how long its steps took, or no decision what it promises.
     *
     * @param initialMicros of the first complete window
     * @param settledMicros mean over the windows measured after settlements
     * @param promisedMicros mean over the same windows of what their placement had promised
     * @param windows how many there were
     * @param decisions those of which promised and measured are known, by version
     */
    public record StepTimes(
            OptionalDouble initialMicros,
            OptionalDouble settledMicros,
            OptionalDouble promisedMicros,
            int windows,
            List<DecisionTime> decisions) {

        /** Mean over decisions of one of their numbers. */
        public OptionalDouble mean(ToDoubleFunction<DecisionTime> number) {
            return decisions.stream().mapToDouble(number).average();
        }
    }

    /** A window that ran wholly under a settled placement, and the decision that it is of. */
    private record Under(WindowSummary window, PlanCommand.Propose propose) {}

    /**
     * @param windowSteps W
     * @param boundarySteps K
     */
    public LoopReport(int windowSteps, int boundarySteps) {
        this.windowSteps = windowSteps;
        this.boundarySteps = boundarySteps;
    }

    /** @param seenAtMillis when the record could be read */
    public void window(WindowSummary window, long seenAtMillis) {
        lateSamples += window.late();
        closedAtMillis.put(window.index(), window.closedAtMillis());
        sampleToWindow.recordValue(clamp(seenAtMillis - window.closedAtMillis()));
        if (window.complete()) {
            complete.add(window);
        } else {
            partialWindows++;
        }
    }

    /** @param timestampMillis the record's own time */
    public void command(PlanCommand command, long timestampMillis) {
        if (command instanceof PlanCommand.Propose propose) {
            decisions.put(propose.epoch(), new Decision(propose, timestampMillis));
        } else if (command instanceof PlanCommand.Settled settled) {
            Decision decision = decisions.get(settled.epoch());
            if (decision != null) {
                proposalToSettled.recordValue(clamp(timestampMillis - decision.proposedAtMillis));
                decision.movesSettled = decision.propose.batches().stream()
                        .filter(batch -> batch.number() <= settled.batchesFlipped())
                        .mapToInt(batch -> batch.moves().size())
                        .sum();
            }
        } else if (command instanceof PlanCommand.Abort) {
            abortedDecisions++;
        }
    }

    /** Of one version the newest counts. */
    public void outcome(Outcome outcome) {
        outcomes.put(outcome.version(), outcome);
    }

    public void ack(RankAck ack) {
        Decision decision = decisions.get(ack.epoch());
        if (decision != null && ack.kind() == RankAck.Kind.FLIPPED) {
            decision.lastFlipStep = Math.max(decision.lastFlipStep, ack.step());
        }
    }

    public int completeWindows() {
        return complete.size();
    }

    public long partialWindows() {
        return partialWindows;
    }

    public long lateSamples() {
        return lateSamples;
    }

    public int proposed() {
        return decisions.size();
    }

    public long settledDecisions() {
        return decisions.values().stream()
                .filter(decision -> decision.movesSettled >= 0)
                .count();
    }

    public long abortedDecisions() {
        return abortedDecisions;
    }

    /** Moves of settled decisions. */
    public long moves() {
        return decisions.values().stream()
                .mapToLong(decision -> Math.max(0, decision.movesSettled))
                .sum();
    }

    /** Version of the placement that settled last, 0 before the first. */
    public int placementVersion() {
        return decisions.values().stream()
                .filter(decision -> decision.movesSettled >= 0)
                .mapToInt(decision -> decision.propose.epoch())
                .max()
                .orElse(0);
    }

    /** Balance of the first complete window. */
    public Optional<Balance> initial() {
        return complete.stream().findFirst().map(WindowSummary::balance);
    }

    public Optional<Settled> settled() {
        double sum = 0;
        double min = 0;
        double promised = 0;
        int windows = 0;
        for (Under under : settledWindows()) {
            if (under.window.balance().loaded()) {
                windows++;
                sum += under.window.balance().mean();
                min += under.window.balance().min();
                promised += under.propose.predictedBalancedness();
            }
        }
        return windows == 0
                ? Optional.empty()
                : Optional.of(new Settled(sum / windows, min / windows, windows, promised / windows));
    }

    public StepTimes stepTimes() {
        List<Under> timed = settledWindows().stream()
                .filter(under -> under.window.stepTime().isPresent())
                .toList();
        return new StepTimes(
                complete.stream()
                        .limit(1)
                        .filter(window -> window.stepTime().isPresent())
                        .mapToDouble(this::stepMicros)
                        .findFirst(),
                timed.stream().mapToDouble(under -> stepMicros(under.window)).average(),
                timed.stream()
                        .flatMap(under -> under.propose.step().stream())
                        .mapToDouble(StepPromise::stepMicrosPromised)
                        .average(),
                timed.size(),
                outcomes.values().stream()
                        .flatMap(outcome -> DecisionTime.of(outcome).stream())
                        .toList());
    }

    private double stepMicros(WindowSummary window) {
        return window.stepTime().orElseThrow().stepMicros(boundarySteps);
    }

    private List<Under> settledWindows() {
        List<Under> settled = new ArrayList<>();
        for (WindowSummary window : complete) {
            latestBefore(window.steps().from())
                    .filter(latest -> window.steps().from() - latest.lastFlipStep >= windowSteps)
                    .ifPresent(latest -> settled.add(new Under(window, latest.propose)));
        }
        return settled;
    }

    private Optional<Decision> latestBefore(long step) {
        return decisions.values().stream()
                .filter(decision ->
                        decision.movesSettled >= 0 && decision.lastFlipStep >= 0 && decision.lastFlipStep <= step)
                .reduce((earlier, later) -> later);
    }

    public Histogram sampleToWindow() {
        return sampleToWindow;
    }

    /** Made anew at each call, for a proposal can be read before the window that it was made from. */
    public Histogram windowToProposal() {
        Histogram histogram = new Histogram(HIGHEST_MILLIS, 3);
        for (Decision decision : decisions.values()) {
            Long closed = closedAtMillis.get(decision.propose.windowIndex());
            if (closed != null) {
                histogram.recordValue(clamp(decision.proposedAtMillis - closed));
            }
        }
        return histogram;
    }

    public Histogram proposalToSettled() {
        return proposalToSettled;
    }

    private static long clamp(long millis) {
        return Math.max(0, Math.min(HIGHEST_MILLIS, millis));
    }
}
