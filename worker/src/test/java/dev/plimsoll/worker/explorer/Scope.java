package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Placement;
import dev.plimsoll.planner.DecisionDriver;
import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.WrongPlanners;
import dev.plimsoll.worker.Fixture;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/** What is explored, and what does not change from world to world. */
final class Scope {
    /** How a planner that takes over meets the log. */
    enum TakeOver {
        /** As it has to be. */
        FENCES_THEN_READS,
        READS_THEN_FENCES,
        /** What operators have said, that is; the plan log as it has to be. */
        READS_CONTROL_THEN_FENCES,
        FENCES_NOBODY
    }

    final Powers powers;
    final TakeOver takeOver;
    /** Engines move weights by themselves. */
    final boolean engineMoves;

    final Lives lives;
    final Log.Root logs;
    final ControlLog.Root controls = new ControlLog.Root();
    final RankTable ranks;
    final PlannerTable planners;
    final Hearing hearing;
    final Wishes wishes;
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

    /** What a scope is made of; changed while one is made. */
    private static final class Choice {
        private final Powers powers;
        private final List<List<Batch>> decisions;
        private boolean engineMoves;
        private Placement start = Fixture.INITIAL;
        private Rules rules = new Rules();
        private DecisionProtocol protocol = WrongPlanners.right();
        private Steering steering = new Steering();
        private TakeOver takeOver = TakeOver.FENCES_THEN_READS;
        private boolean needsApproval;
        private Wishes wishes = Wishes.NONE;

        Choice(Powers powers, List<List<Batch>> decisions) {
            this.powers = powers;
            this.decisions = decisions;
        }

        Choice copy() {
            Choice copy = new Choice(powers, decisions);
            copy.engineMoves = engineMoves;
            copy.start = start;
            copy.rules = rules;
            copy.protocol = protocol;
            copy.steering = steering;
            copy.takeOver = takeOver;
            copy.needsApproval = needsApproval;
            copy.wishes = wishes;
            return copy;
        }
    }

    private final Choice choice;

    private Scope(Choice choice) {
        this.choice = choice;
        powers = choice.powers;
        wishes = choice.wishes;
        takeOver = choice.takeOver;
        engineMoves = choice.engineMoves;
        Arrays.setAll(most, power -> powers.of(Power.values()[power]));
        lives = Lives.of(engineMoves, choice.start, choice.decisions);
        logs = new Log.Root(lives, powers.splitLog());
        ranks = new RankTable(choice.rules, lives, engineMoves);
        planners = new PlannerTable(
                new DecisionDriver(choice.protocol, 0, choice.needsApproval), choice.steering, lives, logs, controls);
        hearing = new Hearing(planners, ranks);
    }

    /**
     * All as it runs.
     *
     * @param decisions that a policy wishes for, one after the other, in the first life
     */
    static Scope of(Powers powers, List<List<Batch>> decisions) {
        return new Scope(new Choice(powers, decisions));
    }

    private Scope but(Consumer<Choice> change) {
        Choice other = choice.copy();
        change.accept(other);
        return new Scope(other);
    }

    /** The same, of engines that move weights by themselves. */
    Scope whereEnginesMove() {
        return but(choice -> choice.engineMoves = true);
    }

    /** The same of engines that begin with another placement. */
    Scope startingWith(Placement start) {
        return but(choice -> choice.start = start);
    }

    /** The same of other ranks. */
    Scope with(Rules others) {
        return but(choice -> choice.rules = others);
    }

    /** The same of another protocol. */
    Scope with(DecisionProtocol other) {
        return but(choice -> choice.protocol = other);
    }

    /** The same of a planner that is steered in another way. */
    Scope with(Steering other) {
        return but(choice -> choice.steering = other);
    }

    /** The same of a planner that takes over in another way. */
    Scope with(TakeOver other) {
        return but(choice -> choice.takeOver = other);
    }

    /** The same where people have to approve of what is decided. */
    Scope whereApprovalIsNeeded() {
        return but(choice -> choice.needsApproval = true);
    }

    /** The same where operators speak. */
    Scope with(Wishes others) {
        return but(choice -> choice.wishes = others);
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
