package dev.plimsoll.planner;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankId;
import dev.plimsoll.planner.protocol.Evidence;
import dev.plimsoll.planner.protocol.Stage;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * How a deployment stands at its planner.
 *
 * @param words all that hold
 * @param version of the settled placement
 * @param decision epoch of the one in flight
 * @param awaited ranks that it waits for
 * @param pausedSinceMillis when a person said that nothing is to be decided, by their clock
 * @param unansweredSinceMillis when the oldest command was given that has no answer, by the clock of who gave it
 * @param why nothing can be decided; empty where something can
 */
public record Standing(
        Deployment deployment,
        Set<Word> words,
        int version,
        OptionalInt decision,
        List<RankId> awaited,
        OptionalLong pausedSinceMillis,
        OptionalLong unansweredSinceMillis,
        String why) {
    /** What can be said of a deployment: one of the first five, and any of the others. */
    public enum Word {
        /** Nothing is in flight. */
        IDLE,
        /** A decision waits to be accepted. */
        PROPOSED,
        /** A decision is carried out. */
        RUNNING,
        /** A decision is being stopped. */
        ABORTING,
        /** What ranks serve is not known. */
        QUARANTINED,
        /** Ranks have lost their group and cannot vote any more. */
        OBSERVE_ONLY,
        /** A person has said that nothing is to be decided. */
        PAUSED,
        /** The decision waits for a person to approve it. */
        AWAITS_APPROVAL
    }

    public Standing {
        words = Set.copyOf(words);
        awaited = List.copyOf(awaited);
    }

    /** Of a deployment of which nobody has asked anything. */
    public Standing(
            Deployment deployment,
            Set<Word> words,
            int version,
            OptionalInt decision,
            List<RankId> awaited,
            String why) {
        this(deployment, words, version, decision, awaited, OptionalLong.empty(), OptionalLong.empty(), why);
    }

    public boolean is(Word word) {
        return words.contains(word);
    }

    static Standing of(DriverState state) {
        Stage stage = state.protocol().stage();
        Optional<String> observeOnly = state.setbacks().observeOnly();
        Optional<String> paused = state.control().paused().map(said -> "paused " + said);
        Set<Word> words = EnumSet.of(word(stage));
        observeOnly.ifPresent(refusal -> words.add(Word.OBSERVE_ONLY));
        paused.ifPresent(said -> words.add(Word.PAUSED));
        if (stage instanceof Stage.Proposed proposed && proposed.approval().awaited()) {
            words.add(Word.AWAITS_APPROVAL);
        }
        return new Standing(
                state.protocol().members().deployment(),
                words,
                state.protocol().settled().version(),
                stage.inFlight()
                        .map(decision -> OptionalInt.of(decision.epoch()))
                        .orElseGet(OptionalInt::empty),
                awaited(stage),
                state.control()
                        .paused()
                        .map(said -> OptionalLong.of(said.atMillis()))
                        .orElseGet(OptionalLong::empty),
                state.control().unanswered().stream()
                        .mapToLong(Control::atMillis)
                        .min(),
                stage instanceof Stage.Quarantined quarantined
                        ? quarantined.reason()
                        : observeOnly.or(() -> paused).orElse(""));
    }

    private static Word word(Stage stage) {
        if (stage instanceof Stage.Proposed) {
            return Word.PROPOSED;
        }
        if (stage instanceof Stage.Running) {
            return Word.RUNNING;
        }
        if (stage instanceof Stage.Aborting) {
            return Word.ABORTING;
        }
        return stage instanceof Stage.Quarantined ? Word.QUARANTINED : Word.IDLE;
    }

    private static List<RankId> awaited(Stage stage) {
        if (stage instanceof Stage.Proposed proposed) {
            return ranks(
                    proposed.evidence(), rank -> proposed.evidence().accepted().at(rank) == 0);
        }
        if (stage instanceof Stage.Running running) {
            return unended(running.decision(), running.evidence());
        }
        return stage instanceof Stage.Aborting aborting ? unended(aborting.decision(), aborting.evidence()) : List.of();
    }

    /** Ranks of which it is not known how far they will have got. */
    private static List<RankId> unended(Propose decision, Evidence evidence) {
        int last = decision.batches().size();
        return ranks(
                evidence,
                rank -> evidence.aborted().at(rank) < 0 && evidence.flipped().at(rank) < last);
    }

    private static List<RankId> ranks(Evidence evidence, IntPredicate awaited) {
        return IntStream.range(0, evidence.ranks())
                .filter(awaited)
                .mapToObj(RankId::new)
                .toList();
    }
}
