package dev.plimsoll.replay.export;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.export.DeploymentRecords.Dated;
import dev.plimsoll.replay.source.SettledLayers;
import dev.plimsoll.wire.Topic;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Writes a deployment's history as tables, record after record: how much there is of it makes no difference to the memory it takes. */
public final class Export {

    /** Told of every record that was written out; what it throws ends the export. */
    public interface Watch {
        /** @param rows of this record */
        void wrote(long rows);
    }

    private final DeploymentRecords history;
    private final TimeRange times;
    private final OptionalLong incarnation;
    private final Watch watch;
    private final Map<Long, Optional<Membership>> members = new HashMap<>();
    private final List<String> notices = new ArrayList<>();

    /** @param incarnation the only one that is wanted, all when empty */
    public Export(DeploymentRecords history, TimeRange times, OptionalLong incarnation, Watch watch) {
        this.history = history;
        this.times = times;
        this.incarnation = incarnation;
        this.watch = watch;
    }

    /** What was left out, and why, one line each. */
    public List<String> notices() {
        return List.copyOf(notices);
    }

    /** Writes a table; does not close it. */
    public void write(Table table, TableWriter to) throws IOException {
        switch (table) {
            case WINDOWS ->
                eachWindow((window, placements) -> {
                    Optional<ExpertLoads> loads = placements.flatMap(known -> ExpertLoads.of(window, known));
                    if (loads.isEmpty()) {
                        return -1;
                    }
                    return WindowTables.byExpert(window, loads.orElseThrow(), to);
                });
            case WINDOW_SLOTS -> eachWindow((window, placements) -> WindowTables.bySlot(window, placements, to));
            case SUMMARIES ->
                each(Topic.WINDOW_SUMMARIES, WindowSummary::incarnation, record -> {
                    SummaryTable.write(record.value(), to);
                    return 1;
                });
            case DECISIONS -> decisions(to);
            case ACKS ->
                each(Topic.ACKS, RankAck::incarnation, record -> {
                    RecordTables.ack(record, to);
                    return 1;
                });
            case OUTCOMES ->
                each(Topic.OUTCOMES, Outcome::incarnation, record -> {
                    RecordTables.outcome(record, to);
                    return 1;
                });
            case PLACEMENTS -> placements(to);
        }
    }

    /**
     * Writes the load of experts as a workload of {@code bench planner}, of windows that are complete and not known to lack tokens; does not close it.
     *
     * @throws IllegalArgumentException when windows are not of one shape
     */
    public void write(WorkloadFile to) throws IOException {
        int[] incomplete = {0};
        eachWindow((window, placements) -> {
            if (!window.summary().sound()) {
                incomplete[0]++;
                return 0;
            }
            Optional<ExpertLoads> loads = placements.flatMap(known -> ExpertLoads.of(window, known));
            if (loads.isEmpty()) {
                return -1;
            }
            to.add(
                    "window " + window.summary().index() + " of incarnation "
                            + window.summary().incarnation(),
                    loads.orElseThrow().load());
            return 1;
        });
        if (incomplete[0] > 0) {
            notices.add(incomplete[0]
                    + " windows are left out: they are not complete, or not conserved, and a workload cannot say so");
        }
    }

    private interface OfWindow {
        /** How many rows, below 0 when the experts of its slots are not known. */
        long write(WholeWindow window, Optional<ServedPlacements> placements) throws IOException;
    }

    private void eachWindow(OfWindow each) throws IOException {
        Optional<ServedPlacements> placements = Optional.empty();
        OptionalLong of = OptionalLong.empty();
        int unknown = 0;
        try (Windows windows = new Windows(history, times, incarnation)) {
            for (var next = windows.next(); next.isPresent(); next = windows.next()) {
                WholeWindow window = next.orElseThrow();
                if (of.isEmpty() || of.getAsLong() != window.summary().incarnation()) {
                    placements.ifPresent(ServedPlacements::close);
                    placements = window.members().map(known -> new ServedPlacements(history, known));
                    of = OptionalLong.of(window.summary().incarnation());
                }
                long rows = each.write(window, placements);
                unknown += rows < 0 ? 1 : 0;
                watch.wrote(Math.max(0, rows));
            }
            if (windows.notWhole() > 0) {
                notices.add(windows.notWhole() + " windows are left out: a part of them is not there (yet)");
            }
            if (unknown > 0) {
                notices.add(unknown
                        + " windows are left out: the topics do not say any more which expert a slot held; --by slot has"
                        + " them");
            }
        } finally {
            placements.ifPresent(ServedPlacements::close);
        }
    }

    private void decisions(TableWriter to) throws IOException {
        // A decision may have ended behind the stretch that it was proposed in.
        TimeRange read = new TimeRange(times.fromMillis(), OptionalLong.empty());
        DecisionTable decisions = new DecisionTable(this::members, times, to);
        try (DeploymentRecords.Log<PlanCommand> log = history.read(Topic.PLAN, read)) {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                Dated<PlanCommand> record = next.orElseThrow();
                if (isWanted(record.value().header().incarnation())) {
                    watch.wrote(decisions.add(record));
                }
            }
        }
        watch.wrote(decisions.end());
    }

    /** What the newest incarnation is settled on, whenever that was. */
    private void placements(TableWriter to) throws IOException {
        TreeMap<Long, Optional<SettledLayers>> known = new TreeMap<>();
        eachPlacement(record -> known.computeIfAbsent(
                        record.value().incarnation(), of -> members(of).map(SettledLayers::new))
                .ifPresent(layers -> layers.add(record.value())));
        if (known.isEmpty()) {
            return;
        }
        long newest = known.lastKey();
        Optional<Placement> settled = known.lastEntry().getValue().flatMap(SettledLayers::newest);
        if (settled.isEmpty()) {
            notices.add("the placement of incarnation " + newest + " is left out: "
                    + (known.lastEntry().getValue().isEmpty()
                            ? "the topics do not say any more who took part"
                            : "no version of it is whole"));
            return;
        }
        TreeMap<Integer, Dated<SettledPlacement>> layers = new TreeMap<>();
        eachPlacement(record -> {
            if (record.value().incarnation() == newest
                    && record.value().placementHash() == settled.orElseThrow().hash()
                    && record.value().version() == settled.orElseThrow().version()) {
                layers.put(record.value().layer(), record);
            }
        });
        for (Dated<SettledPlacement> layer : layers.values()) {
            RecordTables.placement(layer, members(newest), to);
            watch.wrote(layer.value().experts().size());
        }
    }

    private void eachPlacement(Consumer<Dated<SettledPlacement>> each) {
        try (DeploymentRecords.Log<SettledPlacement> log = history.read(Topic.PLACEMENTS, TimeRange.ALL)) {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                if (isWanted(next.orElseThrow().value().incarnation())) {
                    each.accept(next.orElseThrow());
                }
            }
        }
    }

    private interface OfRecord<T> {
        long write(Dated<T> record) throws IOException;
    }

    private <T> void each(Topic<T> topic, java.util.function.ToLongFunction<T> incarnationOf, OfRecord<T> each)
            throws IOException {
        try (DeploymentRecords.Log<T> log = history.read(topic, times)) {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                Dated<T> record = next.orElseThrow();
                if (isWanted(incarnationOf.applyAsLong(record.value()))) {
                    watch.wrote(each.write(record));
                }
            }
        }
    }

    private boolean isWanted(long of) {
        return incarnation.isEmpty() || incarnation.getAsLong() == of;
    }

    private Optional<Membership> members(long of) {
        return members.computeIfAbsent(of, history::members);
    }
}
