package dev.plimsoll.app.operator;

import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.source.Dated;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.OffsetRange;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.StoredRecords;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Reads the topics of one deployment to their ends, as they are when it is asked, and no further back than is needed: plan logs and acks
 * are long. Joins no group and writes nothing. One thread; close it.
 */
public final class OperatorTopics implements AutoCloseable {
    public static final Duration TIMEOUT = Duration.ofSeconds(15);

    /** Clocks of ranks, planners and brokers may differ by that much. */
    private static final Duration CLOCKS_DIFFER = Duration.ofMinutes(10);

    private static final long FIRST_LOOK_BACK = 256;
    private static final int FARTHER = 8;

    /** Decisions that are wanted besides what stands now. */
    public sealed interface Want {
        /** None. */
        record Now() implements Want {}

        /** So many of the newest. */
        record Newest(int decisions) implements Want {}

        /** That one. */
        record Epoch(int epoch) implements Want {}

        /** Those in flight at a time, and the one before them. */
        record Around(long millis) implements Want {}

        /** All of the newest incarnation, from its beginning on. */
        record Incarnation() implements Want {}
    }

    private final PastRecords records;

    public OperatorTopics(KafkaSettings kafka, Deployment deployment) {
        this.records = new PastRecords(kafka, deployment, TIMEOUT);
    }

    /** The newest incarnation of every deployment that the topics know. */
    public static SortedMap<Deployment, Membership> deployments(KafkaSettings kafka) {
        SortedMap<Deployment, Membership> newest = new TreeMap<>();
        try (StoredRecords stored = new StoredRecords(kafka, TIMEOUT)) {
            stored.each(
                    Topic.MEMBERS,
                    OptionalLong.empty(),
                    record -> newest.merge(
                            record.value().deployment(),
                            record.value(),
                            (known, read) -> read.incarnation() >= known.incarnation() ? read : known),
                    unreadable -> {});
        }
        return newest;
    }

    /** Reads what tells of the deployment now, and of the decisions that are wanted. */
    public DeploymentLog read(Membership members, Want want) {
        List<Dated<SettledPlacement>> kept = all(Topic.PLACEMENTS, records.whole(Topic.PLACEMENTS));
        boolean young = kept.stream()
                .map(Dated::value)
                .filter(record -> record.incarnation() == members.incarnation())
                .allMatch(record -> record.version() == 0);
        OffsetRange wholePlan = records.whole(Topic.PLAN);
        OffsetRange readPlan = wholePlan;
        List<Dated<PlanCommand>> plan = List.of();
        for (long back = FIRST_LOOK_BACK; ; back *= FARTHER) {
            readPlan = wholePlan.since(Math.max(0, wholePlan.to() - back));
            plan = all(Topic.PLAN, readPlan);
            if (readPlan.from() == wholePlan.from()
                    || (saysWhatIsSettled(plan, members, young) && has(plan, members, want))) {
                break;
            }
        }
        List<Outcome> outcomes = all(Topic.OUTCOMES, records.whole(Topic.OUTCOMES)).stream()
                .map(Dated::value)
                .toList();
        List<Dated<ControlRecord>> control = all(Topic.CONTROL, records.whole(Topic.CONTROL));
        Optional<Dated<WindowSummary>> newestWindow = window(summary -> true, OptionalLong.empty());
        return new DeploymentLog(
                members,
                plan,
                readPlan.from() == wholePlan.from(),
                kept,
                acks(plan, want),
                outcomes,
                control,
                newestWindow,
                newestWhole(members, newestWindow));
    }

    private Optional<WindowSummary> newestWhole(Membership members, Optional<Dated<WindowSummary>> newest) {
        Optional<WindowSummary> whole = newest.map(Dated::value)
                .filter(window -> window.complete() && window.incarnation() == members.incarnation());
        if (whole.isPresent() || newest.isEmpty()) {
            return whole;
        }
        OffsetRange all = records.whole(Topic.WINDOW_SUMMARIES);
        return all(Topic.WINDOW_SUMMARIES, all.since(Math.max(0, all.to() - FARTHER * FIRST_LOOK_BACK))).stream()
                .map(Dated::value)
                .filter(window -> window.complete() && window.incarnation() == members.incarnation())
                .reduce((earlier, later) -> later);
    }

    /** Whether the newest settlement is among the commands, and no decision is without its beginning. */
    private static boolean saysWhatIsSettled(List<Dated<PlanCommand>> plan, Membership members, boolean young) {
        boolean settled = plan.stream()
                .map(Dated::value)
                .anyMatch(command -> command instanceof Settled end
                        && end.header().incarnation() == members.incarnation()
                        && begins(plan, end.epoch()));
        // Of an incarnation in which nothing has settled, its first command or one of an earlier life tells that.
        return settled || (young && reachesBefore(plan, members));
    }

    private static boolean begins(List<Dated<PlanCommand>> plan, int epoch) {
        return plan.stream()
                .map(Dated::value)
                .anyMatch(command -> command instanceof Propose propose && propose.epoch() == epoch);
    }

