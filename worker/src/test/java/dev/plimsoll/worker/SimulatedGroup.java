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
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Three simulated ranks of one incarnation, their weights and the gather between them; held to P1, P2 and P5 at every boundary. */
final class SimulatedGroup {
    static final int RANKS = 3;
    static final int MOST_EPOCHS = 64;

    final Membership members;
    final RememberedMachine machine;
    final List<SimulatedRank> ranks = new ArrayList<>();
    private final Random random;
    private final Weights exchanges = new Weights();
    private final Map<Integer, List<Batch>> decisions;
    private int[] weights;
    private List<Optional<RankVote>> votes = List.of();
    int gaveUp;
    /** Whether anything goes wrong from now on. */
    boolean faulty = true;

    int losses;

    /** @param decisions batches of every decision that was proposed, by epoch */
    SimulatedGroup(Membership members, RememberedMachine machine, Random random, Map<Integer, List<Batch>> decisions) {
        this.members = members;
        this.machine = machine;
        this.random = random;
        this.decisions = decisions;
        weights = Weights.map(members.start());
        for (int rank = 0; rank < RANKS; rank++) {
            ranks.add(
                    new SimulatedRank(this, rank, machine.begin(members.incarnation()), Weights.map(members.start())));
        }
    }

    boolean anyGone() {
        return ranks.stream().anyMatch(rank -> rank.gone);
    }

    void boundary() {
        List<RankEvent> verdicts = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            verdicts.add(verdict(rank));
        }
        for (int rank = 0; rank < RANKS; rank++) {
            if (!ranks.get(rank).gone) {
                ranks.get(rank).boundary(verdicts.get(rank), faulty ? random.nextInt(4) : 16);
            }
        }
        votes = ranks.stream()
                .map(rank -> !rank.gone && !chance(400) ? rank.cast : Optional.<RankVote>empty())
                .toList();
        check();
    }

    private RankEvent verdict(int index) {
        SimulatedRank rank = ranks.get(index);
        if (votes.isEmpty()) {
            return RankEvent.verdict(PlimsollApi.PLM_OUTCOME_NONE, 0, 0, 0);
        }
        boolean waits = rank.words.castLevel() > 0;
        if (votes.stream().allMatch(Optional::isPresent)) {
            if (!chance(400)) {
                return machine.verdict(votes.stream().map(Optional::orElseThrow).toList());
            }
            losses++;
            return RankEvent.verdict(
                    waits ? PlimsollApi.PLM_OUTCOME_TIMED_OUT : PlimsollApi.PLM_OUTCOME_PENDING, 0, 0, 0);
        }
        losses++;
        if (rank.cast.isPresent() && votes.get(index).isEmpty()) {
            return RankEvent.verdict(PlimsollApi.PLM_OUTCOME_FAILED, 0, 0, 0);
        }
        return RankEvent.verdict(
                waits && random.nextBoolean() ? PlimsollApi.PLM_OUTCOME_UNDECIDED : PlimsollApi.PLM_OUTCOME_TIMED_OUT,
                0,
                0,
                0);
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
        return ranks.stream().allMatch(rank -> rank.started >= exchange);
    }

    void giveUp(int exchange) {
        gaveUp = Math.max(gaveUp, exchange);
    }

    int[] received(int epoch, int batch, int rank) {
        return exchanges.received(batch(epoch, batch), rank, weights);
    }

    void flip(SimulatedRank rank, int index, int epoch, int number) {
        Batch batch = batch(epoch, number);
        weights = exchanges.flipped(batch, index, weights, rank.staging);
        rank.map = Weights.flipped(batch, rank.map);
    }

    private Batch batch(int epoch, int number) {
        List<Batch> batches = decisions.get(epoch);
        if (batches == null) {
            throw new AssertionError("a rank carries out decision " + epoch + ", which nobody proposed");
        }
        return batches.get(number - 1);
    }

    /** Who is left runs the step: on one map, with the weights that it names, and with equally much of every decision flipped. */
    private void check() {
        Optional<SimulatedRank> first =
                ranks.stream().filter(rank -> !rank.gone).findFirst();
        if (first.isEmpty()) {
            return;
        }
        int[] map = first.get().map;
        for (SimulatedRank rank : ranks) {
            if (!rank.gone && !Arrays.equals(rank.map, map)) {
                throw new AssertionError("P1: ranks run a step on different maps: " + states());
            }
            if (!rank.gone && !Arrays.equals(rank.flipped, first.get().flipped)) {
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
                .allMatch(rank -> rank.words.intAt(Word.SETTLED_VERSION) == version
                        && rank.words.batchesFlipped() == 0
                        && !rank.words.phase().inFlight()
                        && rank.words.phase() != RankPhase.FATAL);
    }

    String states() {
        return ranks.stream().map(rank -> rank.words.toString()).toList().toString();
    }
}
