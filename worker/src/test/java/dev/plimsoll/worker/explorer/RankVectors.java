package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.worker.Fixture;
import dev.plimsoll.worker.OrderHeads;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What the library's machine does, as data that a test in any language can run: states that the explorer reached, one of each sort;
 * what each of a list of events makes of each of them, which is all that can happen to a rank and much that cannot; and verdicts.
 *
 * <p>Structs are little-endian numbers of 32 bits in the header's order. {@code states}: a {@code plm_rank}. {@code events}: a
 * {@code plm_rank_event}. {@code turns}: state, event, effects (four numbers each), then what differs from the state before (index and
 * number), then in what the vote differs from {@code staged}; what is empty to the end is left out. {@code seen}: what {@code plm_rank_describe} says of each state, fields
 * in the header's order without {@code size} and {@code step}. {@code verdicts}: three {@code plm_vote}, then epoch, batch, level.
 */
final class RankVectors {
    private final RankMachine machine = new RankMachine();
    private final Map<List<Long>, RankWords> sorts = new LinkedHashMap<>();

    /** Keeps the first state of each sort that an exploration goes through. */
    void watch(Scope scope) {
        scope.ranks.witness = (before, event, turn) -> sorts.putIfAbsent(sort(turn.words()), turn.words());
        RankWords begin = machine.begin(Fixture.INCARNATION, 0, false, scope.engineMoves);
        sorts.putIfAbsent(sort(begin), begin);
    }

    private static List<Long> sort(RankWords words) {
        int flipped = words.batchesFlipped();
        return List.of(
                words.at(Word.FLAGS),
                words.at(Word.PHASE),
                flipped == 0 ? 0L : flipped == words.intAt(Word.BATCHES) ? 2L : 1L,
                bits(words, Word.TRANSFERRING, Word.TRANSFER_RUNS, Word.STAGING_BUSY, Word.MOVING, Word.MOVED),
                bits(words, Word.OBSERVES, Word.DEAF, Word.ENGINE_BUSY, Word.CHANGED, Word.BATCHES),
                words.at(Word.RELOADING),
                words.at(Word.REFUSAL),
                (long) Integer.signum(words.intAt(Word.REFUSED_EPOCH) - words.epoch()),
                words.at(Word.REFUSED_STOPPED),
                (long) words.castLevel());
    }

    private static long bits(RankWords words, Word... fields) {
        long bits = 0;
        for (Word field : fields) {
            bits = bits << 1 | (words.at(field) != 0 ? 1 : 0);
        }
        return bits;
    }

    String json() {
        List<RankWords> states = List.copyOf(sorts.values());
        Map<RankEvent, Integer> events = new LinkedHashMap<>();
        List<String> turns = new ArrayList<>();
        for (int i = 0; i < states.size(); i++) {
            for (RankEvent event : events(states.get(i))) {
                int number = events.computeIfAbsent(event, unused -> events.size());
                turns.add(turn(i, states.get(i), number, machine.on(states.get(i), event)));
            }
        }
        return "{\n"
                + table("states", states, words -> list(words.words()))
                + ",\n"
                + table("events", List.copyOf(events.keySet()), event -> list(event.words()))
                + ",\n"
                + table("turns", turns, turn -> turn)
                + ",\n"
                + table("seen", states, words -> seen(machine.describe(words, 0)))
                + ",\n"
                + table("verdicts", ballots(), this::verdict)
                + "\n}\n";
    }

    private static <T> String table(String name, List<T> rows, Function<T, String> row) {
        return rows.stream().map(row).collect(Collectors.joining(",\n", "\"" + name + "\": [\n", "\n]"));
    }

    private static String list(int... numbers) {
        return Arrays.toString(numbers).replace(" ", "");
    }

    private String turn(int state, RankWords before, int event, RankTurn turn) {
        List<Integer> effects = new ArrayList<>();
        for (RankEffect effect : turn.effects()) {
            effects.addAll(List.of(effect.kind().ordinal(), effect.epoch(), effect.batch(), effect.code()));
        }
        RankWords after = turn.words();
        return ("[" + state + "," + event + "," + effects + "," + differences(before.words(), after.words()) + ","
                        + differences(
                                after.staged().words(), machine.vote(after).words()) + "]")
                .replace(" ", "")
                .replaceAll("(,\\[])+]$", "]");
    }

