package dev.plimsoll.app.command;

import java.util.ArrayList;
import java.util.List;

/** Everything that is wrong with what was asked for, collected so that it can be reported at once. */
public final class Problems {
    private final List<String> found = new ArrayList<>();

    public void add(String problem) {
        found.add(problem);
    }

    /** Notes what an exception says, behind the option that it speaks of (may be empty). */
    public void add(String option, Exception failure) {
        String message = failure.getMessage();
        found.add(option + (message == null ? failure.toString() : message));
    }

    /** Notes the problem unless the condition holds. */
    public void require(boolean condition, String problem) {
        if (!condition) {
            found.add(problem);
        }
    }

    public boolean any() {
        return !found.isEmpty();
    }

    public List<String> found() {
        return List.copyOf(found);
    }
}
