package dev.plimsoll.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How many tokens steps have: a number from step 0 on, and others from later steps on, as batches grow by day and shrink by night.
 *
 * @param changes in order of steps, the first from step 0
 */
public record TokensPerStep(List<Change> changes) {
    private static final Pattern CHANGE = Pattern.compile("(\\d{1,6})(?:@(\\d{1,12}))?");

    /** From that step on, steps have so many tokens. */
    public record Change(long fromStep, int tokens) {
        public Change {
            if (fromStep < 0 || tokens < 1) {
                throw new IllegalArgumentException(
                        tokens + " tokens from step " + fromStep + ": need at least 1 token, from step 0 or later");
            }
        }
    }

    public TokensPerStep {
        changes = List.copyOf(changes);
        if (changes.isEmpty() || changes.get(0).fromStep != 0) {
            throw new IllegalArgumentException("tokens per step must be known from step 0 on: " + changes);
        }
        for (int i = 1; i < changes.size(); i++) {
            if (changes.get(i).fromStep <= changes.get(i - 1).fromStep) {
                throw new IllegalArgumentException("changes of tokens per step must be in order of steps: step "
                        + changes.get(i).fromStep + " stands after " + changes.get(i - 1).fromStep);
            }
        }
    }

    /** Always as many. */
    public static TokensPerStep of(int tokens) {
        return new TokensPerStep(List.of(new Change(0, tokens)));
    }

    /**
     * Reads {@code 64}, or {@code 2048,32@6000}: 2,048 tokens a step, and 32 from step 6,000 on.
     *
     * @throws IllegalArgumentException when the text is no such thing
     */
    public static TokensPerStep read(String text) {
        List<Change> changes = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            Matcher matcher = CHANGE.matcher(part.strip());
            if (!matcher.matches() || (matcher.group(2) == null) != changes.isEmpty()) {
                throw new IllegalArgumentException(
                        "'" + text + "' is not a number of tokens: write 64, or 2048,32@6000 for 32 from step 6000 on");
            }
            changes.add(new Change(
                    matcher.group(2) == null ? 0 : Long.parseLong(matcher.group(2)),
                    Integer.parseInt(matcher.group(1))));
        }
        return new TokensPerStep(changes);
    }

    /** Tokens of a step. */
    public int at(long step) {
        int i = changes.size() - 1;
        while (changes.get(i).fromStep > step) {
            i--;
        }
        return changes.get(i).tokens;
    }

    /** Tokens of the largest steps. */
    public int most() {
        return changes.stream().mapToInt(Change::tokens).max().orElseThrow();
    }

    /** For people: {@code 2048 tokens per step, 32 from step 6000 on}. */
    public String summary() {
        StringJoiner text = new StringJoiner(", ");
        for (Change change : changes) {
            text.add(
                    change.fromStep == 0
                            ? change.tokens + " tokens per step"
                            : change.tokens + " from step " + change.fromStep + " on");
        }
        return text.toString();
    }
}
