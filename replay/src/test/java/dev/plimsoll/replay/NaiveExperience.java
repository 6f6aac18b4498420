package dev.plimsoll.replay;

import dev.plimsoll.model.Gain;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** What decisions have taught, on a slip of paper: each is looked at until the next one is made. */
final class NaiveExperience {
    private record Ended(double delivered, List<Double> gains) {}

    private final List<Ended> ended = new ArrayList<>();
    private List<Double> gains = new ArrayList<>();
    private double promised;

    /** A decision is made: the one before it is over. */
    void decided(Verdict.Numbers numbers) {
        if (!gains.isEmpty() && promised > 0) {
            double mean = gains.stream().mapToDouble(gain -> gain).average().orElseThrow();
            ended.add(new Ended(Math.min(1, Math.max(0, mean / promised)), gains));
            if (ended.size() > 16) {
                ended.remove(0);
            }
        }
        gains = new ArrayList<>();
        promised = Gain.of(1 / numbers.currentBalancedness(), 1 / numbers.predictedBalancedness());
    }

    /** A whole window under what was settled. */
    void window(ExpertLoad window, Placement before, Placement with, Topology topology, int most) {
        if (gains.size() < most) {
            double[][] load = window.toDoubles();
            gains.add(Gain.of(EvenSplit.hottest(before, load, topology), EvenSplit.hottest(with, load, topology)));
        }
    }

    Experience experience() {
        if (ended.isEmpty()) {
            return Experience.NONE;
        }
        double delivered = median(ended.stream().map(Ended::delivered).toList());
        List<Double> spreads = ended.stream()
                .filter(one -> one.gains.size() > 1)
                .map(one -> spread(one.gains))
                .toList();
        int lasted = ended.stream().mapToInt(one -> lasted(one.gains)).sum();
        long halved = ended.stream()
                .filter(one -> lasted(one.gains) < one.gains.size())
                .count();
        return new Experience(
                (ended.size() * delivered + 2) / (ended.size() + 2),
                spreads.isEmpty() ? 0 : median(spreads),
                halved == 0
                        ? OptionalInt.empty()
                        : OptionalInt.of((int) Math.max(1, Math.round((double) lasted / halved))),
                ended.size());
    }

    private static int lasted(List<Double> gains) {
        for (int i = 1; i < gains.size(); i++) {
            boolean gone = gains.get(0) <= 0 || gains.get(i - 1) < gains.get(0) / 2 && gains.get(i) < gains.get(0) / 2;
            if (gone) {
                return i - 1;
            }
        }
        return gains.size();
    }

    private static double spread(List<Double> gains) {
        double mean = 0;
        for (double gain : gains) {
            mean += gain;
        }
        mean /= gains.size();
        double squares = 0;
        for (double gain : gains) {
            squares += (gain - mean) * (gain - mean);
        }
        return Math.sqrt(squares / (gains.size() - 1)) / Math.sqrt(gains.size());
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return (sorted.get((sorted.size() - 1) / 2) + sorted.get(sorted.size() / 2)) / 2;
    }
}
