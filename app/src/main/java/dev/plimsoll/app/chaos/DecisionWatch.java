package dev.plimsoll.app.chaos;

import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicReader;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import reactor.core.Disposable;
import reactor.core.Disposables;

/**
 * Reads the plan log and the acks while faults happen: which decision is in flight, and when each phase was last entered.
 *
 * <p>Any thread.
 */
final class DecisionWatch implements AutoCloseable {
    private final KafkaSettings kafka;
    private final Deployment deployment;
    private final Consumer<String> problems;
    private final Disposable.Composite reading = Disposables.composite();
    private final Map<DecisionPhase, Integer> entered = new EnumMap<>(DecisionPhase.class);
    private final DecisionTimes times = new DecisionTimes();
    private final LoneSteps loneSteps = new LoneSteps();
    private final MapSkew skew = new MapSkew(RankProcesses.BOUNDARY_STEPS);
    private final List<Membership> memberships = new ArrayList<>();
    private final List<PlanCommand.Settled> settled = new ArrayList<>();
    private final Map<String, List<ControlAnswer>> answers = new HashMap<>();
    private Optional<PlanCommand.Propose> inFlight = Optional.empty();
    private String planner = "";
    private int proposed;
    private int ended;
    private int aborted;
    private int failovers;
    private int rollbacks;
    private int lastEpoch;

    DecisionWatch(KafkaSettings kafka, Deployment deployment, Consumer<String> problems) {
        this.kafka = kafka;
        this.deployment = deployment;
        this.problems = problems;
        for (DecisionPhase phase : DecisionPhase.values()) {
            entered.put(phase, 0);
        }
    }

    void start() {
        follow(Topic.PLAN, this::command);
        follow(Topic.ACKS, this::ack);
        follow(Topic.WINDOW_SUMMARIES, this::window);
        follow(Topic.SAMPLES, this::sample);
        follow(Topic.CONTROL, this::control);
    }

    private <T> void follow(Topic<T> topic, Consumer<T> each) {
        reading.add(TopicReader.records(
                        kafka,
                        topic,
                        deployment,
                        new TopicReader.Start.Beginning(),
                        unreadable -> problems.accept("unreadable: " + unreadable.summary()))
                .map(Received::value)
                .subscribe(each, failure -> problems.accept("the reader of " + topic + " has ended: " + failure)));
    }

    private synchronized void control(ControlRecord record) {
        if (record instanceof ControlAnswer answer) {
            answers.computeIfAbsent(answer.id(), none -> new ArrayList<>()).add(answer);
        }
    }

    private synchronized void sample(SampleRecord record) {
        if (record instanceof LoadSample sample) {
            skew.add(sample);
            loneSteps.add(sample);
        } else if (record instanceof Membership one) {
            memberships.add(one);
        }
    }

    private synchronized void window(WindowSummary window) {
        times.window(window, System.nanoTime());
    }

    private synchronized void command(PlanCommand command) {
        times.command(command, System.nanoTime());
        if (command instanceof PlanCommand.Term term) {
            failovers += planner.isEmpty() || planner.equals(term.planner()) ? 0 : 1;
            planner = term.planner();
        } else if (command instanceof PlanCommand.Propose propose) {
            inFlight = Optional.of(propose);
            lastEpoch = propose.epoch();
            proposed++;
            enter(DecisionPhase.PROPOSED);
        } else if (command instanceof PlanCommand.Permit) {
            enter(DecisionPhase.PERMITTED);
        } else if (command instanceof PlanCommand.Abort) {
            aborted++;
            enter(DecisionPhase.ABORTING);
        } else if (command instanceof PlanCommand.Settled end) {
            settled.add(end);
            rollbacks += inFlight.filter(propose -> propose.policy().equals(DecisionAudit.ROLLBACK))
                            .isPresent()
                    ? 1
                    : 0;
            inFlight = Optional.empty();
            ended++;
        } else if (command instanceof PlanCommand.Void) {
            inFlight = Optional.empty();
            ended++;
        }
        notifyAll();
    }

