package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.StepTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The rules of windows a second time, in the slowest and plainest way: it keeps the samples that it took as a list and works everything
 * out of them anew whenever it wants to know it. It decides by itself when a window closes, and shares no code with the fold.
 */
final class NaiveFold {
    /** What is compared: all of a window that follows from the rules. */
    record Window(
            Deployment deployment,
            long incarnation,
            long index,
            long previous,
            CloseReason reason,
            long offset,
            List<Long> present,
            Map<String, Long> sums,
            long accepted,
            Optional<StepTime> stepTime) {
        static Window of(ClosedWindow closed) {
            Map<String, Long> sums = new TreeMap<>();
            for (LoadWindow load : closed.loads()) {
                int slots = load.load().size();
                LongVector parts = load.subLoad();
                for (int i = 0; i < parts.size(); i++) {
                    String place = load.state() + "/" + load.layer() + "/" + (load.firstSlot() + i % slots);
                    sums.merge(place + "/" + i / slots, parts.at(i), Math::addExact);
                }
                for (int slot = 0; slot < slots; slot++) {
                    String place = load.state() + "/" + load.layer() + "/" + (load.firstSlot() + slot);
                    sums.merge(place, load.load().at(slot), Math::addExact);
                }
            }
            sums.values().removeIf(value -> value == 0);
            var summary = closed.summary();
            return new Window(
                    summary.deployment(),
                    summary.incarnation(),
                    summary.index(),
                    summary.previousIndex(),
                    summary.reason(),
                    summary.closingOffset(),
                    Arrays.stream(summary.present().toArray()).boxed().toList(),
                    sums,
                    summary.accepted(),
                    summary.stepTime());
        }
    }

    /** A rank's part of a sample that was taken. */
    private record Taken(long time, int rank, LoadSample sample, boolean counts) {}

    /** A rank's sample from elsewhere. */
    private record Sighting(long time, int rank, long step) {}

    /** Later than any record. */
    private static final long NEVER = Long.MAX_VALUE / 2;

    private final WindowSettings settings;
    private final List<Window> windows;
    private Membership members;
    private List<Taken> taken = new ArrayList<>();
    private List<Sighting> sightings = new ArrayList<>();
    private final Set<Long> published = new TreeSet<>();
    private final Set<Long> spanned = new HashSet<>();
    private final Set<Long> opened = new TreeSet<>();
    private Set<Long> remembered = new TreeSet<>();
    private final Map<Long, Long> openedBy = new HashMap<>();
    private long first = -1;
    private boolean over;
    private final Set<Integer> lapsed = new TreeSet<>();
    private long grownAt = NEVER;
    private long heardAt;

    private NaiveFold(Membership members, WindowSettings settings, List<Window> windows) {
        this.members = members;
        this.settings = settings;
        this.windows = windows;
    }

    /** What becomes of a log, where memory is no matter. */
    static List<Window> windows(RandomLog log) {
        List<Window> windows = new ArrayList<>();
        Map<Deployment, NaiveFold> folds = new HashMap<>();
        for (RandomLog.Entry entry : log.entries) {
            NaiveFold known = folds.get(entry.record().deployment());
            if (known != null) {
                known.read(entry);
            } else if (entry.record() instanceof Membership members) {
                folds.put(members.deployment(), new NaiveFold(members, log.settings, windows));
            }
        }
        return windows;
    }

    private void read(RandomLog.Entry entry) {
        SampleRecord record = entry.record();
        if (record instanceof LoadSample sample && fits(sample)) {
            take(sample, entry);
        } else if (record instanceof Membership next && next.incarnation() > members.incarnation()) {
            closeAll(CloseReason.INCARNATION, entry);
            members = next;
            taken = new ArrayList<>();
            sightings = new ArrayList<>();
            published.clear();
            lapsed.clear();
            first = -1;
            grownAt = NEVER;
            over = false;
        } else if (record instanceof End end && end.incarnation() == members.incarnation() && !over) {
            closeAll(CloseReason.INCARNATION, entry);
            over = true;
        }
        closeWhatIsDue(entry);
        heardAt = entry.appendTime();
    }

