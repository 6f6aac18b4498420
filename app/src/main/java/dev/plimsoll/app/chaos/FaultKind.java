package dev.plimsoll.app.chaos;

/** The faults, by the name that the report counts them under. */
enum FaultKind {
    /** {@code kill -9} of an aggregator, which is started again a few seconds later. */
    AGGREGATOR_KILLED("aggregatorKilled", Family.AGGREGATORS),
    /** SIGSTOP of an aggregator for longer than its group waits, then SIGCONT: it goes on as a zombie. */
    AGGREGATOR_FROZEN("aggregatorFrozen", Family.AGGREGATORS),
    /**
     * Both aggregators are killed, and a record that they would go on from is overwritten with what is no state: the partition is left
     * alone until the record is put back.
     */
    STATE_DAMAGED("stateDamaged", Family.AGGREGATORS),
    COLLECTOR_KILLED("collectorKilled", Family.COLLECTORS),
    COLLECTOR_FROZEN("collectorFrozen", Family.COLLECTORS),
    BROKER_KILLED("brokerKilled", Family.BROKERS),
    /** All brokers are stopped in order and started again, one after the other. */
    BROKERS_ROLLED("brokersRolled", Family.BROKERS),
    /** A partition leaves the broker that leads it, with its data, and comes back as a copy. */
    PARTITION_MOVED("partitionMoved", Family.BROKERS),
    PLANNER_KILLED("plannerKilled", Family.PLANNER);

    private final String label;
    private final Family family;

    FaultKind(String label, Family family) {
        this.label = label;
        this.family = family;
    }

    String label() {
        return label;
    }

    Family family() {
        return family;
    }
}
