package dev.plimsoll.replay.score;

import dev.plimsoll.replay.score.PeerScores.Score;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A policy of ours beside public planners, run by run.
 *
 * <p>A planner that was stopped early is compared over the windows that it scored: ours over the same first windows. Numbers are
 * compared as they are printed, with four decimal places, which is what the planners' file has.
 *
 * @param lines at least one
 */
public record PeerComparison(List<Line> lines) {
    public PeerComparison {
        lines = List.copyOf(lines);
    }

    /**
     * One run.
     *
     * @param ours over all windows
     */
    public record Line(PeerScores.Run run, PlannerScores ours) {
        /** Ours against each planner, in the order of the file. */
        public List<Duel> duels() {
            return run.scores().stream()
                    .map(peer -> new Duel(
                            peer,
                            Decimals.rounded(ours.next(peer.windowsScored())),
                            Decimals.rounded(ours.movedShare(peer.windowsScored()))))
                    .toList();
        }

        /** The planner that we are least ahead of; the one that moves less where two are equal. */
        public Duel best() {
            return hardest(duels()).orElseThrow();
        }

        /** As {@link #best}, among the planners that move no more than ours. */
        public Optional<Duel> bestAtOurMoves() {
            return hardest(duels().stream()
                    .filter(duel -> duel.peer().movedShare() <= duel.movedShare())
                    .toList());
        }

        /** Whether ours has more next balancedness than every public planner. */
        public boolean ahead() {
            return best().difference() > 0;
        }

        private static Optional<Duel> hardest(List<Duel> duels) {
            return duels.stream()
                    .min(Comparator.comparingDouble(Duel::difference)
                            .thenComparingDouble(duel -> duel.peer().movedShare()));
        }
    }

    /**
     * Ours and one planner over the windows that the planner scored.
     *
     * @param next ours
     * @param movedShare ours
     */
    public record Duel(Score peer, double next, double movedShare) {
        /** Our next balancedness less theirs. */
        public double difference() {
            return Decimals.rounded(next - peer.next());
        }
    }

    /**
     * A planner and ours over the runs that the planner has, all with equal weight.
     *
     * @param next theirs
     * @param ours over the same windows
     * @param ourMovedShare over the same windows
     * @param stopped runs in which the planner was stopped early
     */
    public record Average(
            String policy,
            int runs,
            double next,
            double movedShare,
            double ours,
            double ourMovedShare,
            int aheadOf,
            int stopped) {}

    /** Runs in which ours is ahead of every public planner. */
    public int ahead() {
        return (int) lines.stream().filter(Line::ahead).count();
    }

    /** The run with the least difference from its best planner. */
    public Line worst() {
        return lines.stream()
                .min(Comparator.comparingDouble(line -> line.best().difference()))
                .orElseThrow();
    }

    /** Mean over runs. */
    public double meanNext() {
        return lines.stream().mapToDouble(line -> line.ours().next()).average().orElse(Double.NaN);
    }

    /** Mean over runs. */
    public double meanMovedShare() {
        return lines.stream()
                .mapToDouble(line -> line.ours().movedShare())
                .average()
                .orElse(Double.NaN);
    }

    /** Runs in which ours moves more than that share of the slots. */
    public List<Line> movingMoreThan(double share) {
        return lines.stream().filter(line -> line.ours().movedShare() > share).toList();
    }

    /** Every planner's, the most balanced first. */
    public List<Average> averages() {
        Map<String, List<Duel>> byPolicy = new LinkedHashMap<>();
        Map<String, Integer> stopped = new LinkedHashMap<>();
        for (Line line : lines) {
            for (Duel duel : line.duels()) {
                String policy = duel.peer().policy();
                byPolicy.computeIfAbsent(policy, none -> new ArrayList<>()).add(duel);
                stopped.merge(policy, duel.peer().windowsScored() < line.ours().windowsScored() ? 1 : 0, Integer::sum);
            }
        }
        return byPolicy.entrySet().stream()
                .map(entry -> average(entry.getKey(), entry.getValue(), stopped.getOrDefault(entry.getKey(), 0)))
                .sorted(Comparator.comparingDouble(Average::next).reversed())
                .toList();
    }

    private static Average average(String policy, List<Duel> duels, int stopped) {
        return new Average(
                policy,
                duels.size(),
                duels.stream().mapToDouble(duel -> duel.peer().next()).average().orElse(Double.NaN),
                duels.stream()
                        .mapToDouble(duel -> duel.peer().movedShare())
                        .average()
                        .orElse(Double.NaN),
                duels.stream().mapToDouble(Duel::next).average().orElse(Double.NaN),
                duels.stream().mapToDouble(Duel::movedShare).average().orElse(Double.NaN),
                (int) duels.stream().filter(duel -> duel.difference() > 0).count(),
                stopped);
    }
}
