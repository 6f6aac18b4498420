package dev.plimsoll.app.chaos;

import java.util.Arrays;
import java.util.List;

/** Faults of decisions, by the name that people read. */
public enum DecisionFault {
    /** {@code kill -9} of one process of ranks; the others end, and all begin their next incarnation. */
    RANKS_KILLED("ranks killed", Family.RANKS),
    /** The same, and the planner that decides with them. */
    RANKS_AND_PLANNER_KILLED("ranks and planner killed", Family.RANKS),
    /** SIGSTOP of one process of ranks for less than a gather is waited for: gathers are late. */
    GATHERS_DELAYED("gathers delayed", Family.RANKS),
    /** The connections for gathers of one process of ranks are cut: what was on its way is lost, and so is the group. */
    GATHERS_DROPPED("gathers dropped", Family.RANKS),
    /** Connections for weights are cut; gathers go on. */
    WEIGHTS_CUT("weight links cut", Family.RANKS),
    WORKER_KILLED("worker killed", Family.WORKERS),
    /** A worker begins again with a wrong clock. */
    WORKER_SKEWED("worker's clock skewed", Family.WORKERS),
    AGGREGATOR_KILLED("aggregator killed", Family.AGGREGATORS),
    PLANNER_KILLED("planner killed", Family.PLANNER),
    /** SIGSTOP of the planner for longer than its group waits, then SIGCONT: a zombie, to be fenced. */
    PLANNER_FROZEN("planner frozen", Family.PLANNER),
    /** A planner begins again with a wrong clock. */
    PLANNER_SKEWED("planner's clock skewed", Family.PLANNER),
    BROKER_KILLED("broker killed", Family.BROKERS),
    /** An operator stops the decision in flight. */
    ABORTED("aborted by command", Family.OPERATORS),
    /** An operator wants an older placement back. */
    ROLLED_BACK("rolled back by command", Family.OPERATORS);

    private final String words;
    private final Family family;

    DecisionFault(String words, Family family) {
        this.words = words;
        this.family = family;
    }

    Family family() {
        return family;
    }

    /** Those that bring this on, of what {@link DecisionGoal} counts. */
    static List<DecisionFault> bringing(String count) {
        return Arrays.stream(values()).filter(fault -> fault.brings(count)).toList();
    }

    private boolean brings(String count) {
        return switch (this) {
            case RANKS_AND_PLANNER_KILLED, PLANNER_KILLED, PLANNER_SKEWED ->
                count.equals(DecisionGoal.CRASHES) || count.equals(DecisionGoal.FAILOVERS);
            case RANKS_KILLED, WORKER_KILLED, WORKER_SKEWED, AGGREGATOR_KILLED, BROKER_KILLED ->
                count.equals(DecisionGoal.CRASHES);
            case PLANNER_FROZEN -> count.equals(DecisionGoal.FAILOVERS);
            case ABORTED -> count.equals(DecisionGoal.ABORTED);
            case ROLLED_BACK -> count.equals(DecisionGoal.ROLLBACKS);
            case GATHERS_DELAYED, GATHERS_DROPPED, WEIGHTS_CUT -> false;
        };
    }

    /** Whether it needs a library in the processes that not every machine can have. */
    boolean fromWithin() {
        return switch (this) {
            case GATHERS_DROPPED, WEIGHTS_CUT, WORKER_SKEWED, PLANNER_SKEWED -> true;
            default -> false;
        };
    }

    @Override
    public String toString() {
        return words;
    }
}
