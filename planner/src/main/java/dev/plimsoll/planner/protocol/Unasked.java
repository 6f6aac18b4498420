package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.RankAck;
import java.util.regex.Pattern;

/**
 * A flip that nobody has permitted, in the words that stand in the ABORT that is written because of it. A successor reads there that its
 * predecessor has put the deployment into quarantine, also when acks are not kept any more. Other reasons that begin with a rank's name
 * are {@link RankAck#summary}; a person's begin with a word of ours.
 */
final class Unasked {
    private static final String WORDS = " flipped what was not permitted: ";
    private static final Pattern REASON = Pattern.compile("^rank \\d+" + WORDS);

    private Unasked() {}

    static String reason(RankAck flipped) {
        return flipped.rank() + WORDS + flipped.summary();
    }

    /** Whether that is why a decision was aborted. */
    static boolean is(String reason) {
        return REASON.matcher(reason).find();
    }
}
