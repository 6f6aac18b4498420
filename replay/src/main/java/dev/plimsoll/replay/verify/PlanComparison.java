package dev.plimsoll.replay.verify;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.Switch;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.PlanLog;
import dev.plimsoll.replay.verify.Finding.Input;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A plan that was made again beside the one that was proposed. Pure. */
class PlanComparison {
    /** What is different first. */
    record Difference(Input input, String detail) {}

    /** Empty when batches, sources, hash and promise are the same. */
    Optional<Difference> compare(Propose live, Verdict again, Placement base) {
        if (!(again instanceof Verdict.Change change)) {
            Verdict.Keep keep = (Verdict.Keep) again;
            return Optional.of(new Difference(
                    Input.PLAN,
                    "decided again, v" + base.version() + " is kept: " + keep.reason() + " " + keep.detail()));
        }
        return batches(live.batches(), change.candidate().batches())
                .or(() -> hash(live, base, change.candidate().target()))
                .or(() -> promise(live, change.numbers()));
    }

    Optional<Difference> batches(List<Batch> live, List<Batch> again) {
        for (int batch = 0; batch < Math.min(live.size(), again.size()); batch++) {
            List<Move> had = live.get(batch).moves();
            List<Move> has = again.get(batch).moves();
            for (int move = 0; move < Math.min(had.size(), has.size()); move++) {
                if (!same(had.get(move), has.get(move))) {
                    return plan(
                            batch,
                            "move " + (move + 1) + " is " + text(had.get(move)) + " in the log, " + text(has.get(move))
                                    + " decided again");
                }
            }
            if (had.size() != has.size()) {
                List<Move> longer = had.size() > has.size() ? had : has;
                return plan(
                        batch,
                        had.size() + " moves in the log, " + has.size()
                                + " decided again; the first that one has alone is "
                                + text(longer.get(Math.min(had.size(), has.size()))));
            }
            Optional<Difference> switched =
                    switches(batch, live.get(batch).switches(), again.get(batch).switches());
            if (switched.isPresent()) {
                return switched;
            }
        }
        return live.size() == again.size()
                ? Optional.empty()
                : Optional.of(new Difference(
                        Input.PLAN, live.size() + " batches in the log, " + again.size() + " decided again"));
    }

    private static Optional<Difference> switches(int batch, List<Switch> had, List<Switch> has) {
        for (int i = 0; i < Math.max(had.size(), has.size()); i++) {
            String before = i < had.size() ? text(had.get(i)) : "none";
            String after = i < has.size() ? text(has.get(i)) : "none";
            if (!before.equals(after)) {
                return plan(batch, "switch " + (i + 1) + " is " + before + " in the log, " + after + " decided again");
            }
        }
        return Optional.empty();
    }

    private static String text(Switch change) {
        return "layer " + change.layer().index() + " slot " + change.slot().index()
                + (change.inUse() ? " comes into use" : " falls idle");
    }

    boolean same(Move live, Move again) {
        return live.equals(again);
    }

    Optional<Difference> hash(Propose live, Placement base, Placement target) {
        Placement result = PlanLog.after(live, live.batches().size(), base, live.epoch());
        Placement wanted = target.withVersion(live.epoch());
        long moved = PlanHash.of(result, live.batches());
        long aimed = PlanHash.of(wanted, live.batches());
        return PlanHash.isOfPast(live.planHash(), result, live.batches()) && result.equals(wanted)
                ? Optional.empty()
                : Optional.of(new Difference(
                        Input.PLAN_HASH,
                        hex(live.planHash()) + " in the log, " + hex(moved) + " by its moves, " + hex(aimed)
                                + " decided again"));
    }

    private static Optional<Difference> promise(Propose live, Verdict.Numbers numbers) {
        boolean same = Double.compare(live.currentBalancedness(), numbers.currentBalancedness()) == 0
                && Double.compare(live.predictedBalancedness(), numbers.predictedBalancedness()) == 0;
        if (same && !sameTime(live, numbers)) {
            return Optional.of(new Difference(
                    Input.PROMISE,
                    live.step().orElseThrow() + " in the log, " + numbers.time().map(Verdict.Times::promise)
                            + " decided again"));
        }
        return same
                ? Optional.empty()
                : Optional.of(new Difference(
                        Input.PROMISE,
                        live.currentBalancedness() + " to " + live.predictedBalancedness() + " in the log, "
                                + numbers.currentBalancedness() + " to " + numbers.predictedBalancedness()
                                + " decided again"));
    }

    /** A planner that did not promise time yet has nothing to be held against. */
    private static boolean sameTime(Propose live, Verdict.Numbers numbers) {
        return live.step().isEmpty() || live.step().equals(numbers.time().map(Verdict.Times::promise));
    }

    private static Optional<Difference> plan(int batch, String detail) {
        return Optional.of(new Difference(Input.PLAN, "batch " + (batch + 1) + ": " + detail));
    }

    private static String text(Move move) {
        return "layer " + move.layer().index() + " slot " + move.slot().index() + " gets expert "
                + move.expert().index() + " from slot " + move.source().index();
    }

    static String hex(long hash) {
        return String.format(Locale.ROOT, "%016x", hash);
    }
}
