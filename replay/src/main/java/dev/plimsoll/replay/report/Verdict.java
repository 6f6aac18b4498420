package dev.plimsoll.replay.report;

import dev.plimsoll.model.Gain;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.ReplayResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What was found, for those who read one sentence.
 *
 * @param headline that sentence
 * @param details further ones: what it rests on, and what nearly as good costs less
 */
record Verdict(String headline, List<String> details) {
    /** Less than this share of the busiest ranks' load is no difference worth a headline. */
    private static final double NOTICEABLE = 0.005;

    Verdict {
        details = List.copyOf(details);
    }

    static Verdict of(ReplayResult result, Standings standings) {
        Optional<Standing> baseline = standings.baseline();
        Optional<Standing> best = standings.best();
        List<String> details = new ArrayList<>();
        String headline;
        if (standings.all().stream().allMatch(standing -> standing.served() == 0)) {
            headline = "Nothing could be replayed: no window of this source is complete and known.";
        } else if (baseline.isEmpty() || best.isEmpty()) {
            headline = "There is nothing to compare: only "
                    + standings.all().stream()
                            .filter(standing -> standing.served() > 0)
                            .map(Standing::label)
                            .findFirst()
                            .orElseThrow()
                    + " was replayed on this many ranks.";
        } else {
            headline = headline(baseline.get(), best.get());
            standings
                    .further()
                    .ifPresent(further -> details.add("With "
                            + Text.count(further.run().redundant(), "redundant slot") + " instead of "
                            + best.get().run().redundant() + ", "
                            + further.run().name() + " would have come to "
                            + Text.change(further.relative() - 1) + ", for "
                            + Text.count(further.run().moves(), "move") + "; more slots take more memory."));
            details.add(
                    "Balancedness, mean over windows: " + Text.ratio(best.get().mean()) + " instead of "
                            + Text.ratio(baseline.get().mean()) + " (1 is perfectly even).");
            standings
                    .thrifty()
                    .filter(thrifty -> gain(best.get()) >= NOTICEABLE)
                    .ifPresent(thrifty -> details.add(thrifty.run().name() + " comes within 1 % of that with "
                            + Text.count(thrifty.run().moves(), "move") + "."));
        }
        details.add(quality(result));
        return new Verdict(headline, details);
    }

    private static double gain(Standing standing) {
        return Gain.of(1, standing.relative());
    }

    private static String headline(Standing baseline, Standing best) {
        String than = than(baseline);
        String name = best.run().name()
                + (best.run().redundant() == baseline.run().redundant()
                        ? ""
                        : " with " + Text.count(best.run().redundant(), "redundant slot"));
        if (gain(best) < NOTICEABLE) {
            return "No policy would have kept the busiest ranks noticeably less loaded than " + than + "; " + name
                    + " comes closest with " + Text.change(best.relative() - 1) + " load.";
        }
        long bytes = best.run().bytes();
        return name + " would have kept the busiest ranks " + Text.percent(gain(best))
                + " less loaded than "
                + than + ", for " + Text.count(best.run().moves(), "move")
                + (bytes > 0 ? " (" + Text.bytes(bytes) + ")" : "") + " in "
                + Text.count(best.run().decisions().size(), "decision") + ".";
    }

    /** What the baseline is called in a sentence. */
    static String than(Standing baseline) {
        if (baseline.live()) {
            return "what really ran";
        }
        return Standings.isStatic(baseline.run()) ? "the placement that never changes" : baseline.label();
    }

    private static String quality(ReplayResult result) {
        long usable = result.windows().stream().filter(PastWindow::usable).count();
        int all = result.windows().size();
        return "It rests on " + Text.count(usable) + " of " + Text.count(all, "window") + "; "
                + (usable == all ? "all are complete" : Text.count(all - usable) + " could not be used") + ", "
                + (result.gaps().isEmpty()
                        ? "and none is missing."
                        : Text.count(result.gaps().size(), "gap") + ".");
    }
}