    private synchronized void ack(RankAck ack) {
        times.ack(ack, System.nanoTime());
        Optional<PlanCommand.Propose> decision = inFlight.filter(propose -> propose.epoch() == ack.epoch());
        if (decision.isPresent() && ack.kind() == RankAck.Kind.ACCEPTED) {
            enter(DecisionPhase.ACCEPTED);
        } else if (decision.isPresent() && ack.kind() == RankAck.Kind.FLIPPED) {
            enter(
                    ack.batch() < decision.get().batches().size()
                            ? DecisionPhase.BETWEEN_BATCHES
                            : DecisionPhase.ALL_FLIPPED);
        }
        notifyAll();
    }

    /** The first rank counts: of those that say the same later, the epoch is the same. */
    private void enter(DecisionPhase phase) {
        entered.put(phase, lastEpoch);
    }

    /** The epoch that was last in that phase; one that is seen there later has entered it since. */
    synchronized int lastIn(DecisionPhase phase) {
        return entered.getOrDefault(phase, 0);
    }

    /** Highest epoch proposed so far. */
    synchronized int lastEpoch() {
        return lastEpoch;
    }

    /** Whether a decision that was proposed after this one is settled, whole or in part. */
    synchronized boolean settledAfter(int epoch) {
        return settled() > epoch;
    }

    /** The epoch of the newest settlement, 0 before the first. */
    synchronized int settled() {
        return settled.isEmpty() ? 0 : settled.get(settled.size() - 1).epoch();
    }

    /** How many have settled. */
    synchronized int settlements() {
        return settled.size();
    }

    /** The version that was settled before the newest one, in the same incarnation. */
    synchronized OptionalInt settledBefore() {
        if (settled.size() < 2) {
            return OptionalInt.empty();
        }
        PlanCommand.Settled newest = settled.get(settled.size() - 1);
        PlanCommand.Settled before = settled.get(settled.size() - 2);
        return newest.header().incarnation() == before.header().incarnation()
                ? OptionalInt.of(before.epoch())
                : OptionalInt.empty();
    }

    /** The decision in flight. */
    synchronized Optional<PlanCommand.Propose> inFlight() {
        return inFlight;
    }

    /** What a planner has said of an operator's command. */
    synchronized Optional<ControlAnswer> answer(String id) {
        return answers.getOrDefault(id, List.of()).stream().findFirst();
    }

    /** All answers, by command. */
    synchronized Map<String, List<ControlAnswer>> answers() {
        return new HashMap<>(answers);
    }

    /** Who has written the last TERM: host and process number. */
    synchronized String planner() {
        return planner;
    }

    synchronized int proposed() {
        return proposed;
    }

    synchronized int aborted() {
        return aborted;
    }

    /** Terms of a planner other than the one before. */
    synchronized int failovers() {
        return failovers;
    }

    /** Decisions towards an older placement that are settled. */
    synchronized int rollbacks() {
        return rollbacks;
    }

    /** Steps that a rank has served alone, in an incarnation that is the newest one. */
    synchronized long loneSteps(long incarnation, int rank) {
        return loneSteps.of(incarnation, rank);
    }

    /** For people. */
    synchronized String progress() {
        return proposed + " decisions, " + settled.size() + " settled, " + aborted + " aborted, "
                + (ended - settled.size()) + " void; "
                + inFlight.map(decision -> "decision " + decision.epoch() + " in flight")
                        .orElse("none in flight");
    }

    /** To be looked at when nothing is read any more. */
    DecisionTimes times() {
        return times;
    }

    /** The same. */
    MapSkew skew() {
        return skew;
    }

    /** Of all incarnations that were read. */
    synchronized List<Membership> memberships() {
        return List.copyOf(memberships);
    }

    @Override
    public void close() {
        reading.dispose();
    }
}
