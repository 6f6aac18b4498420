package dev.plimsoll.app.metrics;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.Standing;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.worker.WorkerListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Roles in virtual time that tell their listeners what roles tell, each with meters of its own that Prometheus scrapes every fifteen
 * seconds; and what our rules make of the scrapes. One deployment of four ranks whose windows take half a minute.
 */
final class VirtualRoles implements AutoCloseable {
    enum Role {
        WORKER,
        COLLECTOR,
        AGGREGATOR,
        PLANNER
    }

    static final Duration SCRAPES = Duration.ofSeconds(15);
    private static final Path RULES =
            Path.of("../deploy/prometheus/alerts.yml").toAbsolutePath().normalize();
    private static final Pattern SERIES = Pattern.compile("^(plimsoll_\\w+)(?:\\{(.*)})? (\\S+)$");
    private static final Pattern OURS = Pattern.compile("\\bplimsoll_[a-z0-9_]*[a-z0-9]\\b");
    private static final int RANKS = 4;

    private final AtomicLong nowMillis = new AtomicLong();
    private final Map<Role, Meters> meters = new EnumMap<>(Role.class);
    private final Map<String, List<String>> scraped = new TreeMap<>();
    private final Set<String> asked = new java.util.HashSet<>();
    private final Set<Role> hanging = EnumSet.noneOf(Role.class);
    private final Set<Role> gone = EnumSet.noneOf(Role.class);
    private final WorkerListener worker;
    private final CollectorListener collector;
    private final AggregatorListener aggregator;
    private final PlannerListener planner;
    private Standing standing = Events.standing(Standing.Word.IDLE);
    private KeepReason verdict = KeepReason.BALANCED;
    private boolean steps = true;
    private long boundaries;
    private int scrapes;

    VirtualRoles() throws Exception {
        for (Role role : Role.values()) {
            meters.put(role, new Meters(() -> java.time.Instant.ofEpochMilli(nowMillis.get())));
        }
        worker = of(Role.WORKER).worker();
        collector = of(Role.COLLECTOR).collector();
        aggregator = of(Role.AGGREGATOR).aggregator();
        planner = of(Role.PLANNER).planner();
        of(Role.PLANNER).plannerLoop(cause -> {}).onAssigned(0);
        worker.onServing(Events.DEPLOYMENT, 7);
        planner.serving(0, Events.DEPLOYMENT);
        OURS.matcher(Files.readString(RULES)).results().forEach(name -> asked.add(name.group()));
    }

    private Meters of(Role role) {
        return Objects.requireNonNull(meters.get(role));
    }

    /** Its thread hangs, or what it reads does not come: it tells nothing, and answers whoever asks for metrics. */
    void hangs(Role role) {
        hanging.add(role);
    }

    /** Its process is gone. */
    void isGone(Role role) {
        hanging.add(role);
        gone.add(role);
    }

    void engineFallsIdle() {
        steps = false;
    }

    void stands(Standing how) {
        standing = how;
    }

    /** What the planner says of each window from now on. */
    void refuses(KeepReason why) {
        verdict = why;
    }

    PlannerListener planner() {
        return planner;
    }

    void runs(Duration time) {
        long end = nowMillis.get() + time.toMillis();
        while (nowMillis.get() < end) {
            if (steps) {
                step();
            }
            if (!hanging.contains(Role.PLANNER)) {
                planner.stands(standing);
            }
            scrape();
            nowMillis.addAndGet(SCRAPES.toMillis());
        }
    }

    /** Half a window's boundaries; what a role does not do, those behind it miss. */
    private void step() {
        boundaries += 2;
        if (!hanging.contains(Role.WORKER)) {
            for (int rank = 0; rank < RANKS; rank++) {
                worker.onState(
                        new RankId(rank),
                        Events.state(standing.version()),
                        boundaries * 16,
                        OptionalInt.of(standing.version()));
            }
        }
        if (hanging.contains(Role.COLLECTOR)) {
            return;
        }
        collector.onCaptured(Events.DEPLOYMENT, 2, boundaries * 16);
        if (hanging.contains(Role.AGGREGATOR)) {
            return;
        }
        aggregator.fate(Events.DEPLOYMENT, Fate.ACCEPTED, 2L * RANKS, 100);
        if (boundaries % 4 == 0) {
            WindowSummary window = Events.window(Events.DEPLOYMENT, CloseReason.COMPLETE);
            aggregator.windowClosed(window);
            if (!hanging.contains(Role.PLANNER)) {
                planner.heard(window);
                planner.refused(Events.DEPLOYMENT, boundaries / 4, Verdict.Keep.because(verdict, ""));
            }
        }
    }

    private void scrape() {
        meters.forEach((role, its) -> {
            if (!gone.contains(role)) {
                its.registry().scrape().lines().forEach(line -> keep(role, line));
            }
        });
        scrapes++;
        // What was there and is not any more ends.
        scraped.values().stream()
                .filter(values -> values.size() < scrapes)
                .forEach(values -> values.add(
                        values.isEmpty() || values.get(values.size() - 1).matches("_|stale") ? "_" : "stale"));
    }

    private void keep(Role role, String line) {
        Matcher series = SERIES.matcher(line);
        if (series.matches() && asked.contains(series.group(1))) {
            String labels =
                    Optional.ofNullable(series.group(2)).map(some -> some + ",").orElse("");
            List<String> values = scraped.computeIfAbsent(
                    series.group(1) + "{" + labels + "instance=\"" + role + "\"}", none -> new ArrayList<>());
            while (values.size() < scrapes) {
                values.add("_");
            }
            values.add(new java.math.BigDecimal(series.group(3)).toPlainString());
        }
    }

    /** Alerts that would have fired by then; asked of Prometheus' own tool. */
    Optional<String> refuted(Promtool promtool, Path directory, Duration at, String... firing) throws Exception {
        StringBuilder test = new StringBuilder("rule_files: ['" + RULES + "']\nevaluation_interval: 15s\ntests:\n"
                + "  - interval: " + SCRAPES.toSeconds() + "s\n    input_series:\n");
        scraped.forEach((series, values) ->
                test.append("      - {series: '" + series + "', values: '" + String.join(" ", values) + "'}\n"));
        test.append("    promql_expr_test:\n      - expr: 'count by (alertname) (ALERTS{alertstate=\"firing\"})'\n")
                .append("        eval_time: " + at.toSeconds() + "s\n        exp_samples: [");
        for (String alert : firing) {
            test.append("{labels: '{alertname=\"" + alert + "\"}', value: 1}, ");
        }
        test.append("]\n");
        Path file = Files.writeString(directory.resolve("scrapes-" + at.toSeconds() + ".yml"), test);
        Promtool.Answer answer = promtool.run(List.of("test", "rules", file.toString()));
        return answer.content() ? Optional.empty() : Optional.of(answer.text());
    }

    @Override
    public void close() {
        meters.values().forEach(Meters::close);
    }
}
