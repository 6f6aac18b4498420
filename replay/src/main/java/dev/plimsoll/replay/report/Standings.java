package dev.plimsoll.replay.report;

import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.score.Pareto;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * All runs side by side, what really happened first.
 *
 * <p>A run is compared with what really ran on as many ranks; where that is not known, with the first policy {@code static} on as many;
 * else with the first run on as many. Loads of busiest ranks are never compared between different numbers of ranks.
 */
record Standings(List<Standing> all) {
    Standings {
        all = List.copyOf(all);
    }

    private static final Comparator<Standing> LEAST_LOADED = Comparator.comparingDouble(Standing::relative)
            .thenComparingLong(standing -> standing.run().moves());

    static Standings of(ReplayResult result) {
        List<PolicyRun> runs =
                Stream.concat(result.live().stream(), result.runs().stream()).toList();
        int live = result.live().size();
        List<Map<Long, ServedWindow>> served =
                runs.stream().map(Standings::byIndex).toList();
        boolean[] front = Pareto.front(runs.stream()
                .map(run -> new Pareto.Point(run.name(), run.moves(), run.meanBalancedness()))
                .toList());
        int[] best = best(runs);
        List<Standing> all = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            PolicyRun run = runs.get(i);
            int baseline = baseline(runs, i, live);
            double own = 0;
            double others = 0;
            int compared = 0;
            for (ServedWindow window : run.served()) {
                ServedWindow other = baseline < 0 ? null : served.get(baseline).get(window.index());
                if (other != null && Standing.loaded(window) && Standing.loaded(other)) {
                    own += window.hottestLoad();
                    others += other.hottestLoad();
                    compared++;
                }
            }
            Optional<ServedWindow> worst =
                    run.served().stream().filter(Standing::loaded).min(Comparator.comparingDouble(ServedWindow::mean));
            all.add(new Standing(
                    run,
                    label(run, runs),
                    i < live,
                    baseline,
                    others > 0 ? own / others : Double.NaN,
                    compared,
                    run.meanBalancedness(),
                    worst.map(ServedWindow::mean).orElse(Double.NaN),
                    worst.map(ServedWindow::index).orElse(-1L),
                    run.served().stream()
                            .mapToDouble(ServedWindow::min)
                            .filter(Double::isFinite)
                            .min()
                            .orElse(Double.NaN),
                    served.get(i).size(),
                    best[i],
                    Standing.promised(run),
                    front[i]));
        }
        return new Standings(all);
    }

    private static Map<Long, ServedWindow> byIndex(PolicyRun run) {
        Map<Long, ServedWindow> windows = new HashMap<>();
        run.served().stream().filter(Standing::loaded).forEach(window -> windows.put(window.index(), window));
        return windows;
    }

    private static int baseline(List<PolicyRun> runs, int of, int live) {
        return IntStream.range(0, runs.size())
                .filter(i -> runs.get(i).ranks() == runs.get(of).ranks())
                // What happened has no windows of its own where windows were put together.
                .filter(i -> i >= live || runs.get(i).served().stream().anyMatch(Standing::loaded))
                .boxed()
                .min(Comparator.comparing((Integer i) -> i >= live).thenComparing(i -> !isStatic(runs.get(i))))
                .orElse(-1);
    }

    static boolean isStatic(PolicyRun run) {
        return run.name().equals("static") || run.name().startsWith("static:");
    }

    /** The name, and of the configuration what tells it from others. */
    private static String label(PolicyRun run, List<PolicyRun> runs) {
        return run.name()
                + (differs(runs, PolicyRun::ranks) ? " · " + Text.count(run.ranks(), "rank") : "")
                + (differs(runs, PolicyRun::nodes) ? " · " + Text.count(run.nodes(), "node") : "")
                + (differs(runs, PolicyRun::redundant) ? " +" + run.redundant() : "");
    }

    /** Whether {@link Standing#label()} has a + with the number of redundant slots. */
    boolean labelsSayRedundant() {
        return differs(runs(), PolicyRun::redundant);
    }

    /** Such as {@code 32 ranks, 16 redundant}; {@code 32 ranks on 4 nodes, 16 redundant} where others are on more or fewer. */
    String configuration(PolicyRun run) {
        return Text.count(run.ranks(), "rank")
                + (differs(runs(), PolicyRun::nodes) ? " on " + Text.count(run.nodes(), "node") : "")
                + ", "
                + (run.redundant() > 0 ? run.redundant() + " redundant" : "none redundant");
    }

    private List<PolicyRun> runs() {
        return all.stream().map(Standing::run).toList();
    }

    private static boolean differs(List<PolicyRun> runs, ToIntFunction<PolicyRun> number) {
        return runs.stream().mapToInt(number).distinct().count() > 1;
    }

    private static int[] best(List<PolicyRun> runs) {
        Map<Integer, Map<Long, Double>> highest = new HashMap<>();
        for (PolicyRun run : runs) {
            Map<Long, Double> ofWindow = highest.computeIfAbsent(run.ranks(), ranks -> new HashMap<>());
            run.served().stream()
                    .filter(Standing::loaded)
                    .forEach(window -> ofWindow.merge(window.index(), window.mean(), Math::max));
        }
        return runs.stream()
                .mapToInt(run -> (int) run.served().stream()
                        .filter(Standing::loaded)
                        .filter(window -> window.mean()
                                >= highest.getOrDefault(run.ranks(), Map.of()).getOrDefault(window.index(), 0.0))
                        .count())
                .toArray();
    }

    /** What the sentence at the head compares with: the baseline of the first run that was asked for. */
    Optional<Standing> baseline() {
        return all.stream()
                .filter(standing -> !standing.live() && standing.baseline() >= 0)
                .findFirst()
                .map(standing -> all.get(standing.baseline()));
    }

    /**
     * The replayed run that keeps the busiest ranks least loaded, like compared with like: of those with as many redundant slots as the
     * {@link #baseline()}, where there are any; of equals the one with fewest moves.
     */
    Optional<Standing> best() {
        return rivals().filter(this::alike).min(LEAST_LOADED).or(() -> rivals().min(LEAST_LOADED));
    }

    /** One that is still less loaded than the {@link #best()} with other redundant slots than the baseline's. */
    Optional<Standing> further() {
        return best().flatMap(best -> rivals().filter(standing -> standing.relative() < best.relative() - 0.005)
                .min(LEAST_LOADED));
    }

    /** One like the {@link #best()} that is within a hundredth of it with at most half of its moves. */
    Optional<Standing> thrifty() {
        return best().flatMap(best -> rivals().filter(
                        standing -> standing.run().redundant() == best.run().redundant()
                                && standing.relative() <= best.relative() + 0.01
                                && standing.run().moves() * 2 <= best.run().moves()
                                && standing.relative() < 0.99)
                .min(Comparator.comparingLong(standing -> standing.run().moves())));
    }

    /** Whether a device profile was part of the replay. */
    boolean timed() {
        return all.stream().anyMatch(standing -> Double.isFinite(standing.run().meanExpertMicros()));
    }

    /** Whether a run has as many redundant slots as what it is compared with. */
    boolean alike(Standing standing) {
        return standing.run().redundant() == all.get(standing.baseline()).run().redundant();
    }

    private Stream<Standing> rivals() {
        Optional<Standing> baseline = baseline();
        return all.stream()
                .filter(standing -> !standing.live()
                        && Double.isFinite(standing.relative())
                        && baseline.isPresent()
                        && standing != baseline.get()
                        && all.get(standing.baseline()) == baseline.get());
    }
}