    private boolean fits(LoadSample sample) {
        return sample.incarnation() == members.incarnation()
                && !over
                && members.gives(sample.kind())
                && sample.firstRank() + sample.ranks() <= members.topology().ranks()
                && sample.steps().from() % members.boundarySteps() == 0;
    }

    private void take(LoadSample sample, RandomLog.Entry entry) {
        long index = indexOf(sample.steps().to());
        if (first < 0) {
            first = index;
        }
        if (!inReach(index)) {
            for (int rank = 0; rank < sample.ranks(); rank++) {
                sightings.add(new Sighting(
                        entry.appendTime(),
                        sample.firstRank() + rank,
                        sample.steps().to()));
            }
            jump(entry);
        }
        if (index < first || published.contains(index)) {
            for (int rank = 0; rank < sample.ranks() && index == first - 1; rank++) {
                lapsed.remove(sample.firstRank() + rank);
            }
            return;
        }
        if (index > first + settings.windowsAhead()) {
            remembered.add(entry.offset());
            forgetRemembered();
            if (remembered.size() > settings.rememberedRejects()) {
                closeAll(CloseReason.TRUNCATED, entry);
            }
            return;
        }
        boolean inside = indexOf(sample.steps().from() + 1) == index;
        boolean counts = inside && !sample.mixed();
        Set<Object> states = new LinkedHashSet<>();
        of(index).stream()
                .filter(Taken::counts)
                .forEach(cell -> states.add(cell.sample().state()));
        if (counts && !states.contains(sample.state()) && states.size() == members.boundariesPerWindow()) {
            return;
        }
        for (long i = Math.max(first, indexOf(sample.steps().from() + 1)); i <= index; i++) {
            if (!published.contains(i)) {
                opened.add(i);
                openedBy.putIfAbsent(i, entry.offset());
                if (!inside && i < index) {
                    spanned.add(i);
                }
            }
        }
        if (!counts) {
            spanned.add(index);
        }
        for (int rank = 0; rank < sample.ranks(); rank++) {
            Taken cell = new Taken(entry.appendTime(), sample.firstRank() + rank, sample, counts);
            boolean clashes = of(index).stream()
                    .anyMatch(other -> other.rank() == cell.rank()
                            && (other.counts() && inside
                                    ? overlap(other.sample(), sample)
                                    : !counts && !other.counts() && sameCut(other.sample(), sample)));
            if (!clashes) {
                taken.add(cell);
                lapsed.remove(cell.rank());
                grownAt = entry.appendTime();
            }
            sightings.removeIf(seen -> seen.rank() == cell.rank());
        }
    }

    private static boolean overlap(LoadSample a, LoadSample b) {
        return a.steps().from() < b.steps().to()
                && b.steps().from() < a.steps().to()
                && a.firstLayer() < b.firstLayer() + b.layers()
                && b.firstLayer() < a.firstLayer() + a.layers();
    }

    private static boolean sameCut(LoadSample a, LoadSample b) {
        return a.steps().equals(b.steps()) && a.firstLayer() == b.firstLayer() && a.layers() == b.layers();
    }

