package dev.plimsoll.replay.export;

/** What can be exported. */
public enum Table {
    WINDOWS(WindowTables.BY_EXPERT),
    WINDOW_SLOTS(WindowTables.BY_SLOT),
    SUMMARIES(SummaryTable.SCHEMA),
    DECISIONS(DecisionTable.SCHEMA),
    ACKS(RecordTables.ACKS),
    PLACEMENTS(RecordTables.PLACEMENTS),
    OUTCOMES(RecordTables.OUTCOMES);

    private final TableSchema schema;

    Table(TableSchema schema) {
        this.schema = schema;
    }

    public TableSchema schema() {
        return schema;
    }
}
