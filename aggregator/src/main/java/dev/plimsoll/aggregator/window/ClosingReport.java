package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState.Counts;
import dev.plimsoll.model.Balance;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.StepTime;
import dev.plimsoll.model.SubWindowSums;
import dev.plimsoll.model.WindowSummary;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What is published of a window when it closes. Floating point appears here, once, and goes nowhere from here. */
record ClosingReport(
        Membership members,
        long index,
        CloseReason reason,
        long previousIndex,
        Optional<OpenWindow> window,
        Counts counts) {
    /** Most bytes of a record's sums, about: topic tools show records up to 20 KB well. */
    private static final int MOST_BYTES = 18_000;
    /** A sum of a window, and what is packed of each sub-window's: generous, as sums go. */
    private static final int BYTES_OF_SUM = 4;

    private static final int BYTES_OF_SUB_SUM = 2;

    ClosedWindow closedWindow(int partition, long offset, long appendTime, int subWindows) {
        long[][] loadOfRank =
                new long[members.shape().layers()][members.topology().ranks()];
        List<LoadWindow> loads =
                window.map(open -> loads(open, subWindows, loadOfRank)).orElse(List.of());
        List<PlacementState> states = window.map(
                        open -> open.segments().stream().map(Segment::state).toList())
                .orElse(List.of());
        int ranks = members.topology().ranks();
        LongVector present = window.map(OpenWindow::present).orElse(LongVector.of(new long[ranks]));
        Conservation conservation = window.map(OpenWindow::conservation).orElse(Conservation.UNKNOWN);
        Balance balance = Balance.of(loadOfRank);
        long tokens = window.map(OpenWindow::tokens).orElse(0L);
        Optional<StepTime> stepTime = window.flatMap(OpenWindow::stepTime);
        WindowSummary summary = new WindowSummary(
                members.deployment(),
                members.incarnation(),
                members.phase(),
                index,
                previousIndex,
                steps(),
                reason,
                members.boundariesPerWindow(),
                present,
                balance,
                states,
                tokens,
                conservation,
                Arrays.stream(loadOfRank).flatMapToLong(Arrays::stream).sum(),
                counts.unattributed(),
                counts.late(),
                counts.duplicates(),
                counts.conflicts(),
                counts.rejected(),
                partition,
                offset,
                appendTime,
                line(present, balance, states, tokens, stepTime, conservation),
                stepTime);
        return new ClosedWindow(loads, summary);
    }

    private StepRange steps() {
        return OpenWindow.steps(members, index);
    }

    /** @param loadOfRank {@code [layer][rank]}, added up over segments: filled in */
    private List<LoadWindow> loads(OpenWindow open, int subWindows, long[][] loadOfRank) {
        int slots = members.topology().slots();
        int layers = loadOfRank.length;
        // Some layers at a time: rows of ranks are turned into rows of slots.
        long[] block = new long[subWindows * slots * Math.min(layers, Sums.ALIGNED)];
        long[] sums = new long[subWindows * slots];
        SubWindowSums.Packer packer = new SubWindowSums.Packer();
        LoadWindow[][] loads = new LoadWindow[layers * open.segments().size()][];
        for (int segment = 0; segment < open.segments().size(); segment++) {
            Segment of = open.segments().get(segment);
            for (int first = 0; first < layers; first += Sums.ALIGNED) {
                int count = Math.min(Sums.ALIGNED, layers - first);
                of.layers(first, count, block);
                for (int i = 0; i < count; i++) {
                    int parts = gather(block, of, i, count, sums);
                    loads[(first + i) * open.segments().size() + segment] =
                            layer(first + i, segment, of, sums, parts, subWindows, packer, loadOfRank[first + i]);
                }
            }
        }
        return Arrays.stream(loads).flatMap(Arrays::stream).toList();
    }

    /** Takes one layer of a block and returns how many sub-windows it has. */
    private int gather(long[] block, Segment of, int layer, int layers, long[] sums) {
        int width = of.width();
        int parts = Math.max(0, of.endSubWindow() - of.firstSubWindow());
        int rows = parts * of.rows();
        for (int row = 0; row < rows; row++) {
            System.arraycopy(block, (row * layers + layer) * width, sums, row * width, width);
        }
        return parts;
    }

    private LoadWindow[] layer(
            int layer,
            int segment,
            Segment of,
            long[] sums,
            int parts,
            int subWindows,
            SubWindowSums.Packer packer,
            long[] loadOfRank) {
        int slots = members.topology().slots();
        LongVector load = addUp(sums, parts, loadOfRank);
        int width = MOST_BYTES / (BYTES_OF_SUM + BYTES_OF_SUB_SUM * Math.max(0, parts - 1));
        LoadWindow[] records = new LoadWindow[(slots + width - 1) / width];
        for (int i = 0; i < records.length; i++) {
            int from = i * width;
            LongVector part = load.slice(from, Math.min(slots, from + width));
            records[i] = new LoadWindow(
                    members.deployment(),
                    members.incarnation(),
                    members.phase(),
                    index,
                    steps(),
                    layer,
                    segment,
                    of.state(),
                    from,
                    part,
                    subWindows,
                    of.firstSubWindow(),
                    packer.pack(part, parts, sums, from, slots),
                    line(layer, of.state(), from, part));
        }
        return records;
    }

    /** {@code [slot]} over the sub-windows. No sum overflows: {@link Cell#COUNTER_LIMIT}. */
    private LongVector addUp(long[] sums, int parts, long[] loadOfRank) {
        int slots = members.topology().slots();
        int width = members.topology().slotsPerRank();
        long[] load = new long[slots];
        for (int part = 0; part < parts; part++) {
            for (int slot = 0; slot < slots; slot++) {
                load[slot] += sums[part * slots + slot];
            }
        }
        for (int rank = 0, slot = 0; rank < loadOfRank.length; rank++) {
            for (int i = 0; i < width; i++) {
                loadOfRank[rank] += load[slot++];
            }
        }
        return LongVector.wrapping(load);
    }

    private String where() {
        return members.deployment() + " incarnation " + members.incarnation() + " window " + index + " " + steps();
    }

    private String line(int layer, PlacementState state, int firstSlot, LongVector load) {
        int hottest = 0;
        for (int slot = 1; slot < load.size(); slot++) {
            hottest = load.at(slot) > load.at(hottest) ? slot : hottest;
        }
        return where() + " layer " + layer + " " + state + ": load " + load.sum() + " on slots " + firstSlot + ".."
                + (firstSlot + load.size() - 1) + ", hottest " + (firstSlot + hottest) + " with " + load.at(hottest);
    }

    private String line(
            LongVector present,
            Balance balance,
            List<PlacementState> states,
            long tokens,
            Optional<StepTime> stepTime,
            Conservation conservation) {
        StringBuilder line = new StringBuilder(where()).append(' ').append(reason);
        if (tokens > 0) {
            line.append(", ").append(tokens).append(" tokens");
        }
        stepTime.ifPresent(time -> line.append(", ").append(time.summary(members.boundarySteps())));
        if (balance.loaded()) {
            line.append(", balancedness ").append(thousandths(balance.mean())).append(" mean, ");
            line.append(thousandths(balance.min())).append(" min in layer ").append(balance.worstLayer());
        }
        if (!states.isEmpty()) {
            line.append(", ").append(some(states.stream().map(Object::toString).toList()));
        }
        if (previousIndex < 0 && index > 0) {
            line.append(", the first window: no sample of an earlier one came before");
        }
        if (reason != CloseReason.COMPLETE) {
            int expected = members.boundariesPerWindow();
            List<String> lacking = IntStream.range(0, present.size())
                    .filter(rank -> present.at(rank) < expected)
                    .mapToObj(Integer::toString)
                    .toList();
            line.append(", cells ").append(present.sum()).append('/').append((long) expected * present.size());
            line.append(", missing of ranks ").append(some(lacking));
            if (window.map(OpenWindow::spanned).orElse(false)) {
                line.append(", a sample spanned a border or a flip");
            }
        }
        if (balance.loaded() && !conservation.equals(Conservation.YES)) {
            line.append(", ").append(conservation);
        }
        append(line, "late", counts.late());
        append(line, "duplicates", counts.duplicates());
        append(line, "conflicts", counts.conflicts());
        append(line, "rejected", counts.rejected());
        append(line, "unattributed load", counts.unattributed());
        return line.toString();
    }

    private static void append(StringBuilder line, String name, long count) {
        if (count > 0) {
            line.append(", ").append(name).append(' ').append(count);
        }
    }

    private static double thousandths(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    private static String some(List<String> names) {
        return names.stream().limit(8).collect(Collectors.joining(" "))
                + (names.size() > 8 ? " and " + (names.size() - 8) + " more" : "");
    }
}