    private static boolean reachesBefore(List<Dated<PlanCommand>> plan, Membership members) {
        return !plan.isEmpty() && plan.get(0).value().header().incarnation() < members.incarnation();
    }

    private static boolean has(List<Dated<PlanCommand>> plan, Membership members, Want want) {
        if (want instanceof Want.Newest newest) {
            return plan.stream()
                            .map(Dated::value)
                            .filter(Propose.class::isInstance)
                            .count()
                    >= newest.decisions();
        }
        if (want instanceof Want.Epoch epoch) {
            return begins(plan, epoch.epoch());
        }
        if (want instanceof Want.Around around) {
            return reachesBefore(plan, members)
                    || plan.stream().anyMatch(record -> endedBefore(record, plan, around.millis()));
        }
        return want instanceof Want.Now || reachesBefore(plan, members);
    }

    private static boolean endedBefore(Dated<PlanCommand> record, List<Dated<PlanCommand>> plan, long millis) {
        PlanCommand command = record.value();
        return record.atMillis() < millis - CLOCKS_DIFFER.toMillis()
                && (command instanceof Settled settled
                        ? begins(plan, settled.epoch())
                        : command instanceof PlanCommand.Void end && begins(plan, end.epoch()));
    }

    /** The acks of the newest settled decision and of what came after it, and of the one that is wanted. */
    private List<Dated<RankAck>> acks(List<Dated<PlanCommand>> plan, Want want) {
        OptionalLong settledSince = OptionalLong.empty();
        OptionalLong wantedFrom = OptionalLong.empty();
        OptionalLong wantedTo = OptionalLong.empty();
        TreeMap<Integer, Long> proposedAt = new TreeMap<>();
        for (Dated<PlanCommand> record : plan) {
            PlanCommand command = record.value();
            if (command instanceof Propose propose) {
                proposedAt.put(propose.epoch(), record.atMillis());
            }
            if (want instanceof Want.Epoch wanted) {
                if (command instanceof Propose propose && propose.epoch() == wanted.epoch()) {
                    wantedFrom = OptionalLong.of(record.atMillis());
                } else if (ends(command, wanted.epoch())) {
                    wantedTo = OptionalLong.of(record.atMillis());
                }
            }
            if (command instanceof Settled end && proposedAt.containsKey(end.epoch())) {
                settledSince = OptionalLong.of(proposedAt.get(end.epoch()));
            }
        }
        if (settledSince.isEmpty() && !proposedAt.isEmpty()) {
            settledSince = OptionalLong.of(proposedAt.firstEntry().getValue());
        }
        OffsetRange whole = records.whole(Topic.ACKS);
        OffsetRange recent = settledSince.isEmpty()
                ? whole.since(whole.to())
                : whole.since(records.offsetAt(whole, settledSince.getAsLong() - CLOCKS_DIFFER.toMillis()));
        List<Dated<RankAck>> acks = new ArrayList<>();
        if (wantedFrom.isPresent()) {
            OffsetRange wanted = whole.since(records.offsetAt(whole, wantedFrom.getAsLong() - CLOCKS_DIFFER.toMillis()))
                    .until(
                            wantedTo.isPresent()
                                    ? records.offsetAt(whole, wantedTo.getAsLong() + CLOCKS_DIFFER.toMillis())
                                    : whole.to());
            acks.addAll(all(Topic.ACKS, wanted.until(recent.from())));
        }
        acks.addAll(all(Topic.ACKS, recent));
        return acks;
    }

    private static boolean ends(PlanCommand command, int epoch) {
        return (command instanceof Settled settled && settled.epoch() == epoch)
                || (command instanceof PlanCommand.Void end && end.epoch() == epoch);
    }

    /**
     * The newest summary of a window that is wanted.
     *
     * @param untilMillis none that was written later by more than clocks differ
     */
    public Optional<Dated<WindowSummary>> window(Predicate<WindowSummary> wanted, OptionalLong untilMillis) {
        OffsetRange whole = records.whole(Topic.WINDOW_SUMMARIES);
        OffsetRange range = untilMillis.isEmpty()
                ? whole
                : whole.until(records.offsetAt(whole, untilMillis.getAsLong() + CLOCKS_DIFFER.toMillis()));
        for (long back = FIRST_LOOK_BACK; ; back *= FARTHER) {
            OffsetRange tail = range.since(Math.max(0, range.to() - back));
            Optional<Dated<WindowSummary>> found = all(Topic.WINDOW_SUMMARIES, tail).stream()
                    .filter(record -> wanted.test(record.value()))
                    .reduce((earlier, later) -> later);
            if (found.isPresent() || tail.from() == range.from()) {
                return found;
            }
        }
    }

    private <T> List<Dated<T>> all(Topic<T> topic, OffsetRange range) {
        return records.all(topic, range, unreadable -> {}).stream()
                .map(OperatorTopics::dated)
                .toList();
    }

    private static <T> Dated<T> dated(Received<T> record) {
        return new Dated<>(record.value(), record.offset(), record.timestampMillis());
    }

    @Override
    public void close() {
        records.close();
    }
}
