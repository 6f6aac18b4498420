package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.planner.protocol.Stage;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.function.Consumer;

/**
 * A planner, three ranks, their weights, the gather and the logs, as numbers that are copied and changed: what happens next is decided
 * by whoever explores. Ranks take their turns within a boundary one after the other; they see only votes of the boundary before.
 */
final class World {
    static final int RANKS = 3;
    /** The engine carries a decision out. */
    static final int MOVES = 1;
    /** Its own balancer is at work. */
    static final int BALANCES = 2;
    /** Its map is nobody's that was decided. */
    static final int CHANGED = 4;

    private static final int OF_WORLD = Of.values().length;
    private static final int OF_RANK = OfRank.values().length;

    final Scope scope;
    private final int[] cells;
    /** What has happened since the world before, where worlds are to tell. */
    private String note = "";

    private World(Scope scope, int[] cells, String note) {
        this.scope = scope;
        this.cells = cells;
        this.note = note;
    }

    /** The first life begins: a planner has taken over, and ranks have heard of it. */
    static World begin(Scope scope) {
        World world = new World(scope, new int[OF_WORLD + RANKS * OF_RANK], "");
        world.set(Of.LOG, scope.logs.empty.number);
        world.set(Of.KEPT, scope.planners.nothingKept);
        world.set(Of.CONTROL, scope.controls.number(List.of()));
        for (int rank = 0; rank < RANKS; rank++) {
            world.set(rank, OfRank.SAID, scope.ranks.nothingSaid);
        }
        Commits.takeOver(world, world.get(Of.LOG), world.get(Of.CONTROL));
        world.beginLife(0);
        return world;
    }

    /** All ranks begin, with the weights and the map that their engine loads, and hear of what the log has for them. */
    void beginLife(int life) {
        set(Of.LIFE, life);
        set(Of.ANY_GATHER, 0);
        set(Of.GAVE_UP, 0);
        int start = scope.array(Weights.map(scope.lives.of(life).start()));
        set(Of.WEIGHTS, start);
        for (int rank = 0; rank < RANKS; rank++) {
            int said = get(rank, OfRank.SAID);
            for (OfRank cell : OfRank.values()) {
                set(rank, cell, 0);
            }
            set(rank, OfRank.SAID, said);
            set(rank, OfRank.WORDS, scope.ranks.begin(life));
            set(rank, OfRank.MAP, start);
            set(rank, OfRank.STAGING, scope.array(Weights.nothingStaged()));
            set(Of.TURN, rank);
            RankActs.deliver(this, log().size());
        }
        set(Of.TURN, 0);
    }

    World with(Consumer<World> change) {
        World copy = new World(scope, cells.clone(), scope.telling ? note : "");
        try {
            change.accept(copy);
        } catch (Violation violation) {
            throw violation.after(copy.note);
        }
        return copy;
    }

    int get(Of cell) {
        return cells[cell.ordinal()];
    }

    void set(Of cell, int value) {
        cells[cell.ordinal()] = value;
    }

    int get(int rank, OfRank cell) {
        return cells[OF_WORLD + rank * OF_RANK + cell.ordinal()];
    }

    void set(int rank, OfRank cell, int value) {
        cells[OF_WORLD + rank * OF_RANK + cell.ordinal()] = value;
    }

    /** Of the rank in turn. */
    int mine(OfRank cell) {
        return get(turn(), cell);
    }

    void setMine(OfRank cell, int value) {
        set(turn(), cell, value);
    }

    int turn() {
        return cells[Of.TURN.ordinal()];
    }

    long fingerprint() {
        return LongIndex.fingerprint(cells);
    }

    Log log() {
        return scope.logs.number(get(Of.LOG));
    }

    ControlLog control() {
        return scope.controls.log(get(Of.CONTROL));
    }

    int life() {
        return get(Of.LIFE);
    }

    RankWords words(int rank) {
        return scope.ranks.words.value(get(rank, OfRank.WORDS));
    }

    int[] map(int rank) {
        return scope.array(get(rank, OfRank.MAP));
    }

    boolean isGone(int rank) {
        return get(rank, OfRank.GONE) != 0;
    }

    boolean anyGone() {
        return isGone(0) || isGone(1) || isGone(2);
    }

    /** Batches of a decision that a rank has flipped in this life. */
    int flipped(int rank, int epoch) {
        return get(rank, OfRank.FLIPPED) >> 4 * (epoch - 1) & 15;
    }

    void setFlipped(int rank, int epoch, int batches) {
        int shift = 4 * (epoch - 1);
        set(rank, OfRank.FLIPPED, get(rank, OfRank.FLIPPED) & ~(15 << shift) | batches << shift);
    }

    int used(Power power) {
        return get(usedOf(power)) >> 2 * (power.ordinal() % 16) & 3;
    }

    private static Of usedOf(Power power) {
        return power.ordinal() < 16 ? Of.USED : Of.USED_TOO;
    }

    boolean may(Power power) {
        return used(power) < scope.most(power);
    }

    void use(Power power) {
        set(usedOf(power), get(usedOf(power)) + (1 << 2 * (power.ordinal() % 16)));
    }

    boolean planned() {
        return get(Of.PLANNER) != 0;
    }

    Stage stage() {
        return scope.planners.stage(get(Of.PLANNER));
    }

