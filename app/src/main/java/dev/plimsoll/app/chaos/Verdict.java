package dev.plimsoll.app.chaos;

import java.util.ArrayList;
import java.util.List;

/**
 * What was found of published windows.
 *
 * @param checked windows that were compared with what was computed
 * @param duplicate records of a window that was there already
 * @param missing windows that should be there and are not
 * @param mismatch windows, or samples, that say something else than what was computed
 * @param findings one line for each of the first faults
 */
record Verdict(long checked, long duplicate, long missing, long mismatch, List<String> findings) {
    private static final int MOST_FINDINGS = 50;

    static final Verdict NONE = new Verdict(0, 0, 0, 0, List.of());

    Verdict {
        findings = List.copyOf(findings);
    }

    boolean clean() {
        return duplicate == 0 && missing == 0 && mismatch == 0;
    }

    Verdict and(Verdict other) {
        List<String> all = new ArrayList<>(findings);
        all.addAll(other.findings);
        return new Verdict(
                checked + other.checked,
                duplicate + other.duplicate,
                missing + other.missing,
                mismatch + other.mismatch,
                all.subList(0, Math.min(all.size(), MOST_FINDINGS)));
    }
}
