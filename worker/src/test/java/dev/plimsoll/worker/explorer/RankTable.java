package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.worker.Acks;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The ranks' machine over numbers of states, votes and events: what was asked once is remembered, for the machine is a function. */
final class RankTable {
    /** Is told of every transition of a rank that was not seen before. */
    interface Witness {
        void saw(RankWords before, RankEvent event, RankTurn turn);
    }

    /** A turn of the machine. */
    record Step(int words, List<RankEffect> effects) {}

    /** @param log as a node has read it, which matters for a rank that hears nothing of it; else 0 */
    private record Heard(int words, int rank, int life, int said, int log) {}

    private final Rules rules;
    private final Lives lives;
    private final boolean engineMoves;
    final Table<RankWords> words = new Table<>();
    final Table<RankVote> votes = new Table<>();
    private final Table<RankEvent> events = new Table<>();
    private final LongIndex asked = new LongIndex();
    private final List<Step> answers = new ArrayList<>();
    private final Map<Integer, Integer> voted = new HashMap<>();
    private final Map<Integer, RankEvent> castings = new HashMap<>();
    private final Map<Long, RankEvent> verdicts = new HashMap<>();
    /** Sets of acks, by their numbers. */
    private final Table<BitSet> saids = new Table<>();

    final Table<RankAck> acks = new Table<>();
    private final Map<Heard, Integer> heard = new HashMap<>();
    private final Map<Long, Integer> newer = new HashMap<>();
    private final List<List<RankAck>> lists = new ArrayList<>();
    final int nothingSaid = saids.number(new BitSet());
    Witness witness = (before, event, turn) -> {};

    RankTable(Rules rules, Lives lives, boolean engineMoves) {
        this.rules = rules;
        this.lives = lives;
        this.engineMoves = engineMoves;
    }

    int begin(int life) {
        return words.number(rules.machine.begin(lives.of(life).incarnation(), 0, false, engineMoves));
    }

    Step on(int state, RankEvent event) {
        int place = asked.put((long) state << 32 | events.number(event));
        if (place < 0) {
            RankWords before = words.value(state);
            RankTurn turn = rules.on(before, event);
            witness.saw(before, event, turn);
            answers.add(new Step(words.number(turn.words()), turn.effects()));
            place = ~place;
        }
        return answers.get(place);
    }

    int vote(int state) {
        return voted.computeIfAbsent(state, number -> votes.number(rules.vote(words.value(number))));
    }

    RankEvent casting(int vote) {
        return castings.computeIfAbsent(vote, number -> RankEvent.voted(votes.value(number)));
    }

    boolean joins(int state) {
        return rules.joins(words.value(state));
    }

    RankEvent verdict(int first, int second, int third) {
        long key = ((long) first << 21 | second) << 21 | third;
        return verdicts.computeIfAbsent(
                key, unused -> rules.verdict(List.of(votes.value(first), votes.value(second), votes.value(third))));
    }

    /** The acks that a node has written for a rank once it has looked at it in a state. */
    int say(int before, int state, int rank, int life, Log log) {
        boolean deaf = words.value(state).intAt(Word.DEAF) != 0;
        return heard.computeIfAbsent(new Heard(state, rank, life, before, deaf ? log.number : 0), key -> {
            BitSet more = (BitSet) saids.value(before).clone();
            RankWords shown = rules.shown(words.value(state));
            for (RankAck ack :
                    Acks.of(lives.of(life), rank, rules.machine.describe(shown, 0), log.orders(life, rank))) {
                more.set(acks.number(ack));
            }
            return saids.number(more);
        });
    }

    /** Acks of a set, in the order in which their numbers were given. */
    List<RankAck> said(int number) {
        while (lists.size() < number) {
            lists.add(
                    saids.value(lists.size() + 1).stream().mapToObj(acks::value).toList());
        }
        return lists.get(number - 1);
    }

    /** Those of a set that speak of a decision after {@code epoch}. */
    int since(int number, int epoch) {
        return newer.computeIfAbsent((long) number << 32 | epoch, key -> {
            BitSet rest = new BitSet();
            saids.value(number).stream()
                    .filter(ack -> acks.value(ack).epoch() > epoch)
                    .forEach(rest::set);
            return saids.number(rest);
        });
    }
}
