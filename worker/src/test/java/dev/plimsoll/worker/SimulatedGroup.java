package dev.plimsoll.worker;

import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Membership;
import dev.plimsoll.worker.explorer.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** Three simulated ranks of one incarnation, their weights and the gather between them; held to P1, P2 and P5 at every boundary. */
final class SimulatedGroup {
    static final int RANKS = 3;
    static final int MOST_EPOCHS = 64;
    private static final RankEvent NONE = outcome(PlimsollApi.PLM_OUTCOME_NONE);
    private static final RankEvent PENDING = outcome(PlimsollApi.PLM_OUTCOME_PENDING);
    private static final RankEvent TIMED_OUT = outcome(PlimsollApi.PLM_OUTCOME_TIMED_OUT);
    private static final RankEvent UNDECIDED = outcome(PlimsollApi.PLM_OUTCOME_UNDECIDED);
    private static final RankEvent FAILED = outcome(PlimsollApi.PLM_OUTCOME_FAILED);

    final Membership members;
    final RememberedMachine machine;
    final List<SimulatedRank> ranks = new ArrayList<>();
    private final RandomGenerator random;
    private final Weights exchanges = new Weights();
    private final SimulatedLogs logs;
    private final Seen seen;
    private final SimulatedSamples samples;
    private int[] weights;
    private List<Optional<RankVote>> votes = List.of();
    int gaveUp;
    /** Whether anything goes wrong from now on. */
    boolean faulty = true;

    /** @param logs of the deployment, where windows arrive too */
    SimulatedGroup(
            Membership members, RememberedMachine machine, RandomGenerator random, SimulatedLogs logs, Seen seen) {
        this.members = members;
        this.machine = machine;
        this.random = random;
        this.logs = logs;
        this.seen = seen;
        samples = new SimulatedSamples(members);
        weights = Weights.map(members.start());
        for (int rank = 0; rank < RANKS; rank++) {
            ranks.add(
                    new SimulatedRank(this, rank, machine.begin(members.incarnation()), Weights.map(members.start())));
        }
    }

    boolean anyGone() {
        boolean any = false;
        for (SimulatedRank rank : ranks) {
            any |= rank.gone;
        }
        return any;
    }

    void boundary() {
        boolean allThere = true;
        for (Optional<RankVote> vote : votes) {
            allThere &= vote.isPresent();
        }
        List<RankEvent> verdicts = new ArrayList<>(RANKS);
        for (int rank = 0; rank < RANKS; rank++) {
            verdicts.add(votes.isEmpty() ? NONE : verdict(rank, allThere));
        }
        for (int rank = 0; rank < RANKS; rank++) {
            if (!ranks.get(rank).gone) {
                ranks.get(rank).boundary(verdicts.get(rank), faulty ? random.nextInt(4) : 16);
            }
        }
        List<Optional<RankVote>> cast = new ArrayList<>(RANKS);
        for (SimulatedRank rank : ranks) {
            cast.add(!rank.gone && !chance(400) ? rank.cast : Optional.empty());
        }
        votes = cast;
        check();
        samples.ran(ranks, chance(20) ? random.nextInt(RANKS) : RANKS).ifPresent(logs::closed);
    }

    /** Of the boundary that ranks are at. */
    long step() {
        return samples.step();
    }

    private RankEvent verdict(int index, boolean allThere) {
        SimulatedRank rank = ranks.get(index);
        boolean waits = rank.words().castLevel() > 0;
        if (allThere) {
            if (!chance(400)) {
                return machine.verdict(votes);
            }
            seen.saw(Seen.What.LOST_GATHER);
            return waits ? TIMED_OUT : PENDING;
        }
        seen.saw(Seen.What.LOST_GATHER);
        if (rank.cast.isPresent() && votes.get(index).isEmpty()) {
            return FAILED;
        }
        return waits && random.nextBoolean() ? UNDECIDED : TIMED_OUT;
    }

    private static RankEvent outcome(int outcome) {
        return RankEvent.verdict(outcome, 0, 0, 0);
    }

    private boolean chance(int of) {
        return faulty && random.nextInt(of) == 0;
    }

    boolean failsTransfer() {
        return chance(100);
    }

    boolean mailboxIsFull() {
        return chance(20);
    }

    int boundariesOfTransfer() {
        return 1 + random.nextInt(faulty ? 4 : 2);
    }

    boolean allStarted(int exchange) {
        for (SimulatedRank rank : ranks) {
            if (rank.started < exchange) {
                return false;
            }
        }
        return true;
    }

    void giveUp(int exchange) {
        gaveUp = Math.max(gaveUp, exchange);
    }

    int[] received(int epoch, int batch, int rank) {
        return exchanges.received(batch(epoch, batch), rank, weights);
    }

    void flip(SimulatedRank rank, int index, int epoch, int number) {
        logs.requireMayFlip(epoch, number, members);
        Batch batch = batch(epoch, number);
        weights = exchanges.flipped(batch, index, weights, rank.staging);
        rank.map = Weights.flipped(batch, rank.map);
    }

    private Batch batch(int epoch, int number) {
        return logs.batches(epoch).get(number - 1);
    }

    /** Who is left runs the step: on one map, with the weights that it names, and with equally much of every decision flipped. */
    private void check() {
        SimulatedRank first = ranks.get(0);
        for (int rank = 1; rank < RANKS && first.gone; rank++) {
            first = ranks.get(rank);
        }
        int[] map = first.map;
        for (SimulatedRank rank : ranks) {
            if (rank.gone || first.gone) {
                continue;
            }
            if (!Arrays.equals(rank.map, map)) {
                throw new AssertionError("P1: ranks run a step on different maps: " + states());
            }
            if (!Arrays.equals(rank.flipped, first.flipped)) {
                throw new AssertionError("P5: ranks flipped different numbers of batches: " + states());
            }
        }
        for (int i = 0; i < map.length; i++) {
            if (weights[i] != Weights.held(map[i]) && !ranks.get(Weights.rankOf(i)).gone) {
                throw new AssertionError("P2: slot " + i + " holds " + weights[i] + ", the map says " + map[i]);
            }
        }
    }

    /** Whether every rank serves a version and is through with all before. */
    boolean allServe(int version) {
        return ranks.stream()
                .allMatch(rank -> rank.words().intAt(Word.SETTLED_VERSION) == version
                        && rank.words().batchesFlipped() == 0
                        && !rank.words().phase().inFlight()
                        && rank.words().phase() != RankPhase.FATAL);
    }

    String states() {
        return ranks.stream().map(rank -> rank.words().toString()).toList().toString();
    }
}
