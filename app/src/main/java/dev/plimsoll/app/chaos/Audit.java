package dev.plimsoll.app.chaos;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.kafka.Received;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Every window of one incarnation against what its ranks have really computed and what stands in the log of samples. Shares no code
 * with the fold.
 *
 * <ul>
 *   <li><b>duplicate</b>: a second record of a window, or of a layer of one.
 *   <li><b>mismatch</b>: a sample that tells other counts than the simulator's for its steps; a window whose sums are not the
 *       simulator's for the steps of samples that stand in the log up to its closing offset, inside of it, of each rank the first
 *       ones, as many as the window says to have; one that lacks a layer; one that says COMPLETE and is not, or not conserved.
 *   <li><b>missing</b>: a gap in the chain of windows that no RESYNC explains; a window that has samples behind the last one that was
 *       closed; windows whose samples are neither in a window nor counted as late, duplicate, conflicting or rejected.
 * </ul>
 *
 * <p>Samples that a window leaves out can only be those that came while it was still too far ahead of the open ones, and so before all
 * that it has: where its intervals are fewer than the log's, the samples from some offset on must give them exactly.
 */
final class Audit {
    private final Membership members;
    private final Truth truth;
    private final List<String> findings = new ArrayList<>();
    private final TreeMap<Long, List<Part>> parts = new TreeMap<>();
    private final Map<Long, List<LoadWindow>> loads = new HashMap<>();
    /** Parts that are in a window, or of which more is said already than that they are in none. */
    private final Set<Part> settled = new HashSet<>();

    private long duplicate;
    private long missing;
    private long mismatch;

    private Audit(Membership members, Truth truth) {
        this.members = members;
        this.truth = truth;
    }

    /** Records are those of all deployments, in order within each partition. */
    static Verdict of(
            Membership members,
            Truth truth,
            Collection<Received<SampleRecord>> samples,
            Collection<Received<LoadWindow>> windows,
            Collection<Received<WindowSummary>> summaries) {
        Audit audit = new Audit(members, truth);
        samples.forEach(record -> {
            if (record.value() instanceof LoadSample sample && audit.ours(sample)) {
                audit.add(record, sample);
            }
        });
        Set<String> keys = new HashSet<>();
        windows.stream().map(Received::value).filter(audit::ours).forEach(load -> {
            String key = load.index() + " layer " + load.layer() + " segment " + load.segment() + " slot "
                    + load.firstSlot();
            if (keys.add(key)) {
                audit.loads
                        .computeIfAbsent(load.index(), index -> new ArrayList<>())
                        .add(load);
            } else {
                audit.duplicate++;
                audit.found("twice: load of window " + key);
            }
        });
        TreeMap<Long, WindowSummary> published = new TreeMap<>();
        summaries.stream().map(Received::value).filter(audit::ours).forEach(window -> {
            if (published.putIfAbsent(window.index(), window) != null) {
                audit.duplicate++;
                audit.found("twice: " + window.summary());
            }
        });
        audit.check(published);
        return new Verdict(published.size(), audit.duplicate, audit.missing, audit.mismatch, audit.findings);
    }

    private boolean ours(LoadSample sample) {
        return sample.deployment().equals(members.deployment()) && sample.incarnation() == members.incarnation();
    }

    private boolean ours(LoadWindow window) {
        return window.deployment().equals(members.deployment()) && window.incarnation() == members.incarnation();
    }

    private boolean ours(WindowSummary window) {
        return window.deployment().equals(members.deployment()) && window.incarnation() == members.incarnation();
    }

    private void found(String what) {
        findings.add(members.deployment() + ": " + what);
    }

    private void add(Received<SampleRecord> record, LoadSample sample) {
        boolean known = truth.knows(sample.steps())
                && sample.layers() == members.shape().layers();
        for (Part part : Part.of(record, sample, members)) {
            if (!known || !Arrays.equals(counts(sample, part.rank()), truth.load(part.rank(), part.steps()))) {
                mismatch++;
                found("sample at offset " + record.offset() + " of rank " + part.rank() + ", steps " + part.steps()
                        + (known ? " has other counts than the simulator" : " is of steps that were never taken"));
                known = false;
            }
            if (known && part.inside()) {
                parts.computeIfAbsent(part.window(), window -> new ArrayList<>())
                        .add(part);
            }
        }
    }

    private long[] counts(LoadSample sample, int rank) {
        long[] counts = new long[sample.layers() * sample.slotsPerRank()];
        for (int cell = 0; cell < counts.length; cell++) {
            counts[cell] =
                    sample.load(rank - sample.firstRank(), cell / sample.slotsPerRank(), cell % sample.slotsPerRank());
        }
        return counts;
    }

    private void check(TreeMap<Long, WindowSummary> published) {
        published.values().forEach(this::check);
        loads.keySet().stream().filter(index -> !published.containsKey(index)).forEach(index -> {
            mismatch++;
            found("window " + index + " has loads and no summary");
        });
        List<WindowSummary> inOrder = published.values().stream()
                .sorted(Comparator.comparingLong(WindowSummary::closingOffset).thenComparingLong(WindowSummary::index))
                .toList();
        checkChain(inOrder);
        checkNothingVanished(published, inOrder);
    }

    private void check(WindowSummary window) {
        List<Part> inTime = parts.getOrDefault(window.index(), List.of()).stream()
                .filter(part -> part.offset() <= window.closingOffset())
                .toList();
        List<LoadWindow> records = loads.getOrDefault(window.index(), List.of());
        Optional<String> wrong = shape(window, records);
        if (wrong.isEmpty()) {
            int subWindows = records.stream()
                    .mapToInt(LoadWindow::subWindows)
                    .findFirst()
                    .orElse(1);
            wrong = sums(window, inTime, subWindows, records);
        }
        wrong.ifPresent(what -> {
            mismatch++;
            settled.addAll(inTime);
            found(what + ": " + window.summary());
        });
    }

