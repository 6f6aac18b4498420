package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Batch;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.WrongPlanners;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What is explored, and what does not change from world to world. */
final class Scope {
    /** How a planner that takes over meets the log. */
    enum TakeOver {
        /** As it has to be. */
        FENCES_THEN_READS,
        READS_THEN_FENCES,
        FENCES_NOBODY
    }

    final Powers powers;
    final TakeOver takeOver;
    /** Engines move weights by themselves. */
    final boolean engineMoves;

    final Lives lives;
    final Log.Root logs;
    final RankTable ranks;
    final PlannerTable planners;
    final Weights weights = new Weights();
    final Table<Window> windows = new Table<>();
    final Table<IntBuffer> arrays = new Table<>();
    /** Phases that ranks were in, and ends that decisions had. */
    final Set<String> reached = new TreeSet<>();

    private final Set<Integer> covered = new HashSet<>();
    private final int[] most = new int[Power.values().length];
    private final LongIndex truths = new LongIndex();
    private final LongIndex listeners = new LongIndex();
    /** Whether worlds note what happens to them. */
    boolean telling;

    /** People have to approve of what is decided. */
    private final boolean needsApproval;

    private final List<List<Batch>> decisions;
    private final Rules rules;
    private final DecisionProtocol planner;

    private Scope(
            Powers powers,
            boolean engineMoves,
            List<List<Batch>> decisions,
            Rules rules,
            DecisionProtocol planner,
            TakeOver takeOver,
            boolean needsApproval) {
        this.needsApproval = needsApproval;
        this.powers = powers;
        this.decisions = decisions;
        this.rules = rules;
        this.planner = planner;
        Arrays.setAll(most, power -> powers.of(Power.values()[power]));
        this.takeOver = takeOver;
        this.engineMoves = engineMoves;
        lives = Lives.of(engineMoves, decisions);
        logs = new Log.Root(lives, powers.splitLog());
        ranks = new RankTable(rules, lives, engineMoves);
        planners = new PlannerTable(planner, lives, logs, ranks, needsApproval);
    }

    /**
     * All as it runs.
     *
     * @param decisions that are proposed one after the other in the first life
     */
    static Scope of(Powers powers, List<List<Batch>> decisions) {
        return new Scope(
                powers, false, decisions, new Rules(), WrongPlanners.right(), TakeOver.FENCES_THEN_READS, false);
    }

    /** The same, of engines that move weights by themselves. */
    Scope whereEnginesMove() {
        return new Scope(powers, true, decisions, rules, planner, takeOver, needsApproval);
    }

    /** The same of other ranks. */
    Scope with(Rules others) {
        return new Scope(powers, engineMoves, decisions, others, planner, takeOver, needsApproval);
    }

    /** The same of another planner. */
    Scope with(DecisionProtocol other) {
        return new Scope(powers, engineMoves, decisions, rules, other, takeOver, needsApproval);
    }

    /** The same of a planner that takes over in another way. */
    Scope with(TakeOver other) {
        return new Scope(powers, engineMoves, decisions, rules, planner, other, needsApproval);
    }

    /** The same where people have to approve of what is decided. */
    Scope whereApprovalIsNeeded() {
        return new Scope(powers, engineMoves, decisions, rules, planner, takeOver, true);
    }

    int most(Power power) {
        return most[power.ordinal()];
    }

    int array(int[] values) {
        return arrays.number(IntBuffer.wrap(values));
    }

    int[] array(int number) {
        return arrays.value(number).array();
    }

    /** Whether a map is met for the first time. */
    boolean isNewMap(int number) {
        return covered.add(number);
    }

    /** Whether this is kept beside this log for the first time. */
    boolean isNewTruth(int log, int kept) {
        return truths.put((long) log << 32 | kept) < 0;
    }

    /** Whether a rank in this state, that has read so much of this log, is met for the first time. */
    boolean isNewListener(int... listener) {
        return listeners.put(LongIndex.fingerprint(listener)) < 0;
    }

    /** Numbers of everything that worlds of this scope are made of, for people. */
    String parts() {
        return ranks.words.size() + " states of a rank, " + planners.size() + " of the planner, " + logs.size()
                + " logs";
    }
}