    private static List<Integer> differences(int[] from, int[] to) {
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < from.length; i++) {
            if (from[i] != to[i]) {
                found.addAll(List.of(i, to[i]));
            }
        }
        return found;
    }

    private static String seen(RankState state) {
        return Arrays.asList(
                        state.settledVersion(),
                        state.incarnation(),
                        state.epoch(),
                        state.phase().ordinal(),
                        state.batchesFlipped(),
                        state.refusal(),
                        state.planHash(),
                        state.commandNumber(),
                        state.fatal() ? 1 : 0,
                        state.refusedEpoch(),
                        state.refusedHash(),
                        state.refusedStopped() ? 1 : 0,
                        state.flags())
                .toString()
                .replace(" ", "");
    }

    /** Everything, and every way in which it can be off by one. */
    private List<RankEvent> events(RankWords words) {
        int epoch = words.epoch();
        int batch = words.batchesFlipped() + 1;
        int held = words.intAt(Word.TRANSFERRING);
        long hash = words.at(Word.PLAN_HASH);
        long number = words.at(Word.COMMAND_NUMBER) + 1;
        int based = words.intAt(Word.SETTLED_VERSION);
        int refused = words.intAt(Word.REFUSED_EPOCH);
        int flipped = words.batchesFlipped();
        long term = words.at(Word.TERM);
        List<RankEvent> events = new ArrayList<>();
        for (int outcome = 0; outcome <= 5; outcome++) {
            events.add(RankEvent.verdict(outcome, 0, 0, 0));
        }
        for (int level = 1; level <= 2; level++) {
            events.add(RankEvent.verdict(PlimsollApi.PLM_OUTCOME_RESOLVED, epoch, batch, level));
            events.add(RankEvent.verdict(PlimsollApi.PLM_OUTCOME_RESOLVED, epoch, batch + 1, level));
            events.add(RankEvent.verdict(PlimsollApi.PLM_OUTCOME_RESOLVED, epoch + 1, batch, level));
        }
        int next = Math.max(epoch, based) + 1;
        Orders orders = new Orders(term, number);
        events.add(orders.of(PlimsollApi.PLM_ORDER_TERM, 0));
        events.add(orders.propose(next, based, 77, 2, PlimsollApi.PLM_REFUSAL_NONE));
        events.add(orders.propose(next, based, 77, 1, PlimsollApi.PLM_REFUSAL_NONE));
        events.add(orders.propose(next, based, 77, 1, PlimsollApi.PLM_REFUSAL_NO_MEMORY));
        events.add(orders.propose(next, based + 1, 77, 1, PlimsollApi.PLM_REFUSAL_NONE));
        events.add(orders.propose(next, based, 77, 0, PlimsollApi.PLM_REFUSAL_NONE));
        events.add(orders.propose(epoch, based, hash, 1, PlimsollApi.PLM_REFUSAL_NONE));
        events.add(orders.propose(epoch, based, hash + 1, 1, PlimsollApi.PLM_REFUSAL_NONE));
        events.add(orders.permit(epoch, hash));
        events.add(orders.permit(epoch, hash + 1));
        events.add(orders.permit(epoch + 1, hash));
        for (int kind : new int[] {PlimsollApi.PLM_ORDER_ABORT, PlimsollApi.PLM_ORDER_VOID}) {
            events.add(orders.of(kind, epoch));
            events.add(orders.of(kind, epoch + 1));
            events.add(orders.of(kind, epoch - 1));
            if (refused > epoch + 1) {
                events.add(orders.of(kind, refused));
            }
        }
        events.add(orders.settled(epoch, flipped));
        events.add(orders.settled(epoch, flipped + 1));
        events.add(orders.settled(epoch + 1, flipped));
        Orders old = new Orders(Math.max(0, term - 1), number - 1);
        events.add(old.of(PlimsollApi.PLM_ORDER_ABORT, epoch));
        events.add(new Orders(term, number - 1).of(PlimsollApi.PLM_ORDER_ABORT, epoch));
        Orders again = new Orders(0, 0, PlimsollApi.PLM_ORDER_AGAIN, Fixture.INCARNATION);
        events.add(again.settled(epoch, flipped));
        events.add(again.settled(epoch - 1, flipped));
        events.add(again.settled(epoch, flipped + 1));
        events.add(again.of(PlimsollApi.PLM_ORDER_VOID, epoch));
        events.add(again.of(PlimsollApi.PLM_ORDER_ABORT, epoch));
        events.add(new Orders(term, number, 0, Fixture.INCARNATION + 1).of(PlimsollApi.PLM_ORDER_ABORT, epoch));
        for (boolean good : new boolean[] {true, false}) {
            events.add(RankEvent.transferEnded(epoch, held, good));
            events.add(RankEvent.engineBusy(good));
        }
        events.add(RankEvent.transferEnded(epoch, held + 1, true));
        events.add(RankEvent.transferEnded(epoch - 1, held, true));
        for (int map : new int[] {PlimsollApi.PLM_MAP_OTHER, PlimsollApi.PLM_MAP_TARGET, PlimsollApi.PLM_MAP_BASE}) {
            events.add(RankEvent.moved(map));
        }
        events.add(RankEvent.voted(machine.vote(words)));
        events.add(RankEvent.of(RankEvent.Kind.STAGING_FREED));
        events.add(RankEvent.of(RankEvent.Kind.FLIP_FAILED));
        events.add(RankEvent.of(RankEvent.Kind.DEAF));
        events.add(RankEvent.of(RankEvent.Kind.CHANGED));
        events.add(RankEvent.reload());
        events.add(RankEvent.reloaded(7));
        return events;
    }

    /** Heads of orders with the same beginning. */
    private record Orders(long term, long number, int flags, long incarnation) {
        Orders(long term, long number) {
            this(term, number, 0, Fixture.INCARNATION);
        }

        RankEvent of(int kind, int epoch) {
            return order(kind, epoch, 0, 0, 0, PlimsollApi.PLM_REFUSAL_NONE);
        }

        RankEvent propose(int epoch, int basedOn, long hash, int batches, int refusal) {
            return order(PlimsollApi.PLM_ORDER_PROPOSE, epoch, basedOn, hash, batches, refusal);
        }

        RankEvent permit(int epoch, long hash) {
            return order(PlimsollApi.PLM_ORDER_PERMIT, epoch, 0, hash, 0, PlimsollApi.PLM_REFUSAL_NONE);
        }

        RankEvent settled(int epoch, int batches) {
            return order(PlimsollApi.PLM_ORDER_SETTLED, epoch, 0, 0, batches, PlimsollApi.PLM_REFUSAL_NONE);
        }

        private RankEvent order(int kind, int epoch, int basedOn, long hash, int batches, int refusal) {
            return RankEvent.order(ByteBuffer.allocate(OrderHeads.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(OrderHeads.BYTES)
                    .putShort((short) kind)
                    .putShort((short) flags)
                    .putLong(incarnation)
                    .putLong(term)
                    .putLong(number)
                    .putInt(epoch)
                    .putInt(basedOn)
                    .putLong(hash)
                    .putInt(batches)
                    .putInt(refusal)
                    .array());
        }
    }

    /** Three votes that agree, and what each of their words does when one of them says otherwise. */
    private static List<List<RankVote>> ballots() {
        List<List<RankVote>> ballots = new ArrayList<>();
        int[] vote = {7, 0, 3, 4, 0x00020001, 0, 99, 5};
        for (int first = 0; first <= 2; first++) {
            for (int second = 0; second <= 2; second++) {
                for (int third = 0; third <= 2; third++) {
                    ballots.add(List.of(leveled(vote, first), leveled(vote, second), leveled(vote, third)));
                }
            }
        }
        for (int odd = 0; odd < 3; odd++) {
            for (int word = 0; word < vote.length; word++) {
                if (word == 5) {
                    continue;
                }
                for (int change : new int[] {1, 1 << 16}) {
                    List<RankVote> ballot =
                            new ArrayList<>(List.of(leveled(vote, 2), leveled(vote, 2), leveled(vote, 2)));
                    int[] other = vote.clone();
                    other[word] += change;
                    ballot.set(odd, leveled(other, 2));
                    ballots.add(ballot);
                }
            }
        }
        return ballots;
    }

    private static RankVote leveled(int[] vote, int level) {
        int[] words = vote.clone();
        words[5] = level | PlimsollApi.PLM_VOTE_HEAT_VALID << 8;
        return RankVote.of(words);
    }

    private String verdict(List<RankVote> ballot) {
        int[] said = machine.verdict(ballot).words();
        List<Integer> row = new ArrayList<>();
        ballot.forEach(vote -> Arrays.stream(vote.words()).forEach(row::add));
        // Of plm_rank_event: epoch, batch, level.
        row.addAll(List.of(said[3], said[4], said[5]));
        return row.toString().replace(" ", "");
    }
}