    private Optional<String> shape(WindowSummary window, List<LoadWindow> records) {
        if (records.size() != members.shape().layers() * window.states().size()) {
            return Optional.of(records.size() + " load records for "
                    + window.states().size() + " states of " + members.shape().layers() + " layers");
        }
        for (LoadWindow record : records) {
            if (!window.states().get(record.segment()).equals(record.state()) || !addsUp(record)) {
                return Optional.of("layer " + record.layer() + " has a wrong state or parts that do not add up");
            }
        }
        if (window.reason() == CloseReason.COMPLETE
                && !(!window.conservation().violated()
                        && Arrays.stream(window.present().toArray())
                                .allMatch(there -> there == members.boundariesPerWindow()))) {
            return Optional.of("not complete or not conserved");
        }
        return Optional.empty();
    }

    private static boolean addsUp(LoadWindow record) {
        int slots = record.load().size();
        for (int slot = 0; slot < slots; slot++) {
            long sum = 0;
            for (int part = 0; part < record.subWindows(); part++) {
                sum += record.subLoad().at(part * slots + slot);
            }
            if (sum != record.load().at(slot)) {
                return false;
            }
        }
        return true;
    }

    /** Tries from which offset on the log's samples give what was published. */
    private Optional<String> sums(WindowSummary window, List<Part> inTime, int subWindows, List<LoadWindow> records) {
        StepRange steps =
                new StepRange(window.index() * members.windowSteps(), (window.index() + 1) * members.windowSteps());
        WindowSums published = WindowSums.published(members, window.present().toArray(), subWindows, records);
        if (published.total() != window.accepted()) {
            return Optional.of("the summary says " + window.accepted() + " and the layers " + published.total());
        }
        TreeSet<Long> offsets = new TreeSet<>();
        inTime.forEach(part -> offsets.add(part.offset()));
        offsets.add(Long.MAX_VALUE); // none is used
        WindowSums all = WindowSums.computed(members, steps, subWindows, inTime, truth, part -> {});
        for (long first : offsets) {
            List<Part> used = new ArrayList<>();
            WindowSums computed = WindowSums.computed(
                    members,
                    steps,
                    subWindows,
                    inTime.stream().filter(part -> part.offset() >= first).toList(),
                    truth,
                    used::add);
            if (computed.samePresence(published) && computed.sameLoads(published)) {
                settled.addAll(used);
                return Optional.empty();
            }
        }
        return Optional.of("published are " + published + ", computed " + all);
    }

    private void checkChain(List<WindowSummary> inOrder) {
        TreeSet<Long> before = new TreeSet<>();
        TreeSet<Long> resyncs = new TreeSet<>();
        inOrder.stream()
                .filter(window -> window.reason() == CloseReason.RESYNC)
                .forEach(window -> resyncs.add(window.closingOffset()));
        Optional<WindowSummary> last = Optional.empty();
        for (WindowSummary window : inOrder) {
            Long lower = before.lower(window.index());
            if (window.previousIndex() != (lower == null ? -1 : lower)) {
                missing++;
                found("follows " + window.previousIndex() + " and not " + lower + ": " + window.summary());
            }
            long gap = last.map(previous -> gap(previous, window, before)).orElse(0L);
            if (gap > 0 && !resyncs.contains(last.orElseThrow().closingOffset())) {
                missing += gap;
                found(gap + " windows are not there before " + window.summary());
            }
            before.add(window.index());
            last = Optional.of(window);
        }
    }

    /** Windows between two that follow each other in the log and were not published before; more than 0 for a jump back too. */
    private static long gap(WindowSummary previous, WindowSummary window, TreeSet<Long> before) {
        if (window.index() <= previous.index()) {
            return 1;
        }
        long between = window.index() - previous.index() - 1;
        return between - before.subSet(previous.index() + 1, window.index()).size();
    }

    private void checkNothingVanished(TreeMap<Long, WindowSummary> published, List<WindowSummary> inOrder) {
        long closed = inOrder.isEmpty() ? -1 : inOrder.get(inOrder.size() - 1).closingOffset();
        TreeSet<Long> behind = new TreeSet<>();
        TreeSet<Long> unpublished = new TreeSet<>();
        Map<Long, Integer> leftOut = new TreeMap<>();
        Set<Long> used = new HashSet<>();
        for (Part part : parts.values().stream().flatMap(List::stream).toList()) {
            if (part.offset() > closed) {
                behind.add(part.window());
            } else if (settled.contains(part)) {
                used.add(part.offset());
            } else {
                leftOut.merge(part.offset(), 1, Integer::sum);
                if (!published.containsKey(part.window())) {
                    unpublished.add(part.window());
                }
            }
        }
        if (!behind.isEmpty()) {
            missing += behind.size();
            found("samples of the windows " + behind + " stand in the log behind the last window that was closed");
        }
        long counted = inOrder.stream()
                .mapToLong(window -> window.late() + window.duplicates() + window.conflicts() + window.rejected())
                .sum();
        // Samples that are late or rejected count once, those that overlap others rank by rank.
        long vanished = leftOut.entrySet().stream()
                .mapToLong(out -> used.contains(out.getKey()) ? out.getValue() : 1)
                .sum();
        if (vanished > counted) {
            missing += Math.max(1, unpublished.size());
            found(vanished + " samples are in no window, of which " + counted
                    + " are counted as left out; windows that were never published: " + unpublished);
        }
    }
}
