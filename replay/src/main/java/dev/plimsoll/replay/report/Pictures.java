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
 * <p>Placements of a run differ in a few slots from one to the next: the first is whole, the others say what changed.
 */
final class Pictures {
    private final List<PolicyRun> runs;
    private final ArrayNode matrices = JsonNodeFactory.instance.arrayNode();
    private final ArrayNode placements = JsonNodeFactory.instance.arrayNode();
    private final List<Map<Long, Integer>> placementOfWindow = new ArrayList<>();
    private final List<WindowMatrix> kept;
    private final int leftOut;

    /** @param room characters that they may take together */
    Pictures(ReplayResult result, long room) {
        this.runs =
                Stream.concat(result.live().stream(), result.runs().stream()).toList();
        List<WindowMatrix> ordered = ordered(result);
        List<WindowMatrix> fitting = new ArrayList<>();
        List<Delta> deltas = runs.stream().map(run -> new Delta()).toList();
        long used = 0;
        for (WindowMatrix matrix : ordered) {
            // Against what was chosen before, which need not be the neighbour in time: an estimate from above, nearly.
            long size = packed(matrix).size() + 100;
            for (int i = 0; i < runs.size(); i++) {
                int[][] placement = runs.get(i).placements().get(matrix.index());
                size += placement == null ? 0 : deltas.get(i).size(placement);
            }
            if (used + size > room) {
                break;
            }
            used += size;
            fitting.add(matrix);
            for (int i = 0; i < runs.size(); i++) {
                int[][] placement = runs.get(i).placements().get(matrix.index());
                if (placement != null) {
                    deltas.get(i).last = placement;
                }
            }
        }
        this.kept = fitting.stream()
                .sorted(Comparator.comparingLong(WindowMatrix::index))
                .toList();
        this.leftOut = ordered.size() - kept.size();
        write();
    }

    /** The most telling first: worst windows and decisions by turns, the worst by balancedness, decisions by moves. */
    private static List<WindowMatrix> ordered(ReplayResult result) {
        Map<Long, Double> evenness = new HashMap<>();
        Map<Long, Integer> moves = new HashMap<>();
        Stream.concat(result.live().stream(), result.runs().stream()).forEach(run -> {
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

    private void write() {
        List<Delta> deltas = runs.stream().map(run -> new Delta()).toList();
        runs.forEach(run -> placementOfWindow.add(new TreeMap<>()));
        for (WindowMatrix matrix : kept) {
            matrices.addObject()
                    .put("index", matrix.index())
                    .put("why", matrix.why())
                    .set("load", packed(matrix).json());
            for (int i = 0; i < runs.size(); i++) {
                int[][] placement = runs.get(i).placements().get(matrix.index());
                if (placement != null) {
                    placementOfWindow.get(i).put(matrix.index(), deltas.get(i).write(placement, placements));
                }
            }
        }
    }

    private static Packed packed(WindowMatrix matrix) {
        return Packed.whole(Arrays.stream(matrix.load())
                .flatMapToLong(Arrays::stream)
                .map(load -> load < 0 ? Packed.MISSING : load)
                .toArray());
    }

    /** Placements of one run, one after the other. */
    private static final class Delta {
        private int[][] last = new int[0][];
        private int number = -1;

        private boolean comparable(int[][] next) {
            return last.length == next.length && last.length > 0 && last[0].length == next[0].length;
        }

        private long size(int[][] next) {
            return comparable(next) ? 160 + 7L * changes(next).size() : 120 + 8L * next.length * next[0].length / 3;
        }

        private List<long[]> changes(int[][] next) {
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

        /** @return its number in {@code all} */
        private int write(int[][] next, ArrayNode all) {
            ObjectNode node = JsonNodeFactory.instance.objectNode();
            if (comparable(next)) {
                List<long[]> changes = changes(next);
                if (changes.isEmpty()) {
                    return number;
                }
                node.put("from", number);
                node.set(
                        "at",
                        Packed.whole(changes.stream()
                                        .mapToLong(change -> change[0])
                                        .toArray())
                                .json());
                node.set(
                        "to",
                        Packed.whole(changes.stream()
                                        .mapToLong(change -> change[1])
                                        .toArray())
                                .json());
            } else {
                node.put("slots", next[0].length);
                node.set(
                        "experts",
                        Packed.whole(Arrays.stream(next)
                                        .flatMapToInt(Arrays::stream)
                                        .asLongStream()
                                        .toArray())
                                .json());
            }
            last = next;
            number = all.size();
            all.add(node);
            return number;
        }
    }

    /** Windows of which the page has the matrix. */
    List<WindowMatrix> kept() {
        return kept;
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
