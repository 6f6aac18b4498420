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
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * All runs side by side, what really happened first.
 *
 * <p>A run is compared with what really ran on as many ranks; where that is not known, with the policy {@code static} of the same
 * configuration; else with the first run of it. Loads of busiest ranks are never compared between different numbers of ranks.
 *
 * @param configurations how many there are: ranks, redundant slots, nodes
 */
record Standings(List<Standing> all, int configurations) {
    Standings {
        all = List.copyOf(all);
    }

    private record Configuration(int ranks, int redundant, int nodes) {
        static Configuration of(PolicyRun run) {
            return new Configuration(run.ranks(), run.redundant(), run.nodes());
        }
    }

    static Standings of(ReplayResult result) {
        List<PolicyRun> runs =
                Stream.concat(result.live().stream(), result.runs().stream()).toList();
        int live = result.live().size();
        List<Map<Long, ServedWindow>> served =
                runs.stream().map(Standings::byIndex).toList();
        int configurations =
                (int) runs.stream().map(Configuration::of).distinct().count();
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
                    label(run, configurations),
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
        return new Standings(all, configurations);
    }

    private static Map<Long, ServedWindow> byIndex(PolicyRun run) {
        Map<Long, ServedWindow> windows = new HashMap<>();
        run.served().stream().filter(Standing::loaded).forEach(window -> windows.put(window.index(), window));
        return windows;
    }

    private static int baseline(List<PolicyRun> runs, int of, int live) {
        PolicyRun run = runs.get(of);
        Configuration configuration = Configuration.of(run);
        return IntStream.range(0, live)
                .filter(i -> runs.get(i).ranks() == run.ranks())
                .boxed()
                .findFirst()
                .or(() -> IntStream.range(live, runs.size())
                        .filter(i -> Configuration.of(runs.get(i)).equals(configuration))
                        .boxed()
                        .min(Comparator.comparing(i -> !isStatic(runs.get(i)))))
                .orElse(-1);
    }

    static boolean isStatic(PolicyRun run) {
        return run.name().equals("static") || run.name().startsWith("static:");
    }

    private static String label(PolicyRun run, int configurations) {
        return configurations < 2 ? run.name() : run.name() + " · " + configuration(run);
    }

    /** Such as {@code 32 ranks + 32}. */
    static String configuration(PolicyRun run) {
        return run.ranks() + " ranks" + (run.redundant() > 0 ? " + " + run.redundant() : "");
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
                        .filter(window ->
                                window.mean() >= highest.get(run.ranks()).get(window.index()))
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

    /** The replayed run that is compared with {@link #baseline()} and keeps the busiest ranks least loaded; of equals the one with fewest moves. */
    Optional<Standing> best() {
        return rivals().min(Comparator.comparingDouble(Standing::relative)
                .thenComparingLong(standing -> standing.run().moves()));
    }

    /** One that is within a hundredth of the {@link #best()} with at most half of its moves. */
    Optional<Standing> thrifty() {
        return best().flatMap(best -> rivals().filter(standing -> standing.relative() <= best.relative() + 0.01
                        && standing.run().moves() * 2 <= best.run().moves()
                        && standing.relative() < 0.99)
                .min(Comparator.comparingLong(standing -> standing.run().moves())));
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