    /** Whether nothing is in flight, of all that was proposed. */
    boolean quiet() {
        return !log().inFlight();
    }

    /** Whether all that operators have asked for is answered. */
    boolean answered() {
        return control().unanswered.isEmpty();
    }

    /** Whether the planner has given up on this life, as it has to where engines did not all do what they were told to. */
    boolean quarantined() {
        return planned() && stage() instanceof Stage.Quarantined;
    }

    /** Whether a rank is gone and there will be no other life: nothing more can be asked of this one. */
    boolean over() {
        return anyGone() && !may(Power.RESTART);
    }

    /** Whether every rank serves what was settled last, and has heard of it. */
    boolean allHaveHeard() {
        int version = log().settled(life()).version();
        for (int rank = 0; rank < RANKS; rank++) {
            RankWords words = words(rank);
            boolean here = words.intAt(Word.SETTLED_VERSION) == version && words.batchesFlipped() == 0;
            if (!here || words.phase().inFlight()) {
                return false;
            }
        }
        return quiet();
    }

    /** Whether the rank in turn could fail to see the gather before. */
    boolean mayLose() {
        return get(Of.ANY_GATHER) != 0 && words(turn()).castLevel() > 0;
    }

    /** Whether the gather before lacks a vote, so that nobody can ever see all of them. */
    boolean incomplete() {
        return get(Of.ANY_GATHER) != 0
                && (get(0, OfRank.GATHERED) == 0 || get(1, OfRank.GATHERED) == 0 || get(2, OfRank.GATHERED) == 0);
    }

    /** Whether the vote of the rank in turn reached nobody. */
    boolean unsent() {
        return mine(OfRank.GATHERED) == 0 && words(turn()).voted();
    }

    int undelivered() {
        return mine(OfRank.DEAF) != 0 ? 0 : log().size() - mine(OfRank.READ);
    }

    /** Whether the transfers of the rank in turn may end well: everyone has started them. */
    boolean mayFinish() {
        int exchange = mine(OfRank.MOVING);
        return exchange > 0
                && get(0, OfRank.STARTED) >= exchange
                && get(1, OfRank.STARTED) >= exchange
                && get(2, OfRank.STARTED) >= exchange;
    }

    /** Whether the end of the transfers is bad of itself: some rank of them has given up. */
    boolean givenUp() {
        return mine(OfRank.MOVING) > 0 && get(Of.GAVE_UP) >= mine(OfRank.MOVING);
    }

    void giveUp(int exchange) {
        set(Of.GAVE_UP, Math.max(get(Of.GAVE_UP), exchange));
    }

    /** Whether the rank in turn asks how its decision ended. */
    boolean asks() {
        return mine(OfRank.DEAF) == 0 && words(turn()).intAt(Word.REFUSAL) == PlimsollApi.PLM_REFUSAL_BEHIND;
    }

    /** Adds to what is told of this step; costs nothing while nobody wants to be told. */
    void tell(String format, Object... values) {
        if (scope.telling) {
            for (int i = 0; i < values.length; i++) {
                values[i] = values[i] instanceof PlanCommand command ? shortly(command) : values[i];
            }
            note += (note.isEmpty() ? "" : "; ") + String.format(Locale.ROOT, format, values);
        }
    }

    private static String briefly(RankWords words) {
        return words.phase() + " on v" + words.intAt(Word.SETTLED_VERSION)
                + (words.epoch() == 0
                        ? ""
                        : ", decision " + words.epoch() + " with " + words.batchesFlipped() + " of "
                                + words.intAt(Word.BATCHES) + " batches flipped")
                + (words.intAt(Word.REFUSED_EPOCH) == 0
                        ? ""
                        : ", refuses " + words.intAt(Word.REFUSED_EPOCH) + " (" + words.intAt(Word.REFUSAL) + ")")
                + (words.voted() ? ", has voted " + words.castLevel() : "")
                + (words.intAt(Word.OBSERVES) != 0 ? ", has lost its group" : "")
                + (words.intAt(Word.DEAF) != 0 ? ", is deaf" : "");
    }

    static String shortly(PlanCommand command) {
        return command instanceof PlanCommand.Propose propose
                ? "PROPOSE " + propose.epoch() + " on v" + propose.basedOn()
                : command.summary().replaceAll(": $", "");
    }

    String takeNote() {
        String taken = note;
        note = "";
        return taken;
    }

    @Override
    public String toString() {
        StringJoiner text = new StringJoiner("\n    ");
        text.add("planner " + (planned() ? stage().getClass().getSimpleName() : "dead") + ", "
                + (log().size() == 0
                        ? "empty log"
                        : "after " + shortly(log().commands.get(log().size() - 1))));
        for (int rank = 0; rank < RANKS; rank++) {
            RankPhase phase = words(rank).phase();
            text.add("rank " + rank + (isGone(rank) && phase != RankPhase.FATAL ? " (gone): " : ": ")
                    + briefly(words(rank))
                    + ", has read " + get(rank, OfRank.READ) + " of " + log().size() + " commands, its node has said "
                    + scope.ranks.said(get(rank, OfRank.SAID)).stream()
                            .map(ack -> ack.kind() + " " + ack.epoch() + (ack.batch() > 0 ? "/" + ack.batch() : ""))
                            .toList());
        }
        return text.toString();
    }
}
