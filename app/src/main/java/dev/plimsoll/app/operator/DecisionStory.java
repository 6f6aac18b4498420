package dev.plimsoll.app.operator;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Abort;
import dev.plimsoll.model.PlanCommand.Permit;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.replay.source.Dated;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * All that the topics tell of one decision.
 *
 * @param proposed when it was proposed, and what
 * @param permitted when its ranks were given leave to transfer and flip
 * @param aborted when and why it was stopped
 * @param ended SETTLED or VOID
 * @param acks of its ranks, as far as they were read, in the order of the log
 * @param origin the operator's command that asked for it
 * @param requests operators' commands that speak of it: approve, reject, abort
 * @param outcome the newest of what it brought
 */
public record DecisionStory(
        Dated<Propose> proposed,
        Optional<Dated<Permit>> permitted,
        Optional<Dated<Abort>> aborted,
        Optional<Dated<PlanCommand>> ended,
        List<Dated<RankAck>> acks,
        Optional<Request> origin,
        List<Request> requests,
        Optional<Outcome> outcome) {
    public DecisionStory {
        acks = List.copyOf(acks);
        requests = List.copyOf(requests);
    }

    /**
     * The decisions whose PROPOSE is in a log, by epoch. Epochs are never used twice in a deployment, whatever the incarnation.
     *
     * @param outcomes the last one of a version wins
     */
    public static TreeMap<Integer, DecisionStory> of(
            List<Dated<PlanCommand>> log, List<Dated<RankAck>> acks, List<Request> requests, List<Outcome> outcomes) {
        TreeMap<Integer, Telling> tellings = new TreeMap<>();
        for (Dated<PlanCommand> record : log) {
            PlanCommand command = record.value();
            if (command instanceof Propose propose) {
                tellings.put(propose.epoch(), new Telling(dated(record, propose)));
            } else if (command instanceof Permit permit) {
                with(tellings, permit.epoch(), telling -> telling.permitted = Optional.of(dated(record, permit)));
            } else if (command instanceof Abort abort) {
                with(tellings, abort.epoch(), telling -> telling.aborted = Optional.of(dated(record, abort)));
            } else if (command instanceof Settled end) {
                with(tellings, end.epoch(), telling -> telling.ended = Optional.of(record));
            } else if (command instanceof PlanCommand.Void end) {
                with(tellings, end.epoch(), telling -> telling.ended = Optional.of(record));
            }
        }
        acks.forEach(ack -> with(tellings, ack.value().epoch(), telling -> telling.take(ack)));
        requests.forEach(request -> epochOf(request.control().value().action())
                .ifPresent(epoch -> with(tellings, epoch, telling -> telling.requests.add(request))));
        outcomes.forEach(outcome -> with(tellings, outcome.version(), telling -> telling.take(outcome)));
        TreeMap<Integer, DecisionStory> stories = new TreeMap<>();
        tellings.forEach((epoch, telling) -> stories.put(epoch, telling.story(requests)));
        return stories;
    }

    private static <T> Dated<T> dated(Dated<?> record, T value) {
        return new Dated<>(value, record.offset(), record.atMillis());
    }

    private static void with(
            TreeMap<Integer, Telling> tellings, int epoch, java.util.function.Consumer<Telling> change) {
        Optional.ofNullable(tellings.get(epoch)).ifPresent(change);
    }

    private static Optional<Integer> epochOf(ControlAction action) {
        if (action instanceof ControlAction.Approve approve) {
            return Optional.of(approve.epoch());
        } else if (action instanceof ControlAction.Reject reject) {
            return Optional.of(reject.epoch());
        }
        return action instanceof ControlAction.Abort abort ? Optional.of(abort.epoch()) : Optional.empty();
    }

    public int epoch() {
        return proposed.value().epoch();
    }

    public DecisionState state() {
        PlanCommand end = ended.map(Dated::value).orElse(null);
        if (end instanceof Settled settled) {
            return settled.complete() ? DecisionState.SETTLED : DecisionState.SETTLED_PREFIX;
        }
        if (end != null) {
            return DecisionState.VOID;
        }
        if (aborted.isPresent()) {
            return DecisionState.ABORTING;
        }
        if (permitted.isPresent()) {
            return DecisionState.RUNNING;
        }
        return proposed.value().origin().needsApproval() && approval().isEmpty()
                ? DecisionState.WAITING_FOR_APPROVAL
                : DecisionState.PROPOSED;
    }

    /** Who has approved of it. */
    public Optional<Request> approval() {
        return requests.stream()
                .filter(Request::done)
                .filter(request -> request.control().value().action() instanceof ControlAction.Approve)
                .findFirst();
    }

    /** Batches that are in the placement; 0 while none is known to be. */
    public int batchesSettled() {
        return ended.map(Dated::value)
                .filter(Settled.class::isInstance)
                .map(end -> ((Settled) end).batchesFlipped())
                .orElse(0);
    }

    /** From PROPOSE to its end; empty while it has none. */
    public Optional<Duration> took() {
        return ended.map(end -> Duration.ofMillis(Math.max(0, end.atMillis() - proposed.atMillis())));
    }

    /** Why it was stopped or is void; empty where it went through, or has not ended. */
    public Optional<String> why() {
        return aborted.map(abort -> abort.value().reason())
                .or(() -> ended.map(Dated::value)
                        .filter(PlanCommand.Void.class::isInstance)
                        .map(end -> ((PlanCommand.Void) end).reason()));
    }

    /** Who asked for it, a few words. */
    public String askedBy() {
        return origin.map(request -> request.by() + " (" + request.reason() + ")")
                .orElseGet(() -> proposed.value()
                        .origin()
                        .control()
                        .map(id -> "an operator (command " + id + " is not in the topics any more)")
                        .orElse("the planner"));
    }

    /** What is gathered of one decision while a log is read. */
    private static final class Telling {
        private final Dated<Propose> proposed;
        private final List<Dated<RankAck>> acks = new ArrayList<>();
        private final List<Request> requests = new ArrayList<>();
        private Optional<Dated<Permit>> permitted = Optional.empty();
        private Optional<Dated<Abort>> aborted = Optional.empty();
        private Optional<Dated<PlanCommand>> ended = Optional.empty();
        private Optional<Outcome> outcome = Optional.empty();

        Telling(Dated<Propose> proposed) {
            this.proposed = proposed;
        }

        void take(Dated<RankAck> ack) {
            if (ack.value().incarnation() == incarnation()) {
                acks.add(ack);
            }
        }

        void take(Outcome of) {
            if (of.incarnation() == incarnation()) {
                outcome = Optional.of(of);
            }
        }

        private long incarnation() {
            return proposed.value().header().incarnation();
        }

        DecisionStory story(List<Request> all) {
            Optional<Request> origin = proposed.value()
                    .origin()
                    .control()
                    .flatMap(id -> all.stream()
                            .filter(request -> request.id().equals(id))
                            .findFirst());
            return new DecisionStory(proposed, permitted, aborted, ended, acks, origin, requests, outcome);
        }
    }
}
