package dev.plimsoll.replay.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * Files that engines' own code wrote, which lie beside the project and are no part of it: {@code ../shared/formats}, seen from its root.
 * Tests that need one are skipped where it is absent.
 */
public final class SharedFormats {
    private static final Path HERE = Path.of("").toAbsolutePath();

    private SharedFormats() {}

    /** A file or directory of it, such as {@code sglang/stat}; skips the test where it is absent. */
    public static Path path(String name) {
        for (Path at = HERE; at != null; at = at.getParent()) {
            Path there = at.resolve("shared/formats");
            if (Files.isDirectory(there)) {
                return there.resolve(name);
            }
        }
        assumeTrue(false, "skipped: no ../shared/formats beside the project");
        throw new IllegalStateException();
    }

    public static Input input(String name) throws IOException {
        return Input.of(path(name));
    }

    /** What {@code truth.json} says of a file. */
    public static JsonNode truth(String name) throws IOException {
        JsonNode truth =
                new ObjectMapper().readTree(path("truth.json").toFile()).get(name);
        assertThat(truth).as("truth.json about %s", name).isNotNull();
        return truth;
    }

    /** {@code [layer][expert]} over all frames. */
    public static long[][] sum(Recording recording) {
        long[][] sum = new long[recording.layerIds().size()][recording.experts()];
        for (Recording.Frame frame : recording.frames()) {
            for (int layer = 0; layer < sum.length; layer++) {
                for (int expert = 0; expert < recording.experts(); expert++) {
                    sum[layer][expert] += frame.load()[layer][expert];
                }
            }
        }
        return sum;
    }

    /** The sums of {@code per_layer_expert_sum}, without its layers that have no load. */
    public static void assertSums(Recording recording, JsonNode truth) throws IOException {
        long[][] expected = new ObjectMapper().treeToValue(truth.get("per_layer_expert_sum"), long[][].class);
        long[][] withLoad = Arrays.stream(expected)
                .filter(layer -> Arrays.stream(layer).sum() > 0)
                .toArray(long[][]::new);
        assertThat(sum(recording)).isDeepEqualTo(withLoad);
        assertThat(recording.frames().stream().mapToLong(Recording.Frame::total).sum())
                .isEqualTo(truth.get("total").longValue());
    }

    /** How even ranks are loaded under a map: {@code b}, {@code PAR}, {@code TRT} and {@code b_sum}, to six decimals. */
    public static void assertBalance(long[][] load, ExpertMap map, JsonNode balance) {
        double[][] ranks = ranks(load, map);
        assertThat(mean(ranks, layer -> mean(layer) / max(layer)))
                .as("b")
                .isCloseTo(balance.get("b").doubleValue(), within(1e-6));
        assertThat(mean(ranks, layer -> max(layer) / mean(layer)))
                .as("PAR")
                .isCloseTo(balance.get("PAR").doubleValue(), within(1e-6));
        assertThat(mean(ranks, layer -> max(layer) / mean(layer)) - 1)
                .as("TRT")
                .isCloseTo(balance.get("TRT").doubleValue(), within(1e-6));
        assertThat(Arrays.stream(ranks).mapToDouble(SharedFormats::mean).sum()
                        / Arrays.stream(ranks).mapToDouble(SharedFormats::max).sum())
                .as("Σb")
                .isCloseTo(balance.get("b_sum").doubleValue(), within(1e-6));
    }

    /** Mean over the layers that have load, of all frames, of mean ÷ max. */
    public static double balancePerPass(Recording recording, ExpertMap map) {
        double[][] all = recording.frames().stream()
                .flatMap(frame -> Arrays.stream(ranks(frame.load(), map)))
                .toArray(double[][]::new);
        return mean(all, layer -> mean(layer) / max(layer));
    }

    /** How even ranks were loaded by the engine's own choice of replicas: of the counts of slots. */
    public static void assertPhysical(Recording recording, JsonNode balance) {
        ExpertMap map = recording.maps().get(0);
        double[][] ranks = new double[map.layers()][map.ranks()];
        for (Recording.Frame frame : recording.frames()) {
            long[][] slots = frame.slotLoad().orElseThrow();
            for (int layer = 0; layer < map.layers(); layer++) {
                int slot = 0;
                for (int rank = 0; rank < map.ranks(); rank++) {
                    for (int i = 0; i < map.rank(layer, rank).length; i++) {
                        ranks[layer][rank] += slots[layer][slot++];
                    }
                }
            }
        }
        assertThat(mean(ranks, layer -> mean(layer) / max(layer)))
                .as("physical b")
                .isCloseTo(balance.get("b").doubleValue(), within(1e-6));
    }

    private static double[][] ranks(long[][] load, ExpertMap map) {
        double[][] ranks = new double[load.length][map.ranks()];
        for (int layer = 0; layer < load.length; layer++) {
            int[] copies = new int[load[layer].length];
            for (int expert : map.layer(layer)) {
                copies[expert]++;
            }
            for (int rank = 0; rank < map.ranks(); rank++) {
                for (int expert : map.rank(layer, rank)) {
                    ranks[layer][rank] += (double) load[layer][expert] / copies[expert];
                }
            }
        }
        return ranks;
    }

    private static double mean(double[][] layers, java.util.function.ToDoubleFunction<double[]> of) {
        OptionalDouble mean = Arrays.stream(layers)
                .filter(layer -> max(layer) > 0)
                .mapToDouble(of)
                .average();
        return mean.orElse(Double.NaN);
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElse(0);
    }

    private static double max(double[] values) {
        return Arrays.stream(values).max().orElse(0);
    }

    /** Slot i holds expert i mod N, rank r owns the slots [r·k, (r+1)·k). */
    public static ExpertMap startMap(int layers, int experts, int slots, int ranks) {
        int[][] map = new int[layers][slots];
        for (int[] layer : map) {
            Arrays.setAll(layer, slot -> slot % experts);
        }
        return ExpertMap.ofSlots(map, ranks);
    }
}
