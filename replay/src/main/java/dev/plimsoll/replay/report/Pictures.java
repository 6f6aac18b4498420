package dev.plimsoll.replay.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.result.WindowMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The matrices that have room in the page, with the placements that every run served them under.
 *
 * <p>Placements of a run often differ in a few slots from one to the next: those say what changed, the others are whole.
 */
final class Pictures {
    private final ArrayNode matrices = JsonNodeFactory.instance.arrayNode();
    private final ArrayNode placements = JsonNodeFactory.instance.arrayNode();
    private final List<Map<Long, Integer>> placementOfWindow = new ArrayList<>();
    private final int leftOut;
    private long size;

    /** @param ordered all that there are, of which the first {@code kept} are taken */
    private Pictures(List<PolicyRun> runs, List<WindowMatrix> ordered, int kept) {
        this.leftOut = ordered.size() - kept;
        List<WindowMatrix> byTime = ordered.stream()
                .limit(kept)
                .sorted(Comparator.comparingLong(WindowMatrix::index))
                .toList();
        for (WindowMatrix matrix : byTime) {
            Packed packed = packed(matrix.load());
            size += packed.size() + 60 + matrix.why().length();
            matrices.addObject()
                    .put("index", matrix.index())
                    .put("why", matrix.why())
                    .set("load", packed.json());
        }
        for (PolicyRun run : runs) {
            Map<Long, Integer> numbers = new TreeMap<>();
            int[][] last = new int[0][];
            for (WindowMatrix matrix : byTime) {
                int[][] placement = run.placements().get(matrix.index());
                if (placement == null) {
                    continue;
                }
                if (!Arrays.deepEquals(placement, last)) {
                    add(placement, last);
                    last = placement;
                }
                numbers.put(matrix.index(), placements.size() - 1);
                size += 24;
            }
            placementOfWindow.add(numbers);
        }
    }

    /** @param room characters that they may take together */
    static Pictures fitting(ReplayResult result, long room) {
        List<PolicyRun> runs =
                Stream.concat(result.live().stream(), result.runs().stream()).toList();
        List<WindowMatrix> ordered = ordered(result, runs);
        Pictures fitting = new Pictures(runs, ordered, ordered.size());
        if (fitting.size <= room) {
            return fitting;
        }
        int fits = 0;
        int tooMany = ordered.size();
        fitting = new Pictures(runs, ordered, 0);
        while (tooMany - fits > 1) {
            int tried = (fits + tooMany) / 2;
            Pictures pictures = new Pictures(runs, ordered, tried);
            if (pictures.size <= room) {
                fits = tried;
                fitting = pictures;
            } else {
                tooMany = tried;
            }
        }
        return fitting;
    }

    /** The most telling first: worst windows and decisions by turns, the worst by balancedness, decisions by moves. */
    private static List<WindowMatrix> ordered(ReplayResult result, List<PolicyRun> runs) {
        Map<Long, Double> evenness = new HashMap<>();
        Map<Long, Integer> moves = new HashMap<>();
        runs.forEach(run -> {
            run.served().stream()
                    .filter(Standing::loaded)
                    .forEach(window -> evenness.merge(window.index(), window.mean(), Math::min));
            run.decisions().forEach(decision -> moves.merge(decision.windowIndex(), decision.moves(), Math::max));
        });
        Map<Long, WindowMatrix> once = new TreeMap<>();
        result.matrices().forEach(matrix -> once.putIfAbsent(matrix.index(), matrix));
        List<WindowMatrix> worst = once.values().stream()
                .filter(matrix -> !matrix.why().equals("decision"))
                .sorted(Comparator.comparingDouble(matrix -> evenness.getOrDefault(matrix.index(), 1.0)))
                .toList();
        List<WindowMatrix> decisions = once.values().stream()
                .filter(matrix -> matrix.why().equals("decision"))
                .sorted(Comparator.comparingInt(matrix -> -moves.getOrDefault(matrix.index(), 0)))
                .toList();
        List<WindowMatrix> ordered = new ArrayList<>();
        for (int i = 0; i < Math.max(worst.size(), decisions.size()); i++) {
            if (i < worst.size()) {
                ordered.add(worst.get(i));
            }
            if (i < decisions.size()) {
                ordered.add(decisions.get(i));
            }
        }
        return ordered;
    }

    private static Packed packed(long[][] load) {
        return Packed.whole(Arrays.stream(load)
                .flatMapToLong(Arrays::stream)
                .map(of -> of < 0 ? Packed.MISSING : of)
                .toArray());
    }

    /** Adds a placement, as what changed where that is shorter. */
    private void add(int[][] next, int[][] last) {
        ObjectNode node = placements.addObject();
        Packed whole = Packed.whole(
                Arrays.stream(next).flatMapToInt(Arrays::stream).asLongStream().toArray());
        if (last.length == next.length && last[0].length == next[0].length) {
            List<long[]> changes = changes(next, last);
            Packed at =
                    Packed.whole(changes.stream().mapToLong(change -> change[0]).toArray());
            Packed to =
                    Packed.whole(changes.stream().mapToLong(change -> change[1]).toArray());
            if (at.size() + to.size() < whole.size()) {
                node.put("from", placements.size() - 2).set("at", at.json());
                node.set("to", to.json());
                size += at.size() + to.size() + 40;
                return;
            }
        }
        node.put("slots", next[0].length).set("experts", whole.json());
        size += whole.size() + 40;
    }

    /** Place and new expert of every slot that changed. */
    private static List<long[]> changes(int[][] next, int[][] last) {
        List<long[]> changes = new ArrayList<>();
        for (int layer = 0; layer < next.length; layer++) {
            for (int slot = 0; slot < next[layer].length; slot++) {
                if (last[layer][slot] != next[layer][slot]) {
                    changes.add(new long[] {(long) layer * next[layer].length + slot, next[layer][slot]});
                }
            }
        }
        return changes;
    }

    /** How many had no room. */
    int leftOut() {
        return leftOut;
    }

    ArrayNode matrices() {
        return matrices;
    }

    ArrayNode placements() {
        return placements;
    }

    /** Number of the placement of a run, by window. */
    Map<Long, Integer> placementOfWindow(int run) {
        return placementOfWindow.get(run);
    }
}
