package dev.plimsoll.app.operator;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.replay.source.Dated;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** A rank that, as far as the acks tell, does not serve what it should. */
public record RankOff(RankId rank, String why) {
    /** What no later word of the same rank mends but a flip. */
    private static final Set<Refusal> LOST = EnumSet.of(Refusal.DEAF, Refusal.BEHIND, Refusal.ENGINE_CHANGED);

    /**
     * The ranks of an incarnation that are off, in their order.
     *
     * @param settled the decision whose placement is settled; empty where that is the one of the start, or the log has lost it
     * @param inFlight the decision that has no end
     * @param others decisions of this incarnation after the settled one, that led to nothing
     */
    static List<RankOff> of(
            Membership members,
            Optional<DecisionStory> settled,
            Optional<DecisionStory> inFlight,
            List<DecisionStory> others) {
        TreeMap<Integer, String> off = new TreeMap<>();
        int ranks = members.topology().ranks();
        settled.ifPresent(decision -> words(decision, ranks, off));
        others.forEach(decision -> words(decision, ranks, off));
        inFlight.ifPresent(decision -> words(decision, ranks, off));
        // Acks are kept for a shorter time than decisions: where none is left, they say nothing.
        settled.filter(decision -> !decision.acks().isEmpty()).ifPresent(decision -> lacking(decision, ranks, off));
        inFlight.filter(decision -> decision.state() == DecisionState.RUNNING)
                .ifPresent(decision -> behind(decision, ranks, off));
        return off.entrySet().stream()
                .map(entry -> new RankOff(new RankId(entry.getKey()), entry.getValue()))
                .toList();
    }

    /** What ranks have said that they cannot take back, until they flip again. */
    private static void words(DecisionStory decision, int ranks, TreeMap<Integer, String> off) {
        for (Dated<RankAck> record : decision.acks()) {
            RankAck ack = record.value();
            int rank = ack.rank().index();
            if (rank >= ranks) {
                continue;
            }
            switch (ack.kind()) {
                case FATAL -> off.put(rank, "left the group: " + ack.summary());
                case REFUSED -> ack.refusal().filter(LOST::contains).ifPresent(reason -> off.put(rank, ack.summary()));
                case FLIPPED -> off.remove(rank);
                case ACCEPTED, ABORTED -> {}
            }
        }
    }

    private static void lacking(DecisionStory decision, int ranks, TreeMap<Integer, String> off) {
        int batches = decision.batchesSettled();
        for (int rank = 0; rank < ranks; rank++) {
            if (flipped(decision, rank) < batches) {
                off.putIfAbsent(
                        rank,
                        "has flipped " + flipped(decision, rank) + " of the " + batches + " batches of decision "
                                + decision.epoch() + ", as far as its acks tell");
            }
        }
    }

    private static void behind(DecisionStory decision, int ranks, TreeMap<Integer, String> off) {
        int most = 0;
        for (int rank = 0; rank < ranks; rank++) {
            most = Math.max(most, flipped(decision, rank));
        }
        for (int rank = 0; rank < ranks; rank++) {
            if (flipped(decision, rank) < most) {
                off.putIfAbsent(
                        rank,
                        "has not said that it flipped batch " + most + " of decision " + decision.epoch()
                                + ", as others have");
            }
        }
    }

    /** Batches of a decision that a rank is known to have flipped. */
    static int flipped(DecisionStory decision, int rank) {
        return decision.acks().stream()
                .map(Dated::value)
                .filter(ack -> ack.rank().index() == rank)
                .filter(ack -> ack.kind() == RankAck.Kind.FLIPPED || ack.kind() == RankAck.Kind.ABORTED)
                .mapToInt(RankAck::batch)
                .max()
                .orElse(0);
    }

    @Override
    public String toString() {
        return rank + " " + why;
    }
}
