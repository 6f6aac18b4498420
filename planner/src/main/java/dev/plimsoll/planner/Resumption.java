package dev.plimsoll.planner;

import dev.plimsoll.wire.kafka.InputLog;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where in the windows topic a successor goes on, given what its predecessor has committed and the log as it is.
 *
 * <p>A planner can do without windows: what is not there any more, or is no longer this log, costs it history, and never its partition.
 *
 * @param position the first record to read, from which the history is the predecessor's, as far as it is there
 * @param read the offset up to which all was read before; what the group commits goes on from there
 * @param lost what is not as the predecessor has left it, empty when nothing
 */
record Resumption(long position, long read, Optional<String> lost) {
    private static final Pattern LOOKS_BACK =
            Pattern.compile("looks back to (\\d{1,18})(?: in (\\S+?))?(?:, acks from (\\d{1,18}))?");

    /**
     * What {@link #of} wants to find beside the offset.
     *
     * @param acks offset from which ranks speak of what is in flight, empty when nothing is
     */
    static String note(long oldest, String topicId, OptionalLong acks) {
        return "looks back to " + oldest + " in " + topicId
                + (acks.isPresent() ? ", acks from " + acks.getAsLong() : "");
    }

    /** Offset from which ranks speak of what is in flight; empty when nothing was, or an earlier release has written the note. */
    static OptionalLong acks(InputLog log) {
        Matcher note = LOOKS_BACK.matcher(log.note());
        return note.matches() && note.group(3) != null
                ? OptionalLong.of(Long.parseLong(note.group(3)))
                : OptionalLong.empty();
    }

    static Resumption of(InputLog log) {
        long committed = log.committed().orElse(0);
        Matcher note = LOOKS_BACK.matcher(log.note());
        boolean noted = note.matches();
        // Earlier releases say nothing beside their offset, which is itself the oldest that is needed, or not which log
        // it is of.
        long oldest = noted ? Math.min(committed, Long.parseLong(note.group(1))) : committed;
        String topicId = Optional.ofNullable(noted ? note.group(2) : null).orElse(log.topicId());
        if (!topicId.equals(log.topicId())) {
            return new Resumption(
                    log.first(),
                    log.first(),
                    Optional.of("offset " + committed + " was committed of the topic with id " + topicId
                            + ", and this is another one, " + log.topicId() + ": reading it from its first offset "
                            + log.first()));
        }
        // At the end of a log that is too short, rather than all of it again: plans need windows from now on.
        long position = Math.min(Math.max(oldest, log.first()), log.end());
        if (committed > log.end()) {
            return new Resumption(
                    position,
                    log.end(),
                    Optional.of("offset " + committed + " was committed and the log ends at " + log.end()
                            + ": it has lost its newest records, or the topic was made again; going on from offset "
                            + position));
        }
        return new Resumption(position, Math.max(committed, position), Optional.empty());
    }
}
