package dev.plimsoll.wire.kafka;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/**
 * What stands beside a committed offset: the task's note, and how many offsets from it on hold no record, as far as was seen then.
 * Markers of transactions and records that were aborted take offsets too; without this, a log that is cut behind them would look
 * like one that lost records.
 */
record CommitNote(long empty, String text) {
    private static final Pattern EMPTY = Pattern.compile("\\+(\\d{1,18}) (.*)", Pattern.DOTALL);

    static CommitNote of(@Nullable OffsetAndMetadata committed) {
        String metadata = committed == null ? "" : committed.metadata();
        Matcher matcher = EMPTY.matcher(metadata);
        return matcher.matches()
                ? new CommitNote(Long.parseLong(matcher.group(1)), matcher.group(2))
                : new CommitNote(0, metadata);
    }

    /** The first offset of a log, not counting the cut of what is known to hold no record. */
    long first(long committed, long start) {
        return committed < start && start <= committed + empty ? committed : start;
    }

    OffsetAndMetadata at(long offset) {
        return new OffsetAndMetadata(offset, empty == 0 && !text.startsWith("+") ? text : "+" + empty + " " + text);
    }
}