    /** Whether a quorum agrees, each with records that ascend in small steps, on being elsewhere, and has for some time. */
    private void jump(RandomLog.Entry entry) {
        long near = (long) settings.windowsAhead() * members.windowSteps();
        List<Long> steps = new ArrayList<>();
        List<Long> seenTwice = new ArrayList<>();
        Map<Integer, Long> longSince = new TreeMap<>();
        Map<Integer, Long> seenLast = new TreeMap<>();
        for (int rank = 0; rank < members.topology().ranks(); rank++) {
            List<Sighting> run = new ArrayList<>();
            for (Sighting seen : sightings) {
                if (seen.rank() != rank) {
                    continue;
                }
                long ahead = run.isEmpty()
                        ? 0
                        : seen.step() - run.get(run.size() - 1).step();
                if (!run.isEmpty() && ahead == 0) {
                    continue;
                }
                if (ahead < 0 || ahead > near) {
                    run.clear();
                }
                run.add(seen);
            }
            if (run.isEmpty()) {
                continue;
            }
            long millis = entry.appendTime()
                    - run.stream().mapToLong(Sighting::time).min().orElseThrow();
            long step = run.get(run.size() - 1).step();
            if (run.size() >= settings.resyncRecords()
                    || run.size() >= 2 && millis >= settings.resyncTime().toMillis()) {
                steps.add(step);
            }
            seenLast.put(rank, step);
            if (run.size() >= 2) {
                seenTwice.add(step);
            }
            if (run.size() >= 2 && millis >= settings.silentTime().toMillis()) {
                longSince.put(rank, step);
            }
        }
        long place = place(steps, quorum(waitedFor()), near);
        Set<Integer> silent = new TreeSet<>();
        if (place < 0 && entry.appendTime() - grownAt >= settings.silentTime().toMillis()) {
            int enough = waitedFor() - quorum(waitedFor()) + 1;
            for (long step : seenTwice) {
                long together = seenTwice.stream()
                        .filter(other -> other >= step && other - step <= near)
                        .count();
                enough = Math.max(enough, (int) together);
            }
            place = place(longSince.values(), enough, near);
            for (int rank = 0; rank < members.topology().ranks(); rank++) {
                Long seen = seenLast.get(rank);
                if (seen == null || Math.abs(seen - place) > near) {
                    silent.add(rank);
                }
            }
        }
        if (place < 0) {
            return;
        }
        closeThrough(Math.max(first, lastOpened()), CloseReason.RESYNC, entry);
        first = indexOf(place);
        while (published.contains(first)) {
            first++;
        }
        taken = new ArrayList<>();
        sightings = new ArrayList<>();
        remembered = new TreeSet<>();
        lapsed.clear();
        lapsed.addAll(silent);
    }

    /** The highest step that enough are at or closely behind, -1 when there is none. */
    private static long place(Collection<Long> steps, int enough, long near) {
        long place = -1;
        for (long step : steps) {
            long together = steps.stream()
                    .filter(other -> other >= step && other - step <= near)
                    .count();
            place = together >= enough ? Math.max(place, step) : place;
        }
        return place;
    }

    private void closeWhatIsDue(RandomLog.Entry entry) {
        while (first >= 0) {
            long end = (first + 1) * members.windowSteps();
            long grace = (long) members.windowSteps() * gracePercent() / 100;
            long sinceQuorum = quorumSince(end);
            if (full(first) || doneWith(end)) {
                close(CloseReason.GAP, entry);
            } else if (past(end + grace, Long.MAX_VALUE) >= quorum(waitedFor())) {
                close(CloseReason.STEPS, entry);
            } else if (sinceQuorum != Long.MIN_VALUE
                    && entry.appendTime() - sinceQuorum >= settings.graceTime().toMillis()) {
                close(CloseReason.TIME, entry);
            } else if (othersAreSilent(end, entry)) {
                for (int rank = 0; rank < members.topology().ranks(); rank++) {
                    if (!isPast(rank, end)) {
                        lapsed.add(rank);
                    }
                }
                close(CloseReason.TIME, entry);
            } else {
                break;
            }
        }
        long idle = settings.idleTime().toMillis();
        if (!opened.isEmpty() && entry.appendTime() - grownAt >= idle && heardAt - grownAt >= idle / 2) {
            closeAll(CloseReason.IDLE, entry);
        }
    }

    private long gracePercent() {
        return settings.gracePercent();
    }

    private int waitedFor() {
        return members.topology().ranks() - lapsed.size();
    }

    private boolean isPast(int rank, long step) {
        return taken.stream()
                .anyMatch(cell -> cell.rank() == rank && cell.sample().steps().to() >= step);
    }

    /** Whether some are past the end of the first open window, which has not grown for long, and somebody was heard meanwhile. */
    private boolean othersAreSilent(long end, RandomLog.Entry entry) {
        if (past(end, Long.MAX_VALUE) < waitedFor() - quorum(waitedFor()) + 1) {
            return false;
        }
        long silent = settings.silentTime().toMillis();
        long since = of(first).stream()
                .mapToLong(Taken::time)
                .max()
                .orElseGet(() -> taken.stream()
                        .filter(cell -> indexOf(cell.sample().steps().to()) > first)
                        .mapToLong(Taken::time)
                        .min()
                        .orElse(Long.MAX_VALUE / 2));
        return entry.appendTime() - since >= silent && Math.min(heardAt, grownAt) - since >= silent / 2;
    }

    private int quorum() {
        return quorum(members.topology().ranks());
    }

    private int quorum(int ranks) {
        return Math.max(ranks / 2 + 1, (int) Math.ceil(ranks * settings.quorumPercent() / 100.0));
    }

    /** Ranks of which some layer is past a step, by what the first so many cells say. */
    private long past(long step, long cells) {
        return taken.stream()
                .limit(cells)
                .filter(cell -> cell.sample().steps().to() >= step)
                .map(Taken::rank)
                .distinct()
                .count();
    }

    /** Append time of the sample with which a quorum was past a step, the smallest number when it is not. */
    private long quorumSince(long step) {
        for (int cells = 1; cells <= taken.size(); cells++) {
            if (past(step, cells) >= quorum()) {
                return taken.get(cells - 1).time();
            }
        }
        return Long.MIN_VALUE;
    }

    private boolean doneWith(long step) {
        for (int rank = 0; rank < members.topology().ranks(); rank++) {
            for (int layer = 0; layer < members.shape().layers() && !lapsed.contains(rank); layer++) {
                int which = rank;
                int where = layer;
                boolean done = taken.stream()
                        .anyMatch(cell -> cell.rank() == which
                                && covers(cell.sample(), where)
                                && cell.sample().steps().to() >= step);
                if (!done) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean covers(LoadSample sample, int layer) {
        return layer >= sample.firstLayer() && layer < sample.firstLayer() + sample.layers();
    }

    private List<Taken> of(long index) {
        return taken.stream()
                .filter(cell -> indexOf(cell.sample().steps().to()) == index)
                .toList();
    }

    /** {@code [rank]} boundaries of a window of which every layer counts. */
    private List<Long> present(long index) {
        List<Long> present = new ArrayList<>();
        for (int rank = 0; rank < members.topology().ranks(); rank++) {
            int which = rank;
            long count = 0;
            for (long step = index * members.windowSteps();
                    step < (index + 1) * members.windowSteps();
                    step += members.boundarySteps()) {
                long at = step;
                long layers = of(index).stream()
                        .filter(cell -> cell.counts()
                                && cell.rank() == which
                                && cell.sample().steps().from() <= at
                                && cell.sample().steps().to() > at)
                        .mapToLong(cell -> cell.sample().layers())
                        .sum();
                count += layers == members.shape().layers() ? 1 : 0;
            }
            present.add(count);
        }
        return present;
    }

    private Optional<StepTime> stepTime(long index) {
        int ranks = members.topology().ranks();
        List<Long> present = present(index);
        List<Long> slowest = new ArrayList<>();
        long[] elapsed = new long[ranks];
        long[] idle = new long[ranks];
        for (long step = index * members.windowSteps();
                step < (index + 1) * members.windowSteps();
                step += members.boundarySteps()) {
            Map<Integer, List<Long>> said = new TreeMap<>();
            for (Taken cell : of(index)) {
                LoadSample sample = cell.sample();
                if (cell.counts()
                        && present.get(cell.rank()) > 0
                        && sample.elapsedNanos().size() > 0
                        && sample.steps().from() <= step
                        && sample.steps().to() > step) {
                    int at = cell.rank() - sample.firstRank();
                    said.put(
                            cell.rank(),
                            List.of(
                                    part(sample, step, sample.elapsedNanos().at(at)),
                                    part(sample, step, sample.idleNanos().at(at))));
                }
            }
            if (!said.isEmpty()
                    && said.size()
                            == present.stream().filter(count -> count > 0).count()) {
                slowest.add(
                        said.values().stream().mapToLong(of -> of.get(0)).max().orElseThrow());
                said.forEach((rank, of) -> {
                    elapsed[rank] += of.get(0);
                    idle[rank] += of.get(1);
                });
            }
        }
        slowest.sort(null);
        return slowest.isEmpty()
                ? Optional.empty()
                : Optional.of(new StepTime(
                        LongVector.of(elapsed),
                        LongVector.of(idle),
                        slowest.size(),
                        slowest.get((int) Math.ceil(slowest.size() / 10.0) - 1)));
    }

    /** Of a sample over several boundary intervals the part of one, so that all add up. */
    private long part(LoadSample sample, long step, long nanos) {
        long intervals = sample.steps().length() / members.boundarySteps();
        long before = (step - sample.steps().from()) / members.boundarySteps();
        return nanos * (before + 1) / intervals - nanos * before / intervals;
    }

    private boolean full(long index) {
        return present(index).stream().allMatch(count -> count == members.boundariesPerWindow());
    }

    private long lastOpened() {
        return opened.stream().reduce(-1L, Math::max);
    }

    private void closeAll(CloseReason reason, RandomLog.Entry entry) {
        closeThrough(lastOpened(), reason, entry);
    }

    private void closeThrough(long last, CloseReason reason, RandomLog.Entry entry) {
        while (first >= 0 && first <= last) {
            close(reason, entry);
        }
    }

    private void close(CloseReason cause, RandomLog.Entry entry) {
        CloseReason reason = full(first)
                ? CloseReason.COMPLETE
                : cause == CloseReason.GAP && spanned.contains(first) ? CloseReason.SPANNING : cause;
        Map<String, Long> sums = new TreeMap<>();
        long accepted = 0;
        for (Taken cell : of(first)) {
            accepted += cell.counts() ? count(cell, sums) : 0;
        }
        sums.values().removeIf(value -> value == 0);
        long previous = published.stream().filter(index -> index < first).reduce(-1L, Math::max);
        windows.add(new Window(
                members.deployment(),
                members.incarnation(),
                first,
                previous,
                reason,
                entry.offset(),
                present(first),
                sums,
                accepted,
                stepTime(first)));
        published.add(first);
        opened.remove(first);
        openedBy.remove(first);
        spanned.remove(first);
        while (published.contains(first)) {
            first++;
        }
        for (int rank = 0; rank < members.topology().ranks(); rank++) {
            int which = rank;
            boolean there = sightings.stream()
                    .filter(seen -> seen.rank() == which)
                    .reduce((earlier, later) -> later)
                    .filter(seen -> inReach(indexOf(seen.step())))
                    .isPresent();
            sightings.removeIf(seen -> there && seen.rank() == which);
        }
        forgetRemembered();
    }

    private boolean inReach(long index) {
        return published.contains(index) || (index >= first && index <= first + settings.windowsAhead());
    }

    private long count(Taken cell, Map<String, Long> sums) {
        LoadSample sample = cell.sample();
        int parts = settings.subWindows();
        while (members.boundariesPerWindow() % Math.min(parts, members.boundariesPerWindow()) != 0) {
            parts--;
        }
        parts = Math.min(parts, members.boundariesPerWindow());
        long into = sample.steps().to() - first * members.windowSteps() - 1;
        long part = into / (members.windowSteps() / parts);
        long accepted = 0;
        for (int layer = 0; layer < sample.layers(); layer++) {
            for (int slot = 0; slot < sample.slotsPerRank(); slot++) {
                long load = sample.load(cell.rank() - sample.firstRank(), layer, slot);
                int global = sample.kind() == LoadKind.ROUTED_TO ? slot : cell.rank() * sample.slotsPerRank() + slot;
                String place = sample.state() + "/" + (sample.firstLayer() + layer) + "/" + global;
                sums.merge(place, load, Math::addExact);
                sums.merge(place + "/" + part, load, Math::addExact);
                accepted += load;
            }
        }
        return accepted;
    }

    /** What was rejected is remembered only as long as a sample before it is needed. */
    private void forgetRemembered() {
        long oldest = openedBy.values().stream().reduce(Long.MAX_VALUE, Math::min);
        remembered.removeIf(offset -> offset < oldest);
    }

    private long indexOf(long step) {
        return (step - 1) / members.windowSteps();
    }
}
